//! `identity_assertion` of `[[resources]]`: what it needs besides, and for whom assertions are made.

use super::file::WrittenResource;
use super::issuer::Issuers;
use super::{ConfigError, ConfigErrors};
use crate::authz::AssertionAudience;

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
