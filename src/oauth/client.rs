//! A client as the authorization server knows it, wherever that knowledge comes from.

use serde::{Deserialize, Serialize};

use super::RedirectUri;
use crate::domain::{ScopeSet, SecretHash, UnixTime};
use crate::store::{Stored, Table};

/// A client: from the configuration, registered (RFC 7591), or described by its metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// `client_id`
    pub id: String,
    /// The name that it gives itself: shown, never believed.
    pub name: Option<String>,
    /// Where answers may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// How it proves itself at the token endpoint.
    pub authentication: ClientAuthentication,
    /// Grant types it may use.
    pub grant_types: Vec<GrantType>,
    /// Scopes it may ask for; absent means whatever the resource offers.
    pub scopes: Option<ScopeSet>,
    /// It never gets tokens without the proof of a key (`dpop_bound_access_tokens`). Older records do not say.
    #[serde(default)]
    pub dpop_bound: bool,
    /// Where this knowledge comes from.
    pub source: ClientSource,
}

/// How a client proves itself (`token_endpoint_auth_method`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// A public client: PKCE is its only proof.
    None,
    /// `client_secret_basic` or `client_secret_post`. Both are taken, whichever was registered: clients mix them up.
    Secret {
        /// The method that was registered, echoed in the registration's answer.
        method: SecretMethod,
        /// The SHA-256 of the secret.
        hash: SecretHash,
    },
    /// `private_key_jwt` (RFC 7523 §2.2), with keys by value or by reference.
    PrivateKeyJwt {
        /// The keys themselves (`jwks`), as JSON.
        jwks: Option<String>,
        /// Where they are (`jwks_uri`); fetched with the guard.
        jwks_uri: Option<String>,
    },
}

impl ClientAuthentication {
    /// The registered name (RFC 7591 §2, OIDC Core §9).
    pub const fn method(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Secret { method: SecretMethod::Basic, .. } => "client_secret_basic",
            Self::Secret { method: SecretMethod::Post, .. } => "client_secret_post",
            Self::PrivateKeyJwt { .. } => "private_key_jwt",
        }
    }
}

/// How a secret is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretMethod {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
}

/// A grant type of the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// `authorization_code`
    AuthorizationCode,
    /// `refresh_token`
    RefreshToken,
    /// `client_credentials`, for clients from the configuration only.
    ClientCredentials,
}

/// Where the knowledge about a client comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientSource {
    /// The operator's configuration.
    Configuration {
        /// Resources that `client_credentials` tokens may be for.
        resources: Vec<String>,
        /// May introspect every token, not only its own.
        may_introspect: bool,
    },
    /// Dynamic registration.
    Registration {
        /// `client_id_issued_at`
        issued_at: UnixTime,
        /// The SHA-256 of the registration access token (RFC 7592).
        access_token: SecretHash,
        /// Whether anybody ever signed in through it; unused registrations expire.
        used: bool,
    },
    /// A client id metadata document at the URL that is the client id.
    Document,
}

impl Client {
    /// Whether it proves itself with a secret or key.
    pub fn is_confidential(&self) -> bool {
        !matches!(self.authentication, ClientAuthentication::None)
    }

    /// When it was registered, if it was.
    pub const fn issued_at(&self) -> Option<UnixTime> {
        match self.source {
            ClientSource::Registration { issued_at, .. } => Some(issued_at),
            ClientSource::Configuration { .. } | ClientSource::Document => None,
        }
    }

    /// The redirect URI among its own that `presented` names.
    pub fn redirect_named(&self, presented: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|registered| registered.matches(presented))
    }
}

impl Stored for Client {
    const TABLE: Table = Table::Clients;
}
