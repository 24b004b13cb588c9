//! Dynamic registration (RFC 7591): `/register`. Anybody may come, so everything has a bound, and what nobody uses ends.

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::client_metadata::ClientMetadata;
use super::{
    Client, ClientAuthentication, ClientSource, Clients, ErrorCode, GrantType, OAuthError, RedirectUri, SecretMethod,
};
use crate::domain::opaque::{new_id, new_secret};
use crate::domain::{ScopeSet, Secret, SecretHash, UnixTime};
use crate::store::{Outcome, Stored as _, Transaction};

/// A registration as its client hears of it.
#[derive(Debug)]
pub struct Registration {
    /// The client as it is known from now on.
    pub client: Client,
    /// The body of the answer (RFC 7591 §3.2.1). It holds secrets: `Cache-Control: no-store`.
    pub information: ClientInformation,
}

/// The client information response. No member is ever `null`: schemas of clients refuse that.
#[derive(Debug, Serialize)]
pub struct ClientInformation {
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id_issued_at: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<Told>,
    /// 0: it does not expire. Required beside a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u64>,
    registration_access_token: Told,
    registration_client_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<String>,
    redirect_uris: Vec<RedirectUri>,
    token_endpoint_auth_method: &'static str,
    grant_types: Vec<GrantType>,
    response_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<ScopeSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    /// Left out when false, which is what its absence means (RFC 9449 §5.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    dpop_bound_access_tokens: Option<bool>,
}

/// A secret in the one answer that tells it.
#[derive(Debug)]
struct Told(Secret);

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

/// What a registration asks for, after all checks.
pub(super) struct Wanted {
    pub(super) redirect_uris: Vec<RedirectUri>,
    pub(super) method: WantedMethod,
    pub(super) name: Option<String>,
    pub(super) grant_types: Vec<GrantType>,
    /// What it listed, for the answer. It is no limit later: anybody may register any list, so it would protect nobody,
    /// and SDKs list the scopes of their first challenge, so it would stop every step-up to more.
    pub(super) scope: Option<ScopeSet>,
    /// Whether it always proves a key, if it said so.
    pub(super) dpop_bound: Option<bool>,
}

/// How the client wants to prove itself.
pub(super) enum WantedMethod {
    Public,
    Secret(SecretMethod),
    Keys(ClientAuthentication),
}

impl Clients {
    /// Largest body of a registration, in bytes.
    pub const MAX_REGISTRATION: usize = 64 * 1024;

    /// From half a table on, what nobody signs in through ends so soon: one address alone cannot fill the other half.
    const CROWDED: Duration = Duration::from_secs(60 * 60);

    /// Registers a client. A full table throws nobody out: the newcomer is told to come back.
    pub async fn register(&self, body: &[u8], now: UnixTime) -> Result<Registration, OAuthError> {
        let settings = &self.settings.registration;
        if !settings.enabled {
            return Err(OAuthError::new(ErrorCode::AccessDenied, "clients cannot register here"));
        }
        let wanted = self.wanted(&read(body)?)?;
        let count = self.store.count(Client::TABLE).await?;
        if count >= settings.max_clients {
            return Err(OAuthError::new(
                ErrorCode::TooManyRequests,
                "too many clients are registered; try again later",
            ));
        }
        let (authentication, secret) = self.authentication(wanted.method, None)?;
        let token = new_secret("mfg_", &*self.random)?;
        let source =
            ClientSource::Registration { issued_at: now, access_token: SecretHash::of(token.expose()), used: false };
        let client = Client {
            id: format!("mfc_{}", new_id(&*self.random)?),
            name: wanted.name,
            redirect_uris: wanted.redirect_uris,
            authentication,
            grant_types: wanted.grant_types,
            // No limit: see `Wanted::scope`.
            scopes: None,
            dpop_bound: wanted.dpop_bound.unwrap_or_default(),
            source,
        };
        let crowded = count.saturating_mul(2) >= settings.max_clients;
        let lifetime = if crowded { settings.unused_lifetime.min(Self::CROWDED) } else { settings.unused_lifetime };
        let end = now.plus(lifetime);
        match Transaction::new().create(&client.id, &client, Some(end)).commit(&*self.store, now).await? {
            Outcome::Committed => Ok(self.registration(client, secret, token, wanted.scope)),
            Outcome::Conflict => Err(OAuthError::new(ErrorCode::ServerError, "the client id is taken; try again")),
        }
    }

    /// Notes that tokens were issued to `client`, so that its registration does not end as unused.
    pub async fn note_use(&self, client: &Client, now: UnixTime) -> Result<(), OAuthError> {
        let end = self.settings.registration.used_lifetime.map(|lifetime| now.plus(lifetime));
        if end.is_none() && !matches!(client.source, ClientSource::Registration { used: false, .. }) {
            return Ok(());
        }
        for _ in 0..Self::ATTEMPTS {
            let Some(mut found) = self.registered(&client.id, now).await? else { return Ok(()) };
            let ClientSource::Registration { used, .. } = &mut found.value.source else { return Ok(()) };
            if *used && !self.is_worth_noting(found.expires_at, end) {
                return Ok(());
            }
            *used = true;
            let change = Transaction::new().update(&client.id, found.version, &found.value, end);
            if change.commit(&*self.store, now).await? == Outcome::Committed {
                return Ok(());
            }
        }
        // Others note its use, or change it, at this very moment; the next use will be noted.
        Ok(())
    }

    /// Whether moving the end from `present` to `wanted` is worth a write: once a day, or twice in a shorter lifetime.
    fn is_worth_noting(&self, present: Option<UnixTime>, wanted: Option<UnixTime>) -> bool {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let (Some(present), Some(wanted)) = (present, wanted) else { return present != wanted };
        let step = self.settings.registration.used_lifetime.map_or(DAY, |lifetime| DAY.min(lifetime / 2));
        wanted.since(present) >= step
    }

    /// How often a change is tried that others get in the way of.
    const ATTEMPTS: usize = 3;

    pub(super) fn wanted(&self, metadata: &ClientMetadata) -> Result<Wanted, OAuthError> {
        let redirect_uris = metadata.redirect_uris(&self.settings.custom_schemes)?;
        Ok(Wanted {
            method: self.wanted_method(metadata, &redirect_uris)?,
            name: metadata.name(),
            grant_types: metadata.grant_types(),
            scope: metadata.scope(),
            dpop_bound: metadata.dpop_bound_access_tokens,
            redirect_uris,
        })
    }

    /// A client that names no method gets a secret, as RFC 7591 §2 has it, unless it runs on a person's machine: there
    /// the secret would be none (RFC 8252 §8.4), and the one that would have to keep it is often a script.
    fn wanted_method(&self, metadata: &ClientMetadata, uris: &[RedirectUri]) -> Result<WantedMethod, OAuthError> {
        match metadata.token_endpoint_auth_method.as_deref() {
            None if metadata.is_native(uris) => Ok(WantedMethod::Public),
            Some("none") => Ok(WantedMethod::Public),
            None | Some("client_secret_basic") => Ok(WantedMethod::Secret(SecretMethod::Basic)),
            Some("client_secret_post") => Ok(WantedMethod::Secret(SecretMethod::Post)),
            Some("private_key_jwt") => Ok(WantedMethod::Keys(metadata.keys(self.settings.documents.allow_loopback)?)),
            Some(_) => Err(OAuthError::new(
                ErrorCode::InvalidClientMetadata,
                "token_endpoint_auth_method must be none, client_secret_basic, client_secret_post or private_key_jwt",
            )),
        }
    }

    /// What is stored of the method, and the secret that is told once. A secret that there is already stays.
    pub(super) fn authentication(
        &self,
        method: WantedMethod,
        present: Option<&ClientAuthentication>,
    ) -> Result<(ClientAuthentication, Option<Secret>), OAuthError> {
        match (method, present) {
            (WantedMethod::Public, _) => Ok((ClientAuthentication::None, None)),
            (WantedMethod::Keys(keys), _) => Ok((keys, None)),
            (WantedMethod::Secret(method), Some(ClientAuthentication::Secret { hash, .. })) => {
                Ok((ClientAuthentication::Secret { method, hash: hash.clone() }, None))
            }
            (WantedMethod::Secret(method), _) => {
                let secret = new_secret("mfs_", &*self.random)?;
                let hash = SecretHash::of(secret.expose());
                Ok((ClientAuthentication::Secret { method, hash }, Some(secret)))
            }
        }
    }

    /// The answer that tells `client` about itself.
    pub(super) fn registration(
        &self,
        client: Client,
        secret: Option<Secret>,
        token: Secret,
        scope: Option<ScopeSet>,
    ) -> Registration {
        let (jwks, jwks_uri) = match &client.authentication {
            ClientAuthentication::PrivateKeyJwt { jwks, jwks_uri } => (jwks.clone(), jwks_uri.clone()),
            ClientAuthentication::None | ClientAuthentication::Secret { .. } => (None, None),
        };
        let information = ClientInformation {
            client_id: client.id.clone(),
            client_id_issued_at: client.issued_at(),
            client_secret_expires_at: secret.is_some().then_some(0),
            client_secret: secret.map(Told),
            registration_access_token: Told(token),
            registration_client_uri: format!("{}/{}", self.settings.registration_endpoint, client.id),
            client_name: client.name.clone(),
            redirect_uris: client.redirect_uris.clone(),
            token_endpoint_auth_method: client.authentication.method(),
            grant_types: client.grant_types.clone(),
            response_types: ["code"],
            scope,
            jwks: jwks.and_then(|jwks| serde_json::from_str(&jwks).ok()),
            jwks_uri,
            dpop_bound_access_tokens: client.dpop_bound.then_some(true),
        };
        Registration { client, information }
    }
}

pub(super) fn read(body: &[u8]) -> Result<ClientMetadata, OAuthError> {
    if body.len() > Clients::MAX_REGISTRATION {
        return Err(OAuthError::new(ErrorCode::InvalidClientMetadata, "the client metadata is too long"));
    }
    Ok(ClientMetadata::parse(body)?)
}
