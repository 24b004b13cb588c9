//! A verdict with what it was about.

use super::{Asked, request_facts, told_operations};
use crate::authn::{Authentication, Credential};
use crate::authz::{self, BrowserSessions, Matched, Reason, RequestFacts, Verdict};
use crate::domain::{Malformed, OriginalRequest, UnixTime};
use crate::mcp::SentBody;
use crate::proxy::{Contract, RequestHead, browser};

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
    /// What rules about operations said, where there are any.
    pub asked: Option<Box<Asked>>,
    /// When it was asked.
    pub now: UnixTime,
}

impl<'a> Decision<'a> {
    /// Whether the body could change the decision.
    pub const fn wants_body(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether an issuer's answer could change the decision.
    pub fn wants_introspection(&self) -> bool {
        let reason = self.verdict.reason().or_else(|| self.verdict.would_refuse());
        reason == Some(Reason::IntrospectionUnavailable)
    }

    /// What policy says to a request of whoever `authentication` tells.
    pub(super) fn judged(
        matched: Matched<'a>,
        request: OriginalRequest<'a>,
        (head, now): (&'a dyn RequestHead, UnixTime),
        credential: Credential<'_>,
        authentication: Authentication,
    ) -> Self {
        let facts = RequestFacts { dpop: credential.is_dpop(), ..request_facts(&request, head, now) };
        let verdict = authz::decide(&matched, facts, &authentication);
        let has_rules = !matched.policy.operations.is_empty();
        let mut decision = Self {
            verdict,
            request: Some(request),
            matched: Some(matched),
            malformed: None,
            authentication: Some(authentication),
            asked: None,
            now,
        };
        if has_rules && decision.verdict.is_plain_permit() {
            decision.judge_operations(head, SentBody::None);
        }
        decision
    }

    /// What rules about operations say to a request that is permitted so far. Called before a body is read as well, so
    /// that a permit that nobody asked about operations never exists.
    pub(super) fn judge_operations(&mut self, head: &dyn RequestHead, body: SentBody<'_>) {
        let identity = self.authentication.as_ref().and_then(Authentication::identity);
        let (Some(matched), Some(request), Some(identity)) = (&self.matched, &self.request, identity) else {
            // A preflight has no caller and asks for nothing.
            return;
        };
        let told = told_operations(&matched.policy.operations, request.method(), head, body);
        let facts = request_facts(request, head, self.now);
        let (verdict, causes) = authz::decide_operations(matched, facts, identity, told.as_deref().ok());
        self.asked = Some(Box::new(Asked::of(&told, causes)));
        self.verdict = verdict;
    }

    /// A refusal before anything could be judged.
    pub const fn refused(reason: Reason) -> Self {
        Self {
            verdict: Verdict::forbid(reason),
            request: None,
            matched: None,
            malformed: None,
            authentication: None,
            asked: None,
            now: UnixTime::from_secs(0),
        }
    }

    pub(super) const fn malformed(malformed: Malformed) -> Self {
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

    pub(super) fn about(mut self, request: OriginalRequest<'a>) -> Self {
        self.request = Some(request);
        self
    }
}
