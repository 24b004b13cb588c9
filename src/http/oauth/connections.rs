//! `/connections`, `/sign-in`, `/sign-out`: our own pages for people who have let clients in.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};

use super::browsing::{After, Cookies, see_other};
use super::{OAuthService, body, whole};
use crate::http::Service;
use crate::http::pages::{
    ClientOrigin, ClientView, Connection, Connections, Form, Place, ProviderView, ResourceView, ScopeView, SignIn,
    SignedOut,
};
use crate::oauth::{self, Disconnected, GrantView, OAuthError, Parameters, ProblemKind};

/// `GET /connections`
pub(super) async fn list(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let found = async {
        let parameters = body::query(&request)?;
        let cookies = Cookies::of(&request, &oauth);
        oauth.server.connections(cookies.browser(), parameters.optional("after")).await
    };
    match found.await {
        Ok(Some(connections)) => oauth.page(&oauth.connections(&service, connections), &[]),
        Ok(None) => see_other("/sign-in", &[]),
        Err(error) => oauth.error_page(&service, error),
    }
}

/// `POST /connections`: withdraws one, or all.
pub(super) async fn withdraw(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let form = match oauth.own_form(&request, payload).await {
        Ok(form) => form,
        Err(error) => return oauth.error_page(&service, error),
    };
    let (server, cookies) = (Arc::clone(&oauth.server), Cookies::of(&request, &oauth));
    let work = async move {
        let csrf = form.optional("csrf").unwrap_or_default();
        match form.required("withdraw")? {
            Connections::ALL => server.disconnect_all(cookies.browser(), csrf).await,
            id => server.disconnect(cookies.browser(), csrf, id).await,
        }
    };
    match whole::to_the_end(work).await.and_then(|outcome| outcome) {
        Ok(Disconnected::Done) => see_other("/connections", &[]),
        Ok(Disconnected::NobodySignedIn) => see_other("/sign-in", &[]),
        Ok(Disconnected::ForeignForm) => oauth.problem(&service, &ProblemKind::ForeignForm.into()),
        Err(error) => oauth.error_page(&service, error),
    }
}

/// `GET /sign-in`: straight to the only identity provider, or the choice among several.
pub(super) async fn sign_in_page(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let providers = oauth.server.provider_choices();
    if providers.len() == 1 {
        return begin(&request, &oauth, &service, None, After::Link).await;
    }
    let view = |choice: oauth::ProviderChoice| ProviderView { name: choice.name, label: choice.label };
    let page = SignIn {
        form: Form::new("/sign-in", ""),
        purpose: "see your connections".to_owned(),
        providers: providers.into_iter().map(view).collect(),
    };
    oauth.page(&page, &[])
}

/// `POST /sign-in`
pub(super) async fn sign_in(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    match oauth.own_form(&request, payload).await {
        Ok(form) => begin(&request, &oauth, &service, form.optional("provider"), After::Form).await,
        Err(error) => oauth.error_page(&service, error),
    }
}

async fn begin(
    request: &HttpRequest,
    oauth: &OAuthService,
    service: &Service,
    provider: Option<&str>,
    after: After,
) -> HttpResponse {
    if let Err(error) = oauth.admit(&oauth.limits.begin, request) {
        return oauth.error_page(service, error);
    }
    let answer = oauth.server.sign_in(provider, false, Cookies::of(request, oauth).browser()).await;
    let cookie = answer.browser.map(|secret| oauth.cookies.set_browser(&secret));
    oauth.go_on(service, answer.next, after, cookie.as_slice())
}

/// `POST /sign-out`, from our own pages and from those of a protected host.
pub(super) async fn sign_out(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    if let Err(error) = oauth.own_form(&request, payload).await {
        return oauth.error_page(&service, error);
    }
    let (server, cookies) = (Arc::clone(&oauth.server), Cookies::of(&request, &oauth));
    let ended = whole::to_the_end(async move { server.sign_out(cookies.browser()).await });
    let ended = ended.await.and_then(|outcome| outcome);
    let sessions = oauth.end_sessions(&request).await;
    match ended.and(sessions) {
        Ok(mut gone) => {
            gone.push(oauth.cookies.forget_session());
            oauth.page(&SignedOut, &gone)
        }
        Err(error) => oauth.error_page(&service, error),
    }
}

impl OAuthService {
    /// The form, if it came from a page of ours.
    pub(super) async fn own_form(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<Parameters, OAuthError> {
        if !self.is_own_form(request) {
            return Err(OAuthError::invalid_request("the form was sent from another site"));
        }
        body::form(request, payload).await
    }

    fn connections(&self, service: &Service, connections: oauth::Connections) -> Connections {
        let person = connections.person;
        let shown = person.email.as_ref().map(ToString::to_string).or(person.user_name).unwrap_or(person.subject);
        let more = connections.page.next.map(|after| {
            let after: String = url::form_urlencoded::byte_serialize(after.as_bytes()).collect();
            format!("/connections?after={after}")
        });
        Connections {
            person: shown,
            connections: connections.page.grants.into_iter().map(|grant| self.connection(grant)).collect(),
            more,
            notice: None,
            withdraw: Form::new("/connections", connections.csrf.clone()),
            sign_out: Form::new("/sign-out", connections.csrf),
            now: service.clock.now(),
        }
    }

    fn connection(&self, grant: GrantView) -> Connection {
        let origin = match url::Url::parse(&grant.client).ok().and_then(|url| url.host_str().map(ToOwned::to_owned)) {
            Some(host) => ClientOrigin::Website { host },
            None if grant.client == oauth::BROWSER => ClientOrigin::Operator,
            None => ClientOrigin::Itself,
        };
        let scopes = grant.scopes.as_slice().iter();
        Connection {
            id: grant.id,
            client: ClientView { name: grant.client_name, origin },
            redirect: Place::of(&grant.redirect_uri),
            resource: ResourceView { name: self.server.resource_name(&grant.resource), uri: grant.resource },
            scopes: scopes
                .map(|scope| ScopeView {
                    scope: scope.to_string(),
                    description: self.scope_descriptions.get(scope.as_str()).cloned(),
                })
                .collect(),
            since: grant.since,
            last_used: Some(grant.last_used),
        }
    }
}
