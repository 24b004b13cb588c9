//! Is the resource's condition true, and those of the rules?

use super::super::text;
use super::{Facts, Kind, Step};
use crate::authz::condition::{Explanation, Seen};
use crate::authz::rule::condition::facts as asked_about;
use crate::authz::{Condition, Reason};
use crate::domain::Operation;
use crate::explain::Outcome;

const NAME: &str = "condition";
/// One that needs no operation.
pub(super) const KIND: Kind = Kind { name: NAME, ask };
/// One about operations, which is asked after the rules.
pub(super) const OF_OPERATIONS: Kind = Kind { name: NAME, ask: ask_of_operations };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    let Some((matched, identity)) = facts.caller() else { return Vec::new() };
    let Some(condition) = &matched.policy.condition else { return Vec::new() };
    let told = condition.explain(&asked_about(matched, facts.rule_facts, identity, None));
    vec![match told.outcome {
        Ok(true) => Step::passed(NAME, compared(&told)),
        Ok(false) | Err(_) => Step::refused(NAME, Reason::ConditionFalse, compared(&told)),
    }]
}

fn ask_of_operations(facts: &Facts<'_>) -> Vec<Step> {
    let Some((matched, _)) = facts.caller() else { return Vec::new() };
    let Some(condition) = &matched.policy.operations.condition else { return Vec::new() };
    let Some(Ok(operations)) = &facts.operations else { return Vec::new() };
    let operations: Vec<&Operation<'_>> = operations.iter().collect();
    vec![of_operations(NAME, (condition, None), facts, &operations, Outcome::Refused)]
}

/// What a condition, of this rule or of the resource, says of `operations`: the first of which it is not true, else the
/// first. `refused` is what a refusal of it comes to.
pub(super) fn of_operations(
    name: &str,
    (condition, rule): (&Condition, Option<usize>),
    facts: &Facts<'_>,
    operations: &[&Operation<'_>],
    refused: Outcome,
) -> Step {
    let decided = facts.causes.iter().any(|cause| cause.reason == Reason::ConditionFalse && cause.rule == rule);
    let refusal = |detail: String| Step { outcome: refused, ..Step::refused(name, Reason::ConditionFalse, detail) };
    if !facts.details_are_known && (condition.uses_params() || condition.uses_arguments()) {
        let source = text::cut(condition.source());
        return if decided {
            refusal(format!("{source}: not true; what the call handed over is not remembered"))
        } else {
            Step::not_asked(name, format!("{source}: what the call handed over is not remembered"))
        };
    }
    let Some((matched, identity)) = facts.caller() else { return Step::not_asked(name, "there is no caller") };
    let told = operations
        .iter()
        .map(|operation| condition.explain(&asked_about(matched, facts.rule_facts, identity, Some(operation))));
    let told: Vec<Explanation> = told.collect();
    match told.iter().find(|told| told.outcome != Ok(true)) {
        Some(untrue) => refusal(compared(untrue)),
        // The work is counted for all conditions of a request together.
        None if decided => refusal(format!("{}: too much work with all the others", text::cut(condition.source()))),
        None => Step::passed(name, told.first().map(compared).unwrap_or_default()),
    }
}

/// What it said, and what it read on the way.
fn compared(told: &Explanation) -> String {
    let said = match &told.outcome {
        Ok(answer) => answer.to_string(),
        Err(trouble) => format!("no answer, {trouble}"),
    };
    let seen: Vec<String> = told.seen.iter().map(shown).collect();
    let seen = if seen.is_empty() { String::new() } else { format!("; it read {}", seen.join(", ")) };
    format!("{}: {said}{seen}", text::cut(&told.source))
}

fn shown(seen: &Seen) -> String {
    match &seen.value {
        Some(value) => format!("{} = {value}", seen.name),
        None => format!("{}, which is not there", seen.name),
    }
}
