//! The policy decision point: [`decide`] is pure and total. No async, no I/O, no clock, no web framework.
//!
//! Rules run in a fixed order and the first refusal wins: origin, authentication, audience, principal, scopes, condition.
//! Deny is the default everywhere: what is absent, empty, ambiguous or unreachable means no.

pub mod assertion_audience;
pub mod challenge;
pub mod condition;
pub mod operation_policy;
pub mod policy;
pub mod policy_set;
pub mod reason;
pub mod rule;
pub mod verdict;

pub use assertion_audience::AssertionAudience;
pub use challenge::Challenge;
pub use condition::Condition;
pub use operation_policy::{OperationPolicy, OperationRule};
pub use policy::{BrowserSessions, Policy};
pub use policy_set::{Matched, NotFound, PolicySet};
pub use reason::Reason;
pub use rule::operation::Cause;
pub use verdict::{Denial, Permit, Verdict};

use std::sync::Arc;
use std::time::Duration;

use crate::authn::dpop::ProofFault;
use crate::authn::{Authentication, Identity, TokenFault};
use crate::domain::{Operation, OriginalRequest, UnixTime};
use condition::Fuel;

/// The facts of the original request that rules look at, besides where it goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestFacts<'a> {
    /// `Origin`, as bytes.
    pub origin: Option<&'a [u8]>,
    /// A CORS preflight: `OPTIONS` with `Origin` and `Access-Control-Request-Method` and without credential.
    pub preflight: bool,
    /// The token came with the promise of a proof (RFC 9449 §7.1).
    pub dpop: bool,
    /// The request itself, for conditions.
    pub request: Option<&'a OriginalRequest<'a>>,
    /// When it came, for conditions.
    pub now: UnixTime,
}

/// May this caller reach this resource? In audit mode a refusal is recorded in the permit instead of being spoken.
pub fn decide(matched: &Matched<'_>, facts: RequestFacts<'_>, authentication: &Authentication) -> Verdict {
    let verdict = enforce(matched, &facts, authentication);
    if verdict.as_permit().is_some() {
        return verdict;
    }
    let wants_proof = facts.dpop || matches!(authentication, Authentication::Rejected(TokenFault::SenderConstrained));
    let verdict = in_terms_of_dpop(verdict, matched, wants_proof);
    match verdict.reason() {
        Some(would_be) if matched.policy.audit_only() => {
            Verdict::permit(matched, authentication.identity(), Some(would_be)).with_trouble(verdict.trouble())
        }
        _ => verdict,
    }
}

/// A client with a bound token is challenged to prove it, and one that should get such a token is told so. Everybody
/// else reads `Bearer`: most clients know no other challenge.
fn in_terms_of_dpop(verdict: Verdict, matched: &Matched<'_>, wants_proof: bool) -> Verdict {
    if wants_proof || matched.policy.dpop_required { verdict.in_terms_of_dpop() } else { verdict }
}

/// The same for the operations that a request asks for, after [`decide`] permitted the request to `identity`. `None` when
/// they cannot be told: rules are not skipped because they cannot be checked. Tells also what decided, first, and what
/// would have in audit mode.
pub fn decide_operations(
    matched: &Matched<'_>,
    facts: RequestFacts<'_>,
    identity: &Arc<Identity>,
    operations: Option<&[Operation<'_>]>,
) -> (Verdict, Vec<Cause>) {
    let Some(operations) = operations else {
        return (refuse(matched, identity, Verdict::forbid(Reason::OperationUnknown)), Vec::new());
    };
    let findings = rule::operation::check(matched, facts, identity, operations);
    let verdict = match (findings.refused, findings.would_refuse.first()) {
        (Some(cause), _) if cause.reason == Reason::InsufficientScope => {
            let challenge = Challenge::insufficient_scope(matched, identity, &findings.missing);
            let verdict = Verdict::Forbid(Denial::insufficient_scope(challenge));
            refuse(matched, identity, in_terms_of_dpop(verdict, matched, identity.confirmation().key.is_some()))
        }
        (Some(cause), _) => refuse(matched, identity, cause.verdict()),
        (None, Some(cause)) => Verdict::permit(matched, Some(identity), Some(cause.reason)).with_trouble(cause.trouble),
        (None, None) => Verdict::permit(matched, Some(identity), None),
    };
    (verdict, findings.refused.into_iter().chain(findings.would_refuse).collect())
}

/// In audit mode a refusal is recorded in the permit instead of being spoken.
fn refuse(matched: &Matched<'_>, identity: &Arc<Identity>, verdict: Verdict) -> Verdict {
    match verdict.reason() {
        Some(would_be) if matched.policy.audit_only() => {
            Verdict::permit(matched, Some(identity), Some(would_be)).with_trouble(verdict.trouble())
        }
        _ => verdict,
    }
}

fn enforce(matched: &Matched<'_>, facts: &RequestFacts<'_>, authentication: &Authentication) -> Verdict {
    if let Err(reason) = rule::origin::check(matched.policy, facts.origin) {
        return Verdict::forbid(reason);
    }
    match authentication {
        Authentication::Undecidable { retry_after } => {
            Verdict::Undecidable { reason: Reason::KeysUnavailable, retry_after: *retry_after }
        }
        Authentication::NotIntrospected { retry_after } => {
            Verdict::Undecidable { reason: Reason::IntrospectionUnavailable, retry_after: *retry_after }
        }
        // A preflight can carry no token (Fetch §4.8): refusing it would make every browser client fail.
        Authentication::Anonymous if facts.preflight => Verdict::permit(matched, None, None),
        Authentication::Anonymous => Challenge::missing_token(matched).into(),
        Authentication::Rejected(TokenFault::Proof(ProofFault::MemoryFull)) => {
            Verdict::Undecidable { reason: Reason::ReplayMemoryFull, retry_after: Duration::from_secs(1) }
        }
        Authentication::Rejected(fault) => Challenge::refused_token(matched, *fault).into(),
        Authentication::Verified(identity) => match judge(matched, facts, identity) {
            Ok(()) => Verdict::permit(matched, Some(identity), None),
            Err(verdict) => verdict,
        },
    }
}

/// The rules that need to know who is calling.
fn judge(matched: &Matched<'_>, facts: &RequestFacts<'_>, identity: &Identity) -> Result<(), Verdict> {
    rule::audience::check(matched, identity).map_err(|reason| Challenge::foreign_token(matched, reason))?;
    rule::principal::check(matched.policy, identity).map_err(Verdict::forbid)?;
    rule::scope::check(matched.policy, identity).map_err(|missing| {
        Verdict::Forbid(Denial::insufficient_scope(Challenge::insufficient_scope(matched, identity, &missing)))
    })?;
    match &matched.policy.condition {
        None => Ok(()),
        Some(condition) => {
            let facts = rule::condition::facts(matched, *facts, identity, None);
            rule::condition::check(condition, &facts, &mut Fuel::for_request()).map_err(Verdict::condition_false)
        }
    }
}

#[cfg(test)]
mod operation_tests;
#[cfg(test)]
mod tests;
