//! `/sign-in/development`: the form that believes everything. Served only where such a provider is configured.

use actix_web::{HttpRequest, HttpResponse, web};

use super::browsing::After;
use super::{OAuthService, body};
use crate::http::Service;
use crate::http::pages::{DevelopmentSignIn, Form};
use crate::idp::development::{ClaimedPerson, DevelopmentSettings};
use crate::oauth::Parameters;

/// `GET /sign-in/development?state=…`
pub(super) async fn form(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    match body::query(&request) {
        Ok(parameters) => oauth.development_form(&parameters, None),
        Err(error) => oauth.error_page(&service, error),
    }
}

/// `POST /sign-in/development`: on to the callback, as if a provider had answered.
pub(super) async fn sign_in(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let form = match oauth.own_form(&request, payload).await {
        Ok(form) => form,
        Err(error) => return oauth.error_page(&service, error),
    };
    let state = form.optional("state").unwrap_or_default();
    let Some(login) = oauth.server.development_login() else { return crate::http::error::not_found() };
    match login.code_for(state, claimed(&form), service.clock.now()) {
        Ok(code) => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("code", code.expose()).append_pair("state", state);
            // What follows leads to another origin, which a form must not.
            let url = format!("{}?{}", oauth.server.callback_url(), query.finish());
            oauth.send_to(&service, &url, After::Form, &[])
        }
        Err(error) => oauth.development_form(&form, Some(error.to_string())),
    }
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
