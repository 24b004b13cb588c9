//! Proofs of requests that wait for the issuer: each is looked at once, after the answer, and counts once.

use serde_json::json;

use super::{BOUND, Bench, RESOURCE, RULES, STRICT, WATCHED, bound_to, outcome, presented};
use crate::introspection::Gate;
use crate::sender_constrained::{Prover, digest};
use crate::support::http::{Request, Response};
use crate::support::issuer::{Token, now};
use crate::support::process::eventually;
use crate::support::report::Report;

/// With a fresh token each, so that the issuer is asked, and then from what is remembered.
#[test]
fn a_proof_that_is_not_for_this_key_token_and_request_lets_nobody_in() {
    let bench = Bench::start();
    let bad = "401 invalid_dpop_proof";
    let rows = [
        ("DPoP", "good", "200"),
        ("dpop", "good", "200"),
        ("Bearer", "none", "401 invalid_token"),
        ("Bearer", "good", "401 invalid_token"),
        ("DPoP", "none", bad),
        ("DPoP", "two", bad),
        ("DPoP", "no proof", bad),
        ("DPoP", "of another key", bad),
        ("DPoP", "signed by another key", bad),
        ("DPoP", "of another token", bad),
        ("DPoP", "of no token", bad),
        ("DPoP", "of another method", bad),
        ("DPoP", "of another resource", bad),
        ("DPoP", "old", bad),
    ];
    let mut report = Report::new("proofs");
    for (index, (scheme, which, expected)) in rows.iter().enumerate() {
        let token = format!("token-{index}");
        bench.asked.knows(&token, &bound_to(&bench.prover));
        for round in ["asked", "known"] {
            report.row(format!("{scheme}, {which}, {round}"));
            let proofs = proofs(&bench, which, &token);
            let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
            let answer = bench.ask(RESOURCE, &format!("{scheme} {token}"), &proofs);
            report.equal("outcome", outcome(&answer), *expected);
            let challenged = answer.all("www-authenticate").iter().any(|value| value.starts_with("DPoP error="));
            report.equal("challenge", challenged, *expected != "200");
        }
    }
    report.finish();
    assert_eq!(bench.asked.questions(), rows.len(), "each token was asked about once");
}

/// Good proofs and bad ones for a POST of [`RESOURCE`] with `token`.
fn proofs(bench: &Bench, which: &str, token: &str) -> Vec<String> {
    let stranger = Prover::new("ES256");
    let proof = || bench.prover.proof("POST", RESOURCE, token);
    let signed = |proof: Token| vec![proof.signed_by(&bench.prover.key)];
    match which {
        "none" => Vec::new(),
        "good" => signed(proof()),
        "two" => [signed(proof()), signed(proof())].concat(),
        "no proof" => vec!["x".to_owned()],
        "of another key" => vec![stranger.signed("POST", RESOURCE, token)],
        "signed by another key" => vec![proof().signed_by(&stranger.key)],
        "of another token" => signed(proof().claim("ath", digest("another"))),
        "of no token" => signed(proof().without("ath")),
        "of another method" => signed(proof().claim("htm", "GET")),
        "of another resource" => signed(proof().claim("htu", STRICT)),
        "old" => signed(proof().claim("iat", now() - 120)),
        other => panic!("no such proof: {other}"),
    }
}

fn call(request: Request, tool: &str) -> Request {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } });
    request.body("application/json", body.to_string())
}

fn named(answer: &Response) -> &str {
    answer.header("x-auth-subject").unwrap_or("absent")
}

/// A decision about an opaque token is made again after the answer, and once more with the body. None of that may spend the
/// proof twice, or not at all.
#[test]
fn one_request_passes_and_the_same_proof_again_is_refused() {
    let mut report = Report::new("replays");
    for cache in ["0s", "30s"] {
        let bench = Bench::start_with(&format!("introspection_cache = \"{cache}\""));
        let send = |request: &Request| request.send(bench.service.port);
        for (url, tool, first) in [
            (RESOURCE, "read_it", "200"),
            (STRICT, "read_it", "200"),
            (RULES, "read_it", "200"),
            (RULES, "delete_it", "403 operation_not_allowed"),
        ] {
            report.row(format!("{tool} at {url}, remembered for {cache}"));
            let proof = bench.prover.signed("POST", url, BOUND);
            let request = presented(url, &format!("DPoP {BOUND}"), &[&proof]);
            report.equal("first", outcome(&send(&call(request.clone(), tool))), first);
            report.equal("again", outcome(&send(&call(request.clone(), tool))), "401 invalid_dpop_proof");
            report.equal("with another body", outcome(&send(&call(request, "see_it"))), "401 invalid_dpop_proof");
        }
        report.row(format!("{WATCHED}, remembered for {cache}"));
        let proof = bench.prover.signed("POST", WATCHED, BOUND);
        let request = presented(WATCHED, &format!("DPoP {BOUND}"), &[&proof]);
        let answers = [send(&request), send(&request)];
        report.equal("statuses", answers.each_ref().map(|answer| answer.status), [200, 200]);
        report.equal("named", answers.each_ref().map(named), ["alice-subject", ""]);
    }
    report.finish();
}

#[test]
fn of_many_requests_with_one_proof_that_wait_for_the_issuer_one_passes() {
    let bench = Bench::start();
    let gate = Gate::default();
    bench.asked.answers_behind(&gate);
    for url in [RESOURCE, RULES] {
        let proof = bench.prover.signed("POST", url, BOUND);
        let request = call(presented(url, &format!("DPoP {BOUND}"), &[&proof]), "read_it");
        let outcomes: Vec<String> = std::thread::scope(|scope| {
            let sent: Vec<_> = (0..20).map(|_| scope.spawn(|| outcome(&request.send(bench.service.port)))).collect();
            eventually("the question is there", || bench.asked.questions() > 0);
            gate.open();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        let of = |wanted: &str| outcomes.iter().filter(|outcome| outcome.as_str() == wanted).count();
        assert_eq!((of("200"), of("401 invalid_dpop_proof")), (1, 19), "{url}: {outcomes:?}");
    }
    assert_eq!(bench.asked.questions(), 1);
}

/// What the issuer says of a token is asked for one request and told to another: each is held to what it presented.
#[test]
fn a_bearer_request_that_waits_for_the_same_answer_is_refused() {
    let bench = Bench::start();
    let gate = Gate::default();
    bench.asked.answers_behind(&gate);
    std::thread::scope(|scope| {
        let proven = scope.spawn(|| outcome(&bench.proven(RESOURCE, BOUND)));
        let plain = scope.spawn(|| outcome(&bench.plain(RESOURCE, BOUND)));
        eventually("the question is there", || bench.asked.questions() > 0);
        gate.open();
        assert_eq!((&*proven.join().unwrap(), &*plain.join().unwrap()), ("200", "401 invalid_token"));
    });
}

/// The memory of proofs may forget one once it has ended, so it must not be judged by a time before the answer came.
#[test]
fn a_proof_that_ends_while_the_issuer_is_asked_is_refused() {
    let mut told = String::new();
    eventually("the issuer answers in time", || {
        let bench = Bench::start();
        let gate = Gate::default();
        bench.asked.answers_behind(&gate);
        let ends = now() + 1;
        let proof = bench.prover.proof("POST", RESOURCE, BOUND).claim("exp", ends).signed_by(&bench.prover.key);
        std::thread::scope(|scope| {
            let answer = scope.spawn(|| bench.ask(RESOURCE, &format!("DPoP {BOUND}"), &[&proof]));
            eventually("the proof has ended", || now() >= ends);
            gate.open();
            told = outcome(&answer.join().unwrap());
        });
        // On a busy machine the answer comes too late to count.
        !told.starts_with("503")
    });
    assert_eq!(told, "401 invalid_dpop_proof");
}

/// Nobody can tell what such a token is bound to, so nobody is told that it is no good.
#[test]
fn while_the_issuer_is_away_the_proof_is_not_looked_at_and_counts_afterwards() {
    let bench = Bench::start();
    bench.asked.issuer.web.set_down(true);
    let proof = bench.prover.signed("POST", RESOURCE, BOUND);
    let ask = || bench.ask(RESOURCE, &format!("DPoP {BOUND}"), &[&proof]);
    let answer = ask();
    assert_eq!(outcome(&answer), "503 introspection_unavailable");
    assert_eq!(answer.all("www-authenticate"), [""; 0]);
    bench.asked.issuer.web.set_down(false);
    eventually("the issuer answers again", || outcome(&ask()) == "200");
    assert_eq!(outcome(&ask()), "401 invalid_dpop_proof");
}
