//! The rules about operations: each by itself, and which of them speaks.

use super::super::text;
use super::{Facts, Kind, Step, principal, scope};
use crate::authn::Identity;
use crate::authz::OperationRule;
use crate::authz::policy::Mode;
use crate::authz::rule::operation;
use crate::authz::rule::principal::Caller;
use crate::domain::Operation;
use crate::explain::Outcome;

pub(super) const KIND: Kind = Kind { name: "tool_rules", ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    let Some((matched, identity)) = facts.caller() else { return super::nobody(KIND.name) };
    let Some(Ok(operations)) = &facts.operations else {
        return vec![Step::not_asked(KIND.name, "there are none here")];
    };
    let rules = matched.policy.operations.rules.iter().enumerate();
    rules.map(|(index, rule)| one((index, rule), facts, identity, operations)).collect()
}

fn one(
    (index, rule): (usize, &OperationRule),
    facts: &Facts<'_>,
    identity: &Identity,
    operations: &[Operation<'_>],
) -> Step {
    let name = format!("tool_rules[{index}]");
    let fitting: Vec<&Operation<'_>> = operations.iter().filter(|operation| rule.fits(operation)).collect();
    if fitting.is_empty() {
        return Step::not_asked(&name, format!("{} does not fit", about(rule)));
    }
    let shown = text::list(fitting.iter().map(|operation| super::operation::shown(operation)));
    let detail = format!("{} fits {shown}: {}", about(rule), demands(rule, identity));
    let outcome = match (rule.mode, facts.causes.first()) {
        (Mode::Audit, _) => Outcome::Audited,
        (Mode::Enforce, Some(cause)) if cause.rule == Some(index) => Outcome::Refused,
        (Mode::Enforce, _) => Outcome::AlsoRefuses,
    };
    if let Err((reason, _)) = operation::satisfied(rule, identity) {
        return Step { outcome, ..Step::refused(&name, reason, detail) };
    }
    match &rule.condition {
        None => Step::passed(&name, detail),
        Some(condition) => super::condition::of_operations(&name, (condition, Some(index)), facts, &fitting, outcome),
    }
}

/// What the rule is about, as it is configured.
fn about(rule: &OperationRule) -> String {
    let lists = [("methods", &rule.methods), ("names", &rule.names), ("except_names", &rule.except_names)];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    lists.map(|(key, list)| format!("{key} {}", text::list(list))).collect::<Vec<_>>().join(", ")
}

fn demands(rule: &OperationRule, identity: &Identity) -> String {
    if rule.deny {
        return "deny, nobody may".to_owned();
    }
    let principals = rule.principals.iter().map(|named| principal::compared(named, Caller::of(identity)));
    let scopes = (!rule.required_scopes.is_empty()).then(|| scope::compared(&rule.required_scopes, identity));
    let condition = rule.condition.as_ref().map(|condition| format!("condition {}", condition.source()));
    principals.chain(scopes).chain(condition).collect::<Vec<_>>().join("; ")
}
