//! What an outsider tries with proofs: odd times, identifiers and URLs, many uses at once, and more proofs than can be remembered.

use std::sync::Barrier;

use serde_json::{Value, json};

use super::{Bench, Prover, RESOURCE, fresh_id, is_refused, question};
use crate::support::http::{Connection, Request};
use crate::support::issuer::{SigningKey, encode, now};
use crate::support::report::Report;

const REFUSED: (&str, &str, &str) = ("DPoP", "invalid_dpop_proof", "invalid_dpop_proof");

#[test]
fn odd_claims_and_parameters_make_no_proof() {
    let bench = Bench::start();
    let claim = |name: &str, value: Value| bench.proof().claim(name, value);
    let parameter = |name: &str, value: Value| bench.proof().parameter(name, value);
    let time = now();
    let rows = [
        ("a time as text", claim("iat", json!(time.to_string()))),
        ("a time before 1970", claim("iat", json!(-1))),
        ("a time in the past, negated", claim("iat", json!(-i64::try_from(time).unwrap()))),
        ("a time in milliseconds", claim("iat", json!(time * 1000))),
        ("the end of time", claim("iat", json!(u64::MAX))),
        ("a time beyond all numbers", claim("iat", json!(1e300))),
        ("two times", claim("iat", json!([time]))),
        ("true as a time", claim("iat", json!(true))),
        ("a jti of 10 kB", claim("jti", json!("x".repeat(10_000)))),
        ("a jti of 257 bytes", claim("jti", json!("x".repeat(257)))),
        ("a number as jti", claim("jti", json!(7))),
        ("a list as jti", claim("jti", json!(["x"]))),
        ("two methods", claim("htm", json!(["GET", "POST"]))),
        ("the method and a space", claim("htm", json!("POST "))),
        ("two hashes", claim("ath", json!([super::digest(&bench.token)]))),
        ("the hash, padded", claim("ath", json!(super::digest(&bench.token) + "="))),
        ("critical extensions, none of them", parameter("crit", json!([]))),
        ("an empty list of keys", parameter("jwk", json!([]))),
        ("the key as text", parameter("jwk", json!(bench.prover.jwk().to_string()))),
        ("a key set", parameter("jwk", json!({ "keys": [bench.prover.jwk()] }))),
        ("an algorithm with a space", parameter("alg", json!("ES256 "))),
        ("an algorithm in small letters", parameter("alg", json!("es256"))),
        ("two kinds", parameter("typ", json!(["dpop+jwt"]))),
        ("a kind that begins alike", parameter("typ", json!("dpop+jwt2"))),
    ];
    let mut report = Report::new("odd");
    for (name, proof) in rows {
        report.row(name);
        is_refused(&bench.present(&proof.signed_by(&bench.prover.key)), REFUSED, &mut report);
    }
    for (name, proof) in [
        ("a time with a fraction (RFC 7519 §2)", claim("iat", json!(f64::from(u32::try_from(time).unwrap()) + 0.5))),
        ("a kind in other letters (RFC 7515 §4.1.9)", parameter("typ", json!("DPoP+JWT"))),
        ("a jti of 256 bytes", claim("jti", json!("x".repeat(256)))),
    ] {
        report.row(name);
        report.equal("status", bench.present(&proof.signed_by(&bench.prover.key)).status, 200);
    }
    report.finish();
}

#[test]
fn a_url_that_only_looks_alike_is_another() {
    let bench = Bench::start();
    let mut report = Report::new("URLs");
    for url in [
        "https://mcp.example.com/mcp/",
        "https://mcp.example.com//mcp",
        "https://mcp.example.com/./mcp",
        "https://mcp.example.com/x/../mcp",
        "https://mcp.example.com/MCP",
        "https://mcp.example.com/%6Dcp",
        "https://mcp.example.com/mcp%3Fx",
        "https://mcp.example.com/mcp;x=1",
        "https://mcp.example.com/mcp ",
        " https://mcp.example.com/mcp",
        "https://mcp.example.com/mcp\n",
        "https://mcp.example.com\\mcp",
        "https:/mcp.example.com/mcp",
        "https:mcp.example.com/mcp",
        "https://alice@mcp.example.com/mcp",
        "https://mcp.example.com:80/mcp",
        "https://mcp.example.com:+443/mcp",
        "https://mcp.example.com:443:443/mcp",
        "https://mcp.example.com:4430/mcp",
        "https://mcp%2Eexample.com/mcp",
        "https://mcp.example.com../mcp",
        "https://mcp.example.com,evil.example/mcp",
        "https://evil.example#https://mcp.example.com/mcp",
        "https://evil.example/?u=https://mcp.example.com/mcp",
        "https://?@mcp.example.com/mcp",
    ] {
        report.row(url);
        let proof = bench.prover.signed("POST", url, &bench.token);
        is_refused(&bench.present(&proof), REFUSED, &mut report);
    }
    report.finish();
}

/// The one who reads the identifier must not be the one who wrote it.
#[test]
fn a_jti_is_the_same_however_its_letters_are_written() {
    let bench = Bench::start();
    let id = format!("jti-{}", fresh_id());
    let proof = bench.proof().claim("jti", &*id);
    let escaped = proof.claims.to_string().replacen("jti-", "\\u006a\\u0074i-", 1);
    let input = format!("{}.{}", encode(proof.header.to_string()), encode(escaped));
    let again = format!("{input}.{}", encode(bench.prover.key.sign(input.as_bytes())));
    assert_eq!(bench.present(&proof.signed_by(&bench.prover.key)).status, 200);
    let answer = bench.present(&again);
    assert_eq!(answer.status, 401);
    assert!(answer.text().contains("was used before"), "{}", answer.text());
}

/// The same question in the words of each proxy: they share one memory.
fn in_every_contract(bench: &Bench, proof: &str) -> [Request; 3] {
    let forward = question("POST", RESOURCE);
    let envoy = Request::new("POST", "/auth/envoy/mcp").host("mcp.example.com").header("X-Forwarded-Proto", "https");
    let nginx = Request::get("/auth/nginx").host("127.0.0.1").header("X-Original-Method", "POST");
    let nginx = nginx.header("X-Original-URL", RESOURCE);
    [forward, envoy, nginx]
        .map(|request| request.header("Authorization", format!("DPoP {}", bench.token)).header("DPoP", proof))
}

#[test]
fn of_many_uses_at_once_one_counts() {
    let bench = Bench::start();
    let mut report = Report::new("at once");
    for round in 0..10 {
        let requests = in_every_contract(&bench, &bench.good_proof());
        let barrier = Barrier::new(21);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let send = |number: usize| {
                let request = &requests[number % 3];
                let mut connection = Connection::open(bench.service.port);
                barrier.wait();
                connection.send(request).status
            };
            let threads: Vec<_> = (0..21).map(|number| scope.spawn(move || send(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        report.row(format!("round {round}"));
        let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
        report.equal("allowed and refused", (count(200), count(401)), (1, 20));
    }
    report.finish();
}

/// Proofs of a minute hence, so that they stay in memory until the test is done.
#[test]
fn what_cannot_be_remembered_is_not_let_through_and_what_was_seen_stays_seen() {
    let bench = Bench::start();
    let mut connection = Connection::open(bench.service.port);
    let lasting = || bench.proof().claim("iat", now() + 50).signed_by(&bench.prover.key);
    let authorization = format!("DPoP {}", bench.token);
    let mut ask = |proof: &str| {
        let request = question("POST", RESOURCE).header("Authorization", &*authorization);
        connection.send(&request.header("DPoP", proof))
    };
    let first = lasting();
    assert_eq!(ask(&first).status, 200);
    let refused = (0..40_000).map(|_| ask(&lasting())).find(|answer| answer.status != 200).expect("it never filled up");
    assert_eq!((refused.status, &*refused.reason()), (503, "replay_memory_full"));
    assert!(refused.header("retry-after").is_some());

    let seen = ask(&first);
    assert_eq!((seen.status, &*seen.reason()), (401, "invalid_dpop_proof"), "{}", seen.text());
    assert_eq!(ask(&lasting()).status, 503);
    let other = elsewhere(&bench.prover);
    let token = bench.issuer.sign(&other.bind(bench.issuer.token_for(RESOURCE)));
    let proof = other.signed("POST", RESOURCE, &token);
    assert_eq!(bench.ask(&format!("DPoP {token}"), &[&proof]).status, 200);
    let plain = bench.issuer.sign(&bench.issuer.token_for(RESOURCE));
    assert_eq!(bench.ask(&format!("Bearer {plain}"), &[]).status, 200);
}

/// A client whose proofs are remembered in another of the 32 parts: the part is told by the key's thumbprint.
fn elsewhere(prover: &Prover) -> Prover {
    let part = |prover: &Prover| {
        use base64::Engine as _;
        let thumbprint = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(prover.thumbprint()).unwrap();
        thumbprint[1] % 32
    };
    let mut others = std::iter::repeat_with(|| Prover { key: SigningKey::generate("other", "ES256") });
    others.find(|other| part(other) != part(prover)).unwrap()
}
