//! Key sets that are too large, too slow or no key sets: the last good one stays in force, and the operator is told.

use std::time::Duration;

use serde_json::{Value, json};

use super::{RESOURCE, ask, each_at_once, eager, failures, key_figure, outcome, refreshes};
use crate::support::issuer::{KEY_SET, SigningKey, TestIssuer, key_set, now};
use crate::support::process::eventually;
use crate::support::service::Service;
use crate::support::web::Answer;

/// So many keys that reading them all would cost more than any issuer is worth.
fn many_keys(count: usize) -> String {
    let keys: Vec<Value> = (0..count).map(|index| json!({ "kty": "EC", "kid": index.to_string() })).collect();
    json!({ "keys": keys }).to_string()
}

#[test]
fn the_last_good_set_stays_in_force_and_the_operator_is_told() {
    let oct = json!({ "keys": [{ "kty": "oct", "k": "AAAA", "kid": "key-1", "alg": "HS256" }] }).to_string();
    let no_set = "is no JSON Web Key Set";
    let rows = [
        ("10,000 keys", (Answer::Json(many_keys(10_000)), "holds 10000 keys, more than 256")),
        ("257 keys", (Answer::Json(many_keys(257)), "holds 257 keys, more than 256")),
        ("50 MB", (Answer::Huge(50_000_000), "answered with more than 524288 bytes")),
        ("a redirect to good keys", (Answer::Redirect(GOOD.into()), "answered 302")),
        ("a redirect elsewhere", (Answer::Redirect("http://127.0.0.2:9/".into()), "answered 302")),
        ("500", (Answer::Status(500), "answered 500")),
        ("404", (Answer::Status(404), "answered 404")),
        ("204", (Answer::Status(204), "answered 204")),
        ("garbage", (Answer::Json("\u{0}\u{1}<html>".into()), no_set)),
        ("an empty body", (Answer::Json(String::new()), no_set)),
        ("a list", (Answer::Json("[]".into()), no_set)),
        ("deep nesting", (Answer::Json("[".repeat(100_000)), no_set)),
        ("an empty set", (Answer::Json(r#"{"keys":[]}"#.into()), "holds no key that can verify a token")),
        ("a shared secret only", (Answer::Json(oct), "holds no key that can verify a token")),
    ];
    each_at_once(&rows, |_, (answer, told)| keeps_its_keys(answer, told));
}

const GOOD: &str = "/good";

fn keeps_its_keys(answer: &Answer, told: &str) {
    let issuer = TestIssuer::start();
    issuer.web.answer(GOOD, Answer::Json(key_set(&issuer.keys)));
    let mut service = eager(&issuer);
    let good = issuer.sign(&issuer.token_for(RESOURCE));
    assert_eq!(outcome(&ask(&service, &good)), "200");
    issuer.web.answer(KEY_SET, answer.clone());
    eventually("a failed fetch", || ask_for_a_fetch(&issuer, &service) && failures(&service, &issuer) > 0.0);
    assert_eq!(outcome(&ask(&service, &good)), "200", "a known token");
    let fresh = issuer.sign(&issuer.token_for(RESOURCE).claim("sub", "somebody new"));
    assert_eq!(outcome(&ask(&service, &fresh)), "200", "a token never seen before");
    assert_eq!(service.admin("/readyz").status, 200, "it is ready: it has keys");
    assert_eq!(key_figure(&service, "issuer_keys", &issuer), 1.0);
    assert_eq!(refreshes(&service, &issuer), 1.0);
    let output = service.process.output_once_it_says("the keys could not be fetched");
    let line = output.lines().find(|line| line.contains("the keys could not be fetched")).unwrap();
    assert!(line.contains(told), "the log does not say {told:?}: {line}");
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((line["level"].as_str(), line["issuer"].as_str()), (Some("WARN"), Some(&*issuer.url())));
    assert_eq!(issuer.web.requests_for(GOOD), 0, "no redirect was followed");
}

/// A token of an unknown key makes the service look for newer ones. Always true, so that probes can go on from it.
fn ask_for_a_fetch(issuer: &TestIssuer, service: &Service) -> bool {
    let unknown = issuer.token_for(RESOURCE).parameter("kid", "unknown");
    assert_ne!(ask(service, &issuer.sign(&unknown)).status, 200);
    true
}

/// The fetch that hangs is under way while the answers come: it has been received, and it has not failed yet.
#[test]
fn no_request_waits_for_a_fetch_that_hangs_or_trickles() {
    for (name, answer) in [("hangs", Answer::Hang), ("trickles", Answer::Trickle)] {
        let issuer = TestIssuer::start();
        let service = eager(&issuer);
        let good = issuer.sign(&issuer.token_for(RESOURCE));
        assert_eq!(ask(&service, &good).status, 200);
        issuer.web.answer(KEY_SET, answer);
        issuer.web.forget_requests();
        eventually("the fetch is under way", || {
            ask_for_a_fetch(&issuer, &service) && issuer.web.requests_for(KEY_SET) == 1
        });
        for round in 0..20 {
            let fresh = issuer.sign(&issuer.token_for(RESOURCE).claim("sub", format!("subject {round}")));
            assert_eq!(outcome(&ask(&service, &good)), "200", "{name}: a cached token");
            assert_eq!(outcome(&ask(&service, &fresh)), "200", "{name}: a new token of a known key");
            let unknown = issuer.token_for(RESOURCE).claim("iat", now()).parameter("kid", format!("unknown-{round}"));
            let answer = ask(&service, &issuer.sign(&unknown));
            assert_eq!(outcome(&answer), "503 keys_unavailable", "{name}: a token of an unknown key");
        }
        assert_eq!(failures(&service, &issuer), 0.0, "{name}: the answers came before the fetch was given up");
        assert_eq!(issuer.web.requests_for(KEY_SET), 1, "{name}: one fetch at a time");
    }
}

/// Slow is not broken: an answer within the time limit counts.
#[test]
fn a_slow_answer_is_waited_for_in_the_background() {
    let issuer = TestIssuer::start();
    let service = eager(&issuer);
    let next = SigningKey::generate("key-2", "ES256");
    issuer.web.answer(KEY_SET, Answer::Slow(Duration::from_secs(2), key_set(issuer.keys.iter().chain([&next]))));
    let token = issuer.token_for(RESOURCE).claim("iat", now()).parameter("kid", "key-2").signed_by(&next);
    eventually("the new key is known", || {
        let answer = ask(&service, &token);
        assert!(matches!(answer.status, 200 | 503), "{answer:?}");
        answer.status == 200
    });
    assert_eq!(failures(&service, &issuer), 0.0);
}
