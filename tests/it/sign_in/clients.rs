//! The Python SDK, given nothing but a URL, through every proxy; and what ends a connection.

use serde_json::Value;

use super::stage::Stage;
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::service::Service;

#[test]
fn a_client_goes_from_nothing_to_a_tool_call_through_traefik() {
    from_nothing_to_a_tool_call(Kind::Traefik);
}

#[test]
fn a_client_goes_from_nothing_to_a_tool_call_through_envoy() {
    from_nothing_to_a_tool_call(Kind::Envoy);
}

#[test]
fn a_client_goes_from_nothing_to_a_tool_call_through_nginx() {
    from_nothing_to_a_tool_call(Kind::Nginx);
}

#[test]
fn a_client_goes_from_nothing_to_a_tool_call_through_caddy() {
    from_nothing_to_a_tool_call(Kind::Caddy);
}

fn from_nothing_to_a_tool_call(kind: Kind) {
    let stage = Stage::start(kind);
    let report = stage.python("sign_in.py", &[]);
    assert!(report["error"].is_null(), "{report}");
    let seen: Value = serde_json::from_str(report["answer"].as_str().unwrap()).unwrap();
    assert_eq!(seen["X-Forwarded-User"], "alice@example.com", "{seen}");
    assert_eq!(seen["X-Auth-Issuer"], stage.issuer(), "{seen}");
    assert_eq!(seen["X-Auth-Resource"], stage.url(), "{seen}");
    assert_eq!(seen["X-Auth-Subject"], "development:alice@example.com", "{seen}");
    assert_eq!(seen["authorization_present"], false, "{seen}");
    assert_eq!(report["iss"], stage.issuer(), "RFC 9207: {report}");
    assert_eq!(report["tokens"]["scope"], "mcp:read", "{report}");
    assert!(report["tokens"]["refresh_token"].is_string(), "{report}");
    assert_eq!(report["client"]["token_endpoint_auth_method"], "none", "{report}");
}

#[test]
fn who_says_no_lets_nobody_in() {
    let stage = Stage::start(Kind::Traefik);
    let report = stage.python("sign_in.py", &["--decision", "deny"]);
    assert!(report["error"].as_str().unwrap().contains("access_denied"), "{report}");
}

#[test]
fn somebody_who_is_not_on_the_list_is_told_so_and_gets_no_token() {
    let stage = Stage::start(Kind::Traefik);
    let report = stage.python("sign_in.py", &["--email", "bob@example.com"]);
    assert!(report["error"].as_str().unwrap().contains("access_denied") && report["tokens"].is_null(), "{report}");
    let told = |page: &str| page.contains("This account may not use") && page.contains("bob@example.com");
    assert!(report["texts"].as_array().unwrap().iter().filter_map(Value::as_str).any(told), "{report}");
}

#[test]
fn a_refresh_token_gives_a_new_pair_and_revoking_it_ends_the_access_at_once() {
    let stage = Stage::start(Kind::Traefik);
    let report = stage.python("sign_in.py", &[]);
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{report}")).to_owned();
    let (client, refresh) = (text(&report["client"]["client_id"]), text(&report["tokens"]["refresh_token"]));
    let form = format!("grant_type=refresh_token&client_id={client}&refresh_token={refresh}");
    let refreshed = stage.post("/token", &form);
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    assert_eq!(refreshed.all("cache-control"), ["no-store"]);
    let (access, next) = (text(&refreshed.json()["access_token"]), text(&refreshed.json()["refresh_token"]));
    assert_ne!(next, refresh);
    assert_ne!(stage.ask(&access).status, 401, "the token is good");
    let revoked = stage.post("/revoke", &format!("client_id={client}&token={next}"));
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(stage.ask(&access).status, 401, "its grant is gone");
    let after = stage.post("/token", &format!("grant_type=refresh_token&client_id={client}&refresh_token={next}"));
    assert_eq!((after.status, text(&after.json()["error"])), (400, "invalid_grant".to_owned()));
}

/// Without the proxy, whose configuration answers preflights itself.
#[test]
fn the_service_answers_preflights_of_configured_origins_itself() {
    let config = r#"
[[resources]]
url = "http://localhost:8080/mcp"
allowed_emails = ["alice@example.com"]

[authorization_server]
issuer = "http://localhost:8080"
cors_origins = ["https://app.example.com"]

[authorization_server.identity_provider]
kind = "development"

[store]
url = "memory:"
"#;
    let service = Service::start(config);
    let ask = |path: &str, origin: &str| {
        let request = Request::new("OPTIONS", path).host("localhost:8080").header("Origin", origin);
        request.header("Access-Control-Request-Method", "POST").send(service.port)
    };
    for path in ["/token", "/revoke", "/register", "/register/some-client", "/jwks"] {
        let allowed = ask(path, "https://app.example.com");
        assert_eq!((path, allowed.status), (path, 204));
        assert_eq!(allowed.all("access-control-allow-origin"), ["https://app.example.com"], "{path}");
        assert!(allowed.all("access-control-allow-credentials").is_empty(), "{path}");
        let refused = ask(path, "https://evil.example");
        assert!(refused.status == 405 && refused.all("access-control-allow-origin").is_empty(), "{path}: {refused:?}");
    }
    for path in ["/consent", "/connections", "/authorize"] {
        assert!(ask(path, "https://app.example.com").all("access-control-allow-origin").is_empty(), "{path}");
    }
}
