//! `[api_keys]`, and which resources admit such keys.

use std::time::Duration;

use serde::Deserialize;

use super::file::Written;
use super::server::duration;
use super::{AuthorizationServerConfig, ConfigError, ConfigErrors};
use crate::authz::Policy;
use crate::domain::api_key::{PRINCIPAL, is_principal};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenApiKeys {
    pub(super) max_lifetime: Option<String>,
}

/// API keys as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiKeysConfig {
    /// How long a key may live; for ever when absent.
    pub max_lifetime: Option<Duration>,
}

const DAY: u64 = 86_400;

pub(super) fn read(written: Option<&WrittenApiKeys>) -> Result<Option<ApiKeysConfig>, ConfigError> {
    let Some(written) = written else { return Ok(None) };
    let max_lifetime = match written.max_lifetime.as_deref() {
        Some("unlimited") => None,
        text => Some(duration("api_keys.max_lifetime", text, 365 * DAY, 60..=3650 * DAY)?),
    };
    Ok(Some(ApiKeysConfig { max_lifetime }))
}

/// A resource that waits for keys that nobody can make is a mistake, and the other way round worth a word.
pub(super) fn check(
    written: &Written,
    own: Option<&AuthorizationServerConfig>,
    policies: &[Policy],
    errors: &mut ConfigErrors,
    warnings: &mut Vec<String>,
) {
    let is_on = written.api_keys.is_some();
    for (index, _) in written.resources.iter().enumerate().filter(|(_, resource)| resource.allow_api_keys && !is_on) {
        let key = format!("resources[{index}].allow_api_keys");
        errors.add(ConfigError::unquoted(key, true, "there are no API keys without [api_keys]", "add that section"));
    }
    if is_on && !policies.iter().any(|policy| policy.allow_api_keys) {
        warnings.push("no resource admits API keys: see resources.allow_api_keys".to_owned());
    }
    let never_counts = |policy: &&Policy| is_on && policy.allow_api_keys && policy.dpop_required;
    warnings.extend(policies.iter().filter(never_counts).map(|policy| {
        let resource = &policy.resource;
        format!(
            "{resource} has both allow_api_keys and dpop_required: API keys are bound to nothing, so none counts there"
        )
    }));
    refuse_reserved_names(own, errors);
}

/// People who sign in there would have subjects that look like API keys, and whose tokens are refused. A client cannot be
/// called so: its id holds no colon.
fn refuse_reserved_names(own: Option<&AuthorizationServerConfig>, errors: &mut ConfigErrors) {
    let mut providers = own.iter().flat_map(|own| &own.providers);
    if let Some(provider) = providers.find(|provider| is_principal(&format!("{}:", provider.name))) {
        let key = "authorization_server.identity_provider.name";
        let rule = format!("subjects would start with {PRINCIPAL}, and such names are those of API keys");
        errors.add(ConfigError::new(key, Some(&provider.name), rule, "choose another"));
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const ISSUERS: &str = "[[issuers]]\nissuer = \"https://idp.example.com\"\n";
    const RESOURCE: &str = "[[resources]]\nurl = \"https://mcp.example.com/mcp\"\n";

    #[test]
    fn keys_bring_a_store_and_what_they_mean_is_told() {
        let config =
            |keys: &str, resource: &str| Config::from_toml(&format!("{keys}\n{ISSUERS}{RESOURCE}{resource}")).unwrap();
        let admitting = config("[api_keys]", "allow_api_keys = true");
        let told = admitting.to_string();
        for line in [
            "API keys may live for 365d",
            "state in file:/data/mcp-forward-auth.redb",
            "  and holders of API keys for it",
        ] {
            assert!(told.lines().any(|known| known == line), "{line}: {told}");
        }
        assert!(admitting.warnings.is_empty(), "{told}");
        let unlimited = config("[api_keys]\nmax_lifetime = \"unlimited\"", "").to_string();
        assert!(unlimited.contains("API keys may live without end"), "{unlimited}");
        let warning = "warning: no resource admits API keys: see resources.allow_api_keys";
        assert!(unlimited.lines().any(|line| line == warning), "{unlimited}");
        let never = config("[api_keys]", "allow_api_keys = true\ndpop_required = true").to_string();
        let warning = "warning: https://mcp.example.com/mcp has both allow_api_keys and dpop_required: API keys are bound to \
                       nothing, so none counts there";
        assert!(never.lines().any(|line| line == warning), "{never}");
        let none = config("", "");
        assert!(none.api_keys.is_none() && none.store_url.is_none() && !none.to_string().contains("API keys"));
    }
}
