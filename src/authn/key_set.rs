//! A key set (RFC 7517 §5), parsed once into keys that are ready to verify.

use std::collections::HashMap;

use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use serde::Deserialize;

use super::Algorithm;
use super::algorithm::KeyType;

/// The usable keys of one issuer.
#[derive(Debug, Default)]
pub struct KeySet {
    by_id: HashMap<Box<str>, Vec<VerificationKey>>,
    without_id: Vec<VerificationKey>,
    usable: usize,
    fingerprint: Vec<u8>,
}

/// One public key for one algorithm.
pub(super) struct VerificationKey {
    algorithm: Algorithm,
    signature_length: usize,
    key: ParsedPublicKey,
}

impl std::fmt::Debug for VerificationKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "VerificationKey({})", self.algorithm)
    }
}

/// Why a document is no usable key set. The last good set is kept then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not JSON with an array `keys`.
    #[error("the document is no JSON Web Key Set: {0}")]
    NotKeySet(String),
    /// More keys than any issuer needs: each one costs memory and time.
    #[error("the document holds {0} keys, more than {max}", max = KeySet::MAX_KEYS)]
    TooManyKeys(usize),
    /// No key can verify a signature.
    #[error("the document holds no key that can verify a token")]
    NoUsableKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Most keys in one set.
    pub const MAX_KEYS: usize = 256;

    /// Reads a key set for an issuer that signs with `allowed` algorithms. Keys that cannot be used are left out.
    pub fn parse(document: &[u8], allowed: &[Algorithm]) -> Result<Self, KeySetError> {
        let parsed: Document =
            serde_json::from_slice(document).map_err(|error| KeySetError::NotKeySet(error.to_string()))?;
        if parsed.keys.len() > Self::MAX_KEYS {
            return Err(KeySetError::TooManyKeys(parsed.keys.len()));
        }
        let mut set = Self::default();
        // One by one: unknown members are ignored (RFC 7517 §4), keys that cannot be read are skipped (§5).
        for key in parsed.keys {
            if let Ok(jwk) = serde_json::from_value::<Jwk>(key) {
                set.add(&jwk, allowed);
            }
        }
        if set.is_empty() {
            return Err(KeySetError::NoUsableKey);
        }
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, document).as_ref().clone_into(&mut set.fingerprint);
        Ok(set)
    }

    fn add(&mut self, jwk: &Jwk, allowed: &[Algorithm]) {
        let keys: Vec<VerificationKey> =
            allowed.iter().filter_map(|algorithm| VerificationKey::from_jwk(jwk, *algorithm)).collect();
        if keys.is_empty() {
            return;
        }
        self.usable += 1;
        match &jwk.common.key_id {
            Some(kid) => self.by_id.entry(kid.as_str().into()).or_default().extend(keys),
            None => self.without_id.extend(keys),
        }
    }

    /// The key for `kid` **and** `algorithm`. A token without `kid` is matched only when one single key fits.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&VerificationKey> {
        let fits = |key: &&VerificationKey| key.algorithm == algorithm;
        let mut fitting: Box<dyn Iterator<Item = &VerificationKey>> = match kid {
            Some(kid) => return self.by_id.get(kid)?.iter().find(fits),
            None => Box::new(self.by_id.values().flatten().chain(&self.without_id).filter(fits)),
        };
        let only = fitting.next()?;
        fitting.next().is_none().then_some(only)
    }

    /// How many of the published keys can verify something.
    pub const fn len(&self) -> usize {
        self.usable
    }

    /// Whether no key can verify anything.
    pub const fn is_empty(&self) -> bool {
        self.usable == 0
    }

    /// Whether both came from the same document.
    pub fn same_as(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl VerificationKey {
    pub(super) fn from_jwk(jwk: &Jwk, algorithm: Algorithm) -> Option<Self> {
        if !may_verify(jwk) || !is_meant_for(jwk, algorithm) {
            return None;
        }
        match algorithm.curve() {
            Some((curve, signature_length)) => {
                let key = ParsedPublicKey::new(curve, public_point(jwk, algorithm.key_type())?).ok()?;
                Some(Self { algorithm, signature_length, key })
            }
            None => Self::from_rsa(jwk, algorithm),
        }
    }

    fn from_rsa(jwk: &Jwk, algorithm: Algorithm) -> Option<Self> {
        let AlgorithmParameters::RSA(parameters) = &jwk.algorithm else { return None };
        let (n, e) = (decode(&parameters.n)?, decode(&parameters.e)?);
        let significant = n.iter().position(|byte| *byte != 0)?;
        let signature_length = n.len() - significant;
        let components = RsaPublicKeyComponents { n: n.get(significant..)?, e: &e };
        let key = components.to_parsed_public_key(algorithm.rsa_parameters()?).ok()?;
        Some(Self { algorithm, signature_length, key })
    }

    /// Checks `signature` over `message`; a wrong length is refused before any arithmetic.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        signature.len() == self.signature_length && self.key.verify_sig(message, signature).is_ok()
    }
}

/// `use` and `key_ops`, where present, must allow verifying (RFC 7517 §4.2, §4.3).
fn may_verify(jwk: &Jwk) -> bool {
    let use_fits = jwk.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let operations = jwk.common.key_operations.as_ref();
    use_fits && operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify))
}

/// `alg`, where present, must be this very algorithm (RFC 8725 §3.1). The library does not know `ES512` and the newer
/// name `Ed25519`; their curves fit one algorithm each, so there the curve decides.
fn is_meant_for(jwk: &Jwk, algorithm: Algorithm) -> bool {
    match jwk.common.key_algorithm {
        None => true,
        Some(KeyAlgorithm::UNKNOWN_ALGORITHM) => matches!(algorithm.key_type(), KeyType::P521 | KeyType::Ed25519),
        Some(named) => Algorithm::parse(&named.to_string()) == Some(algorithm),
    }
}

/// The public point: `x` for Ed25519 (RFC 8037 §2), else the uncompressed point `04 || x || y` (SEC 1 §2.3.3).
fn public_point(jwk: &Jwk, wanted: KeyType) -> Option<Vec<u8>> {
    if let AlgorithmParameters::OctetKeyPair(parameters) = &jwk.algorithm {
        return decode(&parameters.x)
            .filter(|_| parameters.curve == EllipticCurve::Ed25519 && wanted == KeyType::Ed25519);
    }
    let AlgorithmParameters::EllipticCurve(parameters) = &jwk.algorithm else { return None };
    let curve = match wanted {
        KeyType::P256 => EllipticCurve::P256,
        KeyType::P384 => EllipticCurve::P384,
        KeyType::P521 => EllipticCurve::P521,
        KeyType::Rsa | KeyType::Ed25519 => return None,
    };
    let (x, y) = (decode(&parameters.x)?, decode(&parameters.y)?);
    (parameters.curve == curve).then(|| [&[4][..], &x, &y].concat())
}

/// Some issuers pad, against RFC 7515 §2.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}
