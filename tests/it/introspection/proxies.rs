//! Opaque tokens through proxies with the shipped files.

use serde_json::json;

use super::{ENDPOINT, alice};
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
    let known = alice(&stage.resource("/mcp")).to_string();
    let answer = move |request: &crate::support::web::Received| match request.field("token").as_deref() {
        Some("opaque-alice") => Answer::Json(known.clone()),
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
    let refused = call("unknown");
    assert!(refused.is_refused() && refused.status() == 401, "{kind:?}: {}", refused.shown());
    let challenge = refused.answer.as_ref().and_then(|answer| answer.header("www-authenticate")).unwrap_or_default();
    assert!(challenge.contains("invalid_token") && challenge.contains("resource_metadata"), "{kind:?}: {challenge}");
    let away = call("down");
    assert!(away.is_refused() && away.status() != 401, "{kind:?}: {}", away.shown());
    assert_eq!(away.judged[0]["reason"], "introspection_unavailable", "{kind:?}");
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
