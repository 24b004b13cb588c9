//! Expression, claims and request → verdict, with the running service.

use serde_json::{Value, json};

use super::{ORIGIN, ask, call, message, resource, start};
use crate::support::issuer::TestIssuer;
use crate::support::process::eventually;
use crate::support::report::Report;

/// Expression, claims besides alice's usual ones, method and tool, and the reason of the refusal; `-` for none.
type Row = (&'static str, &'static str, &'static str, &'static str);

const FALSE: &str = "condition_false";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // who
    ("identity.subject == 'alice-subject'", "{}", "GET", "-"),
    ("identity.subject == 'bob'", "{}", "GET", FALSE),
    ("identity.email == 'alice@example.com'", "{}", "GET", "-"),
    ("identity.email == 'alice@example.com'", r#"{"email_verified":false}"#, "GET", FALSE),
    ("!has(identity.email)", r#"{"email_verified":false}"#, "GET", "-"),
    ("identity.email.endsWith('@example.com')", r#"{"email":"Alice@EXAMPLE.com"}"#, "GET", "-"),
    ("identity.email.endsWith('@example.com')", r#"{"email":"alice@evil.example"}"#, "GET", FALSE),
    ("identity.email != 'bob@example.com'", r#"{"email":null}"#, "GET", FALSE),
    ("'staff' in identity.groups", "{}", "GET", "-"),
    ("'staff' in identity.groups", r#"{"groups":[]}"#, "GET", FALSE),
    ("identity.groups.exists(g, g.startsWith('team-'))", r#"{"groups":["x","team-a"]}"#, "GET", "-"),
    ("identity.groups.exists(g, g.startsWith('team-'))", "{}", "GET", FALSE),
    ("identity.groups.all(g, g != 'contractors')", "{}", "GET", "-"),
    ("identity.groups.all(g, g != 'contractors')", r#"{"groups":["contractors"]}"#, "GET", FALSE),
    ("'mcp:read' in identity.scopes", "{}", "GET", "-"),
    ("'mcp:read' in identity.scopes", r#"{"scope":"mcp:readonly"}"#, "GET", FALSE),
    ("identity.client == 'test-client'", "{}", "GET", "-"),
    ("identity.client == 'test-client'", r#"{"client_id":"other"}"#, "GET", FALSE),
    ("identity.user_name == 'alice'", r#"{"preferred_username":"alice"}"#, "GET", "-"),
    ("identity.user_name == 'alice'", "{}", "GET", FALSE),
    ("identity.expires_at - now < duration('2h')", "{}", "GET", "-"),
    ("identity.expires_at - now < duration('30m')", "{}", "GET", FALSE),
    // claims
    ("identity.claims.department == 'sales'", r#"{"department":"sales"}"#, "GET", "-"),
    ("identity.claims.department == 'sales'", r#"{"department":"Sales"}"#, "GET", FALSE),
    ("identity.claims.department == 'sales'", r#"{"department":["sales"]}"#, "GET", FALSE),
    ("identity.claims.department == 'sales'", "{}", "GET", FALSE),
    ("identity.claims.department != 'sales'", "{}", "GET", FALSE),
    ("!has(identity.claims.department)", "{}", "GET", "-"),
    ("identity.claims.level >= 3", r#"{"level":3}"#, "GET", "-"),
    ("identity.claims.level >= 3", r#"{"level":2.999}"#, "GET", FALSE),
    ("identity.claims.level >= 3", r#"{"level":"9"}"#, "GET", FALSE),
    ("identity.claims.level >= 3", r#"{"level":18446744073709551615}"#, "GET", FALSE),
    ("identity.claims['https://x.example/roles'].exists(r, r == 'admin')", r#"{"https://x.example/roles":["admin"]}"#, "GET", "-"),
    ("identity.claims['https://x.example/roles'].exists(r, r == 'admin')", r#"{"https://x.example/roles":"admin"}"#, "GET", FALSE),
    ("identity.claims.realm_access.roles.exists(r, r == 'admin')", r#"{"realm_access":{"roles":["a","admin"]}}"#, "GET", "-"),
    ("identity.claims.vip", r#"{"vip":true}"#, "GET", "-"),
    ("identity.claims.vip", r#"{"vip":"true"}"#, "GET", FALSE),
    ("identity.claims.aud == resource.url", "{}", "GET", "-"),
    ("identity.claims.vip || 'staff' in identity.groups", "{}", "GET", "-"),
    ("identity.claims.vip && 'staff' in identity.groups", "{}", "GET", FALSE),
    ("now - timestamp(identity.claims.auth_time) < duration('15m')", r#"{"auth_time":0}"#, "GET", FALSE),
    ("now < timestamp(identity.claims.until)", r#"{"until":"2999-01-01T00:00:00Z"}"#, "GET", "-"),
    ("now < timestamp(identity.claims.until)", r#"{"until":"someday"}"#, "GET", FALSE),
    // what
    ("request.method == 'GET'", "{}", "GET", "-"),
    ("request.method == 'GET'", "{}", "POST", FALSE),
    ("request.scheme == 'https' && request.host == 'mcp.example.com'", "{}", "GET", "-"),
    ("request.path.endsWith('/deep')", "{}", "GET", "-"),
    ("request.path.contains('code')", "{}", "GET", FALSE),
    ("has(request.origin)", "{}", "GET", FALSE),
    ("resource.name == 'notes'", "{}", "GET", "-"),
    ("now > timestamp('2026-01-01T00:00:00Z')", "{}", "GET", "-"),
    ("now.getFullYear() < 2020", "{}", "GET", FALSE),
    // of which operation
    ("operation.name.startsWith('read_')", "{}", "tools/call read_note", "-"),
    ("operation.name.startsWith('read_')", "{}", "tools/call write_note", FALSE),
    ("operation.name.startsWith('read_')", "{}", "tools/list", FALSE),
    ("operation.name.startsWith('read_')", "{}", "POST", "operation_unknown"),
    ("operation.method != 'tools/call' || operation.name.startsWith('read_')", "{}", "tools/list", "-"),
    ("operation.method == 'http/get'", "{}", "GET", "-"),
    ("!has(operation.name)", "{}", "tools/list", "-"),
    ("operation.name.startsWith(identity.claims.area + '_')", r#"{"area":"read"}"#, "tools/call read_note", "-"),
    ("operation.name.startsWith(identity.claims.area + '_')", r#"{"area":"write"}"#, "tools/call read_note", FALSE),
    ("operation.name in ['a', 'b'] && identity.claims.vip", r#"{"vip":true}"#, "tools/call b", "-"),
];

fn body(operation: &str) -> Option<String> {
    match operation.split_once(' ') {
        Some((_, tool)) => Some(call(tool)),
        None if operation.contains('/') => Some(message(operation, "{}")),
        None => None,
    }
}

#[test]
fn each_condition_says_what_the_table_says() {
    let issuer = TestIssuer::start();
    let resources = ROWS.iter().enumerate();
    let resources = resources.map(|(index, row)| resource(&format!("c{index}"), row.0, "name = \"notes\""));
    let service = start(&issuer, &resources.collect::<String>());
    let mut report = Report::new("conditions");
    for (index, (condition, claims, operation, expected)) in ROWS.iter().enumerate() {
        report.row(format!("{condition} of {claims} and {operation}"));
        let claims: Value = serde_json::from_str(claims).unwrap();
        let token = issuer.token_for(&format!("{ORIGIN}/c{index}"));
        let token =
            claims.as_object().unwrap().iter().fold(token, |token, (name, value)| token.claim(name, value.clone()));
        let method = if *operation == "GET" { "GET" } else { "POST" };
        let answer = ask(method, &format!("c{index}/deep"), &issuer.sign(&token), body(operation)).send(service.port);
        let said = if answer.status == 200 { "-".to_owned() } else { answer.reason() };
        report.equal("the reason", said, (*expected).to_owned());
        report.equal("the status", answer.status, if *expected == "-" { 200 } else { 403 });
        report.equal("the challenge", answer.header("www-authenticate"), None);
    }
    report.finish();
}

#[test]
fn every_message_of_a_batch_must_meet_the_condition() {
    let issuer = TestIssuer::start();
    let service = start(&issuer, &resource("mcp", "operation.name.startsWith('read_')", ""));
    let token = issuer.sign(&issuer.token_for(&format!("{ORIGIN}/mcp")));
    let batch = |tools: &[&str]| format!("[{}]", tools.iter().map(|tool| call(tool)).collect::<Vec<_>>().join(","));
    for (tools, status) in
        [(&["read_a", "read_b"][..], 200), (&["read_a", "write_b"], 403), (&["write_a", "read_b"], 403)]
    {
        let answer = ask("POST", "mcp", &token, Some(batch(tools))).send(service.port);
        assert_eq!(answer.status, status, "{tools:?}");
    }
    let refused = || service.decision_lines().into_iter().find(|line| line["reason"] == FALSE);
    eventually("the line of the refusal", || refused().is_some());
    let line = refused().unwrap();
    assert_eq!((&line["operation_name"], &line["detail"]), (&json!("write_b"), &json!("condition")));
}

#[test]
fn scopes_are_asked_for_before_a_condition_is_looked_at() {
    let issuer = TestIssuer::start();
    let more = "required_scopes = [\"mcp:write\"]";
    let service = start(&issuer, &resource("mcp", "identity.subject == 'bob'", more));
    let ask = |scope: &str| {
        let token = issuer.sign(&issuer.token_for(&format!("{ORIGIN}/mcp")).claim("scope", scope));
        ask("GET", "mcp", &token, None).send(service.port).reason()
    };
    assert_eq!((ask("mcp:read"), ask("mcp:write")), ("insufficient_scope".into(), FALSE.into()));
}

#[test]
fn a_preflight_is_asked_nothing() {
    let issuer = TestIssuer::start();
    let resources = [resource("a", "identity.subject == 'bob'", ""), resource("b", "operation.name == 'x'", "")];
    let service = start(&issuer, &resources.concat());
    for path in ["a", "b"] {
        let preflight = super::Request::get("/auth").host("localhost").header("X-Forwarded-Method", "OPTIONS");
        let preflight = preflight.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", "mcp.example.com");
        let preflight = preflight.header("X-Forwarded-Uri", format!("/{path}"));
        let preflight = preflight.header("Origin", "https://app.example.com");
        assert_eq!(preflight.header("Access-Control-Request-Method", "POST").send(service.port).status, 200, "{path}");
    }
}
