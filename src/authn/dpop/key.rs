//! The key that stands in a proof: public, of a kind that is accepted, and named by its thumbprint (RFC 7638).

use jsonwebtoken::jwk::Jwk;
use serde_json::{Map, Value};

use super::ProofFault;
use crate::authn::key_set::VerificationKey;
use crate::authn::{Algorithm, Thumbprint};

/// Members that only private and symmetric keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A `jwk` header as written.
pub(super) type WrittenKey = Map<String, Value>;

/// Refuses a key that tells its secret (RFC 9449 §4.3, item 7).
pub(super) fn refuse_private(key: &WrittenKey) -> Result<(), ProofFault> {
    if PRIVATE.iter().any(|member| key.contains_key(*member)) { Err(ProofFault::PrivateKey) } else { Ok(()) }
}

/// The thumbprint: the required members, in this order, without any space (RFC 7638 §3.2, RFC 8037 §2).
pub(super) fn thumbprint(key: &WrittenKey) -> Result<Thumbprint, ProofFault> {
    let member = |name: &str| key.get(name).and_then(Value::as_str).filter(|value| value.bytes().all(is_plain));
    let names: &[&str] = match member("kty") {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("RSA") => &["e", "kty", "n"],
        Some("OKP") => &["crv", "kty", "x"],
        _ => return Err(ProofFault::BadKey),
    };
    let mut members = names.iter().map(|name| member(name).map(|value| format!("\"{name}\":\"{value}\"")));
    let members: Option<Vec<String>> = members.by_ref().collect();
    let json = format!("{{{}}}", members.ok_or(ProofFault::BadKey)?.join(","));
    Ok(Thumbprint::of(json.as_bytes()))
}

/// The key, ready to verify with `algorithm`.
pub(super) fn verification_key(key: WrittenKey, algorithm: Algorithm) -> Result<VerificationKey, ProofFault> {
    let jwk: Jwk = serde_json::from_value(Value::Object(key)).map_err(|_| ProofFault::BadKey)?;
    VerificationKey::from_jwk(&jwk, algorithm).ok_or(ProofFault::BadKey)
}

/// Letters of base64url and of the registered names: none needs an escape in JSON.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(json: &str) -> WrittenKey {
        serde_json::from_str(json).unwrap()
    }

    /// The example of RFC 7638 §3.1, and of RFC 8037 appendix A.3.
    #[test]
    fn thumbprints_are_those_of_the_standards() {
        let rsa = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        assert_eq!(thumbprint(&key(rsa)).unwrap().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let okp = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(thumbprint(&key(okp)).unwrap().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn no_thumbprint_without_every_member_in_plain_letters() {
        for json in [
            "{}",
            r#"{"kty":"oct"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA","y":1}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"A\"A"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"A="}"#,
        ] {
            assert_eq!(thumbprint(&key(json)).unwrap_err(), ProofFault::BadKey, "{json}");
        }
    }
}
