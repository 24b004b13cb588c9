//! A key pair that signs: ES256, RS256 or `EdDSA`, by aws-lc.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom as Nonces;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::authn::Algorithm;
use crate::random::{NoRandomness, Random};

/// An algorithm that our tokens may be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256: small tokens, understood everywhere.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5 with a key of 2048 bits.
    #[serde(rename = "RS256")]
    Rs256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Es256, Self::Rs256, Self::EdDsa];

    /// The same as the verifying side knows it.
    pub const fn verification(self) -> Algorithm {
        match self {
            Self::Es256 => Algorithm::Es256,
            Self::Rs256 => Algorithm::Rs256,
            Self::EdDsa => Algorithm::EdDsa,
        }
    }

    /// The JWA name.
    pub const fn as_str(self) -> &'static str {
        self.verification().as_str()
    }
}

/// The cryptography failed: no key could be made, read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing key cannot be used")]
pub struct UnusableKey;

impl From<NoRandomness> for UnusableKey {
    fn from(_: NoRandomness) -> Self {
        Self
    }
}

/// A key pair. It never prints.
pub(super) enum KeyPair {
    Es256(EcdsaKeyPair),
    Rs256(Box<RsaKeyPair>),
    EdDsa(Ed25519KeyPair),
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[key pair]")
    }
}

impl KeyPair {
    /// A fresh key pair. For P-256 and RSA aws-lc draws from its own generator and takes no other.
    pub(super) fn generate(algorithm: SigningAlgorithm, random: &dyn Random) -> Result<Self, UnusableKey> {
        Ok(match algorithm {
            SigningAlgorithm::Es256 => {
                Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| UnusableKey)?)
            }
            SigningAlgorithm::Rs256 => {
                Self::Rs256(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| UnusableKey)?))
            }
            SigningAlgorithm::EdDsa => {
                let mut seed = [0; 32];
                random.fill(&mut seed)?;
                Self::EdDsa(Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| UnusableKey)?)
            }
        })
    }

    /// Reads what [`Self::to_pkcs8`] wrote.
    pub(super) fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, UnusableKey> {
        let pair = match algorithm {
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Self::Es256)
            }
            SigningAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(|pair| Self::Rs256(Box::new(pair))),
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).map(Self::EdDsa),
        };
        pair.map_err(|_| UnusableKey)
    }

    /// The private key as PKCS #8 (RFC 5958), to be sealed.
    pub(super) fn to_pkcs8(&self) -> Result<Vec<u8>, UnusableKey> {
        let bytes = match self {
            Self::Es256(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Self::Rs256(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(&**pair).map(|der| der.as_ref().to_vec()),
            Self::EdDsa(pair) => pair.to_pkcs8().map(|document| document.as_ref().to_vec()),
        };
        bytes.map_err(|_| UnusableKey)
    }

    /// The public key as a JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2) with the name `id`.
    pub(super) fn jwk(&self, id: &str) -> Result<Value, UnusableKey> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Es256(pair) => {
                // The uncompressed point: 04 || x || y (SEC 1 §2.3.3).
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..).and_then(|point| point.split_at_checked(32)).ok_or(UnusableKey)?;
                let (x, y) = (encode(x), encode(y));
                Ok(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": id, "alg": "ES256", "use": "sig" }))
            }
            Self::Rs256(pair) => {
                let key = pair.public_key();
                let n = encode(key.modulus().big_endian_without_leading_zero());
                let e = encode(key.exponent().big_endian_without_leading_zero());
                Ok(json!({ "kty": "RSA", "n": n, "e": e, "kid": id, "alg": "RS256", "use": "sig" }))
            }
            Self::EdDsa(pair) => {
                let x = encode(pair.public_key().as_ref());
                Ok(json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": id, "alg": "EdDSA", "use": "sig" }))
            }
        }
    }

    /// Signs as JWS wants it (RFC 7518 §3.3, §3.4, RFC 8037 §3.1).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, UnusableKey> {
        match self {
            Self::Es256(pair) => {
                let signature = pair.sign(&Nonces::new(), message).map_err(|_| UnusableKey)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &Nonces::new(), message, &mut signature).map_err(|_| UnusableKey)?;
                Ok(signature)
            }
            Self::EdDsa(pair) => {
                let signature = pair.try_sign(message).map_err(|_| UnusableKey)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}
