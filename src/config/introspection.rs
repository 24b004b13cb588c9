//! `introspection_…` of `[[issuers]]`.

use super::file::WrittenIssuer;
use super::server::duration;
use super::{ConfigError, secret};
use crate::authn::IntrospectionSettings;
use crate::domain::issuer::parse_fetch_url;
use crate::outbound::basic_credentials;

/// A token that was taken back is refused after this time at the latest.
const DEFAULT_CACHE_SECONDS: u64 = 30;
const LONGEST_CACHE_SECONDS: u64 = 300;

/// How the issuer at `index` is asked about opaque tokens, if it is.
pub(super) fn read(index: usize, written: &WrittenIssuer) -> Result<Option<IntrospectionSettings>, ConfigError> {
    let key = |name: &str| format!("issuers[{index}].introspection_{name}");
    let Some(endpoint) = &written.introspection_endpoint else {
        return refuse_without_endpoint(key, written).map(|()| None);
    };
    let endpoint = parse_fetch_url(endpoint).map_err(|error| {
        let fix = "write the introspection_endpoint of the issuer's metadata";
        ConfigError::new(key("endpoint"), Some(endpoint), error.to_string(), fix)
    })?;
    let missing = |name| {
        let rule = "it is missing: issuers tell only their own clients what a token means";
        ConfigError::new(key(name), None, rule, "register this service as a confidential client at the issuer")
    };
    let client_id = written.introspection_client_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    let client_id = client_id.ok_or_else(|| missing("client_id"))?;
    let (text, file) = (&written.introspection_client_secret, &written.introspection_client_secret_file);
    let secret = secret::read(&key("client_secret"), text.as_deref(), file.as_deref())?;
    let secret = secret.ok_or_else(|| missing("client_secret"))?;
    let range = 0..=LONGEST_CACHE_SECONDS;
    let cache = written.introspection_cache.as_deref();
    Ok(Some(IntrospectionSettings {
        endpoint,
        authorization: basic_credentials(client_id, &secret),
        remembered_for: duration(&key("cache"), cache, DEFAULT_CACHE_SECONDS, range)?,
        vouches_for_audience: written.introspection_vouches_for_audience,
        // Known once all resources are read.
        keeps_claims: false,
    }))
}

fn refuse_without_endpoint(key: impl Fn(&str) -> String, written: &WrittenIssuer) -> Result<(), ConfigError> {
    let keys = [
        ("client_id", written.introspection_client_id.is_some()),
        ("client_secret", written.introspection_client_secret.is_some()),
        ("client_secret_file", written.introspection_client_secret_file.is_some()),
        ("cache", written.introspection_cache.is_some()),
        ("vouches_for_audience", written.introspection_vouches_for_audience),
    ];
    match keys.into_iter().find(|(_, is_written)| *is_written) {
        None => Ok(()),
        Some((name, _)) => {
            let rule = "there is no introspection_endpoint that it would count for";
            Err(ConfigError::new(key(name), None, rule, "add introspection_endpoint, or remove the key"))
        }
    }
}
