//! Signed JWTs that are no access tokens of ours to judge: ID tokens and assertions. The same strict reading of the
//! header, the same keys; what the claims must say is the caller's business.

use serde::de::DeserializeOwned;

use super::key_set::KeySet;
use super::unverified::UnverifiedToken;
use super::{Algorithm, TokenFault, jwt};

/// Claims whose signature has been checked, and nothing else about them.
#[derive(Debug)]
pub struct Signed<C> {
    /// The claims.
    pub claims: C,
    /// What it was signed with.
    pub algorithm: Algorithm,
    /// `kid`, which chose the key.
    pub key_id: Option<String>,
}

/// Checks the signature of `token` with the one key of `keys` that fits `kid` and `alg`. [`TokenFault::UnknownKey`] says
/// that newer keys may help.
pub fn verify_signature<C: DeserializeOwned>(
    token: &str,
    keys: &KeySet,
    allowed: &[Algorithm],
) -> Result<Signed<C>, TokenFault> {
    proven(UnverifiedToken::<C>::parse_text(token)?, keys, allowed)
}

/// The same for a kind of token with a `typ` of its own, which must be there.
pub fn verify_typed_signature<C: DeserializeOwned>(
    token: &str,
    typ: &str,
    keys: &KeySet,
    allowed: &[Algorithm],
) -> Result<Signed<C>, TokenFault> {
    proven(UnverifiedToken::<C>::parse_typed(token, typ)?, keys, allowed)
}

fn proven<C: DeserializeOwned>(
    unverified: UnverifiedToken<'_, C>,
    keys: &KeySet,
    allowed: &[Algorithm],
) -> Result<Signed<C>, TokenFault> {
    let algorithm = jwt::accepted_algorithm(&unverified, allowed)?;
    let key_id = unverified.unverified_key_id().map(ToOwned::to_owned);
    let key = keys.find(key_id.as_deref(), algorithm).ok_or(TokenFault::UnknownKey)?;
    if key.verifies(unverified.signing_input().as_bytes(), unverified.signature()) {
        Ok(Signed { claims: unverified.into_claims(), algorithm, key_id })
    } else {
        Err(TokenFault::BadSignature)
    }
}

/// What a token with a `typ` of its own says of itself.
pub fn unverified_typed_claims<C: DeserializeOwned>(token: &str, typ: &str) -> Result<C, TokenFault> {
    UnverifiedToken::<C>::parse_typed(token, typ).map(UnverifiedToken::into_claims)
}

/// What `token` says of itself: enough to find out whose keys to try, never to believe.
pub fn unverified_claims<C: DeserializeOwned>(token: &str) -> Result<C, TokenFault> {
    UnverifiedToken::<C>::parse_text(token).map(UnverifiedToken::into_claims)
}
