//! Is the caller on a list?

use std::fmt::Display;

use super::super::text;
use super::{Facts, Kind, Step};
use crate::authz::policy::Principals;
use crate::authz::rule;
use crate::authz::rule::principal::Caller;

const NAME: &str = "principal";
pub(super) const KIND: Kind = Kind { name: NAME, ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    let Some((matched, identity)) = facts.caller() else { return super::nobody(NAME) };
    let detail = if identity.is_api_key() {
        format!("an API key, and allow_api_keys is {} here", matched.policy.allow_api_keys)
    } else {
        compared(&matched.policy.principals, Caller::of(identity))
    };
    vec![match rule::principal::check(matched.policy, identity) {
        Ok(()) => Step::passed(NAME, detail),
        Err(reason) => Step::refused(NAME, reason, detail),
    }]
}

/// Each list with what it was compared with.
pub(super) fn compared(principals: &Principals, caller: Caller<'_>) -> String {
    if principals.anyone {
        return "allow_any_authenticated admits everybody whom an accepted issuer vouches for".to_owned();
    }
    let email = match (caller.verified_email, caller.unverified_email) {
        (Some(email), _) => format!("email {email}"),
        (None, Some(email)) => format!("email {email}, which its issuer does not vouch for,"),
        (None, None) => "no email".to_owned(),
    };
    let name = |what: &str, value: Option<&str>| {
        value.map_or_else(|| format!("no {what}"), |value| format!("{what} {}", text::cut(value)))
    };
    let against = [
        one(&email, "allowed_emails", &principals.emails),
        one(&format!("groups {}", text::list(caller.groups)), "allowed_groups", &principals.groups),
        one(&name("user name", caller.user_name), "allowed_users", &principals.users),
        one(&name("subject", Some(caller.subject)), "allowed_subjects", &principals.subjects),
        one(&name("client", caller.client), "allowed_clients", &principals.clients),
    ];
    let against: Vec<String> = against.into_iter().flatten().collect();
    if against.is_empty() { "there is no allowed_… list, so nobody is named".to_owned() } else { against.join("; ") }
}

fn one<T: Display>(what: &str, key: &str, list: &[T]) -> Option<String> {
    (!list.is_empty()).then(|| format!("{what} against {key} {}", text::list(list)))
}
