//! The whole line of a decision, from what the proxy sent to a verdict. Synchronous, and free of any web framework.

mod facts;
mod operations;
mod outcome;

pub use facts::request_facts;
pub use operations::{Asked, told_operations};
pub use outcome::Decision;

use crate::authn::{Authentication, Authenticator, Credential, Evidence, Identity};
use crate::authz::{BrowserSessions, Matched, NotFound, PolicySet, Reason};
use crate::domain::{Malformed, Occurrence, OriginalRequest, UnixTime, session_cookie};
use crate::mcp::SentBody;
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
    /// Where the proxy tells of the client's certificate, if it does.
    pub client_certificate: Option<Field>,
}

impl DecisionPoint {
    /// Decides on the request that `head` describes in the terms of `contract`.
    pub fn decide<'a>(&'a self, contract: Contract, head: &'a dyn RequestHead, now: UnixTime) -> Decision<'a> {
        if !self.trusted.admits(head) {
            return Decision::refused(Reason::UntrustedProxy);
        }
        self.decide_for_trusted(contract, head, now)
    }

    /// The same without asking who sent it, for explanations.
    pub fn decide_for_trusted<'a>(
        &'a self,
        contract: Contract,
        head: &'a dyn RequestHead,
        now: UnixTime,
    ) -> Decision<'a> {
        match contract.original_request(head) {
            Err(malformed) => Decision::malformed(malformed),
            Ok(request) => self.judge(request, head, now),
        }
    }

    /// Whether any resource has rules about operations, so that bodies may have to be read.
    pub fn may_need_operations(&self) -> bool {
        self.policies.iter().any(|policy| !policy.operations.is_empty())
    }

    /// Whether a decision may have to wait: for a body, or for an issuer.
    pub fn may_wait(&self) -> bool {
        self.may_need_operations() || self.authenticator.introspection().is_some()
    }

    /// Asks the issuer that a decision wants to be asked, and decides again. What was decided before counts until then, and
    /// that is no permit. `now` is asked again after the answer: a proof that ended meanwhile may be forgotten already, and by
    /// the time of the question would count a second time.
    pub async fn decide_with_introspection<'a>(
        &'a self,
        decision: Decision<'a>,
        head: &'a dyn RequestHead,
        now: impl Fn() -> UnixTime,
    ) -> Decision<'a> {
        let (Some(matched), Some(request)) = (decision.matched, decision.request) else {
            return Decision::refused(Reason::IntrospectionUnavailable);
        };
        let credential = Credential::from_authorization(head.field(Field::Authorization));
        let authentication = self.authenticator.introspect(matched.index, credential, now()).await;
        let now = now();
        let authentication = self.proven(authentication, credential, &matched, &request, (head, now));
        Decision::judged(matched, request, (head, now), credential, authentication)
    }

    /// Decides again on a request whose body came, by what it asks for. Without rules about operations nothing changes.
    pub fn decide_with_body<'a>(
        &'a self,
        mut decision: Decision<'a>,
        head: &dyn RequestHead,
        body: SentBody<'_>,
    ) -> Decision<'a> {
        if decision.wants_body() {
            decision.judge_operations(head, body);
        }
        decision
    }

    fn judge<'a>(&'a self, request: OriginalRequest<'a>, head: &'a dyn RequestHead, now: UnixTime) -> Decision<'a> {
        let matched = match self.policies.find(&request) {
            Ok(matched) => matched,
            Err(NotFound::Unknown) => return Decision::refused(Reason::UnknownResource).about(request),
            Err(NotFound::Ambiguous(why)) => {
                return Decision::malformed(Malformed::AmbiguousPath(why)).about(request);
            }
        };
        let credential = Credential::from_authorization(head.field(Field::Authorization));
        let authentication = match (credential, matched.policy.sessions) {
            (Credential::None, BrowserSessions::Here) => self.authenticate_browser(&matched, &request, head, now),
            (credential, _) => self.authenticator.authenticate_at(matched.index, credential, now),
        };
        let authentication = self.proven(authentication, credential, &matched, &request, (head, now));
        Decision::judged(matched, request, (head, now), credential, authentication)
    }

    /// The same caller, once everything is proven that the token is bound to, or has to be bound to.
    fn proven(
        &self,
        authentication: Authentication,
        credential: Credential<'_>,
        matched: &Matched<'_>,
        request: &OriginalRequest<'_>,
        (head, now): (&dyn RequestHead, UnixTime),
    ) -> Authentication {
        let Authentication::Verified(identity) = authentication else { return authentication };
        if !must_prove(&identity, credential, matched) {
            return Authentication::Verified(identity);
        }
        let (proof, dpop_required) = (head.field(Field::Dpop), matched.policy.dpop_required);
        let certificate = self.client_certificate.map_or(Occurrence::Absent, |field| head.field(field));
        let evidence = Evidence { request, proof, certificate, dpop_required };
        self.authenticator.prove(identity, credential, &evidence, now)
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

/// Whether the token alone is not enough, or is presented as if it were not.
const fn must_prove(identity: &Identity, credential: Credential<'_>, matched: &Matched<'_>) -> bool {
    identity.confirmation().is_bound() || credential.is_dpop() || matched.policy.dpop_required
}
