//! Who may call: any one match is enough, none is a refusal.

use crate::authn::Identity;
use crate::authz::policy::Principals;
use crate::authz::{Policy, Reason};
use crate::domain::Email;

/// What principals are compared with, whether a token or an identity provider vouches for it.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// An address that its issuer vouches for.
    pub verified_email: Option<&'a Email>,
    /// An address that nobody vouches for: it admits nobody, and explains a refusal.
    pub unverified_email: Option<&'a Email>,
    /// Groups.
    pub groups: &'a [String],
    /// The user name.
    pub user_name: Option<&'a str>,
    /// `sub`
    pub subject: &'a str,
    /// `client_id`
    pub client: Option<&'a str>,
}

/// E-mail addresses count only when the issuer vouches for them.
pub fn check(policy: &Policy, identity: &Identity) -> Result<(), Reason> {
    if identity.is_api_key() {
        // Whoever made the key named its resources, so the lists of people have no say.
        return if policy.allow_api_keys { Ok(()) } else { Err(Reason::PrincipalNotAllowed) };
    }
    admit(&policy.principals, Caller::of(identity))
}

impl<'a> Caller<'a> {
    /// Whom a token is about.
    pub fn of(identity: &'a Identity) -> Self {
        Self {
            verified_email: identity.verified_email(),
            unverified_email: identity.unverified_email(),
            groups: identity.groups(),
            user_name: identity.user_name(),
            subject: identity.subject(),
            client: identity.client(),
        }
    }
}

/// Whether `principals` name `caller`.
pub fn admit(principals: &Principals, caller: Caller<'_>) -> Result<(), Reason> {
    if principals.anyone || is_named(principals, caller) {
        return Ok(());
    }
    let would_match =
        caller.unverified_email.is_some_and(|email| principals.emails.iter().any(|pattern| pattern.matches(email)));
    Err(if would_match { Reason::EmailNotVerified } else { Reason::PrincipalNotAllowed })
}

fn is_named(principals: &Principals, caller: Caller<'_>) -> bool {
    let holds = |list: &[String], value: Option<&str>| value.is_some_and(|value| list.iter().any(|item| item == value));
    let named = |email: &Email| principals.emails.iter().any(|pattern| pattern.matches(email));
    caller.verified_email.is_some_and(named)
        || caller.groups.iter().any(|group| principals.groups.contains(group))
        || holds(&principals.users, caller.user_name)
        || holds(&principals.subjects, Some(caller.subject))
        || holds(&principals.clients, caller.client)
}
