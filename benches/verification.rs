//! What one decision costs, without HTTP: against the raw signature check, and against `jsonwebtoken`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a bench; it borrows the tests' issuer"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{self as lc, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{Criterion, criterion_group, criterion_main};
use issuer::{SigningKey, Token};
use mcp_forward_auth::authn::key_set::KeySet;
use mcp_forward_auth::authn::{Algorithm, Authentication, Authenticator, Credential, IssuerKeys, IssuerSettings};
use mcp_forward_auth::authz::PolicySet;
use mcp_forward_auth::config::Config;
use mcp_forward_auth::decision::DecisionPoint;
use mcp_forward_auth::domain::{Issuer, Occurrence, UnixTime};
use mcp_forward_auth::proxy::head::RecordedHead;
use mcp_forward_auth::proxy::{Contract, Field, TrustedProxies};
use serde::Deserialize;
use serde_json::json;

#[path = "../tests/it/support/issuer.rs"]
mod issuer;
#[path = "../tests/it/support/ports.rs"]
mod ports;
#[path = "../tests/it/support/web.rs"]
mod web;

const ISSUER: &str = "https://idp.example.com";
const RESOURCE: &str = "https://mcp.example.com/mcp";

fn token(key: &SigningKey) -> Token {
    let now = issuer::now();
    Token {
        header: json!({ "alg": key.algorithm, "kid": key.kid, "typ": "at+jwt" }),
        claims: json!({
            "iss": ISSUER, "aud": [RESOURCE, "account"], "sub": "f3c1a6de-8f6e-4a34-b0c4-a7f7d5f9a0b1", "client_id": "client",
            "email": "alice@example.com", "email_verified": true, "preferred_username": "alice", "groups": ["staff", "dev"],
            "scope": "openid profile mcp:read mcp:write", "iat": now - 60, "exp": now + 36_000, "jti": "x".repeat(36), "sid": "y".repeat(36),
        }),
    }
}

fn authenticator(key: &SigningKey, cache_bytes: u64) -> Authenticator {
    let keys = Arc::new(IssuerKeys::default());
    let document = json!({ "keys": [key.jwk()] }).to_string();
    keys.replace(KeySet::parse(document.as_bytes(), &Algorithm::ALL).unwrap(), UnixTime::from_secs(issuer::now()));
    let settings = IssuerSettings {
        issuer: Issuer::parse(ISSUER).unwrap(),
        algorithms: Algorithm::ALL.to_vec(),
        groups_claims: Vec::new(),
        assume_email_verified: false,
        keys,
    };
    Authenticator::new(vec![settings], Duration::from_secs(30), cache_bytes)
}

fn authenticate(authenticator: &Authenticator, header: &str) -> Authentication {
    let credential = Credential::from_authorization(Occurrence::Once(header.as_bytes()));
    authenticator.authenticate(black_box(credential), UnixTime::from_secs(issuer::now()))
}

/// The floor: the signature check alone, with the key parsed beforehand.
fn raw(key: &SigningKey, token: &Token) -> impl Fn() -> bool + use<> {
    let signature = key.sign(token.signing_input().as_bytes());
    let input = token.signing_input();
    let jwk = key.jwk();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let parsed = match key.algorithm {
        "RS256" => lc::RsaPublicKeyComponents { n: part("n"), e: part("e") }
            .to_parsed_public_key(&lc::RSA_PKCS1_2048_8192_SHA256)
            .unwrap(),
        "PS256" => lc::RsaPublicKeyComponents { n: part("n"), e: part("e") }
            .to_parsed_public_key(&lc::RSA_PSS_2048_8192_SHA256)
            .unwrap(),
        "ES256" => {
            ParsedPublicKey::new(&lc::ECDSA_P256_SHA256_FIXED, [&[4][..], &part("x"), &part("y")].concat()).unwrap()
        }
        "ES384" => {
            ParsedPublicKey::new(&lc::ECDSA_P384_SHA384_FIXED, [&[4][..], &part("x"), &part("y")].concat()).unwrap()
        }
        "ES512" => {
            ParsedPublicKey::new(&lc::ECDSA_P521_SHA512_FIXED, [&[4][..], &part("x"), &part("y")].concat()).unwrap()
        }
        _ => ParsedPublicKey::new(&lc::ED25519, part("x")).unwrap(),
    };
    move || parsed.verify_sig(black_box(input.as_bytes()), black_box(&signature)).is_ok()
}

#[derive(Deserialize)]
struct TypedClaims {
    sub: String,
    scope: String,
}

/// `jsonwebtoken::decode` as one would use it: key and validation made beforehand.
fn library(key: &SigningKey, token: &Token) -> Option<impl Fn() -> bool + use<>> {
    let algorithm: jsonwebtoken::Algorithm = key.algorithm.parse().ok()?;
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.jwk()).unwrap();
    let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let mut validation = jsonwebtoken::Validation::new(algorithm);
    validation.set_audience(&[RESOURCE]);
    validation.set_issuer(&[ISSUER]);
    let text = token.signed_by(key);
    Some(move || {
        let decoded = jsonwebtoken::decode::<TypedClaims>(black_box(&text), &decoding, &validation).unwrap();
        !decoded.claims.sub.is_empty() && !decoded.claims.scope.is_empty()
    })
}

fn verification(criterion: &mut Criterion) {
    for algorithm in ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"] {
        let key = SigningKey::generate("key-1", algorithm);
        let token = token(&key);
        let uncached = authenticator(&key, 0);
        let header = format!("Bearer {}", token.signed_by(&key));
        assert!(matches!(authenticate(&uncached, &header), Authentication::Verified(_)));
        let mut group = criterion.benchmark_group(algorithm);
        let raw = raw(&key, &token);
        assert!(raw());
        group.bench_function("raw", |bencher| bencher.iter(&raw));
        group.bench_function("ours", |bencher| bencher.iter(|| authenticate(&uncached, &header)));
        if let Some(library) = library(&key, &token) {
            group.bench_function("jsonwebtoken", |bencher| bencher.iter(&library));
        }
        group.finish();
    }
}

fn refusals(criterion: &mut Criterion) {
    let (key, other) = (SigningKey::generate("key-1", "RS256"), SigningKey::generate("key-1", "RS256"));
    let authenticator = authenticator(&key, 0);
    let good = token(&key);
    let cases = [
        ("garbage", "garbage".to_owned()),
        ("unknown key", good.clone().parameter("kid", "other").signed_by(&key)),
        ("expired", good.clone().claim("exp", 1).signed_by(&key)),
        ("forged, again", good.signed_by(&other)),
    ];
    let mut group = criterion.benchmark_group("refused");
    for (name, token) in cases {
        let header = format!("Bearer {token}");
        assert!(matches!(authenticate(&authenticator, &header), Authentication::Rejected(_)), "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| authenticate(&authenticator, &header)));
    }
    let forged: Vec<String> = (0..20_000_u32)
        .map(|index| format!("Bearer {}", good.clone().claim("jti", index).with_signature(&[(index % 251) as u8; 256])))
        .collect();
    let mut next = forged.iter().cycle();
    group.bench_function("forged, each another", |bencher| {
        bencher.iter(|| authenticate(&authenticator, next.next().unwrap()));
    });
    group.finish();
}

/// The whole line of a decision, without HTTP.
fn decisions(criterion: &mut Criterion) {
    let key = SigningKey::generate("key-1", "RS256");
    let config = Config::from_toml(&format!(
        "[[issuers]]\nissuer = \"{ISSUER}\"\n[[resources]]\nurl = \"{RESOURCE}\"\nrequired_scopes = [\"mcp:read\"]\nallowed_emails = [\"alice@example.com\"]"
    ))
    .unwrap();
    let point = DecisionPoint {
        trusted: TrustedProxies::new(config.server.trusted_proxies, None),
        policies: PolicySet::new(config.policies, None),
        authenticator: authenticator(&key, 1 << 20),
    };
    let head = RecordedHead::new("GET", "/auth")
        .with(Field::ForwardedMethod, "POST")
        .with(Field::ForwardedProto, "https")
        .with(Field::ForwardedHost, "mcp.example.com")
        .with(Field::ForwardedUri, "/mcp");
    let with_token = head.clone().with(Field::Authorization, format!("Bearer {}", token(&key).signed_by(&key)));
    let now = UnixTime::from_secs(issuer::now());
    let mut group = criterion.benchmark_group("decision");
    assert!(point.decide(Contract::ForwardAuth, &with_token, now).verdict.as_permit().is_some());
    group.bench_function("cached", |bencher| {
        bencher.iter(|| point.decide(Contract::ForwardAuth, black_box(&with_token), now));
    });
    group.bench_function("no token", |bencher| {
        bencher.iter(|| point.decide(Contract::ForwardAuth, black_box(&head), now));
    });
    group.finish();
}

criterion_group!(benches, verification, refusals, decisions);
criterion_main!(benches);
