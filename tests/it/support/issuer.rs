//! An issuer of our own: discovery, key set, and tokens in every right and wrong form.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as lc, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::web::{Answer, Web};

/// Seconds since the epoch.
#[allow(clippy::disallowed_methods, reason = "tests judge real tokens by real time")]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a token claims.
pub fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// A key pair that signs with one algorithm.
pub struct SigningKey {
    pub kid: String,
    pub algorithm: &'static str,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a key; `algorithm` is its JWA name.
    pub fn generate(kid: &str, algorithm: &'static str) -> Self {
        let ec = |signing| Pair::Ec(EcdsaKeyPair::generate(signing).unwrap());
        let pair = match algorithm {
            "ES256" => ec(&lc::ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" => ec(&lc::ECDSA_P384_SHA384_FIXED_SIGNING),
            "ES512" => ec(&lc::ECDSA_P521_SHA512_FIXED_SIGNING),
            "EdDSA" => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
            _ => Pair::Rsa(RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap()),
        };
        Self { kid: kid.to_owned(), algorithm, pair }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_as(self.algorithm, message)
    }

    /// The same with another algorithm of the same type of key.
    pub fn sign_as(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let padding: &dyn lc::RsaEncoding = match algorithm {
                    "RS256" => &lc::RSA_PKCS1_SHA256,
                    "RS384" => &lc::RSA_PKCS1_SHA384,
                    "RS512" => &lc::RSA_PKCS1_SHA512,
                    "PS256" => &lc::RSA_PSS_SHA256,
                    "PS384" => &lc::RSA_PSS_SHA384,
                    "PS512" => &lc::RSA_PSS_SHA512,
                    other => panic!("no such algorithm: {other}"),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// The public half as the bytes that libraries load.
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// The public half as a JWK.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({ "kty": "RSA", "n": encode(n.big_endian_without_leading_zero()), "e": encode(e.big_endian_without_leading_zero()) })
            }
            Pair::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = match self.algorithm {
                    "ES256" => "P-256",
                    "ES384" => "P-384",
                    _ => "P-521",
                };
                json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
            }
            Pair::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key()) }),
        };
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.algorithm);
        jwk["use"] = json!("sig");
        jwk
    }
}

/// A key set of these keys.
pub fn key_set<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> String {
    let keys: Vec<Value> = keys.into_iter().map(SigningKey::jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// A token in the making: header and claims can be bent in every way before it is signed.
#[derive(Debug, Clone)]
pub struct Token {
    pub header: Value,
    pub claims: Value,
}

impl Token {
    /// Sets a claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.as_object_mut().unwrap().remove(name);
        self
    }

    /// Sets a header parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// What is signed.
    pub fn signing_input(&self) -> String {
        format!("{}.{}", encode(self.header.to_string()), encode(self.claims.to_string()))
    }

    pub fn signed_by(&self, key: &SigningKey) -> String {
        self.with_signature(&key.sign(self.signing_input().as_bytes()))
    }

    pub fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.signing_input(), encode(signature))
    }
}

/// A running issuer with one key; more can be added.
pub struct TestIssuer {
    pub web: Web,
    pub keys: Vec<SigningKey>,
}

pub const KEY_SET: &str = "/jwks";
pub const METADATA: &str = "/.well-known/oauth-authorization-server";

impl TestIssuer {
    pub fn start() -> Self {
        Self::with_keys(vec![SigningKey::generate("key-1", "ES256")])
    }

    pub fn with_keys(keys: Vec<SigningKey>) -> Self {
        let issuer = Self { web: Web::start(), keys };
        issuer.publish();
        issuer
    }

    /// The issuer identifier.
    pub fn url(&self) -> String {
        self.web.url()
    }

    /// Serves metadata and the present keys.
    pub fn publish(&self) {
        let metadata = json!({ "issuer": self.url(), "jwks_uri": format!("{}{KEY_SET}", self.url()) });
        self.web.answer(METADATA, Answer::Json(metadata.to_string()));
        self.web.answer(KEY_SET, Answer::Json(key_set(&self.keys)));
    }

    /// Alice's good token for `resource`, unsigned. Issued a minute ago, as most tokens are.
    pub fn token_for(&self, resource: &str) -> Token {
        let key = &self.keys[0];
        Token {
            header: json!({ "alg": key.algorithm, "kid": key.kid, "typ": "at+jwt" }),
            claims: json!({
                "iss": self.url(),
                "aud": resource,
                "sub": "alice-subject",
                "client_id": "test-client",
                "email": "alice@example.com",
                "email_verified": true,
                "groups": ["staff", "R, D"],
                "scope": "mcp:read",
                "iat": now() - 60,
                "exp": now() + 3600,
            }),
        }
    }

    /// The same, signed with the first key.
    pub fn sign(&self, token: &Token) -> String {
        token.signed_by(&self.keys[0])
    }
}
