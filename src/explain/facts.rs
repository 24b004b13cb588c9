//! What was known when a request was decided: what the steps are told from.

use crate::authn::{Authentication, Identity};
use crate::authz::{Cause, Matched, PolicySet, RequestFacts, Verdict};
use crate::decision::{self, Decision, DecisionPoint};
use crate::domain::{Issuer, Malformed, Operation, OriginalRequest};
use crate::mcp::{SentBody, Unknown};
use crate::proxy::RequestHead;

/// Everything that a step looks at.
#[derive(Debug)]
pub struct Facts<'a> {
    /// All that is protected.
    pub policies: &'a PolicySet,
    /// Whose tokens are accepted anywhere.
    pub issuers: Vec<&'a Issuer>,
    /// What was asked, as far as it could be read.
    pub request: Option<&'a OriginalRequest<'a>>,
    /// Why it could not be read.
    pub malformed: Option<Malformed>,
    /// The resource that was found.
    pub matched: Option<&'a Matched<'a>>,
    /// What rules look at besides.
    pub rule_facts: RequestFacts<'a>,
    /// Who asked.
    pub authentication: Option<&'a Authentication>,
    /// What is asked of the MCP server, where rules want to know.
    pub operations: Option<Result<Vec<Operation<'a>>, Unknown>>,
    /// What decided about operations, first, and what would have in audit mode.
    pub causes: &'a [Cause],
    /// Whether the operations hold what calls hand over: a refusal of the past does not.
    pub details_are_known: bool,
    /// The verdict.
    pub verdict: &'a Verdict,
}

impl<'a> Facts<'a> {
    /// Of a decision on `head` and `body`.
    pub fn of(
        point: &'a DecisionPoint,
        decision: &'a Decision<'a>,
        head: &'a dyn RequestHead,
        body: SentBody<'a>,
    ) -> Self {
        let request = decision.request.as_ref();
        let operations = request.zip(decision.matched.as_ref()).filter(|_| decision.asked.is_some());
        let operations = operations.map(|(request, matched)| {
            decision::told_operations(&matched.policy.operations, request.method(), head, body)
        });
        Self {
            policies: &point.policies,
            issuers: point.authenticator.issuers().iter().map(|known| &known.issuer).collect(),
            request,
            malformed: decision.malformed,
            matched: decision.matched.as_ref(),
            rule_facts: request.map(|request| decision::request_facts(request, head, decision.now)).unwrap_or_default(),
            authentication: decision.authentication.as_ref(),
            operations,
            causes: decision.asked.as_ref().map_or(&[], |asked| &asked.causes),
            details_are_known: true,
            verdict: &decision.verdict,
        }
    }

    /// The resource and who asks for it; nobody where a preflight does.
    pub fn caller(&self) -> Option<(&'a Matched<'a>, &'a Identity)> {
        self.matched.zip(self.authentication.and_then(Authentication::identity).map(AsRef::as_ref))
    }
}
