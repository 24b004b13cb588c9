//! The Rust SDK, given nothing but a URL; and what it does with what it kept.

use serde_json::Value;

use super::stage::{Setup, Stage};
use crate::support::process::TempDir;
use crate::support::proxies::Kind;

const DEVELOPMENT: &str = "[authorization_server.identity_provider]\nkind = \"development\"";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn alice_called_a_tool(report: &Value) {
    assert!(report["error"].is_null(), "{report:#}");
    assert_eq!(report["answer"]["X-Forwarded-User"], "alice@example.com", "{report:#}");
    assert_eq!(report["answer"]["authorization_present"], false, "{report:#}");
}

/// The access token is refused from now on, and nothing else is: RFC 7009 §2.1.
fn revoke_the_access_token(stage: &Stage, kept: &Value) {
    let (client, token) = (text(&kept["client_id"]), text(&kept["token_response"]["access_token"]));
    assert_ne!(stage.ask(token).status, 401, "the token is good");
    assert_eq!(stage.post("/revoke", &format!("client_id={client}&token={token}")).status, 200);
    assert_eq!(stage.ask(token).status, 401);
}

#[test]
fn a_rust_client_goes_from_nothing_to_a_tool_call_through_traefik() {
    from_nothing_to_a_tool_call(Kind::Traefik);
}

#[test]
fn a_rust_client_goes_from_nothing_to_a_tool_call_through_envoy() {
    from_nothing_to_a_tool_call(Kind::Envoy);
}

#[test]
fn a_rust_client_goes_from_nothing_to_a_tool_call_through_nginx() {
    from_nothing_to_a_tool_call(Kind::Nginx);
}

#[test]
fn a_rust_client_goes_from_nothing_to_a_tool_call_through_caddy() {
    from_nothing_to_a_tool_call(Kind::Caddy);
}

fn from_nothing_to_a_tool_call(kind: Kind) {
    let (stage, folder) = (Stage::start(kind), TempDir::new());
    let report = stage.rust(&folder.path().join("kept"), &[], Some(&[]));
    alice_called_a_tool(&report);
    assert_eq!(report["sign_ins"], 1, "{report:#}");
    assert_eq!(report["answer"]["X-Auth-Client"], report["kept"]["client_id"], "{report:#}");
    assert_eq!(report["kept"]["issuer"], stage.issuer(), "{report:#}");
    assert_eq!(report["kept"]["granted_scopes"], serde_json::json!(["mcp:read"]), "{report:#}");
}

#[test]
fn a_rust_client_learns_that_the_person_said_no() {
    let (stage, folder) = (Stage::start(Kind::Traefik), TempDir::new());
    let report = stage.rust(&folder.path().join("kept"), &[], Some(&["--decision", "deny"]));
    assert!(report["error"].is_string() && report["answer"].is_null(), "{report:#}");
}

/// A program that is started anew, with what it kept and nobody to ask.
#[test]
fn a_rust_client_whose_token_is_refused_comes_back_by_itself() {
    let (stage, folder) = (Stage::start(Kind::Traefik), TempDir::new());
    let kept = folder.path().join("kept");
    let first = stage.rust(&kept, &[], Some(&[]));
    alice_called_a_tool(&first);
    revoke_the_access_token(&stage, &first["kept"]);
    let second = stage.rust(&kept, &[], None);
    alice_called_a_tool(&second);
    assert_eq!(second["sign_ins"], 0, "{second:#}");
    let tokens = |report: &Value, name: &str| text(&report["kept"]["token_response"][name]).to_owned();
    assert_ne!(tokens(&second, "access_token"), tokens(&first, "access_token"));
    assert_ne!(tokens(&second, "refresh_token"), tokens(&first, "refresh_token"), "rotated: OAuth 2.1 §4.3.1");
}

/// Strict reuse detection would end the sign-in of whoever runs a client twice.
#[test]
fn two_rust_clients_with_the_same_credentials_refresh_at_once_and_both_go_on() {
    let (stage, folder) = (Stage::start(Kind::Traefik), TempDir::new());
    let [kept, other, third] = ["kept", "other", "third"].map(|name| folder.path().join(name));
    let first = stage.rust(&kept, &[], Some(&[]));
    alice_called_a_tool(&first);
    std::fs::copy(&kept, &other).unwrap();
    std::fs::copy(&kept, &third).unwrap();
    revoke_the_access_token(&stage, &first["kept"]);
    let reports = std::thread::scope(|scope| {
        let runs = [&kept, &other].map(|kept| scope.spawn(|| stage.rust(kept, &[], None)));
        runs.map(|run| run.join().unwrap())
    });
    let refresh_token = |report: &Value| text(&report["kept"]["token_response"]["refresh_token"]).to_owned();
    reports.iter().for_each(alice_called_a_tool);
    assert_eq!(refresh_token(&reports[0]), refresh_token(&reports[1]), "a retry gets what the first one got");
    // Once more, as somebody who comes late, within the half minute that retries are answered.
    let late = stage.rust(&third, &[], None);
    alice_called_a_tool(&late);
    assert_eq!(refresh_token(&late), refresh_token(&reports[0]));
    // And what they have is good for the next time.
    revoke_the_access_token(&stage, &late["kept"]);
    alice_called_a_tool(&stage.rust(&third, &[], None));
}

/// The shortest lifetime that there is, and both SDKs at once: this is the one test that waits for it to pass.
#[test]
fn clients_whose_token_has_expired_come_back_by_themselves() {
    let server = format!("access_token_lifetime = \"1m\"\n{DEVELOPMENT}");
    let stage = Stage::start_with(Kind::Traefik, |_| Setup { server, leeway: "0s", ..Setup::default() });
    let folder = TempDir::new();
    let (rust, python) = std::thread::scope(|scope| {
        let rust = scope.spawn(|| stage.rust(&folder.path().join("kept"), &["--again"], Some(&[])));
        let python = scope.spawn(|| stage.python("sign_in.py", &["--again", "expired"]));
        (rust.join().unwrap(), python.join().unwrap())
    });
    alice_called_a_tool(&rust);
    assert_eq!(rust["sign_ins"], 1, "{rust:#}");
    super::returning::came_back_by_itself(&python);
}
