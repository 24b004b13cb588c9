//! A real client that proves a key: version 2 of the official TypeScript SDK, from nothing but a URL to a tool call, and on
//! with a refreshed token.

use serde_json::Value;

use super::Prover;
use crate::node_clients::guest::{Guest, Program};
use crate::sign_in::stage::Stage;
use crate::support::http::{Request, Response};
use crate::support::issuer::{Token, claims_of};
use crate::support::proxies::Kind;
use crate::support::report::Report;

#[test]
fn a_client_that_proves_a_key_signs_in_calls_and_refreshes_through_traefik() {
    signs_in_calls_and_refreshes(Kind::Traefik);
}

#[test]
fn a_client_that_proves_a_key_signs_in_calls_and_refreshes_through_envoy() {
    signs_in_calls_and_refreshes(Kind::Envoy);
}

#[test]
fn a_client_that_proves_a_key_signs_in_calls_and_refreshes_through_nginx() {
    signs_in_calls_and_refreshes(Kind::Nginx);
}

fn signs_in_calls_and_refreshes(kind: Kind) {
    let stage = Stage::start(kind);
    let mut report = Report::new(kind);
    report.row("the client");
    // Its access token is taken back between two calls, so that it refreshes.
    let seen = Guest::new(Program::SdkV2).visit(&stage, &["--dpop", "--revoke"], 1, &mut report);
    report.holds(seen["again"].is_object(), || format!("there was no second call: {seen}"));
    report.equal("kind of token", &seen["tokens"]["token_type"], "DPoP");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (access, refresh) = (text(&seen["tokens"]["access_token"]), text(&seen["tokens"]["refresh_token"]));
    report.holds(claims_of(&access)["cnf"]["jkt"].is_string(), || format!("{}", claims_of(&access)));

    let thief = Prover::new("ES256");
    report.row("a thief with the access token");
    report.equal("as Bearer", stage.ask(&access).status, 401);
    let proof = thief.signed("POST", &stage.url(), &access);
    let request = post(&stage, "/mcp", "application/json", "{}").header("Authorization", format!("DPoP {access}"));
    report.equal("with a proof of his own", request.header("DPoP", proof).send(stage.proxy.port).status, 401);
    report.row("a thief with the refresh token");
    let form =
        format!("grant_type=refresh_token&client_id={}&refresh_token={refresh}", text(&seen["client"]["client_id"]));
    let answer = stage.post("/token", &form);
    report.equal("without a proof", error(&answer), "invalid_dpop_proof");
    let url = format!("{}/token", stage.issuer());
    let proof =
        |changes: fn(Token) -> Token| changes(thief.proof("POST", &url, "").without("ath")).signed_by(&thief.key);
    let ask = |proofs: &[String]| {
        let request = post(&stage, "/token", "application/x-www-form-urlencoded", &form);
        proofs.iter().fold(request, |request, proof| request.header("DPoP", proof.as_str())).send(stage.proxy.port)
    };
    report.equal("with a key of his own", error(&ask(&[proof(|proof| proof)])), "invalid_grant");
    report.equal(
        "for another URL",
        error(&ask(&[proof(|proof| proof.claim("htu", "http://evil.example/token"))])),
        "invalid_dpop_proof",
    );
    report.equal("with two proofs", error(&ask(&[proof(|proof| proof), proof(|proof| proof)])), "invalid_dpop_proof");
    report.finish();
}

fn post(stage: &Stage, path: &str, content_type: &str, body: &str) -> Request {
    let host = stage.issuer().split_once("://").unwrap().1.to_owned();
    Request::new("POST", path).host(&host).body(content_type, body)
}

fn error(answer: &Response) -> String {
    answer.json()["error"].as_str().unwrap_or_default().to_owned()
}
