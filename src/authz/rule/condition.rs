//! Conditions of resources and rules: what is not true refuses.

use crate::authn::Identity;
use crate::authz::condition::{Condition, Facts, Fuel, Trouble};
use crate::authz::{Matched, RequestFacts};
use crate::domain::Operation;

/// What a condition of `matched` is asked about.
pub fn facts<'f>(
    matched: &'f Matched<'_>,
    request: RequestFacts<'f>,
    identity: &'f Identity,
    operation: Option<&'f Operation<'f>>,
) -> Facts<'f> {
    Facts {
        identity,
        request: request.request,
        origin: request.origin,
        resource: matched.resource_text(),
        resource_name: matched.policy.name.as_deref(),
        operation,
        now: request.now,
    }
}

/// `Err` where `condition` is not true: with the trouble it had, or without one where it is false.
pub fn check(condition: &Condition, facts: &Facts<'_>, fuel: &mut Fuel) -> Result<(), Option<Trouble>> {
    match condition.evaluate(facts, fuel) {
        Ok(true) => Ok(()),
        Ok(false) => Err(None),
        Err(trouble) => Err(Some(trouble)),
    }
}
