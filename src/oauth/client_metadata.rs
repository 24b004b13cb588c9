//! What a client says about itself, in a registration (RFC 7591 §2) or in its metadata document: read once, for both.
//!
//! Unknown members are ignored, unacceptable redirect URIs are left out, a member of a wrong type is an error. Nothing
//! here is believed; it only has to have one reading and an end.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{ClientAuthentication, CustomSchemes, ErrorCode, GrantType, OAuthError, RedirectUri};
use crate::authn::Algorithm;
use crate::authn::key_set::KeySet;
use crate::domain::ScopeSet;
use crate::domain::issuer::is_loopback;

/// The members that are understood.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ClientMetadata {
    pub(super) client_id: Option<String>,
    client_name: Option<String>,
    redirect_uris: Option<Vec<String>>,
    pub(super) token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    scope: Option<String>,
    application_type: Option<String>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
    /// RFC 9449 §5.2
    pub(super) dpop_bound_access_tokens: Option<bool>,
    pub(super) client_secret: Option<Value>,
    pub(super) client_secret_expires_at: Option<Value>,
}

/// What is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MetadataFault {
    /// Not a JSON object.
    #[error("the client metadata is not a JSON object")]
    NotObject,
    /// A member of a wrong type, or there twice.
    #[error("a member of the client metadata has the wrong type: {0}")]
    WrongType(String),
    /// No `redirect_uris`.
    #[error("the client metadata holds no redirect_uris")]
    NoRedirectUris,
    /// More than anybody needs.
    #[error("the client metadata holds more than {} redirect_uris", ClientMetadata::MAX_REDIRECT_URIS)]
    TooManyRedirectUris,
    /// None of them can be accepted.
    #[error("no redirect URI is acceptable: https, http on localhost, or a scheme that is allowed here")]
    NoAcceptableRedirectUri,
    /// `private_key_jwt` without keys, or with two kinds of them.
    #[error("private_key_jwt needs either jwks or jwks_uri")]
    NotOneKindOfKeys,
    /// A key that is no secret any more.
    #[error("jwks holds a private or symmetric key")]
    PrivateKey,
    /// Nothing to verify with.
    #[error("jwks holds no public key that is usable here, or too many")]
    NoUsableKey,
    /// Not a URL that is fetched here.
    #[error("jwks_uri is not an https URL that may be fetched")]
    BadJwksUri,
}

impl From<MetadataFault> for OAuthError {
    fn from(fault: MetadataFault) -> Self {
        let code = match fault {
            MetadataFault::NoRedirectUris
            | MetadataFault::TooManyRedirectUris
            | MetadataFault::NoAcceptableRedirectUri => ErrorCode::InvalidRedirectUri,
            MetadataFault::NotObject
            | MetadataFault::WrongType(_)
            | MetadataFault::NotOneKindOfKeys
            | MetadataFault::PrivateKey
            | MetadataFault::NoUsableKey
            | MetadataFault::BadJwksUri => ErrorCode::InvalidClientMetadata,
        };
        Self::new(code, fault.to_string())
    }
}

impl ClientMetadata {
    const MAX_REDIRECT_URIS: usize = 20;
    const MAX_NAME: usize = 100;
    const MAX_JWKS: usize = 16 * 1024;
    const MAX_KEYS: usize = 20;
    const MAX_SCOPE: usize = 4 * 1024;

    /// Reads one JSON object.
    pub(super) fn parse(json: &[u8]) -> Result<Self, MetadataFault> {
        let text = std::str::from_utf8(json).map_err(|_| MetadataFault::NotObject)?;
        // serde by itself takes an array for a struct.
        if !text.trim_ascii_start().starts_with('{') {
            return Err(MetadataFault::NotObject);
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            if error.inner().is_data() {
                MetadataFault::WrongType(member(error.path()))
            } else {
                MetadataFault::NotObject
            }
        })?;
        reader.end().map_err(|_| MetadataFault::NotObject)?;
        Ok(read)
    }

    /// The redirect URIs that can be accepted, each once. Clients register several for their several forms; one that is
    /// not accepted here must not cost them the others.
    pub(super) fn redirect_uris(&self, schemes: &CustomSchemes) -> Result<Vec<RedirectUri>, MetadataFault> {
        let written = self.redirect_uris.as_deref().unwrap_or_default();
        match written.len() {
            0 => return Err(MetadataFault::NoRedirectUris),
            1..=Self::MAX_REDIRECT_URIS => {}
            _ => return Err(MetadataFault::TooManyRedirectUris),
        }
        let mut accepted: Vec<RedirectUri> = Vec::new();
        for uri in written.iter().filter_map(|text| RedirectUri::parse(text, schemes).ok()) {
            if !accepted.contains(&uri) {
                accepted.push(uri);
            }
        }
        if accepted.is_empty() { Err(MetadataFault::NoAcceptableRedirectUri) } else { Ok(accepted) }
    }

    /// The name for people, without what would let it pretend to be something else on a page: control characters, marks
    /// that turn the direction of text, invisible ones, line breaks.
    pub(super) fn name(&self) -> Option<String> {
        let written = self.client_name.as_deref()?;
        let visible: String = written.chars().map(|char| if char.is_whitespace() { ' ' } else { char }).collect();
        let visible: String = visible.chars().filter(|char| !is_invisible(*char)).collect();
        let words: Vec<&str> = visible.split(' ').filter(|word| !word.is_empty()).collect();
        let name: String = words.join(" ").chars().take(Self::MAX_NAME).collect();
        (!name.is_empty()).then_some(name)
    }

    /// Grant types out of those that a client may choose for itself. Everybody gets codes; refresh tokens unless it
    /// listed what it wants and they are not on the list. Unknown ones are ignored, and so is `client_credentials`:
    /// machines are configured.
    pub(super) fn grant_types(&self) -> Vec<GrantType> {
        let listed = self.grant_types.as_deref().unwrap_or_default();
        let lists = |name: &str| listed.iter().any(|listed| listed == name);
        if lists("authorization_code") && !lists("refresh_token") {
            return vec![GrantType::AuthorizationCode];
        }
        vec![GrantType::AuthorizationCode, GrantType::RefreshToken]
    }

    /// The scopes that it lists.
    pub(super) fn scope(&self) -> Option<ScopeSet> {
        let written = self.scope.as_deref().filter(|scope| scope.len() <= Self::MAX_SCOPE)?;
        Some(ScopeSet::from_claim(written)).filter(|scopes| !scopes.is_empty())
    }

    /// Whether it runs on a person's machine, where no secret can be kept (RFC 8252 §8.4).
    pub(super) fn is_native(&self, redirect_uris: &[RedirectUri]) -> bool {
        let on_a_machine = |uri: &RedirectUri| uri.is_loopback() || !uri.as_str().starts_with("https:");
        self.application_type.as_deref() == Some("native") || redirect_uris.iter().any(on_a_machine)
    }

    /// The keys of `private_key_jwt`: by value or by reference, not both (RFC 7591 §2).
    pub(super) fn keys(&self, allow_loopback: bool) -> Result<ClientAuthentication, MetadataFault> {
        match (&self.jwks, &self.jwks_uri) {
            (Some(jwks), None) => {
                Ok(ClientAuthentication::PrivateKeyJwt { jwks: Some(public_keys(jwks)?), jwks_uri: None })
            }
            (None, Some(uri)) => {
                fetchable(uri, allow_loopback).ok_or(MetadataFault::BadJwksUri)?;
                Ok(ClientAuthentication::PrivateKeyJwt { jwks: None, jwks_uri: Some(uri.clone()) })
            }
            (Some(_), Some(_)) | (None, None) => Err(MetadataFault::NotOneKindOfKeys),
        }
    }

    /// Whether it shows keys that must never leave their owner.
    pub(super) fn shows_private_keys(&self) -> bool {
        self.jwks.as_ref().is_some_and(holds_private_key)
    }
}

/// A URL that may be fetched on a stranger's word, in its one spelling.
pub(super) fn fetchable(text: &str, allow_loopback: bool) -> Option<Url> {
    const MAX_LENGTH: usize = 1024;
    let url = Url::parse(text).ok().filter(|url| text.len() <= MAX_LENGTH && url.as_str() == text)?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let local = allow_loopback && url.scheme() == "http" && is_loopback(&url);
    (plain && (url.scheme() == "https" || local)).then_some(url)
}

/// The name of the member, when it is one of ours: nothing that came from outside goes into an answer.
fn member(path: &serde_path_to_error::Path) -> String {
    let name = path.iter().next().map(ToString::to_string).unwrap_or_default();
    let ours =
        !name.is_empty() && name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if ours { name } else { "unknown".to_owned() }
}

fn public_keys(jwks: &Value) -> Result<String, MetadataFault> {
    if holds_private_key(jwks) {
        return Err(MetadataFault::PrivateKey);
    }
    let text = jwks.to_string();
    let keys = KeySet::parse(text.as_bytes(), &Algorithm::ALL).map_err(|_| MetadataFault::NoUsableKey)?;
    let fits = text.len() <= ClientMetadata::MAX_JWKS && keys.len() <= ClientMetadata::MAX_KEYS;
    if fits { Ok(text) } else { Err(MetadataFault::NoUsableKey) }
}

/// RFC 7518 §6.2.2, §6.3.2, §6.4: the members that only the owner of a key may see.
fn holds_private_key(jwks: &Value) -> bool {
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    let keys = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    keys.iter().any(|key| PRIVATE.iter().any(|member| key.get(member).is_some()))
}

/// Characters without a picture, or with power over their neighbours (Unicode Bidi and default-ignorable).
fn is_invisible(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}')
}
