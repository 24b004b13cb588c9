//! The one place where an ID token is judged (OIDC Core §3.1.3.7, §3.1.3.8, §12.2). Every check stands here.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::dialect::Dialect;
use super::profile::Profile;
use crate::authn::Algorithm;
use crate::authn::claims::{NumericDate, Strings};
use crate::authn::signed::Signed;
use crate::domain::{Secret, UnixTime};
use crate::idp::IdpError;

/// Claims of an ID token as presented. A known member that occurs twice is an error.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    aud: Strings,
    exp: NumericDate,
    iat: NumericDate,
    nbf: Option<NumericDate>,
    nonce: Option<String>,
    azp: Option<String>,
    at_hash: Option<String>,
    #[serde(flatten)]
    about: Map<String, Value>,
}

/// An ID token that is good.
#[derive(Debug)]
pub(in crate::idp) struct IdToken {
    pub(in crate::idp) issuer: String,
    pub(super) subject: String,
    pub(in crate::idp) profile: Profile,
}

/// What an ID token must fit.
pub(super) struct Expected<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) metadata_issuer: &'a str,
    /// Whose key signed it, where the key set says so.
    pub(super) key_issuer: Option<&'a str>,
    pub(super) client_id: &'a str,
    /// `None` at a refresh, whose ID token should have none (OIDC Core §12.2).
    pub(super) nonce: Option<&'a Secret>,
    pub(super) access_token: &'a Secret,
    pub(super) now: UnixTime,
    pub(super) leeway: Duration,
}

/// Judges claims whose signature has been checked.
pub(super) fn check(signed: Signed<Claims>, expected: &Expected<'_>) -> Result<IdToken, IdpError> {
    let Signed { claims, algorithm, .. } = signed;
    check_recipient(&claims, expected.client_id)?;
    check_times(&claims, expected.now, expected.leeway)?;
    if let Some(nonce) = expected.nonce {
        require(claims.nonce.as_deref().is_some_and(|found| nonce.matches(found.as_bytes())), "has another nonce")?;
    }
    if let Some(hash) = &claims.at_hash {
        require(*hash == half_hash(algorithm, expected.access_token), "belongs to another access token")?;
    }
    require(is_subject(&claims.sub), "has a malformed sub")?;
    let token = IdToken { issuer: claims.iss, subject: claims.sub, profile: Profile::new(claims.about) };
    let issued = expected.dialect.issued(expected.metadata_issuer, &token, expected.key_issuer);
    require(issued, "comes from another issuer")?;
    expected.dialect.admit(&token)?;
    Ok(token)
}

/// `aud` must hold us. Among several audiences `azp` must name us; where it is, it must be us in any case: the token was
/// else made for somebody else who may pass it on.
fn check_recipient(claims: &Claims, client_id: &str) -> Result<(), IdpError> {
    let Strings(audiences) = &claims.aud;
    require(audiences.iter().any(|audience| audience == client_id), "is for another client")?;
    match &claims.azp {
        Some(party) => require(party == client_id, "was made for another client"),
        None => require(audiences.len() == 1, "is for several clients and does not say which one asked for it"),
    }
}

fn check_times(claims: &Claims, now: UnixTime, leeway: Duration) -> Result<(), IdpError> {
    require(UnixTime::from_secs(claims.exp.0).plus(leeway) > now, "has expired")?;
    let future = |date: NumericDate| UnixTime::from_secs(date.0) > now.plus(leeway);
    require(!future(claims.iat) && !claims.nbf.is_some_and(future), "is not valid yet")
}

/// At most 255 characters (OIDC Core §2); control characters have no place in a name.
pub(super) fn is_subject(subject: &str) -> bool {
    const MAX_LENGTH: usize = 255;
    !subject.is_empty() && subject.len() <= MAX_LENGTH && !subject.chars().any(char::is_control)
}

fn require(holds: bool, otherwise: &str) -> Result<(), IdpError> {
    if holds { Ok(()) } else { Err(IdpError::Untrustworthy(format!("the ID token {otherwise}"))) }
}

/// The left half of the hash that goes with the signature's algorithm, in base64url (OIDC Core §3.1.3.6). Ed25519 goes
/// with SHA-512.
fn half_hash(algorithm: Algorithm, token: &Secret) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &digest::SHA256,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &digest::SHA384,
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::Es512 | Algorithm::EdDsa => &digest::SHA512,
    };
    let digest = digest::digest(hash, token.expose().as_bytes());
    let (left, _) = digest.as_ref().split_at(digest.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}
