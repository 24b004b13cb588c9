//! Credential → verified identity. Three levels of trust, three types: what was presented ([`BearerToken`]), what it
//! claims ([`unverified::UnverifiedToken`]), and who it is ([`Identity`], which only this folder can make).

pub mod algorithm;
pub mod api_key;
pub mod authenticator;
pub mod cache;
mod certificate;
pub mod claims;
pub mod confirmation;
pub mod credential;
pub mod dpop;
pub mod identity;
pub mod identity_headers;
pub mod introspection;
pub mod issuer_keys;
pub mod jwt;
pub mod key_set;
pub mod key_source;
pub mod possession;
mod recent;
pub mod revocation;
pub mod session;
pub mod signed;
pub mod unverified;

pub use algorithm::Algorithm;
pub use api_key::{ApiKeyFacts, ApiKeys};
pub use authenticator::{Authenticator, IssuerSettings};
pub use confirmation::{Confirmation, Thumbprint};
pub use credential::{BearerToken, Credential};
pub use identity::Identity;
pub use introspection::{Introspection, IntrospectionSettings};
pub use issuer_keys::IssuerKeys;
pub use possession::Evidence;
pub use revocation::{RevokedTokens, TokenIds};
pub use session::Sessions;

use std::sync::Arc;
use std::time::Duration;

/// What is known about the caller.
#[derive(Debug, Clone)]
pub enum Authentication {
    /// No credential was presented.
    Anonymous,
    /// A credential was presented and is no good.
    Rejected(TokenFault),
    /// The caller is known.
    Verified(Arc<Identity>),
    /// It cannot be told now, and that is our own trouble: never a refusal of the token.
    Undecidable {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Only the issuer can tell, and it was not asked yet, or could not be: our own trouble, too.
    NotIntrospected {
        /// When to ask again.
        retry_after: Duration,
    },
}

impl Authentication {
    /// The caller, when known.
    pub const fn identity(&self) -> Option<&Arc<Identity>> {
        match self {
            Self::Verified(identity) => Some(identity),
            Self::Anonymous | Self::Rejected(_) | Self::Undecidable { .. } | Self::NotIntrospected { .. } => None,
        }
    }
}

/// Why a presented credential is refused. The wording is what the client reads; it never repeats token content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenFault {
    /// More than one `Authorization` header, or one that holds no single token.
    #[error("the request must carry exactly one bearer token")]
    MalformedCredential,
    /// Longer than [`BearerToken::MAX_LENGTH`].
    #[error("the token is too long")]
    TooLong,
    /// Not three base64url parts with JSON in them.
    #[error("the token is not a signed JWT")]
    NotJwt,
    /// A header or claim that changes how the token must be read (`crit`, `jku`, `x5u`, `jwk`).
    #[error("the token header holds parameters that are not accepted")]
    ForbiddenHeader,
    /// A `typ` that is no access token's.
    #[error("the token is not an access token")]
    NotAccessToken,
    /// `none`, a shared-secret algorithm, or one that the issuer does not use.
    #[error("the token is signed with an algorithm that is not accepted")]
    AlgorithmNotAllowed,
    /// `iss` names nobody configured.
    #[error("the token comes from an unknown issuer")]
    UnknownIssuer,
    /// No key of the issuer fits `kid` and `alg`.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// The signature does not fit the key.
    #[error("the token signature is not valid")]
    BadSignature,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A required claim is missing or has the wrong form.
    #[error("the token lacks a required claim or holds a malformed one")]
    BadClaims,
    /// A subject, client, user name or e-mail address that does not fit its identity header.
    #[error("the token holds a name that is too long to be handed on")]
    NameTooLong,
    /// `cnf` binds the token to a key that a bearer request does not prove (RFC 9449 §7.2, RFC 8705 §3).
    #[error("the token is bound to a key and may not be used as a bearer token")]
    SenderConstrained,
    /// Not bound to a key, where only such tokens count (RFC 9449 §7.1).
    #[error("the token is not bound to a key")]
    NotBound,
    /// Bound to a certificate (RFC 8705 §3) that the client did not present, as far as we are told.
    #[error("the token is bound to a client certificate that was not presented")]
    NoCertificate,
    /// The proof of possession is missing or wrong.
    #[error("{0}")]
    Proof(dpop::ProofFault),
    /// It starts like an API key and is none: mistyped, or cut off.
    #[error("the API key is not written as it was given out")]
    MalformedApiKey,
    /// Well written, and not one that was given out; or one that ended long ago.
    #[error("the API key is not known")]
    UnknownApiKey,
    /// One of our own, taken back before its time.
    #[error("the token has been revoked")]
    Revoked,
    /// An opaque token that no issuer accepted here calls active.
    #[error("the token is not active")]
    Inactive,
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
