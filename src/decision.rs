//! The whole line of a decision, from what the proxy sent to a verdict. Synchronous, and free of any web framework.

use crate::authn::{Authentication, Authenticator, Credential};
use crate::authz::{self, Matched, NotFound, PolicySet, Reason, RequestFacts, Verdict};
use crate::domain::original_request::is_method;
use crate::domain::{Malformed, Occurrence, OriginalRequest, UnixTime};
use crate::proxy::{Contract, Field, RequestHead, TrustedProxies};

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
        let authentication = self.authenticator.authenticate(credential, now);
        let verdict = authz::decide(&matched, facts, &authentication);
        Decision {
            verdict,
            request: Some(request),
            matched: Some(matched),
            malformed: None,
            authentication: Some(authentication),
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

    fn about(mut self, request: OriginalRequest<'a>) -> Self {
        self.request = Some(request);
        self
    }
}
