//! Who may call: any one match is enough, none is a refusal.

use crate::authn::Identity;
use crate::authz::policy::Principals;
use crate::authz::{Policy, Reason};

/// E-mail addresses count only when the issuer vouches for them.
pub fn check(policy: &Policy, identity: &Identity) -> Result<(), Reason> {
    let principals = &policy.principals;
    if principals.anyone || is_named(principals, identity) {
        return Ok(());
    }
    let unverified = identity.unverified_email();
    let would_match = unverified.is_some_and(|email| principals.emails.iter().any(|pattern| pattern.matches(email)));
    Err(if would_match { Reason::EmailNotVerified } else { Reason::PrincipalNotAllowed })
}

fn is_named(principals: &Principals, identity: &Identity) -> bool {
    let holds = |list: &[String], value: Option<&str>| value.is_some_and(|value| list.iter().any(|item| item == value));
    let email = identity.verified_email();
    email.is_some_and(|email| principals.emails.iter().any(|pattern| pattern.matches(email)))
        || identity.groups().iter().any(|group| principals.groups.contains(group))
        || holds(&principals.users, identity.user_name())
        || holds(&principals.subjects, Some(identity.subject()))
        || holds(&principals.clients, identity.client())
}
