//! The whole line of a decision, from what the proxy sent to a verdict. Synchronous, and free of any web framework.

use crate::authn::{Authentication, Authenticator, Credential};
use crate::authz::{self, BrowserSessions, Matched, NotFound, PolicySet, Reason, RequestFacts, Verdict};
use crate::domain::original_request::is_method;
use crate::domain::{Malformed, Occurrence, OriginalRequest, UnixTime, session_cookie};
use crate::proxy::{Contract, Field, RequestHead, TrustedProxies, browser};

/// Everything a decision needs.
#[derive(Debug)]
pub struct DecisionPoint {
    /// Who may ask.
    pub trusted: TrustedProxies,
    /// What is protected, and how.
    pub policies: PolicySet,
    /// Who is calling.
    pub authenticator: Authenticator,
}

/// A verdict and what it was about, for the log.
#[derive(Debug)]
pub struct Decision<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// What was judged, when it could be read.
    pub request: Option<OriginalRequest<'a>>,
    /// The resource that was found.
    pub matched: Option<Matched<'a>>,
    /// Why the request could not be read.
    pub malformed: Option<Malformed>,
    /// Who asked, when authentication got that far.
    pub authentication: Option<Authentication>,
}

impl DecisionPoint {
    /// Decides on the request that `head` describes in the terms of `contract`.
    pub fn decide<'a>(&'a self, contract: Contract, head: &'a dyn RequestHead, now: UnixTime) -> Decision<'a> {
        if !self.trusted.admits(head) {
            return Decision::refused(Reason::UntrustedProxy);
        }
        match contract.original_request(head) {
            Err(malformed) => Decision::malformed(malformed),
            Ok(request) => self.judge(request, head, now),
        }
    }

    fn judge<'a>(&'a self, request: OriginalRequest<'a>, head: &'a dyn RequestHead, now: UnixTime) -> Decision<'a> {
        let matched = match self.policies.find(&request) {
            Ok(matched) => matched,
            Err(NotFound::Unknown) => return Decision::refused(Reason::UnknownResource).about(request),
            Err(NotFound::Ambiguous(why)) => {
                return Decision::malformed(Malformed::AmbiguousPath(why)).about(request);
            }
        };
        let facts = request_facts(&request, head);
        let credential = Credential::from_authorization(head.field(Field::Authorization));
        let authentication = match (credential, matched.policy.sessions) {
            (Credential::None, BrowserSessions::Here) => self.authenticate_browser(&matched, &request, head, now),
            (credential, _) => self.authenticator.authenticate(credential, now),
        };
        let verdict = authz::decide(&matched, facts, &authentication);
        Decision {
            verdict,
            request: Some(request),
            matched: Some(matched),
            malformed: None,
            authentication: Some(authentication),
        }
    }

    /// A cookie counts only where there is no `Authorization` at all, and where no other site had it sent.
    fn authenticate_browser(
        &self,
        matched: &Matched<'_>,
        request: &OriginalRequest<'_>,
        head: &dyn RequestHead,
        now: UnixTime,
    ) -> Authentication {
        let resource = matched.resource_text();
        let name = session_cookie::of_session(resource, matched.policy.resource.scheme());
        let cookies = head.field(Field::Cookie).once().and_then(|cookies| std::str::from_utf8(cookies).ok());
        let cookie = cookies.and_then(|cookies| session_cookie::find(cookies, &name));
        let counts = head.field(Field::Authorization) == Occurrence::Absent
            && browser::is_own_doing(request, head, matched.origin());
        match cookie.filter(|_| counts) {
            None => Authentication::Anonymous,
            Some(cookie) => self.authenticator.authenticate_session(resource, cookie, now),
        }
    }
}

/// A repeated `Origin` is read as one that no allowlist holds.
///
/// What passes as a preflight needs no token, so only what every proxy takes for one does: one origin, one method. The
/// proxies answer those themselves; anything else in that guise would be let through to the upstream.
fn request_facts<'a>(request: &OriginalRequest<'_>, head: &'a dyn RequestHead) -> RequestFacts<'a> {
    let origin = match head.field(Field::Origin) {
        Occurrence::Absent => None,
        Occurrence::Once(origin) => Some(origin),
        Occurrence::Repeated => Some(&b""[..]),
    };
    let preflight = request.method() == "OPTIONS"
        && origin.is_some_and(|origin| !origin.is_empty())
        && head.field(Field::AccessControlRequestMethod).once().is_some_and(is_method)
        && head.field(Field::Authorization) == Occurrence::Absent;
    RequestFacts { origin, preflight }
}

impl<'a> Decision<'a> {
    /// A refusal before anything could be judged.
    pub const fn refused(reason: Reason) -> Self {
        Self { verdict: Verdict::forbid(reason), request: None, matched: None, malformed: None, authentication: None }
    }

    const fn malformed(malformed: Malformed) -> Self {
        let reason = match malformed {
            Malformed::AmbiguousPath(_) => Reason::AmbiguousPath,
            Malformed::Missing(_) | Malformed::Repeated(_) | Malformed::Invalid(_) => Reason::InvalidRequest,
        };
        let mut decision = Self::refused(reason);
        decision.malformed = Some(malformed);
        decision
    }

    /// Where a browser signs in that was refused for want of a good credential; nowhere for anything but a page that
    /// somebody opens.
    pub fn sign_in(&self, contract: Contract, head: &dyn RequestHead) -> Option<String> {
        let (Verdict::Challenge(_), Some(request)) = (&self.verdict, &self.request) else { return None };
        let matched = self.matched.as_ref().filter(|matched| matched.policy.sessions == BrowserSessions::Here)?;
        let wanted = contract.original_target(head).filter(|_| browser::is_navigation(request, head))?;
        Some(browser::sign_in_url(matched.origin(), wanted))
    }

    /// Whether cookies of ours may have come along that are none of the upstream's business.
    pub fn has_sessions(&self) -> bool {
        self.matched.as_ref().is_some_and(|matched| matched.policy.sessions != BrowserSessions::None)
    }

    fn about(mut self, request: OriginalRequest<'a>) -> Self {
        self.request = Some(request);
        self
    }
}
