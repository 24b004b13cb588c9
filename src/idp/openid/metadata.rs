//! What a provider publishes about itself: its metadata (OpenID Connect Discovery §3) and its keys.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use url::Url;

use super::cached::{Cached, Kept};
use super::dialect::Dialect;
use crate::authn::Algorithm;
use crate::authn::key_set::KeySet;
use crate::domain::issuer::parse_fetch_url;
use crate::domain::{Issuer, UnixTime};
use crate::idp::IdpError;
use crate::outbound::Outbound;

/// The published documents of one provider.
#[derive(Debug)]
pub(super) struct Published {
    issuer: Issuer,
    outbound: Outbound,
    metadata: Cached<Metadata>,
    keys: Cached<Keys>,
}

/// The metadata, as far as it matters here, with every endpoint checked.
#[derive(Debug)]
pub(in crate::idp) struct Metadata {
    pub(in crate::idp) issuer: String,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) userinfo_endpoint: Option<Url>,
    jwks_uri: Url,
    /// What ID tokens may be signed with: what the provider says, as far as it is asymmetric.
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) promises_iss: bool,
    authentication_methods: Option<Vec<String>>,
    scopes: Vec<String>,
    prompts: Option<Vec<String>>,
}

/// A key set, and whose keys they are where it says so.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) set: KeySet,
    issuers: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Written {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
    prompt_values_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl Published {
    pub(super) fn new(issuer: Issuer, outbound: Outbound) -> Self {
        Self { issuer, outbound, metadata: Cached::default(), keys: Cached::default() }
    }

    pub(super) async fn metadata(&self, dialect: &dyn Dialect, now: UnixTime) -> Result<Arc<Kept<Metadata>>, IdpError> {
        self.metadata.get(now, self.fetch_metadata(dialect)).await
    }

    pub(super) async fn keys(&self, metadata: &Metadata, now: UnixTime) -> Result<Arc<Kept<Keys>>, IdpError> {
        self.keys.get(now, self.fetch_keys(metadata)).await
    }

    /// For a token whose key is not among `known`.
    pub(super) async fn newer_keys(
        &self,
        known: &Arc<Kept<Keys>>,
        metadata: &Metadata,
        now: UnixTime,
    ) -> Result<Option<Arc<Kept<Keys>>>, IdpError> {
        self.keys.newer_than(known, now, self.fetch_keys(metadata)).await
    }

    async fn fetch_metadata(&self, dialect: &dyn Dialect) -> Result<Metadata, IdpError> {
        let url = discovery_url(&self.issuer)?;
        let document = self.outbound.get(&url).await?;
        let metadata = Metadata::parse(&document)
            .map_err(|reason| IdpError::Untrustworthy(format!("the metadata at {url} {reason}")))?;
        // Byte for byte (Discovery §4.3): whoever controls a path of the host could else lend it their keys.
        if !dialect.metadata_may_name(&self.issuer, &metadata.issuer) {
            return Err(IdpError::Untrustworthy(format!("the metadata at {url} names another issuer")));
        }
        Ok(metadata)
    }

    async fn fetch_keys(&self, metadata: &Metadata) -> Result<Keys, IdpError> {
        let document = self.outbound.get(&metadata.jwks_uri).await?;
        let set = KeySet::parse(&document, &metadata.algorithms)
            .map_err(|error| IdpError::Untrustworthy(format!("the key set at {}: {error}", metadata.jwks_uri)))?;
        Ok(Keys { set, issuers: issuers_of_keys(&document) })
    }
}

/// The issuer and `/.well-known/openid-configuration`, appended (Discovery §4).
fn discovery_url(issuer: &Issuer) -> Result<Url, IdpError> {
    let text = format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'));
    parse_fetch_url(&text).map_err(|error| IdpError::Untrustworthy(format!("{text}: {error}")))
}

impl Metadata {
    fn parse(document: &[u8]) -> Result<Self, String> {
        let written: Written =
            serde_json::from_slice(document).map_err(|error| format!("is no metadata document: {error}"))?;
        let endpoint = |name: &str, text: &str| {
            parse_fetch_url(text).map_err(|error| format!("names a {name} that is refused: {error}"))
        };
        Ok(Self {
            authorization_endpoint: endpoint("authorization_endpoint", &written.authorization_endpoint)?,
            token_endpoint: endpoint("token_endpoint", &written.token_endpoint)?,
            jwks_uri: endpoint("jwks_uri", &written.jwks_uri)?,
            userinfo_endpoint: written
                .userinfo_endpoint
                .map(|text| endpoint("userinfo_endpoint", &text))
                .transpose()?,
            algorithms: algorithms(written.id_token_signing_alg_values_supported)?,
            promises_iss: written.authorization_response_iss_parameter_supported == Some(true),
            authentication_methods: written.token_endpoint_auth_methods_supported,
            scopes: written.scopes_supported.unwrap_or_default(),
            prompts: written.prompt_values_supported,
            issuer: written.issuer,
        })
    }

    /// Whether a client secret may be sent with this method; absent means `client_secret_basic` (Discovery §3).
    pub(super) fn takes_secret_by(&self, method: &str) -> bool {
        match &self.authentication_methods {
            None => method == "client_secret_basic",
            Some(methods) => methods.iter().any(|known| known == method),
        }
    }

    pub(super) fn offers_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|known| known == scope)
    }

    /// Whether `prompt` may be asked for; `None` when the provider does not say which it knows.
    pub(super) fn knows_prompt(&self, prompt: &str) -> Option<bool> {
        self.prompts.as_ref().map(|known| known.iter().any(|known| known == prompt))
    }
}

impl Keys {
    /// Whose key `key_id` is, where the set says so.
    pub(super) fn issuer_of(&self, key_id: Option<&str>) -> Option<&str> {
        self.issuers.get(key_id?).map(String::as_str)
    }
}

/// Absent means RS256, which every provider must know (OIDC Core §15.1).
fn algorithms(names: Option<Vec<String>>) -> Result<Vec<Algorithm>, String> {
    let Some(names) = names else { return Ok(vec![Algorithm::Rs256]) };
    let known: Vec<Algorithm> = names.iter().filter_map(|name| Algorithm::parse(name)).collect();
    if known.is_empty() { Err("names no asymmetric algorithm for ID tokens".to_owned()) } else { Ok(known) }
}

/// The member `issuer` of keys, an extension of Entra's.
fn issuers_of_keys(document: &[u8]) -> HashMap<String, String> {
    #[derive(Deserialize, Default)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let Set { keys } = serde_json::from_slice(document).unwrap_or_default();
    let text = |key: &serde_json::Value, name: &str| key.get(name)?.as_str().map(ToOwned::to_owned);
    keys.iter().filter_map(|key| Some((text(key, "kid")?, text(key, "issuer")?))).collect()
}
