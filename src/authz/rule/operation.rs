//! Rules about single operations: every rule that fits must be satisfied, by every operation of the request; and the
//! resource's condition, where it is about operations.

use crate::authn::Identity;
use crate::authz::condition::{Fuel, Trouble};
use crate::authz::operation_policy::OperationRule;
use crate::authz::policy::{Mode, RequiredScope};
use crate::authz::rule::condition;
use crate::authz::rule::principal::{self, Caller};
use crate::authz::{Condition, Matched, Reason, RequestFacts, Verdict};
use crate::domain::{Operation, Scope};

/// What the rules say together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings<'p> {
    /// Why it is refused.
    pub refused: Option<Cause>,
    /// Scopes that would help, of all rules: one challenge asks for everything.
    pub missing: Vec<&'p Scope>,
    /// What rules in audit mode would have refused.
    pub would_refuse: Vec<Cause>,
}

/// Why an operation is refused, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// Why.
    pub reason: Reason,
    /// The rule, counted from 0; none for the resource's condition.
    pub rule: Option<usize>,
    /// The operation, counted from 0.
    pub operation: usize,
    /// Why a condition could not be evaluated.
    pub trouble: Option<Trouble>,
}

impl Cause {
    /// The refusal, without a challenge.
    pub const fn verdict(&self) -> Verdict {
        if matches!(self.reason, Reason::ConditionFalse) {
            return Verdict::condition_false(self.trouble);
        }
        Verdict::forbid(self.reason)
    }
}

/// A refusal that no scope changes comes before one that a scope would: a person is not sent to fetch what cannot help.
pub fn check<'p>(
    matched: &Matched<'p>,
    facts: RequestFacts<'_>,
    identity: &Identity,
    operations: &[Operation<'_>],
) -> Findings<'p> {
    let policy = &matched.policy.operations;
    let mut asking = Asking { matched, facts, identity, operations, fuel: Fuel::for_request() };
    let mut findings = Findings::default();
    for (index, rule) in policy.rules.iter().enumerate() {
        let Some(first) = operations.iter().position(|operation| rule.fits(operation)) else { continue };
        let cause = match satisfied(rule, identity) {
            Ok(()) => {
                rule.condition.as_ref().and_then(|condition| asking.first_refused(condition, Some((index, rule))))
            }
            Err((reason, missing)) => {
                if rule.mode != Mode::Audit {
                    findings.missing.extend(missing);
                }
                Some(Cause { reason, rule: Some(index), operation: first, trouble: None })
            }
        };
        findings.add(cause, rule.mode);
    }
    if let Some(condition) = &policy.condition {
        findings.add(asking.first_refused(condition, None), Mode::Enforce);
    }
    findings
}

impl Findings<'_> {
    fn add(&mut self, cause: Option<Cause>, mode: Mode) {
        let Some(cause) = cause else { return };
        if mode == Mode::Audit {
            self.would_refuse.push(cause);
            return;
        }
        match self.refused {
            Some(known) if known.reason != Reason::InsufficientScope => {}
            Some(_) if cause.reason == Reason::InsufficientScope => {}
            _ => self.refused = Some(cause),
        }
    }
}

/// What conditions are asked about, with the work that is left for all of them.
struct Asking<'a, 'p> {
    matched: &'a Matched<'p>,
    facts: RequestFacts<'a>,
    identity: &'a Identity,
    operations: &'a [Operation<'a>],
    fuel: Fuel,
}

impl Asking<'_, '_> {
    /// The first operation of which `condition` is not true, among those that the rule is about.
    fn first_refused(&mut self, condition: &Condition, rule: Option<(usize, &OperationRule)>) -> Option<Cause> {
        for (place, operation) in self.operations.iter().enumerate() {
            if rule.is_some_and(|(_, rule)| !rule.fits(operation)) {
                continue;
            }
            let facts = condition::facts(self.matched, self.facts, self.identity, Some(operation));
            if let Err(trouble) = condition::check(condition, &facts, &mut self.fuel) {
                let rule = rule.map(|(index, _)| index);
                return Some(Cause { reason: Reason::ConditionFalse, rule, operation: place, trouble });
            }
        }
        None
    }
}

/// Whether the caller may do what `rule` is about, its condition aside; if not, why, and which scopes would help.
pub fn satisfied<'p>(rule: &'p OperationRule, identity: &Identity) -> Result<(), (Reason, Vec<&'p Scope>)> {
    if rule.deny {
        return Err((Reason::OperationNotAllowed, Vec::new()));
    }
    if let Some(principals) = &rule.principals {
        principal::admit(principals, Caller::of(identity)).map_err(|reason| (of_operation(reason), Vec::new()))?;
    }
    let granted = |scope: &Scope| identity.scopes().contains(scope);
    let lacking = |required: &&RequiredScope| !required.satisfied_by.iter().any(granted);
    let missing: Vec<&Scope> = rule.required_scopes.iter().filter(lacking).map(|required| &required.scope).collect();
    if missing.is_empty() { Ok(()) } else { Err((Reason::InsufficientScope, missing)) }
}

/// The caller may use the resource, only not for this.
fn of_operation(reason: Reason) -> Reason {
    if reason == Reason::PrincipalNotAllowed { Reason::OperationNotAllowed } else { reason }
}
