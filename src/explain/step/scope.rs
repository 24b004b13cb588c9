//! Does the token hold the scopes that are required?

use super::super::text;
use super::{Facts, Kind, Step};
use crate::authn::Identity;
use crate::authz::policy::RequiredScope;
use crate::authz::{Reason, rule};

const NAME: &str = "scopes";
pub(super) const KIND: Kind = Kind { name: NAME, ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    let Some((matched, identity)) = facts.caller() else { return super::nobody(NAME) };
    let detail = compared(&matched.policy.required_scopes, identity);
    vec![match rule::scope::check(matched.policy, identity) {
        Ok(()) => Step::passed(NAME, detail),
        Err(_) => Step::refused(NAME, Reason::InsufficientScope, detail),
    }]
}

/// What was granted, and what is needed: each scope with those that imply it.
pub(super) fn compared(required: &[RequiredScope], identity: &Identity) -> String {
    let granted = text::list(identity.scopes().as_slice());
    if required.is_empty() {
        return format!("scopes granted {granted}, none needed");
    }
    let needed = required.iter().map(|required| {
        let others = required.satisfied_by.iter().filter(|other| **other != required.scope);
        others.fold(required.scope.to_string(), |text, other| format!("{text} or {other}"))
    });
    format!("scopes granted {granted}, needed {}", needed.collect::<Vec<_>>().join(" and "))
}
