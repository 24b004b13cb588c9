//! The Python SDK when its token is no longer good, and when its registration is gone.

use serde_json::{Value, json};

use super::stage::Stage;
use crate::support::proxies::Kind;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn alice_called_a_tool(report: &Value) {
    assert!(report["error"].is_null(), "{report:#}");
    let seen: Value = serde_json::from_str(text(&report["answer"])).unwrap();
    assert_eq!(seen["X-Forwarded-User"], "alice@example.com", "{seen}");
    assert_eq!(seen["X-Auth-Client"], report["client"]["client_id"], "{seen}");
}

/// With one sign-in, one refresh, and the client that it was before.
pub fn came_back_by_itself(report: &Value) {
    alice_called_a_tool(report);
    assert_eq!(report["sign_ins"], 1, "{report:#}");
    let answer = |error: Value| json!({ "status": 200, "error": error });
    assert_eq!(report["token_answers"], json!([answer(Value::Null), answer(Value::Null)]), "{report:#}");
    assert_eq!(report["client"], report["first"]["client"], "{report:#}");
    for token in ["access_token", "refresh_token"] {
        assert_ne!(text(&report["tokens"][token]), text(&report["first"]["tokens"][token]), "{token}");
    }
}

#[test]
fn a_python_client_whose_token_is_refused_comes_back_by_itself() {
    let stage = Stage::start(Kind::Caddy);
    came_back_by_itself(&stage.python("sign_in.py", &["--again", "revoked"]));
}

/// RFC 6749 §5.2 has a client told at the token endpoint (`invalid_client`), and §4.1.2.1 has the person told at the
/// authorization endpoint, since an unknown client has no redirect URI. The SDK tries the id that it has until it is
/// thrown away, so the page says that this is what helps.
#[test]
fn a_python_client_whose_registration_was_deleted_is_told_so_and_registers_again() {
    let stage = Stage::start(Kind::Traefik);
    let report = stage.python("sign_in.py", &["--again", "deleted"]);
    alice_called_a_tool(&report);
    let answers = report["token_answers"].as_array().unwrap();
    assert_eq!(answers[1], json!({ "status": 401, "error": "invalid_client" }), "{report:#}");
    let old = text(&report["first"]["client"]["client_id"]);
    assert_ne!(text(&report["client"]["client_id"]), old, "{report:#}");
    assert_eq!(report["sign_ins"], 3, "the first, the one that found no client, the one after: {report:#}");
    assert!(text(&report["stuck"]).contains("400 at"), "{report:#}");
    let pages: Vec<&str> = report["texts"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let told = pages.iter().find(|page| page.contains("What to do")).unwrap_or_else(|| panic!("{report:#}"));
    assert!(told.contains("Remove the connection in the app and add it again"), "{told}");
}
