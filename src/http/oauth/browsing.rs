//! What every page handler does: knows the browser, shows pages, sends elsewhere.

use actix_web::cookie::Cookie;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::OAuthService;
use crate::domain::Secret;
use crate::http::Service;
use crate::http::pages::{Content, Destination, Failure, Form, Forwarding, NotAllowed, ResourceView, Trouble};
use crate::oauth::{Browser, Next, Problem, ProblemKind};

/// What a browser brought along, kept for as long as the work takes.
#[derive(Debug, Clone, Default)]
pub(super) struct Cookies {
    browser: Option<Secret>,
    session: Option<Secret>,
}

impl Cookies {
    pub(super) fn of(request: &HttpRequest, service: &OAuthService) -> Self {
        Self { browser: service.cookies.browser(request), session: service.cookies.session(request) }
    }

    pub(super) fn browser(&self) -> Browser<'_> {
        Browser {
            cookie: self.browser.as_ref().map(Secret::expose),
            session: self.session.as_ref().map(Secret::expose),
        }
    }
}

/// How the browser got here: after a form it must not be redirected to another origin, or `form-action 'self'` would
/// stop it in Chromium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum After {
    Link,
    Form {
        /// What the operator calls the place where it goes on. What a client calls itself is not said there.
        to: Option<String>,
    },
}

impl OAuthService {
    /// The cookies that a browser needs from now on.
    pub(super) fn keep_browser(&self, request: &HttpRequest, fresh: Option<Secret>) -> Vec<Cookie<'static>> {
        self.cookies.keep_browser(request, fresh, self.server.settings().session_lifetime)
    }

    /// A page, with cookies.
    pub(super) fn page(&self, content: &dyn Content, cookies: &[Cookie<'_>]) -> HttpResponse {
        let mut response = self.pages.show(content).into_response();
        add(&mut response, cookies);
        response
    }

    /// The page of a problem; its number stands in the log beside the cause.
    pub(super) fn problem(&self, service: &Service, problem: &Problem) -> HttpResponse {
        let request_id = service.request_ids.make();
        let (kind, cause) = (problem.kind, problem.cause.as_deref().unwrap_or_default());
        let ours = [
            ProblemKind::Unavailable,
            ProblemKind::ProviderUnavailable,
            ProblemKind::ClientDocumentUnavailable,
            ProblemKind::NotAccepted,
        ];
        if ours.contains(&kind) {
            tracing::warn!(?kind, cause, request_id, "a page of the authorization server says that it cannot go on");
        } else {
            tracing::info!(?kind, cause, request_id, "a page of the authorization server says that it cannot go on");
        }
        self.page(&Failure { trouble: trouble(kind), detail: problem.detail.clone(), request_id }, &[])
    }

    /// What a person is shown: the answer of `work`, or the page of its error.
    pub(super) async fn shown(
        &self,
        service: &Service,
        work: impl Future<Output = Result<HttpResponse, Problem>>,
    ) -> HttpResponse {
        work.await.unwrap_or_else(|problem| self.problem(service, &problem))
    }

    /// Where the browser goes next.
    pub(super) fn go_on(&self, service: &Service, next: Next, after: After, cookies: &[Cookie<'_>]) -> HttpResponse {
        match next {
            Next::Redirect(url) => self.send_to(service, &url, after, cookies),
            Next::Ask { request } => see_other(&consent_path(&request), cookies),
            // By a page that can be loaded again: the provider's answer, in this address, cannot be used twice.
            Next::NotAllowed(who) => see_other(&consent_path(&who.request), cookies),
            Next::SignedIn => see_other("/connections", cookies),
            Next::Page(problem) => {
                let mut response = self.problem(service, &problem);
                add(&mut response, cookies);
                response
            }
        }
    }

    /// Somebody signed in who may not.
    pub(super) fn not_allowed(&self, service: &Service, who: crate::oauth::NotAllowed) -> HttpResponse {
        let page = NotAllowed {
            form: Form::new("/consent", who.csrf).with("request", who.request),
            person: who.person,
            provider: who.provider,
            resource: ResourceView { name: who.resource_name, uri: who.resource },
            client: who.client_name,
            request_id: service.request_ids.make(),
        };
        self.page(&page, &[])
    }

    /// To the identity provider, or back to the client.
    pub(super) fn send_to(&self, service: &Service, url: &str, after: After, cookies: &[Cookie<'_>]) -> HttpResponse {
        match (after, Destination::parse(url)) {
            (_, None) => self.problem(service, &ProblemKind::UnknownRedirectUri.into()),
            (After::Link, Some(destination)) => redirect(HttpResponse::Found(), destination.as_str(), cookies),
            (After::Form { to }, Some(destination)) => self.page(&Forwarding { destination, to }, cookies),
        }
    }
}

pub(super) fn consent_path(request: &str) -> String {
    format!("/consent?request={request}")
}

/// 303: to a page of ours, with `GET`.
pub(super) fn see_other(path: &str, cookies: &[Cookie<'_>]) -> HttpResponse {
    redirect(HttpResponse::SeeOther(), path, cookies)
}

pub(super) fn redirect(mut response: HttpResponseBuilder, to: &str, cookies: &[Cookie<'_>]) -> HttpResponse {
    let mut response = response
        .insert_header((header::LOCATION, to))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .finish();
    add(&mut response, cookies);
    response
}

/// A cookie of ours is visible ASCII, so it always fits a header.
fn add(response: &mut HttpResponse, cookies: &[Cookie<'_>]) {
    for cookie in cookies {
        let _ = response.add_cookie(cookie);
    }
}

const fn trouble(kind: ProblemKind) -> Trouble {
    match kind {
        ProblemKind::UnknownClient => Trouble::UnknownClient,
        ProblemKind::ClientDocumentUnavailable => Trouble::ClientDocumentUnavailable,
        ProblemKind::ClientDocumentRefused => Trouble::ClientDocumentRefused,
        ProblemKind::UnknownRedirectUri => Trouble::UnknownRedirect,
        ProblemKind::BadLink | ProblemKind::NoLongerOffered => Trouble::BadRequest,
        ProblemKind::Expired => Trouble::Expired,
        ProblemKind::OtherBrowser => Trouble::OtherBrowser,
        ProblemKind::AnsweredAlready => Trouble::AlreadyAnswered,
        ProblemKind::ForeignForm => Trouble::StaleForm,
        ProblemKind::ProviderUnavailable => Trouble::ProviderUnavailable,
        ProblemKind::Declined => Trouble::NotSignedIn,
        ProblemKind::NotAccepted => Trouble::Internal,
        ProblemKind::NotSignedIn => Trouble::ProviderUntrustworthy,
        ProblemKind::TooManyRequests => Trouble::TooManyRequests,
        ProblemKind::Unavailable => Trouble::Unavailable,
    }
}
