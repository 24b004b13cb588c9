//! A caller whom a signed token proves: there is no other way to an identity. The key is fixed, so that seeds can hold it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp_forward_auth::authn::key_set::KeySet;
use mcp_forward_auth::authn::{
    Algorithm, Authentication, Authenticator, Credential, Identity, IssuerKeys, IssuerSettings,
};
use mcp_forward_auth::domain::{Issuer, Occurrence, UnixTime};
use serde_json::{Value, json};

/// When everything happens: a Tuesday.
pub const NOW: u64 = 1_785_231_000;
const ISSUER: &str = "https://idp.example.com";

/// A key that is written down here, and so proves nothing to anybody else.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    pub fn fixed() -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 bytes"))
    }

    pub fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref())})
    }

    /// A JWS in compact form, whatever header and claims are (RFC 7515 §3.1).
    pub fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(input.as_bytes()).as_ref());
        format!("{input}.{signature}")
    }
}

/// The identity that a token with these claims proves, and who checked it. Whether all claims are kept is a setting.
pub fn proven(claims: &Value, keeping_claims: bool) -> (Authenticator, Arc<Identity>) {
    let signer = Signer::fixed();
    let authenticator = authenticator(&signer).keeping_claims(keeping_claims);
    let mut all = json!({"iss": ISSUER, "sub": "alice-1", "aud": "https://mcp.example.com/mcp", "exp": NOW + 600});
    for (name, value) in claims.as_object().expect("claims are an object") {
        all[name] = value.clone();
    }
    let header = json!({"alg": "EdDSA", "typ": "at+jwt"}).to_string();
    let authorization = format!("Bearer {}", signer.sign(header.as_bytes(), all.to_string().as_bytes()));
    let credential = Credential::from_authorization(Occurrence::Once(authorization.as_bytes()));
    match authenticator.authenticate(credential, UnixTime::from_secs(NOW)) {
        Authentication::Verified(identity) => (authenticator, identity),
        other => panic!("the token is good: {other:?}"),
    }
}

fn authenticator(signer: &Signer) -> Authenticator {
    let keys = Arc::new(IssuerKeys::default());
    let document = json!({"keys": [signer.jwk()]}).to_string();
    let set = KeySet::parse(document.as_bytes(), &[Algorithm::EdDsa]).expect("the key set is good");
    keys.replace(set, UnixTime::from_secs(NOW));
    let settings = IssuerSettings {
        issuer: Issuer::parse(ISSUER).expect("the issuer is good"),
        algorithms: vec![Algorithm::EdDsa],
        groups_claims: Vec::new(),
        assume_email_verified: false,
        keys,
    };
    Authenticator::new(vec![settings], Duration::from_secs(30), 1 << 20)
}
