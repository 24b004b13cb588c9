//! One proof of possession: every check of RFC 9449 §4.3 that needs no memory, in the order in which it costs least.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::key::{self, WrittenKey};
use super::{ALGORITHMS, ProofFault};
use crate::authn::claims::{NumericDate, present};
use crate::authn::unverified::{Present, from_json, media_type};
use crate::authn::{Algorithm, Thumbprint};
use crate::domain::{Authority, Scheme, UnixTime};

/// What a proof must be about.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The method of the client's request.
    pub method: &'a str,
    /// Its scheme.
    pub scheme: Scheme,
    /// Its host and port.
    pub authority: &'a Authority<'a>,
    /// Its path, without the query.
    pub path: &'a str,
    /// The token that comes with it; at the token endpoint there is none yet.
    pub token: Option<&'a [u8]>,
    /// The key that the token is bound to.
    pub key: Option<&'a Thumbprint>,
}

/// A sound proof, which may have been seen before.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) key: Thumbprint,
    pub(super) id: String,
    /// When it ceases to count by itself.
    pub(super) until: UnixTime,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: WrittenKey,
    #[serde(default)]
    crit: Present,
    #[serde(default)]
    jku: Present,
    #[serde(default)]
    x5u: Present,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: NumericDate,
    #[serde(default, deserialize_with = "present")]
    exp: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<NumericDate>,
    ath: Option<String>,
}

impl Proof {
    /// Longest proof, in bytes. One with an RSA key of 4096 bits takes less than 2 KB.
    const MAX_LENGTH: usize = 8 * 1024;
    /// Longest `jti`, in bytes: a UUID takes 36.
    const MAX_ID_LENGTH: usize = 256;
    /// How far `iat` may be from our clock. Shorter than clients are told to expect (RFC 9449 §11.1 leaves it open):
    /// nobody but this process knows which proofs it has seen.
    const WINDOW: Duration = Duration::from_secs(60);

    /// Reads the value of the `DPoP` header and checks all of it.
    pub(super) fn check(value: &[u8], expected: &Expected<'_>, now: UnixTime) -> Result<Self, ProofFault> {
        let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= Self::MAX_LENGTH);
        let (signing_input, signature) = text.and_then(|text| text.rsplit_once('.')).ok_or(ProofFault::Malformed)?;
        let (header, claims) = signing_input.split_once('.').ok_or(ProofFault::Malformed)?;
        let header: Header = part(header)?;
        let claims: Claims = part(claims)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| ProofFault::Malformed)?;
        let algorithm = header.check()?;
        claims.check(expected)?;
        let until = claims.check_times(now)?;
        let thumbprint = key::thumbprint(&header.jwk)?;
        if expected.key.is_some_and(|key| *key != thumbprint) {
            return Err(ProofFault::OtherKey);
        }
        let key = key::verification_key(header.jwk, algorithm)?;
        if !key.verifies(signing_input.as_bytes(), &signature) {
            return Err(ProofFault::BadSignature);
        }
        Ok(Self { key: thumbprint, id: claims.jti, until })
    }
}

impl Header {
    fn check(&self) -> Result<Algorithm, ProofFault> {
        if !media_type(&self.typ).eq_ignore_ascii_case("dpop+jwt") {
            return Err(ProofFault::NotProof);
        }
        if self.crit.0 || self.jku.0 || self.x5u.0 {
            return Err(ProofFault::Malformed);
        }
        key::refuse_private(&self.jwk)?;
        let algorithm = Algorithm::parse(&self.alg).filter(|algorithm| ALGORITHMS.contains(algorithm));
        algorithm.ok_or(ProofFault::AlgorithmNotAllowed)
    }
}

impl Claims {
    fn check(&self, expected: &Expected<'_>) -> Result<(), ProofFault> {
        if self.jti.is_empty() || self.jti.len() > Proof::MAX_ID_LENGTH {
            return Err(ProofFault::Malformed);
        }
        if self.htm != expected.method {
            return Err(ProofFault::OtherMethod);
        }
        if !is_url_of(&self.htu, expected) {
            return Err(ProofFault::OtherUrl);
        }
        match expected.token {
            None => Ok(()),
            Some(token) if self.ath.as_deref().is_some_and(|hash| is_hash_of(hash, token)) => Ok(()),
            Some(_) => Err(ProofFault::OtherToken),
        }
    }

    /// When the proof ceases to count, if it does now.
    fn check_times(&self, now: UnixTime) -> Result<UnixTime, ProofFault> {
        let time = |date: NumericDate| UnixTime::from_secs(date.0);
        let until = time(self.iat).plus(Proof::WINDOW);
        let latest = now.plus(Proof::WINDOW);
        let over = until <= now || self.exp.is_some_and(|expiry| time(expiry) <= now);
        let early = time(self.iat) > latest || self.nbf.is_some_and(|start| time(start) > latest);
        if over || early { Err(ProofFault::NotFresh) } else { Ok(until) }
    }
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, ProofFault> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| ProofFault::Malformed)?;
    from_json(&json).ok_or(ProofFault::Malformed)
}

/// `htu`, any query and fragment aside, in any spelling of scheme, host and port (RFC 9449 §4.3, item 9). The path is
/// compared as it is: it has one spelling only, or was refused before.
fn is_url_of(htu: &str, expected: &Expected<'_>) -> bool {
    let url = htu.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let path = if path.is_empty() { "/" } else { path };
    Scheme::parse(scheme.as_bytes()) == Some(expected.scheme)
        && Authority::parse(authority.as_bytes(), expected.scheme).is_some_and(|given| given == *expected.authority)
        && path == expected.path
}

fn is_hash_of(hash: &str, token: &[u8]) -> bool {
    verify_slices_are_equal(hash.as_bytes(), Thumbprint::of(token).to_string().as_bytes()).is_ok()
}
