//! What is remembered of a bound token is its binding, too: no cache, no second resource and no audit mode makes a bearer
//! token of it.

use serde_json::json;

use super::{BOUND, Bench, RESOURCE, STRICT, WATCHED, bound_to, changed, outcome};
use crate::sender_constrained::{Prover, digest};
use crate::support::process::eventually;
use crate::support::report::Report;

#[test]
fn what_one_resource_learned_is_no_bearer_token_at_another() {
    let bench = Bench::start();
    let mut report = Report::new("resources");
    for url in [RESOURCE, STRICT, RESOURCE] {
        report.row(url);
        report.equal("proven", outcome(&bench.proven(url, BOUND)), "200");
        report.equal("plain", outcome(&bench.plain(url, BOUND)), "401 invalid_token");
        let elsewhere = if url == RESOURCE { STRICT } else { RESOURCE };
        let proof = bench.prover.signed("POST", elsewhere, BOUND);
        let crossed = bench.ask(url, &format!("DPoP {BOUND}"), &[&proof]);
        report.equal("with a proof for the other one", outcome(&crossed), "401 invalid_dpop_proof");
        let stranger = bench.proven_by(&Prover::new("ES256"), url, BOUND);
        report.equal("with another key", outcome(&stranger), "401 invalid_dpop_proof");
    }
    report.finish();
    assert_eq!(bench.asked.questions(), 1, "the answer is remembered");
}

/// The last answer counts, for what is remembered and for what is asked anew.
#[test]
fn a_binding_that_changes_at_the_issuer_changes_what_has_to_be_proven() {
    let mut report = Report::new("changes");
    for cache in ["0s", "1s"] {
        let bench = Bench::start_with(&format!("introspection_cache = \"{cache}\""));
        let other = Prover::new("ES256");
        let refused = "401 invalid_token";
        for (name, answer, expected) in [
            ("its key", bound_to(&bench.prover), ["200", "401 invalid_dpop_proof", refused]),
            ("another key", bound_to(&other), ["401 invalid_dpop_proof", "200", refused]),
            ("nothing", changed(&json!({})), [refused, refused, "200"]),
            ("what nobody can prove", changed(&json!({ "cnf": { "kid": "a" } })), [refused; 3]),
        ] {
            report.row(format!("{name}, remembered for {cache}"));
            bench.asked.knows(BOUND, &answer);
            let now = || {
                [
                    outcome(&bench.proven(RESOURCE, BOUND)),
                    outcome(&bench.proven_by(&other, RESOURCE, BOUND)),
                    outcome(&bench.plain(RESOURCE, BOUND)),
                ]
            };
            if cache == "0s" {
                report.equal("outcomes", now(), expected.map(ToOwned::to_owned));
            } else {
                eventually(name, || now() == expected);
            }
        }
    }
    report.finish();
}

/// Audit mode lets everything through: who was not proven is not named, and the log says what enforcement would have said.
#[test]
fn audit_mode_names_nobody_who_did_not_prove_the_key() {
    let bench = Bench::start();
    let named = |answer: &crate::support::http::Response| {
        (answer.status, answer.header("x-auth-subject").unwrap_or("absent").to_owned())
    };
    let mut report = Report::new("audit");
    for round in ["asked", "known"] {
        let token = format!("{BOUND}-{round}");
        bench.asked.knows(&token, &bound_to(&bench.prover));
        if round == "known" {
            assert_eq!(outcome(&bench.proven(RESOURCE, &token)), "200");
        }
        report.row(round);
        report.equal("plain", named(&bench.plain(WATCHED, &token)), (200, String::new()));
        let stranger = bench.proven_by(&Prover::new("ES256"), WATCHED, &token);
        report.equal("another key", named(&stranger), (200, String::new()));
        report.equal("proven", named(&bench.proven(WATCHED, &token)), (200, "alice-subject".to_owned()));
    }
    report.row("the log");
    let recorded = || {
        let lines = bench.service.decision_lines().into_iter().filter(|line| line["path"] == "/watched");
        lines.map(|line| line["reason"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    eventually("the lines", || recorded().len() == 6);
    report.equal("reasons", recorded(), ["invalid_token", "invalid_dpop_proof", "-"].repeat(2));
    report.finish();
}

#[test]
fn neither_a_token_nor_a_proof_nor_a_binding_is_logged() {
    let bench = Bench::start();
    let proof = bench.prover.signed("POST", RESOURCE, BOUND);
    let outcomes = [0, 1].map(|_| outcome(&bench.ask(RESOURCE, &format!("DPoP {BOUND}"), &[&proof])));
    assert_eq!(outcomes, ["200", "401 invalid_dpop_proof"]);
    eventually("both lines", || bench.service.decision_lines().len() == 2);
    assert_eq!(bench.service.decision_lines()[1]["detail"], "the DPoP proof was used before");
    let output = bench.service.process.output();
    for secret in [BOUND, &proof, &digest(BOUND), &bench.prover.thumbprint()] {
        assert!(!output.contains(secret), "{secret}");
    }
}
