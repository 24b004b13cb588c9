//! `/readyz` tells part by part what works, and a store that fails takes sign-in away but no decision.

use std::process::Command;

use serde_json::{Value, json};

use super::stage::Stage;
use crate::support::process::eventually;

/// The disk of this process takes nothing any more, or everything again.
fn limit_files(stage: &Stage, limit: &str) {
    let pid = stage.service.process.id().to_string();
    let done = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={limit}:unlimited")]).status().unwrap();
    assert!(done.success());
}

fn ask(stage: &Stage, path: &str) -> (u16, Value) {
    let answer = stage.service.admin(path);
    (answer.status, answer.json())
}

#[test]
fn every_part_has_its_line() {
    let stage = Stage::start();
    let (status, body) = ask(&stage, "/readyz");
    assert_eq!((status, &body["status"]), (200, &json!("ready")), "{body}");
    assert_eq!(body["issuers_without_keys"], json!([]));
    let own = &body["authorization_server"];
    assert_eq!(own["store"], json!({ "works": true, "trouble": null }));
    assert_eq!(own["signing_keys"], 2);
    assert_eq!(own["identity_providers"], json!([{ "provider": "development", "has_answered": false }]));
    let client = stage.register("One");
    stage.let_in("alice@example.com", &client, "/mcp");
    let (_, body) = ask(&stage, "/readyz/sign-in");
    assert_eq!(body["authorization_server"]["identity_providers"][0]["has_answered"], true, "{body}");
}

#[test]
fn a_store_that_fails_is_told_stops_no_decision_and_recovers() {
    // A write over the limit is an error instead of the end of the process.
    let stage = Stage::start_under(&["env", "--ignore-signal=XFSZ"]);
    let client = stage.register("One");
    let access = stage.let_in("alice@example.com", &client, "/mcp");
    assert_eq!(ask(&stage, "/readyz/sign-in").0, 200);

    limit_files(&stage, "0");
    eventually("the store's failure is told", || ask(&stage, "/readyz/sign-in").0 == 503);
    let (status, body) = ask(&stage, "/readyz/sign-in");
    assert_eq!((status, &body["status"]), (503, &json!("not ready")), "{body}");
    assert_eq!(body["authorization_server"]["store"]["works"], false, "{body}");
    let (status, body) = ask(&stage, "/readyz");
    assert_eq!((status, &body["status"]), (200, &json!("degraded")), "its proxy must not lose it: {body}");
    assert!(stage.is_good(&access), "decisions on tokens that were issued go on");
    assert_eq!(stage.refresh_error(&access), "temporarily_unavailable");
    assert_eq!(stage.walk("alice@example.com", &client, "/mcp", "approve").status, 503);
    let said = stage.operator(&["grants", "revoke", "--all"]);
    assert_eq!(said.code, 1, "what could not be written down is not claimed: {said:?}");
    let failures = stage.service.metrics().value("store_failures_total", &[("operation", "write")]);
    assert!(failures >= 1.0);

    limit_files(&stage, "unlimited");
    eventually("the store works again", || ask(&stage, "/readyz/sign-in").0 == 200);
    assert_eq!(ask(&stage, "/readyz").1["status"], "ready");
    assert!(stage.is_good(&access) && stage.is_good(&stage.refreshed(&access)));
}
