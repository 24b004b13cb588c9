//! DPoP at the token endpoint (RFC 9449 §5): a client that proves a key gets tokens that are bound to it.

use serde::Serialize;

use super::grant::Grant;
use super::{AuthorizationServer, Client, ErrorCode, OAuthError, Parameters};
use crate::authn::Thumbprint;
use crate::authn::dpop::{self, Expected, ProofFault};
use crate::domain::{Authority, Occurrence, Scheme, UnixTime};

/// `cnf` of an access token (RFC 9449 §6.1).
#[derive(Debug, Serialize)]
pub(super) struct Binding {
    jkt: String,
}

impl From<Thumbprint> for Binding {
    fn from(key: Thumbprint) -> Self {
        Self { jkt: key.to_string() }
    }
}

impl AuthorizationServer {
    /// The key that the client proves; none when it sends no proof. Asked once the client is known: strangers take no
    /// place in the memory of proofs.
    pub(super) fn proven_key(&self, proof: Occurrence<'_>, now: UnixTime) -> Result<Option<Thumbprint>, OAuthError> {
        if proof == Occurrence::Absent {
            return Ok(None);
        }
        let place = self.origin.split_once("://").and_then(|(scheme, authority)| {
            let scheme = Scheme::parse(scheme.as_bytes())?;
            Some((scheme, Authority::parse(authority.as_bytes(), scheme)?))
        });
        let (scheme, authority) =
            place.as_ref().ok_or_else(|| OAuthError::new(ErrorCode::ServerError, "the server does not know itself"))?;
        let expected = Expected { method: "POST", scheme: *scheme, authority, path: "/token", token: None, key: None };
        Ok(Some(dpop::prove(proof, &expected, &self.proofs, now)?))
    }
}

/// `dpop_jkt` of an authorization request (RFC 9449 §10): the code counts only with this key.
pub(super) fn key_of_request(parameters: &Parameters) -> Result<Option<String>, OAuthError> {
    let Some(text) = parameters.optional("dpop_jkt") else { return Ok(None) };
    let key = Thumbprint::parse(text).ok_or_else(|| OAuthError::invalid_request("dpop_jkt is no SHA-256 thumbprint"));
    key.map(|key| Some(key.to_string()))
}

/// A client that said that it always proves a key gets nothing without one, by whatever grant (RFC 9449 §5.2).
pub(super) fn require_promised_key(client: &Client, proven: Option<Thumbprint>) -> Result<(), OAuthError> {
    if client.dpop_bound && proven.is_none() { Err(OAuthError::from(ProofFault::Missing)) } else { Ok(()) }
}

/// What a code or a refresh token is bound to must be proven with it.
pub(super) fn require_key(bound: Option<&str>, proven: Option<Thumbprint>) -> Result<(), OAuthError> {
    match (bound, proven) {
        (None, _) => Ok(()),
        (Some(bound), Some(proven)) if Thumbprint::parse(bound) == Some(proven) => Ok(()),
        (Some(_), Some(_)) => Err(OAuthError::invalid_grant("it is bound to another key than the one that was proven")),
        (Some(_), None) => Err(OAuthError::from(ProofFault::Missing)),
    }
}

/// What refresh tokens of `client` are bound to: those of public clients to the key, since nothing else proves who shows
/// them (RFC 9449 §5).
pub(super) fn key_of_grant(client: &Client, proven: Option<Thumbprint>) -> Option<String> {
    proven.filter(|_| !client.is_confidential()).map(|key| key.to_string())
}

impl Grant {
    /// The grant after a refresh with this proof: what is bound stays so.
    pub(super) fn bound_to(self, client: &Client, proven: Option<Thumbprint>) -> Self {
        let key = self.key.or_else(|| key_of_grant(client, proven));
        Self { key, ..self }
    }
}

impl From<ProofFault> for OAuthError {
    fn from(fault: ProofFault) -> Self {
        let code = if fault == ProofFault::MemoryFull {
            ErrorCode::TemporarilyUnavailable
        } else {
            ErrorCode::InvalidDpopProof
        };
        Self::new(code, fault.to_string())
    }
}
