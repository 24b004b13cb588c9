//! One file per step. A new rule gets a file beside these and a line in [`IN_ORDER`].

mod audience;
mod authentication;
mod condition;
mod credential;
mod operation;
mod origin;
mod principal;
mod proxy;
mod request;
mod resource;
mod scope;
mod tool_rule;

use super::{Facts, Outcome, Step, reason_of, reason_told};

/// A rule's name and what it says; several steps where it is many rules.
struct Kind {
    name: &'static str,
    ask: fn(&Facts<'_>) -> Vec<Step>,
}

/// In the order in which they are asked: of these the first refusal is the verdict's.
const IN_ORDER: [Kind; 14] = [
    proxy::KIND,
    request::KIND,
    resource::KIND,
    origin::KIND,
    credential::KIND,
    authentication::KIND,
    audience::ISSUER,
    audience::AUDIENCE,
    principal::KIND,
    scope::KIND,
    condition::KIND,
    operation::KIND,
    tool_rule::KIND,
    condition::OF_OPERATIONS,
];

/// Every step: what each rule said until one refused, and the names of those that were not reached.
pub fn tell(facts: &Facts<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for kind in &IN_ORDER {
        if steps.iter().any(|step| step.outcome == Outcome::Refused) {
            let known = steps.iter().any(|step| step.name == kind.name);
            steps.extend((!known).then(|| Step::not_reached(kind.name)));
        } else {
            steps.extend((kind.ask)(facts));
        }
    }
    steps.extend(unexplained(facts, &steps));
    steps
}

/// The verdict is what the service says. Steps that say something else are a mistake of ours, and are not left standing.
fn unexplained(facts: &Facts<'_>, steps: &[Step]) -> Option<Step> {
    let (said, told) = (reason_of(facts.verdict), reason_told(steps));
    if said == told {
        return None;
    }
    let detail = format!(
        "the steps above do not lead to the verdict, {}: the verdict is right, and this explanation is not",
        said.map_or("a permit", |reason| reason.as_str())
    );
    let step = Step::not_asked("unexplained", detail);
    Some(Step { reason: said, outcome: if said.is_some() { Outcome::Refused } else { Outcome::Passed }, ..step })
}

/// For steps about the caller.
fn nobody(name: &str) -> Vec<Step> {
    vec![Step::not_asked(name, "a CORS preflight has no caller")]
}
