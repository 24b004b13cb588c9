//! `/sign-in/development`: the form that believes everything. Served only where such a provider is configured.

use actix_web::{HttpRequest, HttpResponse, web};

use super::browsing::After;
use super::{OAuthService, body};
use crate::http::Service;
use crate::http::pages::{DevelopmentSignIn, Form};
use crate::idp::development::{ClaimedPerson, DevelopmentSettings};
use crate::oauth::{Next, Parameters};

/// `GET /sign-in/development?state=…`
pub(super) async fn form(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    oauth.shown(&service, async { Ok(oauth.development_form(&body::query(&request)?, None)) }).await
}

/// `POST /sign-in/development`: on to the callback, as if a provider had answered. By a page: the callback redirects to the
/// client, which a browser would not follow after a form.
pub(super) async fn sign_in(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let form = oauth.own_form(&request, payload).await?;
        let state = form.optional("state").unwrap_or_default();
        let Some(login) = oauth.server.development_login() else { return Ok(crate::http::error::not_found()) };
        Ok(match login.code_for(state, claimed(&form), service.clock.now()) {
            Ok(code) => {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                query.append_pair("code", code.expose()).append_pair("state", state);
                let callback = format!("{}?{}", oauth.server.callback_url(), query.finish());
                oauth.go_on(&service, Next::Redirect(callback), After::Form { to: None }, &[])
            }
            Err(error) => oauth.development_form(&form, Some(error.to_string())),
        })
    };
    oauth.shown(&service, work).await
}

fn claimed(form: &Parameters) -> ClaimedPerson {
    let groups = form.optional("groups").unwrap_or_default().split(',').map(str::trim);
    ClaimedPerson {
        email: form.optional("email").unwrap_or_default().to_owned(),
        name: form.optional("name").map(ToOwned::to_owned),
        groups: groups.filter(|group| !group.is_empty()).map(ToOwned::to_owned).collect(),
    }
}

impl OAuthService {
    fn development_form(&self, written: &Parameters, problem: Option<String>) -> HttpResponse {
        if self.server.development_login().is_none() {
            return crate::http::error::not_found();
        }
        let text = |name: &str| written.optional(name).unwrap_or_default().to_owned();
        let page = DevelopmentSignIn {
            form: Form::new(DevelopmentSettings::PATH, "").with("state", text("state")),
            email: text("email"),
            name: text("name"),
            groups: text("groups"),
            problem,
        };
        self.page(&page, &[])
    }
}
