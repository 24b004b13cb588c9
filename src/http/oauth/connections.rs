//! `/connections`, `/sign-in`, `/sign-out`: our own pages for people who have let clients in.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};

use super::browsing::{After, Cookies, see_other};
use super::{OAuthService, body, views, whole};
use crate::http::Service;
use crate::http::pages::{
    ClientOrigin, ClientView, Connection, Connections, Form, Place, ResourceView, SignIn, SignedOut,
};
use crate::oauth::{self, Disconnected, GrantView, Parameters, Problem, ProblemKind};

/// `GET /connections`
pub(super) async fn list(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let parameters = body::query(&request)?;
        let cookies = Cookies::of(&request, &oauth);
        let found = oauth.server.connections(cookies.browser(), parameters.optional("after")).await?;
        Ok(match found {
            Some(connections) => oauth.page(&oauth.connections(&service, connections), &[]),
            None => see_other("/sign-in", &[]),
        })
    };
    oauth.shown(&service, work).await
}

/// `POST /connections`: withdraws one, or all.
pub(super) async fn withdraw(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let form = oauth.own_form(&request, payload).await?;
        let (server, cookies) = (Arc::clone(&oauth.server), Cookies::of(&request, &oauth));
        let end = async move {
            let csrf = form.optional("csrf").unwrap_or_default();
            match form.required("withdraw")? {
                Connections::ALL => server.disconnect_all(cookies.browser(), csrf).await,
                id => server.disconnect(cookies.browser(), csrf, id).await,
            }
        };
        Ok(match whole::to_the_end(end).await?? {
            Disconnected::Done => see_other("/connections", &[]),
            // No redirect: where one can sign in at one place only, it would lead there, after a form.
            Disconnected::NobodySignedIn => oauth.sign_in(&request, &service, false).await?,
            Disconnected::ForeignForm => oauth.problem(&service, &ProblemKind::ForeignForm.into()),
        })
    };
    oauth.shown(&service, work).await
}

/// `GET /sign-in`: straight to the only identity provider, or the choice among several.
pub(super) async fn sign_in_page(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    oauth.shown(&service, oauth.sign_in(&request, &service, true)).await
}

/// `POST /sign-in`
pub(super) async fn sign_in(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let form = oauth.own_form(&request, payload).await?;
        let provider = form.optional("provider");
        let after = After::Form { to: oauth.server.provider_label(provider) };
        begin(&request, &oauth, &service, provider, after).await
    };
    oauth.shown(&service, work).await
}

async fn begin(
    request: &HttpRequest,
    oauth: &OAuthService,
    service: &Service,
    provider: Option<&str>,
    after: After,
) -> Result<HttpResponse, Problem> {
    oauth.admit(&oauth.limits.begin, request)?;
    let answer = oauth.server.sign_in(provider, false, Cookies::of(request, oauth).browser()).await;
    let goes_on = matches!(answer.next, oauth::Next::Redirect(_));
    let cookies = if goes_on { oauth.keep_browser(request, answer.browser) } else { Vec::new() };
    Ok(oauth.go_on(service, answer.next, after, &cookies))
}

/// `POST /sign-out`, from our own pages and from those of a protected host.
pub(super) async fn sign_out(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let form = oauth.own_form(&request, payload).await?;
        let (server, cookies) = (Arc::clone(&oauth.server), Cookies::of(&request, &oauth));
        let end = async move { server.sign_out(cookies.browser(), form.optional("csrf").unwrap_or_default()).await };
        let ended = whole::to_the_end(end).await??;
        if ended == Disconnected::ForeignForm {
            return Err(ProblemKind::ForeignForm.into());
        }
        let mut gone = oauth.end_sessions(&request).await?;
        if ended == Disconnected::Done {
            gone.push(oauth.cookies.forget_session());
        }
        Ok(oauth.page(&SignedOut, &gone))
    };
    oauth.shown(&service, work).await
}

impl OAuthService {
    /// The form, if it came from a page of ours.
    pub(super) async fn own_form(&self, request: &HttpRequest, payload: web::Payload) -> Result<Parameters, Problem> {
        if !self.is_own_form(request) {
            return Err(ProblemKind::ForeignForm.into());
        }
        Ok(body::form(request, payload).await?)
    }

    /// To the only identity provider, or to the choice among several.
    async fn sign_in(&self, request: &HttpRequest, service: &Service, by_link: bool) -> Result<HttpResponse, Problem> {
        let providers = self.server.provider_choices();
        if let [only] = providers.as_slice() {
            let after = if by_link { After::Link } else { After::Form { to: Some(only.label.clone()) } };
            return begin(request, self, service, None, after).await;
        }
        let page = SignIn {
            form: Form::new("/sign-in", ""),
            purpose: "see your connections".to_owned(),
            providers: views::providers(providers),
        };
        Ok(self.page(&page, &[]))
    }

    fn connections(&self, service: &Service, connections: oauth::Connections) -> Connections {
        let more = connections.page.next.map(|after| {
            let after: String = url::form_urlencoded::byte_serialize(after.as_bytes()).collect();
            format!("/connections?after={after}")
        });
        Connections {
            person: views::name_of(&connections.person),
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
        Connection {
            id: grant.id,
            client: ClientView { name: grant.client_name, origin },
            redirect: Place::of(&grant.redirect_uri),
            resource: ResourceView { name: self.server.resource_name(&grant.resource), uri: grant.resource },
            scopes: self.scopes(&grant.scopes),
            since: grant.since,
            last_used: Some(grant.last_used),
        }
    }
}
