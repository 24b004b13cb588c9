//! The whole line of a decision, from what the proxy sent to a verdict. Synchronous, and free of any web framework.

use crate::authn::{Authentication, Authenticator, Credential, Evidence, Identity};
use crate::authz::{
    self, BrowserSessions, Cause, Matched, NotFound, OperationPolicy, PolicySet, Reason, RequestFacts, Verdict,
};
use crate::domain::original_request::is_method;
use crate::domain::{Malformed, Occurrence, Operation, OriginalRequest, UnixTime, session_cookie};
use crate::mcp::{self, McpRequest, SentBody, Unknown};
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
    pub asked: Option<Asked>,
    /// When it was asked.
    pub now: UnixTime,
}

/// What was asked of the MCP server, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The first operation that a rule refuses, or the first of all: method and name.
    pub operation: Option<(String, Option<String>)>,
    /// Why operations could not be told.
    pub unknown: Option<Unknown>,
    /// What decided, if anything did, and what would have in audit mode.
    pub causes: Vec<Cause>,
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
    /// that is no permit.
    pub async fn decide_with_introspection<'a>(
        &'a self,
        decision: Decision<'a>,
        head: &'a dyn RequestHead,
        now: UnixTime,
    ) -> Decision<'a> {
        let (Some(matched), Some(request)) = (decision.matched, decision.request) else {
            return Decision::refused(Reason::IntrospectionUnavailable);
        };
        let credential = Credential::from_authorization(head.field(Field::Authorization));
        let authentication = self.authenticator.introspect(matched.index, credential, now).await;
        let authentication = self.proven(authentication, credential, &matched, &request, (head, now));
        Decision::judged(matched, request, (head, now), credential, authentication)
    }

    /// Decides again on a request whose body came, by what it asks for. Without rules about operations nothing changes.
    pub fn decide_with_body<'a>(
        &'a self,
        decision: Decision<'a>,
        head: &dyn RequestHead,
        body: SentBody<'_>,
    ) -> Decision<'a> {
        if decision.asked.is_none() { decision } else { decision.judged_by_operations(head, body) }
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

/// A repeated `Origin` is read as one that no allowlist holds.
///
/// What passes as a preflight needs no token, so only what every proxy takes for one does: one origin, one method. The
/// proxies answer those themselves; anything else in that guise would be let through to the upstream.
pub fn request_facts<'a>(
    request: &'a OriginalRequest<'a>,
    head: &'a dyn RequestHead,
    now: UnixTime,
) -> RequestFacts<'a> {
    let origin = match head.field(Field::Origin) {
        Occurrence::Absent => None,
        Occurrence::Once(origin) => Some(origin),
        Occurrence::Repeated => Some(&b""[..]),
    };
    let preflight = request.method() == "OPTIONS"
        && origin.is_some_and(|origin| !origin.is_empty())
        && head.field(Field::AccessControlRequestMethod).once().is_some_and(is_method)
        && head.field(Field::Authorization) == Occurrence::Absent;
    RequestFacts { origin, preflight, dpop: false, request: Some(request), now }
}

fn mcp_request<'a>(
    method: &'a str,
    head: &'a dyn RequestHead,
    body: SentBody<'a>,
    upstream_enforces: bool,
) -> McpRequest<'a> {
    // Envoy says "true" when it cut the body; anything but its "false" is not believed.
    let whole = match head.field(Field::PartialBody) {
        Occurrence::Absent => true,
        Occurrence::Once(value) => value == b"false",
        Occurrence::Repeated => false,
    };
    McpRequest {
        method,
        protocol_version: head.field(Field::McpProtocolVersion),
        mcp_method: head.field(Field::McpMethod),
        mcp_name: head.field(Field::McpName),
        content_type: head.field(Field::ContentType),
        content_encoding: head.field(Field::ContentEncoding),
        body: if whole { body } else { SentBody::Cut },
        upstream_enforces,
    }
}

/// What is asked, as far as the rules and conditions of `policy` want to know it.
pub fn told_operations<'a>(
    policy: &OperationPolicy,
    method: &'a str,
    head: &'a dyn RequestHead,
    body: SentBody<'a>,
) -> Result<Vec<Operation<'a>>, Unknown> {
    let request = mcp_request(method, head, body, policy.upstream_enforces_headers);
    let mut told = mcp::operations(&request)?;
    if policy.asks_for_params() {
        told = mcp::details::with_params(told, &request, &head.params())?;
    }
    match request.body {
        SentBody::Whole(body) if policy.asks_for_arguments() => mcp::details::with_arguments(told, body),
        SentBody::Whole(_) | SentBody::None | SentBody::Cut | SentBody::Late => Ok(told),
    }
}

impl Asked {
    fn of(told: &Result<Vec<Operation<'_>>, Unknown>, causes: Vec<Cause>) -> Self {
        let place = causes.first().map_or(0, |cause| cause.operation);
        let named = told.as_ref().ok().and_then(|operations| operations.get(place));
        let owned =
            |operation: &Operation<'_>| (operation.method().to_owned(), operation.name().map(ToOwned::to_owned));
        Self { operation: named.map(owned), unknown: told.as_ref().err().copied(), causes }
    }
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
    fn judged(
        matched: Matched<'a>,
        request: OriginalRequest<'a>,
        (head, now): (&'a dyn RequestHead, UnixTime),
        credential: Credential<'_>,
        authentication: Authentication,
    ) -> Self {
        let facts = RequestFacts { dpop: credential.is_dpop(), ..request_facts(&request, head, now) };
        let verdict = authz::decide(&matched, facts, &authentication);
        let has_rules = !matched.policy.operations.is_empty();
        let decision = Self {
            verdict,
            request: Some(request),
            matched: Some(matched),
            malformed: None,
            authentication: Some(authentication),
            asked: None,
            now,
        };
        if has_rules && decision.verdict.is_plain_permit() {
            return decision.judged_by_operations(head, SentBody::None);
        }
        decision
    }

    /// What rules about operations say to a request that is permitted so far. Called before a body is read as well, so
    /// that a permit that nobody asked about operations never exists.
    fn judged_by_operations(self, head: &dyn RequestHead, body: SentBody<'_>) -> Self {
        let identity = self.authentication.as_ref().and_then(Authentication::identity);
        let (Some(matched), Some(request), Some(identity)) = (&self.matched, &self.request, identity) else {
            // A preflight has no caller and asks for nothing.
            return self;
        };
        let told = told_operations(&matched.policy.operations, request.method(), head, body);
        let facts = request_facts(request, head, self.now);
        let (verdict, causes) = authz::decide_operations(matched, facts, identity, told.as_deref().ok());
        let asked = Asked::of(&told, causes);
        Self { verdict, asked: Some(asked), ..self }
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
