//! How bound and plain tokens are presented, and what clients are told.

use serde_json::json;

use super::{ALGORITHMS, Bench, Prover, RESOURCE, STRICT, digest, is_refused, question};
use crate::support::http::Request;
use crate::support::process::eventually;
use crate::support::report::Report;

#[test]
fn a_bound_token_is_no_bearer_token_and_a_bearer_token_is_not_bound() {
    let bench = Bench::start();
    let plain = bench.issuer.sign(&bench.issuer.token_for(RESOURCE));
    let proof_for = |token: &str| bench.prover.signed("POST", RESOURCE, token);
    let invalid = ("DPoP", "invalid_token", "invalid_token");
    let mut report = Report::new("downgrade");

    report.row("a bound token as Bearer");
    is_refused(&bench.ask(&format!("Bearer {}", bench.token), &[]), invalid, &mut report);
    report.row("a bound token as Bearer, with a good proof");
    is_refused(&bench.ask(&format!("Bearer {}", bench.token), &[&bench.good_proof()]), invalid, &mut report);
    report.row("a bound token as Bearer, once it is in the cache");
    report.equal("status", bench.present(&bench.good_proof()).status, 200);
    is_refused(&bench.ask(&format!("bearer {}", bench.token), &[]), invalid, &mut report);
    report.row("a plain token as DPoP");
    is_refused(&bench.ask(&format!("DPoP {plain}"), &[&proof_for(&plain)]), invalid, &mut report);
    report.row("a plain token as Bearer, with a header that nobody asked for");
    report.equal("status", bench.ask(&format!("Bearer {plain}"), &["anything"]).status, 200);
    report.row("a plain token as DPoP, once it is in the cache");
    is_refused(&bench.ask(&format!("DPoP {plain}"), &[&proof_for(&plain)]), invalid, &mut report);

    report.row("both schemes in two headers");
    let both = question("POST", RESOURCE).header("Authorization", format!("DPoP {}", bench.token));
    let both = both.header("Authorization", format!("Bearer {plain}")).header("DPoP", bench.good_proof());
    let answer = both.send(bench.service.port);
    report.equal("status", answer.status, 401);
    report.holds(answer.text().contains("invalid_request"), || answer.text());
    for value in [format!("DPoP {},Bearer {plain}", bench.token), format!("Bearer {plain}, DPoP {}", bench.token)] {
        report.row(format!("both schemes in one header: {value:.12}"));
        let answer = bench.ask(&value, &[&bench.good_proof()]);
        report.equal("status", answer.status, 401);
        report.holds(answer.text().contains("invalid_request"), || answer.text());
    }
    for scheme in ["DPoP", "dpop", "DPOP"] {
        report.row(scheme);
        report.equal("status", bench.ask(&format!("{scheme} {}", bench.token), &[&bench.good_proof()]).status, 200);
    }
    report.finish();
}

#[test]
fn bindings_that_nobody_can_prove_are_refused_under_either_scheme() {
    let bench = Bench::start();
    let mut report = Report::new("cnf");
    for binding in [
        json!(null),
        json!({}),
        json!("x"),
        json!({ "jkt": "x" }),
        json!({ "jkt": bench.prover.thumbprint() + "=" }),
        json!({ "jkt": [bench.prover.thumbprint()] }),
        json!({ "kid": "proofs" }),
        json!({ "jwk": bench.prover.jwk() }),
    ] {
        let token = bench.issuer.sign(&bench.issuer.token_for(RESOURCE).claim("cnf", binding.clone()));
        report.row(binding.to_string());
        let proof = bench.prover.signed("POST", RESOURCE, &token);
        for scheme in ["Bearer", "DPoP"] {
            let answer = bench.ask(&format!("{scheme} {token}"), &[&proof]);
            is_refused(&answer, ("DPoP", "invalid_token", "invalid_token"), &mut report);
        }
    }
    report.finish();
}

#[test]
fn a_token_that_is_no_good_for_other_reasons_is_challenged_in_terms_of_dpop() {
    let bench = Bench::start();
    let good = || bench.prover.bind(bench.issuer.token_for(RESOURCE));
    let mut report = Report::new("bad tokens with good proofs");
    for (reason, token) in [
        ("expired_token", good().claim("exp", 1)),
        ("wrong_audience", good().claim("aud", "https://other.example.com/mcp")),
        ("unknown_issuer", good().claim("iss", "https://evil.example")),
    ] {
        report.row(reason);
        let token = bench.issuer.sign(&token);
        let answer = bench.ask(&format!("DPoP {token}"), &[&bench.prover.signed("POST", RESOURCE, &token)]);
        is_refused(&answer, ("DPoP", "invalid_token", reason), &mut report);
    }
    report.row("too few scopes");
    let token = bench.issuer.sign(&good().claim("scope", "mcp:none"));
    let answer = bench.ask(&format!("DPoP {token}"), &[&bench.prover.signed("POST", RESOURCE, &token)]);
    report.equal("status", answer.status, 403);
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    report.holds(challenge.starts_with("DPoP error=\"insufficient_scope\""), || challenge.to_owned());
    report.finish();
}

#[test]
fn a_resource_can_take_bound_tokens_only() {
    let bench = Bench::start();
    let mut report = Report::new("strict");
    let plain = bench.issuer.sign(&bench.issuer.token_for(STRICT));
    let bound = bench.issuer.sign(&bench.prover.bind(bench.issuer.token_for(STRICT)));
    let strict = |authorization: Option<String>, proof: Option<String>| {
        let headers = [("Authorization", authorization), ("DPoP", proof)];
        let present = headers.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        present
            .fold(question("POST", STRICT), |request, (name, value)| request.header(name, value))
            .send(bench.service.port)
    };
    let invalid = ("DPoP", "invalid_token", "invalid_token");

    report.row("a bound token with its proof");
    let proof = || Some(bench.prover.signed("POST", STRICT, &bound));
    report.equal("status", strict(Some(format!("DPoP {bound}")), proof()).status, 200);
    report.row("a plain token");
    is_refused(&strict(Some(format!("Bearer {plain}")), None), invalid, &mut report);
    report.row("a plain token with a proof");
    let proof_of_plain = Some(bench.prover.signed("POST", STRICT, &plain));
    is_refused(&strict(Some(format!("Bearer {plain}")), proof_of_plain), invalid, &mut report);
    report.row("a bound token as Bearer");
    is_refused(&strict(Some(format!("Bearer {bound}")), proof()), invalid, &mut report);

    report.row("no token");
    let answer = strict(None, None);
    report.equal("status", answer.status, 401);
    report.equal("reason", answer.reason(), "missing_token");
    let expected = format!(
        "DPoP resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/strict\", \
         scope=\"mcp:read\", algs=\"{ALGORITHMS}\""
    );
    report.equal("challenge", answer.header("www-authenticate"), Some(&*expected));
    report.row("no token where both kinds are taken");
    let challenge = question("POST", RESOURCE).send(bench.service.port);
    let challenge = challenge.header("www-authenticate").unwrap_or_default();
    report.holds(challenge.starts_with("Bearer ") && !challenge.contains("DPoP"), || challenge.to_owned());

    for (path, required) in [("mcp", None), ("strict", Some(true))] {
        report.row(format!("the document of {path}"));
        let target = format!("/.well-known/oauth-protected-resource/{path}");
        let document = Request::get(target).host("mcp.example.com").send(bench.service.port).json();
        report.equal(
            "algorithms",
            &document["dpop_signing_alg_values_supported"],
            &json!(ALGORITHMS.split(' ').collect::<Vec<_>>()),
        );
        report.equal("required", document["dpop_bound_access_tokens_required"].as_bool(), required);
    }
    report.finish();
}

/// A proof is as good as its token while it counts, so the log holds neither.
#[test]
fn proofs_are_counted_and_logged_by_their_reason_and_never_by_themselves() {
    let bench = Bench::start();
    let proof = bench.good_proof();
    assert_eq!(bench.present(&proof).status, 200);
    assert_eq!(bench.present(&proof).status, 401);
    eventually("the decision lines", || bench.service.decision_lines().len() >= 2);
    let lines = bench.service.decision_lines();
    assert_eq!(lines[1]["reason"], "invalid_dpop_proof", "{lines:?}");
    assert_eq!(lines[1]["detail"], "the DPoP proof was used before");
    let metrics = bench.service.admin("/metrics").text();
    let counted = metrics.lines().filter(|line| line.contains("reason=\"invalid_dpop_proof\"") && line.ends_with(" 1"));
    assert_eq!(counted.count(), 1, "{metrics}");
    let output = bench.service.whole_output();
    for secret in [&proof, &bench.token, &digest(&bench.token)] {
        assert!(!output.contains(&**secret));
    }
}

/// Nothing is kept: a restart forgets what was seen, and an old proof is then stopped by its time only.
#[test]
fn a_token_and_its_key_outlive_a_restart() {
    let bench = Bench::start();
    assert_eq!(bench.present(&bench.good_proof()).status, 200);
    let Bench { issuer, prover, token, service } = bench;
    drop(service);
    let config = format!(
        "[[issuers]]\nissuer = \"{}\"\n[[resources]]\nurl = \"{RESOURCE}\"\nallow_any_authenticated = true",
        issuer.url()
    );
    let bench = Bench { service: crate::support::service::Service::start(&config), issuer, prover, token };
    assert_eq!(bench.present(&bench.good_proof()).status, 200);
    let stolen = Prover::new("ES256").signed("POST", RESOURCE, &bench.token);
    assert_eq!(bench.present(&stolen).reason(), "invalid_dpop_proof");
}
