//! Rules about single operations: every rule that fits must be satisfied, by every operation of the request.

use crate::authn::Identity;
use crate::authz::operation_policy::OperationRule;
use crate::authz::policy::{Mode, RequiredScope};
use crate::authz::rule::principal::{self, Caller};
use crate::authz::{Policy, Reason};
use crate::domain::{Operation, Scope};

/// What the rules say together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings<'p> {
    /// Why it is refused, and by which rule, counted from 0.
    pub refused: Option<(Reason, usize)>,
    /// Scopes that would help, of all rules: one challenge asks for everything.
    pub missing: Vec<&'p Scope>,
    /// What a rule in audit mode would have refused, and which.
    pub would_refuse: Option<(Reason, usize)>,
}

/// A refusal that no scope changes comes before one that a scope would: a person is not sent to fetch what cannot help.
pub fn check<'p>(policy: &'p Policy, identity: &Identity, operations: &[Operation<'_>]) -> Findings<'p> {
    let mut findings = Findings::default();
    for (index, rule) in policy.operations.rules.iter().enumerate() {
        if !operations.iter().any(|operation| rule.fits(operation)) {
            continue;
        }
        let Err((reason, missing)) = satisfied(rule, identity) else { continue };
        if rule.mode == Mode::Audit {
            findings.would_refuse.get_or_insert((reason, index));
            continue;
        }
        findings.missing.extend(missing);
        match findings.refused {
            Some((known, _)) if known != Reason::InsufficientScope => {}
            Some(_) if reason == Reason::InsufficientScope => {}
            _ => findings.refused = Some((reason, index)),
        }
    }
    findings
}

/// Whether the caller may do what `rule` is about; if not, why, and which scopes would help.
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
