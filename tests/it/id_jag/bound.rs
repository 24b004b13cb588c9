//! A token for an assertion, bound to the key that the client proves: worth nothing to anybody else, and gone with its grant.

use serde_json::json;

use super::{GRANT_TYPE, NOTES, OURS, SECRET, Stage};
use crate::operators::stage::run;
use crate::sender_constrained::Prover;
use crate::support::http::{Request, Response};
use crate::support::issuer::claims_of;

/// Presents a fresh assertion with a proof for the token endpoint.
fn bound_token(stage: &Stage, prover: &Prover) -> Response {
    let mut proof = prover.proof("POST", &format!("{OURS}/token"), "");
    proof.claims.as_object_mut().unwrap().remove("ath");
    let assertion = stage.assertion();
    let fields =
        [("grant_type", GRANT_TYPE), ("client_id", "app"), ("client_secret", SECRET), ("assertion", &*assertion)];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::new("POST", "/token").host("localhost:8080").header("DPoP", proof.signed_by(&prover.key));
    request.body("application/x-www-form-urlencoded", body).send(stage.port)
}

/// The end of a session, presented so: status and reason.
fn ask(stage: &Stage, scheme: &str, token: &str, proof: Option<String>) -> (u16, String) {
    let request = Request::get("/auth").host("127.0.0.1").header("X-Forwarded-Method", "DELETE");
    let request = request.header("X-Forwarded-Proto", "http").header("X-Forwarded-Host", "localhost:8080");
    let request = request.header("X-Forwarded-Uri", "/mcp").header("Authorization", format!("{scheme} {token}"));
    let answer = proof.into_iter().fold(request, |request, proof| request.header("DPoP", proof)).send(stage.port);
    (answer.status, if answer.status == 200 { "ok".to_owned() } else { answer.reason() })
}

#[test]
fn a_token_bound_at_the_grant_counts_with_proofs_of_its_key_alone_and_ends_with_its_grant() {
    let stage = Stage::start();
    let (prover, thief) = (Prover::new("ES256"), Prover::new("ES256"));
    let answer = bound_token(&stage, &prover);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["token_type"], "DPoP");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(claims_of(&token)["cnf"], json!({ "jkt": prover.thumbprint() }));
    let proof = |prover: &Prover| Some(prover.signed("DELETE", NOTES, &token));
    let refused = |reason: &str| (401, reason.to_owned());
    assert_eq!(ask(&stage, "DPoP", &token, proof(&prover)), (200, "ok".to_owned()));
    assert_eq!(ask(&stage, "Bearer", &token, None), refused("invalid_token"));
    assert_eq!(ask(&stage, "Bearer", &token, proof(&prover)), refused("invalid_token"));
    assert_eq!(ask(&stage, "DPoP", &token, None), refused("invalid_dpop_proof"));
    assert_eq!(ask(&stage, "DPoP", &token, proof(&thief)), refused("invalid_dpop_proof"));
    // One that is bound to nothing is not made better by a proof.
    assert_eq!(ask(&stage, "DPoP", &stage.token(), proof(&prover)), refused("invalid_token"));
    let admin = format!("127.0.0.1:{}", stage.service().admin_port);
    let said = run(&["grants", "revoke", "--user", "alice@example.com", "--admin", &admin]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(ask(&stage, "DPoP", &token, proof(&prover)), refused("invalid_token"));
}
