//! What one decision costs, without HTTP: against the raw signature check, and against `jsonwebtoken`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a bench; it borrows the tests' issuer"
)]

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{self as lc, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::Criterion;
use issuer::{SigningKey, Token, now};
use mcp_forward_auth::authn::key_set::KeySet;
use mcp_forward_auth::authn::{Algorithm, Authentication, Authenticator, Credential, IssuerKeys, IssuerSettings};
use mcp_forward_auth::authz::PolicySet;
use mcp_forward_auth::config::Config;
use mcp_forward_auth::decision::DecisionPoint;
use mcp_forward_auth::domain::{Issuer, Occurrence, UnixTime};
use mcp_forward_auth::mcp::SentBody;
use mcp_forward_auth::proxy::head::RecordedHead;
use mcp_forward_auth::proxy::{Contract, Field, TrustedProxies};
use serde::Deserialize;
use serde_json::{Value, json};

#[path = "../tests/it/support/issuer.rs"]
mod issuer;
#[path = "../tests/it/support/ports.rs"]
mod ports;
#[path = "../tests/it/support/web.rs"]
mod web;

const ISSUER: &str = "https://idp.example.com";
const RESOURCE: &str = "https://mcp.example.com/mcp";

/// One way to check a token; whether it was accepted.
type Check = Box<dyn Fn() -> bool>;

fn token(key: &SigningKey) -> Token {
    let now = now();
    Token {
        header: json!({ "alg": key.algorithm, "kid": key.kid, "typ": "at+jwt" }),
        claims: json!({
            "iss": ISSUER, "aud": [RESOURCE, "account"], "sub": "f3c1a6de-8f6e-4a34-b0c4-a7f7d5f9a0b1", "client_id": "client",
            "email": "alice@example.com", "email_verified": true, "preferred_username": "alice", "groups": ["staff", "dev"],
            "scope": "openid profile mcp:read mcp:write", "iat": now - 60, "exp": now + 36_000, "jti": "x".repeat(36), "sid": "y".repeat(36),
        }),
    }
}

fn authenticator(issuer: &str, jwk: &Value, cache_bytes: u64) -> Authenticator {
    let keys = Arc::new(IssuerKeys::default());
    let document = json!({ "keys": [jwk] }).to_string();
    keys.replace(KeySet::parse(document.as_bytes(), &Algorithm::ALL).unwrap(), UnixTime::from_secs(now()));
    let settings = IssuerSettings {
        issuer: Issuer::parse(issuer).unwrap(),
        algorithms: Algorithm::ALL.to_vec(),
        groups_claims: Vec::new(),
        assume_email_verified: false,
        keys,
    };
    Authenticator::new(vec![settings], Duration::from_secs(30), cache_bytes)
}

fn authenticate(authenticator: &Authenticator, header: &str) -> Authentication {
    let credential = Credential::from_authorization(Occurrence::Once(header.as_bytes()));
    authenticator.authenticate(black_box(credential), UnixTime::from_secs(now()))
}

/// The floor: the signature check alone, with the key parsed beforehand.
fn raw(jwk: &Value, token: &str) -> impl Fn() -> bool + use<> {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (input, signature) = (input.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap());
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = || [&[4][..], &part("x"), &part("y")].concat();
    let rsa = |parameters| {
        lc::RsaPublicKeyComponents { n: part("n"), e: part("e") }.to_parsed_public_key(parameters).unwrap()
    };
    let parsed = match jwk["alg"].as_str().unwrap() {
        "RS256" => rsa(&lc::RSA_PKCS1_2048_8192_SHA256),
        "PS256" => rsa(&lc::RSA_PSS_2048_8192_SHA256),
        "ES256" => ParsedPublicKey::new(&lc::ECDSA_P256_SHA256_FIXED, point()).unwrap(),
        "ES384" => ParsedPublicKey::new(&lc::ECDSA_P384_SHA384_FIXED, point()).unwrap(),
        "ES512" => ParsedPublicKey::new(&lc::ECDSA_P521_SHA512_FIXED, point()).unwrap(),
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
fn library(jwk: &Value, issuer: &str, token: &str) -> Option<impl Fn() -> bool + use<>> {
    let algorithm: jsonwebtoken::Algorithm = jwk["alg"].as_str()?.parse().ok()?;
    let key: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk.clone()).unwrap();
    let decoding = jsonwebtoken::DecodingKey::from_jwk(&key).unwrap();
    let mut validation = jsonwebtoken::Validation::new(algorithm);
    validation.set_audience(&[RESOURCE]);
    validation.set_issuer(&[issuer]);
    let text = token.to_owned();
    Some(move || {
        let decoded = jsonwebtoken::decode::<TypedClaims>(black_box(&text), &decoding, &validation).unwrap();
        !decoded.claims.sub.is_empty() && !decoded.claims.scope.is_empty()
    })
}

/// What is compared: a name, and ways to check that must all succeed, the one that the others are compared with first.
type Group = (&'static str, Vec<(&'static str, Check)>);

fn groups() -> Vec<Group> {
    let against_raw = ALGORITHMS.map(|algorithm| (algorithm, contenders(algorithm)));
    let more = [("against accepting RS256", against_accepting()), ("against a cached decision", against_cached())];
    against_raw.into_iter().chain(more).collect()
}

fn in_detail(criterion: &mut Criterion, groups: &[Group]) {
    for (group, contenders) in groups {
        let mut measured = criterion.benchmark_group(*group);
        for (name, check) in contenders {
            assert!(check(), "{group} {name}");
            measured.bench_function(*name, |bencher| bencher.iter(check));
        }
        measured.finish();
    }
}

const ALGORITHMS: [&str; 6] = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"];

/// The same token checked in every way, the floor first. The library knows no `ES512`.
fn contenders(algorithm: &'static str) -> Vec<(&'static str, Check)> {
    let key = SigningKey::generate("key-1", algorithm);
    let (jwk, token) = (key.jwk(), token(&key).signed_by(&key));
    let mut contenders: Vec<(&str, Check)> = vec![
        ("raw", Box::new(raw(&jwk, &token))),
        ("ours", Box::new(ours(ISSUER, &jwk, std::slice::from_ref(&token)))),
    ];
    if let Some(library) = library(&jwk, ISSUER, &token) {
        contenders.push(("jsonwebtoken", Box::new(library)));
    }
    contenders
}

/// The service's own check, without its cache, of one token after the other.
fn ours(issuer: &str, jwk: &Value, tokens: &[String]) -> impl Fn() -> bool + use<> {
    let authenticator = authenticator(issuer, jwk, 0);
    let headers: Vec<String> = tokens.iter().map(|token| format!("Bearer {token}")).collect();
    let next = Cell::new(0);
    move || {
        let place = next.get();
        next.set((place + 1) % headers.len());
        matches!(authenticate(&authenticator, &headers[place]), Authentication::Verified(_))
    }
}

/// Refusals, and the whole line of a decision without HTTP, against accepting a token without the cache.
fn against_accepting() -> Vec<(&'static str, Check)> {
    let (key, other) = (SigningKey::generate("key-1", "RS256"), SigningKey::generate("key-1", "RS256"));
    let good = token(&key);
    let accepting: Check = Box::new(ours(ISSUER, &key.jwk(), &[good.clone().signed_by(&key)]));
    let refused = |tokens: &[String]| -> Check { Box::new(refused(&key.jwk(), tokens)) };
    let (cached, without_token) = decisions(&key);
    vec![
        ("accepting", accepting),
        ("refused: garbage", refused(&["garbage".to_owned()])),
        ("refused: unknown key", refused(&[good.clone().parameter("kid", "other").signed_by(&key)])),
        ("refused: expired", refused(&[good.clone().claim("exp", 1).signed_by(&key)])),
        ("refused: forged, again", refused(&[good.signed_by(&other)])),
        ("decision, cached", cached),
        ("decision, no token", without_token),
    ]
}

fn refused(jwk: &Value, tokens: &[String]) -> impl Fn() -> bool + use<> {
    let accepted = ours(ISSUER, jwk, tokens);
    move || !accepted()
}

fn decisions(key: &SigningKey) -> (Check, Check) {
    let config = Config::from_toml(&format!(
        "[[issuers]]\nissuer = \"{ISSUER}\"\n[[resources]]\nurl = \"{RESOURCE}\"\nrequired_scopes = [\"mcp:read\"]\nallowed_emails = [\"alice@example.com\"]"
    ))
    .unwrap();
    let point = Arc::new(DecisionPoint {
        trusted: TrustedProxies::new(config.server.trusted_proxies, None),
        policies: PolicySet::new(config.policies, None),
        authenticator: authenticator(ISSUER, &key.jwk(), 1 << 20),
        client_certificate: None,
    });
    let head = RecordedHead::new("GET", "/auth")
        .with(Field::ForwardedMethod, "POST")
        .with(Field::ForwardedProto, "https")
        .with(Field::ForwardedHost, "mcp.example.com")
        .with(Field::ForwardedUri, "/mcp");
    let with_token = head.clone().with(Field::Authorization, format!("Bearer {}", token(key).signed_by(key)));
    let decide = |head: RecordedHead, allowed: bool| -> Check {
        let (point, now) = (Arc::clone(&point), UnixTime::from_secs(now()));
        Box::new(move || {
            point.decide(Contract::ForwardAuth, black_box(&head), now).verdict.as_permit().is_some() == allowed
        })
    };
    (decide(with_token, true), decide(head, false))
}

/// Rules about operations, with bodies of two sizes, against the same decision without rules.
fn against_cached() -> Vec<(&'static str, Check)> {
    let key = SigningKey::generate("key-1", "RS256");
    let rule = |number: usize| {
        format!("[[resources.tool_rules]]\nnames = [\"delete_{number}_*\"]\nallowed_groups = [\"ops\"]\n")
    };
    let rules = |count: usize| (0..count).map(rule).collect::<Vec<_>>().concat();
    vec![
        ("no rules", with_body(&key, "", 150)),
        ("1 rule, 150 bytes", with_body(&key, &rules(1), 150)),
        ("10 rules, 150 bytes", with_body(&key, &rules(10), 150)),
        ("10 rules, 4 KB", with_body(&key, &rules(10), 4096)),
        ("10 rules, 64 KB", with_body(&key, &rules(10), 65_536)),
        ("a condition", with_body(&key, ABOUT_GROUPS, 150)),
        ("a condition about claims", with_body(&key, ABOUT_CLAIMS, 150)),
        ("a condition about operations, 150 bytes", with_body(&key, ABOUT_OPERATIONS, 150)),
        ("a condition about arguments, 4 KB", with_body(&key, ABOUT_ARGUMENTS, 4096)),
    ]
}

const ABOUT_GROUPS: &str = "condition = '\"staff\" in identity.groups && now > timestamp(\"2024-01-01T00:00:00Z\")'";
const ABOUT_CLAIMS: &str = "condition = 'identity.claims.sid.startsWith(\"y\") && size(identity.claims.groups) < 10'";
const ABOUT_OPERATIONS: &str = "condition = '!operation.name.startsWith(\"delete_\")'";
const ABOUT_ARGUMENTS: &str = "condition = 'operation.arguments.member_00000.contains(\"bytes\")'";

/// A call whose arguments fill the body up to `size`: many short members, as programs write them.
fn with_body(key: &SigningKey, rules: &str, size: usize) -> Check {
    let config = format!(
        "[[issuers]]\nissuer = \"{ISSUER}\"\n[[resources]]\nurl = \"{RESOURCE}\"\nrequired_scopes = [\"mcp:read\"]\nallowed_emails = [\"alice@example.com\"]\n{rules}"
    );
    let config = Config::from_toml(&config).unwrap();
    let point = DecisionPoint {
        trusted: TrustedProxies::new(config.server.trusted_proxies, None),
        policies: PolicySet::new(config.policies, None),
        authenticator: authenticator(ISSUER, &key.jwk(), 1 << 20).keeping_claims(true),
        client_certificate: None,
    };
    let head = RecordedHead::new("POST", "/auth")
        .with(Field::ForwardedMethod, "POST")
        .with(Field::ForwardedProto, "https")
        .with(Field::ForwardedHost, "mcp.example.com")
        .with(Field::ForwardedUri, "/mcp")
        .with(Field::ContentType, "application/json")
        .with(Field::Authorization, format!("Bearer {}", token(key).signed_by(key)));
    let members =
        (0..size.saturating_sub(150) / 32).map(|number| (format!("member_{number:05}"), json!("twelve bytes")));
    let arguments: Value = Value::Object(members.collect());
    let params = json!({ "name": "read_note", "arguments": arguments });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    let now = UnixTime::from_secs(now());
    Box::new(move || {
        let decision = point.decide(Contract::ForwardAuth, black_box(&head), now);
        let body = SentBody::Whole(black_box(body.as_bytes()));
        point.decide_with_body(decision, &head, body).verdict.as_permit().is_some()
    })
}

/// In turns and in both orders, so that a drift of the machine favours nobody: medians of the rounds' own ratios.
fn print_ratios(groups: &[Group]) {
    println!("\n| | time, ratio | spread of the rounds |\n|---|---|---|");
    for (group, contenders) in groups {
        let mut ratios = vec![Vec::new(); contenders.len()];
        for round in 0..21 {
            let times = times(contenders, round % 2 == 1);
            ratios.iter_mut().zip(&times).for_each(|(ratios, time)| ratios.push(time / times[0]));
        }
        for ((name, _), mut ratios) in contenders.iter().zip(ratios).skip(1) {
            ratios.sort_by(f64::total_cmp);
            let at = |share: usize| ratios[(ratios.len() - 1) * share / 4];
            println!("| {group}: {name} | {:.3} | {:.3} to {:.3} |", at(2), at(1), at(3));
        }
    }
}

fn times(contenders: &[(&str, Check)], backwards: bool) -> Vec<f64> {
    const CALLS: u32 = 500;
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    if backwards {
        order.reverse();
    }
    let mut times = vec![0.0; contenders.len()];
    for place in order {
        let started = Instant::now();
        (0..CALLS).for_each(|_| assert!(contenders[place].1()));
        times[place] = started.elapsed().as_secs_f64();
    }
    times
}

/// `--repeat WAY ISSUER KEY-FILE TOKEN-FILE COUNT`: one way to check, and nothing that differs from run to run, so that
/// the instructions of two lengths can be subtracted.
fn repeat(arguments: &[String]) {
    let [way, issuer, key, tokens, count] = arguments else { panic!("--repeat WAY ISSUER KEY-FILE TOKEN-FILE COUNT") };
    let jwk: Value = serde_json::from_slice(&std::fs::read(key).unwrap()).unwrap();
    let tokens: Vec<String> = std::fs::read_to_string(tokens).unwrap().lines().map(ToOwned::to_owned).collect();
    let check: Check = match way.as_str() {
        "raw" => Box::new(raw(&jwk, &tokens[0])),
        "jsonwebtoken" => Box::new(library(&jwk, issuer, &tokens[0]).unwrap()),
        _ => Box::new(ours(issuer, &jwk, &tokens)),
    };
    let accepted = (0..count.parse::<usize>().unwrap()).filter(|_| check()).count();
    println!("{accepted} accepted");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = arguments.as_slice()
        && first == "--repeat"
    {
        return repeat(rest);
    }
    let groups = groups();
    let (warm_up, measurement) = (Duration::from_millis(500), Duration::from_secs(2));
    let criterion = Criterion::default().warm_up_time(warm_up).measurement_time(measurement);
    let mut criterion = criterion.configure_from_args();
    in_detail(&mut criterion, &groups);
    criterion.final_summary();
    print_ratios(&groups);
}
