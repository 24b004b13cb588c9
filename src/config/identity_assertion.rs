//! `identity_assertion` of `[[resources]]`: what it needs besides, and for whom assertions are made.

use super::file::WrittenResource;
use super::issuer::Issuers;
use super::{ConfigError, ConfigErrors};
use crate::authz::{AssertionAudience, Policy};

/// With the rest of what a request carries it must fit in four kilobytes.
const MAX_AUDIENCE: usize = 255;

/// Whether the upstream gets a signed statement of who calls, and for which audience. Its keys are those of our own
/// authorization server.
pub(super) fn read(
    index: usize,
    written: &WrittenResource,
    issuers: &Issuers,
    errors: &mut ConfigErrors,
) -> Option<AssertionAudience> {
    let named = written.identity_assertion_audience.as_deref();
    if let Some(name) = named {
        let key = format!("resources[{index}].identity_assertion_audience");
        errors.keep(check_audience(key, name, written.identity_assertion));
    }
    if !written.identity_assertion {
        return None;
    }
    if issuers.read.iter().all(|issuer| !issuer.is_own) {
        let key = format!("resources[{index}].identity_assertion");
        let rule = "assertions are signed with the keys of our own authorization server";
        errors.add(ConfigError::unquoted(key, true, rule, "add [authorization_server]"));
    }
    Some(named.map_or(AssertionAudience::Resource, |name| AssertionAudience::Named(name.to_owned())))
}

fn check_audience(key: String, name: &str, wanted: bool) -> Result<(), ConfigError> {
    if !wanted {
        let rule = "there are no assertions for it to be in";
        return Err(ConfigError::new(key, Some(name), rule, "set identity_assertion = true, or remove it"));
    }
    if name.is_empty() || name.len() > MAX_AUDIENCE || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        let rule = format!("it must be 1 to {MAX_AUDIENCE} characters of visible ASCII");
        return Err(ConfigError::new(key, Some(name), rule, "write it like \"https://notes.internal\""));
    }
    Ok(())
}

/// Each of two servers could send to the other what it was sent, and be taken for its caller there.
pub(super) fn warn_of_shared_audiences(policies: &[Policy], warnings: &mut Vec<String>) {
    let named = policies.iter().filter_map(|policy| Some((&policy.resource, audience(policy)?)));
    let named: Vec<_> = named.collect();
    for (index, (resource, audience)) in named.iter().enumerate() {
        let earlier = named.iter().take(index).find(|(_, other)| other == audience);
        if let Some((other, _)) = earlier {
            warnings.push(format!(
                "{resource} and {other} have the same audience for identity assertions: each of their servers can pass \
                 for the callers of the other"
            ));
        }
    }
}

fn audience(policy: &Policy) -> Option<String> {
    match policy.assertion.as_ref()? {
        AssertionAudience::Resource => Some(policy.resource.to_string()),
        AssertionAudience::Named(name) => Some(name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn one_audience_for_two_servers_is_warned_of() {
        let warnings = |first: &str, second: &str| {
            let text = format!(
                "[[resources]]\nurl = \"http://localhost/a\"\n{first}\n[[resources]]\nurl = \"http://localhost/b\"\n\
                 {second}\n[authorization_server]\nissuer = \"http://localhost\"\n\
                 [authorization_server.identity_provider]\nkind = \"development\"\n[store]\nurl = \"memory:\"\n"
            );
            Config::from_toml(&text).unwrap().warnings.len()
        };
        let named = |name: &str| format!("identity_assertion = true\nidentity_assertion_audience = \"{name}\"");
        let own = "identity_assertion = true";
        assert_eq!(warnings(own, own), 0);
        assert_eq!(warnings(&named("a"), &named("b")), 0);
        assert_eq!(warnings("", &named("http://localhost/a")), 0);
        assert_eq!(warnings(&named("a"), &named("a")), 1);
        assert_eq!(warnings(own, &named("http://localhost/a")), 1);
    }
}
