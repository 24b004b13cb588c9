//! Answers are remembered for a while: one question for many requests, and a bound to what strangers can cause.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Barrier;

use serde_json::json;

use super::{ALICE, Asked, Gate, alice_but, ask, outcome};
use crate::support::http::{Request, Response};
use crate::support::process::eventually;
use crate::support::service::Service;

/// Sends all `tokens` at the same time, each on a connection of its own, and tells each outcome.
fn all_at_once(service: &Service, tokens: &[String], meanwhile: impl FnOnce() + Send) -> Vec<String> {
    let start = Barrier::new(tokens.len() + 1);
    std::thread::scope(|scope| {
        let send = |token: &String| {
            let request = Request::get("/auth")
                .host("127.0.0.1")
                .header("X-Forwarded-Method", "POST")
                .header("X-Forwarded-Proto", "https")
                .header("X-Forwarded-Host", "mcp.example.com")
                .header("X-Forwarded-Uri", "/mcp")
                .bearer(token)
                .bytes();
            let mut stream = TcpStream::connect(("127.0.0.1", service.port)).unwrap();
            start.wait();
            stream.write_all(&request).unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).unwrap();
            outcome(&Response::parse(&bytes).unwrap())
        };
        let running: Vec<_> = tokens.iter().map(|token| scope.spawn(move || send(token))).collect();
        start.wait();
        meanwhile();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn two_hundred_requests_with_one_token_are_one_question() {
    let asked = Asked::start();
    let gate = Gate::default();
    asked.answers_behind(&gate);
    let service = asked.service("");
    let outcomes = all_at_once(&service, &vec![ALICE.to_owned(); 200], || {
        eventually("the question is there", || asked.questions() > 0);
        gate.open();
    });
    assert_eq!(outcomes, vec!["200"; 200]);
    assert_eq!(asked.questions(), 1);
    assert_eq!(asked.counted(&service, "active"), 1.0);
}

#[test]
fn a_flood_of_unknown_tokens_reaches_the_issuer_only_up_to_the_bound() {
    let asked = Asked::start();
    let gate = Gate::default();
    let service = asked.service("");
    assert_eq!(outcome(&ask(&service, ALICE)), "200");
    asked.issuer.web.forget_requests();
    asked.answers_behind(&gate);
    let tokens: Vec<String> = (0..300).map(|number| format!("unknown-{number}")).collect();
    let outcomes = all_at_once(&service, &tokens, || {
        eventually("the places are taken", || {
            asked.counted(&service, "busy") + asked.counted(&service, "paused") >= 236.0
        });
        assert!(asked.questions() <= 64, "{} at once", asked.questions());
        assert_eq!(outcome(&ask(&service, ALICE)), "200", "who is known is let in meanwhile");
        gate.open();
    });
    let refused = outcomes.iter().filter(|outcome| **outcome == "401 invalid_token").count();
    let later = outcomes.iter().filter(|outcome| **outcome == "503 introspection_unavailable").count();
    assert_eq!(refused + later, 300, "{outcomes:?}");
    assert!(later >= 236, "{later} were told to come again");
    eventually("it is over", || outcome(&ask(&service, "another")) == "401 invalid_token");
}

#[test]
fn a_bad_token_is_asked_about_once_in_a_while() {
    let asked = Asked::start();
    let service = asked.service("");
    for _ in 0..20 {
        assert_eq!(outcome(&ask(&service, "unknown")), "401 invalid_token");
    }
    assert!(asked.questions() <= 3, "{}", asked.questions());
    asked.knows("unknown", &super::alice(super::RESOURCE));
    eventually("the issuer is asked again", || outcome(&ask(&service, "unknown")) == "200");
}

#[test]
fn a_revoked_token_is_refused_once_its_answer_is_old() {
    let asked = Asked::start();
    let service = asked.service("introspection_cache = \"1s\"");
    assert_eq!(outcome(&ask(&service, ALICE)), "200");
    asked.forgets(ALICE);
    eventually("the revocation counts", || outcome(&ask(&service, ALICE)) == "401 invalid_token");
}

#[test]
fn without_a_cache_every_request_is_a_question_and_a_revocation_counts_at_once() {
    let asked = Asked::start();
    let service = asked.service("introspection_cache = \"0s\"");
    for count in 1..=3 {
        assert_eq!(outcome(&ask(&service, ALICE)), "200");
        assert_eq!(asked.questions(), count);
    }
    asked.forgets(ALICE);
    assert_eq!(outcome(&ask(&service, ALICE)), "401 invalid_token");
}

#[test]
fn a_token_ends_when_the_issuer_said_that_it_would() {
    let asked = Asked::start();
    asked.knows("short", &alice_but(&json!({ "exp": crate::support::issuer::now() + 2 })));
    let service = asked.service("introspection_cache = \"5m\"");
    assert_eq!(outcome(&ask(&service, "short")), "200");
    asked.forgets("short");
    eventually("its time is over", || outcome(&ask(&service, "short")) == "401 invalid_token");
}
