//! `/authorize`, `/consent`, `/callback`: the way of a browser from a client to its answer.

use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::browsing::{After, Cookies, consent_path, see_other};
use super::service::requested_host;
use super::{OAuthService, body, views, whole};
use crate::http::Service;
use crate::http::pages::{Before, ClientOrigin, ClientView, Consent, Form, Place, ResourceView};
use crate::oauth::{Authorize, ConsentPage, OAuthError, Parameters, Question};

/// `GET` or `POST /authorize` (RFC 6749 §3.1).
pub(super) async fn authorize(
    http_request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let parameters = read(&http_request, payload, &oauth).await?;
        // A form of another site comes without our cookies (`SameSite=Lax`) and would replace them; a link brings them along.
        if !oauth.is_own_host(&http_request) || http_request.method() == Method::POST {
            return Ok(oauth.to_own_host(&http_request, &parameters));
        }
        let cookies = Cookies::of(&http_request, &oauth);
        let host = requested_host(&http_request);
        Ok(match oauth.server.authorize(&parameters, host.as_ref(), cookies.browser()).await {
            Authorize::Page(problem) => oauth.problem(&service, &problem),
            Authorize::Redirect(url) => oauth.send_to(&service, &url, After::Link, &[]),
            Authorize::Consent { request, browser } => {
                see_other(&consent_path(&request), &oauth.keep_browser(&http_request, browser))
            }
        })
    };
    oauth.shown(&service, work).await
}

async fn read(request: &HttpRequest, payload: web::Payload, oauth: &OAuthService) -> Result<Parameters, OAuthError> {
    oauth.admit(&oauth.limits.begin, request)?;
    if request.method() == Method::POST { body::form(request, payload).await } else { body::query(request) }
}

impl OAuthService {
    /// Some clients look for `/authorize` on the MCP server's host. The browser goes on at the issuer's, where its
    /// cookies are, and the resource of the first host goes along.
    fn to_own_host(&self, request: &HttpRequest, parameters: &Parameters) -> HttpResponse {
        let mut query = parameters.to_query();
        if parameters.optional("resource").is_none()
            && let Some(resource) = requested_host(request).and_then(|host| self.server.default_resource(&host))
        {
            let resource: String = url::form_urlencoded::byte_serialize(resource.as_bytes()).collect();
            query = format!("{query}&resource={resource}");
        }
        let location = format!("{}/authorize?{query}", self.server.settings().issuer);
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, location))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish()
    }

    /// What people call the place where an answer to `/consent` leads: after a no it is the client's, which nobody vouches
    /// for.
    fn goal(&self, form: &Parameters) -> Option<String> {
        if form.optional("decision")? != "approve" {
            return None;
        }
        self.server.provider_label(form.optional("provider"))
    }

    fn question(&self, question: Question) -> Consent {
        let origin = match question.client_host {
            Some(host) => ClientOrigin::Website { host },
            None if question.client_is_configured => ClientOrigin::Operator,
            None => ClientOrigin::Itself,
        };
        Consent {
            form: Form::new("/consent", question.csrf).with("request", question.request),
            client: ClientView { name: question.client_name, origin },
            redirect: Place::of(&question.redirect_uri),
            resource: ResourceView { name: question.resource_name, uri: question.resource },
            scopes: self.scopes(&question.scopes.without(&question.known)),
            before: question
                .person
                .filter(|_| !question.known.is_empty())
                .map(|person| Before { person: views::name_of(&person), scopes: self.scopes(&question.known) }),
            providers: views::providers(question.providers),
        }
    }
}

/// `GET /consent?request=…`
pub(super) async fn consent_page(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let parameters = body::query(&request)?;
        let (id, cookies) = (parameters.optional("request").unwrap_or_default(), Cookies::of(&request, &oauth));
        Ok(match oauth.server.consent_page(id, cookies.browser()).await {
            ConsentPage::Ask(question) => oauth.page(&oauth.question(*question), &[]),
            ConsentPage::Redirect(url) => oauth.send_to(&service, &url, After::Link, &[]),
            ConsentPage::NotAllowed(who) => oauth.not_allowed(&service, *who),
            ConsentPage::Page(problem) => oauth.problem(&service, &problem),
        })
    };
    oauth.shown(&service, work).await
}

/// `POST /consent`
pub(super) async fn consent(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let form = oauth.own_form(&request, payload).await?;
        let after = After::Form { to: oauth.goal(&form) };
        let (server, cookies) = (Arc::clone(&oauth.server), Cookies::of(&request, &oauth));
        let next = whole::to_the_end(async move { server.consent(&form, cookies.browser()).await }).await?;
        Ok(oauth.go_on(&service, next, after, &[]))
    };
    oauth.shown(&service, work).await
}

/// `GET /callback`: the identity provider's answer.
pub(super) async fn callback(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let parameters = body::query(&request)?;
        let (server, cookies) = (Arc::clone(&oauth.server), Cookies::of(&request, &oauth));
        let answer = whole::to_the_end(async move { server.callback(&parameters, cookies.browser()).await }).await?;
        let lifetime = oauth.server.settings().session_lifetime;
        let session = answer.session.map(|secret| oauth.cookies.set_session(&secret, lifetime));
        let renewed = if session.is_some() { oauth.keep_browser(&request, None) } else { Vec::new() };
        let cookies: Vec<_> = session.into_iter().chain(renewed).collect();
        Ok(oauth.go_on(&service, answer.next, After::Link, &cookies))
    };
    oauth.shown(&service, work).await
}
