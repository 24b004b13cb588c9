//! Opaque tokens through proxies with the shipped files.

use serde_json::json;

use super::{ENDPOINT, alice};
use crate::sender_constrained::Prover;
use crate::support::http::Request;
use crate::support::proxies::{Kind, Proxy};
use crate::support::stage::Stage;
use crate::support::web::Answer;
use crate::support::world::HOST;

fn config(issuer: &str, port: u16) -> String {
    format!(
        r#"
[log]
allows = 1.0

[[issuers]]
issuer = "{issuer}"
introspection_endpoint = "{issuer}{ENDPOINT}"
introspection_client_id = "proxy"
introspection_client_secret = "secret"

[[resources]]
url = "http://{HOST}:{port}/mcp"
insecure_http = true
allowed_emails = ["alice@example.com"]
"#
    )
}

fn works_behind(kind: Kind) {
    let start = |backends| Proxy::start_edited(kind, backends, &|_, text| text);
    let stage = Stage::start_configured(start, &config);
    let (url, prover) = (stage.resource("/mcp"), Prover::new("ES256"));
    let mut bound = alice(&url);
    let known = bound.to_string();
    bound["token_type"] = json!("DPoP");
    bound["cnf"] = json!({ "jkt": prover.thumbprint() });
    let answer = move |request: &crate::support::web::Received| match request.field("token").as_deref() {
        Some("opaque-alice") => Answer::Json(known.clone()),
        Some("opaque-bound") => Answer::Json(bound.to_string()),
        Some("down") => Answer::Status(500),
        _ => Answer::Json(json!({ "active": false }).to_string()),
    };
    stage.issuer.web.answer(ENDPOINT, Answer::made(answer));
    let call = |token: &str| {
        let request = Request::new("POST", "/mcp").host(&stage.authority()).bearer(token);
        stage.try_out(request.body("application/json", "{}"))
    };
    for _ in 0..2 {
        let outcome = call("opaque-alice");
        let reached = outcome.reached();
        assert_eq!(reached.all("x-forwarded-user"), ["alice@example.com"], "{kind:?}");
        assert_eq!(reached.all("x-auth-issuer"), [&*stage.issuer.url()], "{kind:?}");
        assert_eq!(reached.body, "{}", "{kind:?}");
    }
    proves_its_key(&stage, &prover, kind);
    let refused = call("unknown");
    assert!(refused.is_refused() && refused.status() == 401, "{kind:?}: {}", refused.shown());
    let challenge = refused.answer.as_ref().and_then(|answer| answer.header("www-authenticate")).unwrap_or_default();
    assert!(challenge.contains("invalid_token") && challenge.contains("resource_metadata"), "{kind:?}: {challenge}");
    let away = call("down");
    assert!(away.is_refused() && away.status() != 401, "{kind:?}: {}", away.shown());
    assert_eq!(away.judged[0]["reason"], "introspection_unavailable", "{kind:?}");
}

/// The token that is bound to the key of `prover`: the first request is the one that waits for the issuer.
fn proves_its_key(stage: &Stage, prover: &Prover, kind: Kind) {
    let url = stage.resource("/mcp");
    let call = |scheme: &str, proof: &str| {
        let request = Request::new("POST", "/mcp").host(&stage.authority()).header("DPoP", proof);
        let request = request.header("Authorization", format!("{scheme} opaque-bound"));
        stage.try_out(request.body("application/json", "{}"))
    };
    for _ in 0..2 {
        let proof = prover.signed("POST", &url, "opaque-bound");
        let outcome = call("DPoP", &proof);
        let reached = outcome.reached();
        assert_eq!(reached.all("x-forwarded-user"), ["alice@example.com"], "{kind:?}");
        assert_eq!([reached.all("authorization"), reached.all("dpop")].concat(), [""; 0], "{kind:?}");
        let stolen = Prover::new("ES256").signed("POST", &url, "opaque-bound");
        let fresh = prover.signed("POST", &url, "opaque-bound");
        for refused in [call("DPoP", &proof), call("DPoP", &stolen), call("Bearer", &fresh)] {
            assert!(refused.is_refused() && refused.status() == 401, "{kind:?}: {}", refused.shown());
        }
    }
}

#[test]
fn traefik_lets_an_active_token_in_and_no_other() {
    works_behind(Kind::Traefik);
}

#[test]
fn nginx_lets_an_active_token_in_and_no_other() {
    works_behind(Kind::Nginx);
}

#[test]
fn envoy_lets_an_active_token_in_and_no_other() {
    works_behind(Kind::Envoy);
}

#[test]
fn caddy_lets_an_active_token_in_and_no_other() {
    works_behind(Kind::Caddy);
}
