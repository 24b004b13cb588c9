//! Proofs of possession (RFC 9449 §4.3): what is accepted, a straightforward reader accepts as well.
//!
//! Two lines are header and claims, and are signed here with the key that the seeds name; one line is the value of the header
//! as it came.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use mcp_forward_auth::authn::Thumbprint;
use mcp_forward_auth::authn::dpop::{self, Expected, ProofFault, Replays};
use mcp_forward_auth::domain::{Authority, Occurrence, Scheme, UnixTime};
use mcp_forward_auth_fuzz::caller::{NOW, Signer};
use serde_json::{Map, Value};
use url::Url;

const TOKEN: &[u8] = b"the.token.itself";
static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::fixed);

fuzz_target!(|bytes: &[u8]| {
    let proof = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => SIGNER.sign(&bytes[..end], &bytes[end + 1..]).into_bytes(),
        None => bytes.to_vec(),
    };
    let authority = Authority::parse(b"mcp.example.com", Scheme::Https).expect("the authority is good");
    let expected = Expected {
        method: "POST",
        scheme: Scheme::Https,
        authority: &authority,
        path: "/mcp",
        token: Some(TOKEN),
        key: None,
    };
    let replays = Replays::new(1, 4);
    let now = UnixTime::from_secs(NOW);
    let judge = |expected: &Expected<'_>| dpop::prove(Occurrence::Once(&proof), expected, &replays, now);
    let Ok(key) = judge(&expected) else { return };
    assert_eq!(judge(&expected), Err(ProofFault::Replayed));
    assert_eq!(judge(&Expected { method: "GET", ..expected }), Err(ProofFault::OtherMethod));
    assert_eq!(judge(&Expected { path: "/mcp/", ..expected }), Err(ProofFault::OtherUrl));
    assert_eq!(judge(&Expected { token: Some(b"another"), ..expected }), Err(ProofFault::OtherToken));
    assert_eq!(judge(&Expected { key: Some(&Thumbprint::of(b"another")), ..expected }), Err(ProofFault::OtherKey));
    read_again(&proof, key);
});

fn read_again(proof: &[u8], key: Thumbprint) {
    let parts: Vec<&[u8]> = proof.split(|byte| *byte == b'.').collect();
    let [header, claims, signature] = parts[..] else { panic!("a compact JWS has three parts") };
    let input = &proof[..header.len() + 1 + claims.len()];
    let (header, claims) = (object(header), object(claims));
    check_header(&header);
    check_claims(&claims);
    let jwk = header["jwk"].as_object().expect("a key is an object");
    assert_eq!((text(jwk, "kty"), text(jwk, "crv"), text(&header, "alg")), ("OKP", "Ed25519", "EdDSA"));
    let point = text(jwk, "x");
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{point}"}}"#);
    assert_eq!(key.to_string(), sha256(canonical.as_bytes()), "RFC 7638 §3");
    let signed = UnparsedPublicKey::new(&ED25519, decoded(point.as_bytes())).verify(input, &decoded(signature));
    assert!(signed.is_ok());
}

fn check_header(header: &Map<String, Value>) {
    let typ = text(header, "typ").to_ascii_lowercase();
    assert_eq!(typ.strip_prefix("application/").unwrap_or(&typ), "dpop+jwt");
    for member in ["crit", "jku", "x5u"] {
        assert!(!header.contains_key(member), "{member}");
    }
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(header["jwk"].get(member).is_none(), "{member}");
    }
}

fn check_claims(claims: &Map<String, Value>) {
    assert!((1..=256).contains(&text(claims, "jti").len()));
    assert_eq!(text(claims, "htm"), "POST");
    let url = Url::parse(text(claims, "htu")).expect("a URL");
    assert_eq!((url.scheme(), url.username(), url.password(), url.path()), ("https", "", None, "/mcp"));
    let host = url.host_str().expect("a host");
    assert_eq!((host.strip_suffix('.').unwrap_or(host), url.port_or_known_default()), ("mcp.example.com", Some(443)));
    assert_eq!(text(claims, "ath"), sha256(TOKEN), "RFC 9449 §4.2");
    let seconds = |date: &Value| date.as_f64().expect("a date is a number").floor() - NOW as f64;
    assert!(seconds(&claims["iat"]).abs() <= 60.0);
    assert!(claims.get("exp").is_none_or(|date| seconds(date) > 0.0));
    assert!(claims.get("nbf").is_none_or(|date| seconds(date) <= 60.0));
}

fn object(part: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(&decoded(part)).expect("each part is a JSON object")
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> &'m str {
    members.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} is a text"))
}

fn decoded(part: &[u8]) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).expect("base64url without padding")
}

fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}
