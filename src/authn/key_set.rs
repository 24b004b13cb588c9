//! A key set (RFC 7517 §5), parsed once into keys that are ready to verify.

use std::collections::HashMap;

use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Algorithm;
use super::algorithm::KeyType;

/// The usable keys of one issuer.
#[derive(Debug, Default)]
pub struct KeySet {
    by_id: HashMap<Box<str>, Vec<VerificationKey>>,
    without_id: Vec<VerificationKey>,
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

/// A key as published. Unknown members are ignored (RFC 7517 §4), unknown key types skipped (§5).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    public_key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
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
        match &jwk.kid {
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

    /// How many keys can verify something.
    pub fn len(&self) -> usize {
        self.by_id.len() + self.without_id.len()
    }

    /// Whether no key can verify anything.
    pub fn is_empty(&self) -> bool {
        self.by_id.values().all(Vec::is_empty) && self.without_id.is_empty()
    }

    /// Whether both came from the same document.
    pub fn same_as(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl VerificationKey {
    fn from_jwk(jwk: &Jwk, algorithm: Algorithm) -> Option<Self> {
        if !jwk.may_verify() || !jwk.has_type(algorithm.key_type()) || !jwk.is_meant_for(algorithm) {
            return None;
        }
        match algorithm.curve() {
            Some((curve, signature_length)) => {
                let key = ParsedPublicKey::new(curve, jwk.point()?).ok()?;
                Some(Self { algorithm, signature_length, key })
            }
            None => Self::from_rsa(jwk, algorithm),
        }
    }

    fn from_rsa(jwk: &Jwk, algorithm: Algorithm) -> Option<Self> {
        let n = decode(jwk.n.as_deref()?)?;
        let e = decode(jwk.e.as_deref()?)?;
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

impl Jwk {
    /// `use` and `key_ops`, where present, must allow verifying (RFC 7517 §4.2, §4.3).
    fn may_verify(&self) -> bool {
        let use_fits = self.public_key_use.as_deref().is_none_or(|purpose| purpose == "sig");
        let operations_fit = self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        use_fits && operations_fit
    }

    fn has_type(&self, key_type: KeyType) -> bool {
        let (kty, crv) = match key_type {
            KeyType::Rsa => ("RSA", None),
            KeyType::P256 => ("EC", Some("P-256")),
            KeyType::P384 => ("EC", Some("P-384")),
            KeyType::P521 => ("EC", Some("P-521")),
            KeyType::Ed25519 => ("OKP", Some("Ed25519")),
        };
        self.kty == kty && (crv.is_none() || self.crv.as_deref() == crv)
    }

    /// `alg`, where present, must be this very algorithm (RFC 8725 §3.1).
    fn is_meant_for(&self, algorithm: Algorithm) -> bool {
        self.alg.as_deref().is_none_or(|name| Algorithm::parse(name) == Some(algorithm))
    }

    /// The public point: `x` for Ed25519, else the uncompressed point `04 || x || y` (SEC 1 §2.3.3).
    fn point(&self) -> Option<Vec<u8>> {
        let x = decode(self.x.as_deref()?)?;
        if self.kty == "OKP" {
            return Some(x);
        }
        let y = decode(self.y.as_deref()?)?;
        Some([&[4][..], &x, &y].concat())
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}
