//! `/sign-in/begin`, `/sign-in/continue`, `/sign-in/return`: a browser signs in to a resource with `browser_sign_in`.
//! The first and the last stand on the protected host, where the session is kept; the one between on the issuer's.

use std::sync::Arc;
use std::time::Duration;

use actix_web::cookie::Cookie;
use actix_web::{HttpRequest, HttpResponse, web};

use super::browser::on_protected_host;
use super::browsing::{After, Cookies, redirect};
use super::{OAuthService, body, views, whole};
use crate::domain::{Secret, session_cookie};
use crate::http::Service;
use crate::http::head::ActixHead;
use crate::http::pages::{Form, SignIn};
use crate::oauth::{Begin, Next, OAuthError, Parameters, Problem, ProblemKind, Start, Visit};
use crate::proxy::{Field, RequestHead as _};

/// The proof key of a sign-in that is under way.
const BEGUN: &str = "begin";
/// How often a browser was sent back lately with a session that was not accepted.
const SENT_BACK: &str = "back";
/// A browser follows about twenty redirects, and each time takes two.
const MOST_SENT_BACK: u8 = 5;
const LATELY: Duration = Duration::from_secs(10);
/// As long as a sign-in may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// `GET /sign-in/begin?return=…`
pub(super) async fn begin(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let visit = match oauth.visit(&request) {
        Ok(visit) => visit,
        Err(problem) => return oauth.problem(&service, &problem),
    };
    let (session, nonce) = (sent(&request, &visit.session_cookie()), sent(&request, &visit.cookie(BEGUN)));
    let (server, wanted) = (Arc::clone(&oauth.server), visit.clone());
    let work = async move {
        let (session, nonce) = (session.as_ref().map(Secret::expose), nonce.as_ref().map(Secret::expose));
        server.begin_visit(&wanted, session, nonce).await
    };
    match whole::to_the_end(work).await {
        Ok(Begin::Page(problem)) => oauth.problem(&service, &problem),
        Ok(Begin::SignIn { url, nonce }) => found(&url, &[cookie(&visit, &visit.cookie(BEGUN), &nonce, PATIENCE)]),
        Ok(Begin::Back(renewed)) => {
            let times = sent(&request, &visit.cookie(SENT_BACK)).map_or(0, |times| times.expose().parse().unwrap_or(0));
            if times >= MOST_SENT_BACK {
                let cause = "the session does not reach the decision: does the proxy send Cookie to it?".to_owned();
                return oauth.problem(&service, &Problem { cause: Some(cause), ..ProblemKind::NotAccepted.into() });
            }
            let times = Secret::new((times + 1).to_string());
            let mut cookies = vec![cookie(&visit, &visit.cookie(SENT_BACK), &times, LATELY)];
            cookies.extend(renewed.map(|new| cookie(&visit, &visit.session_cookie(), &new.value, new.lifetime)));
            found(&visit.url, &cookies)
        }
        Err(error) => oauth.problem(&service, &error.into()),
    }
}

/// `GET /sign-in/continue?start=…`: on the issuer's host, to the only identity provider or the choice among several.
pub(super) async fn go_on(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let parameters = body::query(&request)?;
        let (sealed, start) = oauth.start(&parameters)?;
        let providers = oauth.server.provider_choices();
        if providers.len() == 1 {
            return oauth.to_provider(&request, &service, (sealed, &start, None), After::Link).await;
        }
        let page = SignIn {
            form: Form::new("/sign-in/continue", "").with("start", sealed),
            purpose: oauth.server.purpose_of(&start),
            providers: views::providers(providers),
        };
        Ok(oauth.page(&page, &[]))
    };
    oauth.shown(&service, work).await
}

/// `POST /sign-in/continue`: the choice.
pub(super) async fn choose(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        let form = oauth.own_form(&request, payload).await?;
        let (sealed, start) = oauth.start(&form)?;
        let provider = form.optional("provider");
        let after = After::Form { to: oauth.server.provider_label(provider) };
        oauth.to_provider(&request, &service, (sealed, &start, provider), after).await
    };
    oauth.shown(&service, work).await
}

/// `GET /sign-in/return?code=…&state=…`: on the protected host again.
pub(super) async fn come_back(
    request: HttpRequest,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let arrived = body::query(&request).map_err(Problem::from).and_then(|parameters| {
        let start = oauth.server.start_of_visit(parameters.optional("state").unwrap_or_default())?;
        let visit = oauth.server.visit_of(&start, host(&request)).ok_or(ProblemKind::BadLink)?;
        Ok((parameters, start, visit))
    });
    let (parameters, start, visit) = match arrived {
        Ok(arrived) => arrived,
        Err(problem) => return oauth.problem(&service, &problem),
    };
    let (nonce, old) = (sent(&request, &visit.cookie(BEGUN)), sent(&request, &visit.session_cookie()));
    let (server, wanted) = (Arc::clone(&oauth.server), visit.clone());
    let work = async move {
        let (nonce, old) = (nonce.as_ref().map(Secret::expose), old.as_ref().map(Secret::expose));
        server.finish_visit(&wanted, &start, &parameters, nonce, old).await
    };
    match whole::to_the_end(work).await.map_err(Problem::from).and_then(|outcome| outcome) {
        Ok(new) => found(&visit.url, &[cookie(&visit, &visit.session_cookie(), &new.value, new.lifetime)]),
        Err(problem) => oauth.problem(&service, &problem),
    }
}

impl OAuthService {
    fn visit(&self, request: &HttpRequest) -> Result<Visit, Problem> {
        self.admit(&self.limits.begin, request)?;
        let parameters = body::query(request)?;
        let target = parameters.optional("return").ok_or(ProblemKind::BadLink)?;
        Ok(self.server.visit(host(request), target).ok_or(ProblemKind::BadLink)?)
    }

    fn start<'p>(&self, parameters: &'p Parameters) -> Result<(&'p str, Start), Problem> {
        let sealed = parameters.required("start")?;
        Ok((sealed, self.server.start_of_visit(sealed)?))
    }

    async fn to_provider(
        &self,
        request: &HttpRequest,
        service: &Service,
        (sealed, start, provider): (&str, &Start, Option<&str>),
        after: After,
    ) -> Result<HttpResponse, Problem> {
        self.admit(&self.limits.begin, request)?;
        let browser = Cookies::of(request, self);
        let answer = self.server.continue_visit(sealed, start, provider, browser.browser()).await;
        let goes_on = matches!(answer.next, Next::Redirect(_));
        let cookies = if goes_on { self.keep_browser(request, answer.browser) } else { Vec::new() };
        Ok(self.go_on(service, answer.next, after, &cookies))
    }

    /// Ends every session that the browser has on the host, and tells it to forget them.
    pub(super) async fn end_sessions(&self, request: &HttpRequest) -> Result<Vec<Cookie<'static>>, OAuthError> {
        let mut gone = Vec::new();
        for place in self.server.session_places(host(request)) {
            let Some(session) = sent(request, &place.cookie) else { continue };
            let secure = place.resource.starts_with("https://");
            gone.push(on_protected_host(&place.cookie, &Secret::new(""), secure, Duration::ZERO));
            let server = Arc::clone(&self.server);
            let work = async move { server.end_session(&place.resource, session.expose()).await };
            whole::to_the_end(work).await.and_then(|outcome| outcome)?;
        }
        Ok(gone)
    }
}

fn found(url: &str, cookies: &[Cookie<'_>]) -> HttpResponse {
    redirect(HttpResponse::Found(), url, cookies)
}

fn cookie(visit: &Visit, name: &str, value: &Secret, lifetime: Duration) -> Cookie<'static> {
    on_protected_host(name, value, visit.is_secure(), lifetime)
}

fn host(request: &HttpRequest) -> &[u8] {
    request.headers().get(actix_web::http::header::HOST).map_or(b"", |host| host.as_bytes())
}

/// The cookie `name`, read as decisions read it.
fn sent(request: &HttpRequest, name: &str) -> Option<Secret> {
    let head = ActixHead(request);
    let cookies = std::str::from_utf8(head.field(Field::Cookie).once()?).ok()?;
    session_cookie::find(cookies, name).map(Secret::new)
}
