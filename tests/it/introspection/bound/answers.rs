//! What the issuer says that a token is bound to, and what it says of it in ways that nobody could prove.

use serde_json::json;

use super::{Bench, RESOURCE, STRICT, changed, outcome};
use crate::support::issuer::now;
use crate::support::report::Report;
use crate::support::web::Answer;

/// Each answer with what becomes of its token as a bearer token, and with a good proof: when the issuer is asked, and from
/// what is remembered.
#[test]
fn a_token_counts_under_the_scheme_that_its_answer_tells_and_under_no_other() {
    let bench = Bench::start();
    let key = bench.prover.thumbprint();
    let mut report = Report::new("answers");
    let refused = "401 invalid_token";
    let rows = [
        (json!({}), "200", refused),
        (json!({ "cnf": null }), "200", refused),
        (json!({ "token_type": "DPoP", "cnf": { "jkt": key } }), refused, "200"),
        (json!({ "token_type": "dpop", "cnf": { "jkt": key, "kid": "a" } }), refused, "200"),
        (json!({ "token_type": null, "cnf": { "jkt": key } }), refused, "200"),
        (json!({ "token_type": "Bearer", "cnf": { "jkt": key } }), refused, "200"),
        (json!({ "token_type": "N_A", "cnf": { "jkt": key } }), refused, refused),
        (json!({ "token_use": "refresh_token", "cnf": { "jkt": key } }), refused, refused),
        (json!({ "token_type": "DPoP" }), refused, refused),
        (json!({ "token_type": "DPoP", "cnf": null }), refused, refused),
        (json!({ "token_type": "DPoP", "cnf": {} }), refused, refused),
        (json!({ "token_type": "DPoP", "cnf": { "x5t#S256": key } }), refused, refused),
        (json!({ "cnf": {} }), refused, refused),
        (json!({ "cnf": { "jkt": null } }), refused, refused),
        (json!({ "cnf": { "jkt": "" } }), refused, refused),
        (json!({ "cnf": { "jkt": format!("{key}=") } }), refused, refused),
        (json!({ "cnf": { "jkt": [key] } }), refused, refused),
        (json!({ "cnf": { "jkt": key, "x5t#S256": "x" } }), refused, refused),
        (json!({ "cnf": { "kid": "proofs" } }), refused, refused),
        (json!({ "cnf": { "jwk": bench.prover.jwk() } }), refused, refused),
        (json!({ "cnf": { "x5t#S256": key } }), refused, refused),
        (json!({ "cnf": key }), refused, refused),
        (json!({ "cnf": [{ "jkt": key }] }), refused, refused),
        (json!({ "cnf": false }), refused, refused),
        (json!({ "active": false, "cnf": { "jkt": key } }), refused, refused),
        (json!({ "exp": now() - 60, "cnf": { "jkt": key } }), "401 expired_token", "401 expired_token"),
        (json!({ "aud": STRICT, "cnf": { "jkt": key } }), refused, "401 wrong_audience"),
        (json!({ "email": "bob@example.com", "cnf": { "jkt": key } }), refused, "403 principal_not_allowed"),
    ];
    for (index, (changes, plain, proven)) in rows.iter().enumerate() {
        report.row(changes.to_string());
        let tokens = ["plain", "proven"].map(|scheme| format!("{scheme}-{index}"));
        for token in &tokens {
            bench.asked.knows(token, &changed(changes));
        }
        for round in ["asked", "known"] {
            report.equal(&format!("plain, {round}"), outcome(&bench.plain(RESOURCE, &tokens[0])), *plain);
            report.equal(&format!("proven, {round}"), outcome(&bench.proven(RESOURCE, &tokens[1])), *proven);
        }
    }
    report.finish();
    assert_eq!(bench.asked.questions(), rows.len() * 2, "each token was asked about once");
}

/// Libraries disagree on which of two members counts.
#[test]
fn a_binding_that_is_told_twice_is_none_that_anybody_could_prove() {
    let bench = Bench::start();
    let (key, other) = (bench.prover.thumbprint(), crate::sender_constrained::digest("another key"));
    // Not of the type DPoP, which by itself asks for a key.
    let good = changed(&json!({ "cnf": { "jkt": key } })).to_string();
    let once = format!("{{\"jkt\":\"{key}\"}}");
    assert!(good.contains(&once), "{good}");
    let mut report = Report::new("twice");
    for (name, answer, expected) in [
        ("once", good.clone(), "200"),
        ("two keys", good.replace(&once, &format!("{{\"jkt\":\"{other}\",\"jkt\":\"{key}\"}}")), "401 invalid_token"),
        ("two bindings", good.replacen('{', "{\"cnf\":null,", 1), "503 introspection_unavailable"),
    ] {
        report.row(name);
        bench.asked.says(Answer::Json(answer));
        let token = format!("token-{}", name.replace(' ', "-"));
        report.equal("outcome", outcome(&bench.proven(RESOURCE, &token)), expected);
    }
    report.finish();
}

#[test]
fn a_resource_that_takes_bound_tokens_only_takes_opaque_ones() {
    let bench = Bench::start();
    bench.asked.knows("unbound", &changed(&json!({})));
    let mut report = Report::new("strict");
    for round in ["asked", "known"] {
        report.row(round);
        let good = bench.proven(STRICT, super::BOUND);
        report.equal("bound and proven", outcome(&good), "200");
        report.equal("subject", good.header("x-auth-subject"), Some("alice-subject"));
        for (name, answer) in [
            ("bound, as a bearer token", bench.plain(STRICT, super::BOUND)),
            ("unbound", bench.plain(STRICT, "unbound")),
            ("unbound, with a proof", bench.proven(STRICT, "unbound")),
        ] {
            report.equal(name, outcome(&answer), "401 invalid_token");
            let challenge = answer.all("www-authenticate").join(" | ");
            report.holds(challenge.starts_with("DPoP error=\"invalid_token\"") && challenge.contains("algs="), || {
                format!("{name}: {challenge}")
            });
        }
    }
    report.finish();
}
