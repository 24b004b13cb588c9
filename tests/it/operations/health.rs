//! Liveness and readiness, and which listener serves what.

use serde_json::json;

use super::{RESOURCE, Stage};
use crate::support::http::Request;
use crate::support::issuer::TestIssuer;
use crate::support::report::Report;
use crate::support::service::Service;

#[test]
fn liveness_is_told_on_both_listeners() {
    let stage = Stage::start("");
    for (port, path) in [(stage.service.port, "/health"), (stage.service.admin_port, "/healthz")] {
        let answer = Request::get(path).host("localhost").send(port);
        assert_eq!((answer.status, answer.json()), (200, json!({ "status": "ok" })), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
    }
    let head = Request::new("HEAD", "/health").host("localhost").send(stage.service.port);
    assert_eq!((head.status, head.body.as_slice()), (200, &b""[..]));
    let post = Request::new("POST", "/health").host("localhost").send(stage.service.port);
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn readiness_names_the_issuers_whose_keys_are_missing() {
    let stage = Stage::start("");
    let answer = stage.service.admin("/readyz");
    assert_eq!(answer.status, 503);
    let body = answer.json();
    assert_eq!(body["status"], "not ready");
    assert_eq!(body["issuers_without_keys"], json!([stage.down.url()]));
    let issuers = body["issuers"].as_array().unwrap();
    assert_eq!((&issuers[0]["issuer"], &issuers[0]["keys"]), (&json!(stage.issuer.url()), &json!(1)));
    assert!(issuers[0]["age_seconds"].is_u64());
    assert_eq!((&issuers[1]["keys"], &issuers[1]["age_seconds"]), (&json!(0), &json!(null)));

    let issuer = TestIssuer::start();
    let service =
        Service::start(&format!("[[issuers]]\nissuer = \"{}\"\n[[resources]]\nurl = \"{RESOURCE}\"\n", issuer.url()));
    let answer = service.admin("/readyz");
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("ready")));
    assert_eq!(answer.json()["issuers_without_keys"], json!([]));
}

#[test]
fn each_listener_serves_its_own_paths_only() {
    let stage = Stage::start("");
    let (public, admin) = (stage.service.port, stage.service.admin_port);
    let mut report = Report::new("listeners");
    for (listener, port, path) in [
        ("public", public, "/metrics"),
        ("public", public, "/readyz"),
        ("public", public, "/healthz"),
        ("public", public, "/"),
        ("admin", admin, "/auth"),
        ("admin", admin, "/health"),
        ("admin", admin, "/.well-known/oauth-protected-resource"),
        ("admin", admin, "/"),
    ] {
        report.row(format!("{listener} {path}"));
        let answer = Request::get(path).host("localhost").send(port);
        report.equal("the status", answer.status, 404);
        report.equal("the error", answer.json()["error"].as_str(), Some("not_found"));
    }
    report.finish();
}
