//! Required scopes, with hierarchies: a broader scope satisfies a narrower one (an MCP MUST).

use crate::authn::Identity;
use crate::authz::Policy;
use crate::domain::Scope;

/// The scopes that are missing, if any.
pub fn check<'p>(policy: &'p Policy, identity: &Identity) -> Result<(), Vec<&'p Scope>> {
    let granted = |scope: &Scope| identity.scopes().contains(scope);
    let lacking = |required: &&crate::authz::policy::RequiredScope| !required.satisfied_by.iter().any(granted);
    let mut missing = policy.required_scopes.iter().filter(lacking).map(|required| &required.scope).peekable();
    if missing.peek().is_none() { Ok(()) } else { Err(missing.collect()) }
}
