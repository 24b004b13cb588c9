//! The one place where a token is judged. Every check stands here, in the order in which it costs least.
//!
//! Pure: keys and time are handed in. Claims are looked at before the signature so that stale and foreign tokens cost
//! almost nothing; that can only turn an acceptance into a refusal, never the other way round.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::claims::Claims;
use super::confirmation::WrittenConfirmation;
use super::key_set::VerificationKey;
use super::unverified::UnverifiedToken;
use super::{Algorithm, TokenFault, TokenIds};
use crate::domain::{UnixTime, api_key};

/// Claims whose signature has been checked, or which the issuer itself told us. Only [`verify`] makes one, and who asked the
/// issuer.
#[derive(Debug)]
pub(super) struct VerifiedClaims(Claims);

impl VerifiedClaims {
    pub(super) fn into_inner(self) -> Claims {
        self.0
    }

    /// What the issuer said to us, over a connection of ours to it.
    pub(super) const fn said_by_issuer(claims: Claims) -> Self {
        Self(claims)
    }

    /// By what the token is taken back, if it is one of our own.
    pub(super) fn token_ids(&self) -> TokenIds {
        TokenIds { grant: self.0.grant.0.clone(), jti: self.0.jti.0.clone() }
    }

    #[cfg(test)]
    pub(super) const fn for_test(claims: Claims) -> Self {
        Self(claims)
    }
}

/// `alg` must be one that the issuer is allowed to use (RFC 8725 §3.1).
pub(super) fn accepted_algorithm<C: DeserializeOwned>(
    token: &UnverifiedToken<'_, C>,
    allowed: &[Algorithm],
) -> Result<Algorithm, TokenFault> {
    let algorithm = token.unverified_algorithm()?;
    if allowed.contains(&algorithm) { Ok(algorithm) } else { Err(TokenFault::AlgorithmNotAllowed) }
}

/// Everything about the claims that needs no key: kind of token, form, times (RFC 7519 §4.1, RFC 9068 §4).
pub(super) fn check_claims(token: &UnverifiedToken<'_>, now: UnixTime, leeway: Duration) -> Result<(), TokenFault> {
    let claims = token.unverified_claims();
    if claims.is_other_token(token.typed_as_access_token()) {
        return Err(TokenFault::NotAccessToken);
    }
    if claims.cnf == WrittenConfirmation::Unknown {
        return Err(TokenFault::SenderConstrained);
    }
    if !claims.sub.as_deref().is_some_and(is_subject) {
        return Err(TokenFault::BadClaims);
    }
    // Rules and upstreams know API keys by these names, so a token must not claim one.
    let names = [&claims.sub, &claims.client_id, &claims.azp, &claims.preferred_username];
    if names.into_iter().flatten().any(|name| api_key::is_principal(name)) {
        return Err(TokenFault::BadClaims);
    }
    if UnixTime::from_secs(claims.exp.0).plus(leeway) <= now {
        return Err(TokenFault::Expired);
    }
    let future = |date: super::claims::NumericDate| UnixTime::from_secs(date.0) > now.plus(leeway);
    if claims.nbf.is_some_and(future) || claims.iat.is_some_and(future) {
        return Err(TokenFault::NotYetValid);
    }
    Ok(())
}

/// At most 255 characters (OIDC Core §2); control characters have no place in a name.
fn is_subject(subject: &str) -> bool {
    const MAX_LENGTH: usize = 255;
    !subject.is_empty() && subject.len() <= MAX_LENGTH && !subject.chars().any(char::is_control)
}

/// Checks the signature with the key that `kid` and `alg` chose.
pub(super) fn verify(token: UnverifiedToken<'_>, key: &VerificationKey) -> Result<VerifiedClaims, TokenFault> {
    if key.verifies(token.signing_input().as_bytes(), token.signature()) {
        Ok(VerifiedClaims(token.into_claims()))
    } else {
        Err(TokenFault::BadSignature)
    }
}
