//! With the body: what the rules allow reaches the server as it was sent, what they forbid or cannot read does not.

use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::stage::{Outcome, Stage};

use super::{Row, call, complaints, message, post, stage};

#[test]
fn rules_hold_through_traefik() {
    rules_hold_through(Kind::Traefik);
}

#[test]
fn rules_hold_through_envoy() {
    rules_hold_through(Kind::Envoy);
}

fn rules_hold_through(kind: Kind) {
    let stage = stage(kind);
    let alice = stage.token();
    let operator = stage.issuer.sign(&stage.token_for("/mcp").claim("groups", vec!["ops"]));
    let send = |body: &str| post(&stage, &alice, body);
    let rows: Vec<Row> = vec![
        ("a tool without a rule", send(&call("read_note")), "-"),
        ("a listing", send(&message("tools/list", "{}")), "-"),
        ("a notification", send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#), "-"),
        ("an answer to the server", send(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), "-"),
        ("a forbidden tool", send(&call("delete_note")), "operation_not_allowed"),
        ("a forbidden tool, for everybody", post(&stage, &operator, call("delete_note")), "operation_not_allowed"),
        ("the same with escapes", send(&call("del\\u0065te_note")), "operation_not_allowed"),
        ("a tool for others", send(&call("write_note")), "operation_not_allowed"),
        ("a tool for the caller's group", post(&stage, &operator, call("write_note")), "-"),
        ("a method that needs a scope", send(&message("prompts/list", "{}")), "insufficient_scope"),
        (
            "a batch with a forbidden tool",
            send(&format!("[{},{}]", call("read_note"), call("delete_note"))),
            "operation_not_allowed",
        ),
        ("a batch of allowed tools", send(&format!("[{},{}]", call("read_note"), call("echo"))), "-"),
        (
            "a method twice",
            send(
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"delete_note"}}"#,
            ),
            "operation_unknown",
        ),
        (
            "a name twice",
            send(&message("tools/call", r#"{"name":"read_note","name":"delete_note"}"#)),
            "operation_unknown",
        ),
        (
            "a name in another case",
            send(&message("tools/call", r#"{"name":"read_note","Name":"delete_note"}"#)),
            "operation_unknown",
        ),
        ("a method in another case", send(&message("Tools/call", r#"{"name":"delete_note"}"#)), "operation_unknown"),
        ("a name with NUL", send(&call("delete_note\\u0000")), "operation_unknown"),
        (
            "a resource with dot segments",
            send(&message("resources/read", r#"{"uri":"file:///a/../b"}"#)),
            "operation_unknown",
        ),
        ("a byte order mark", send(&format!("\u{feff}{}", call("read_note"))), "operation_unknown"),
        ("no JSON", send("delete_note"), "operation_unknown"),
        ("nothing", send(""), "operation_unknown"),
        ("invalid UTF-8", post(&stage, &alice, [call("read_note").as_bytes(), b"\xff"].concat()), "operation_unknown"),
        (
            "another content type",
            Request::new("POST", "/mcp").host(&stage.authority()).bearer(&alice).body("text/plain", call("read_note")),
            "operation_unknown",
        ),
        ("a compressed body", send(&call("read_note")).header("Content-Encoding", "gzip"), "operation_unknown"),
        (
            "a header that lies about the tool",
            send(&call("write_note")).header("Mcp-Name", "read_note"),
            "operation_unknown",
        ),
        (
            "a header that lies about the method",
            send(&call("read_note")).header("Mcp-Method", "tools/list"),
            "operation_unknown",
        ),
        (
            "headers that agree",
            send(&call("read_note")).header("Mcp-Method", "tools/call").header("Mcp-Name", "read_note"),
            "-",
        ),
        (
            "the word of Envoy, from a client",
            send(&call("delete_note")).header("x-envoy-auth-partial-body", "false"),
            "operation_not_allowed",
        ),
        ("a stream for others", Request::get("/mcp").host(&stage.authority()).bearer(&alice), "operation_not_allowed"),
        ("a stream for the caller's group", Request::get("/mcp").host(&stage.authority()).bearer(&operator), "-"),
        ("an end of a session", Request::new("DELETE", "/mcp").host(&stage.authority()).bearer(&alice), "-"),
        (
            "a method of HTTP that MCP has not",
            Request::new("PUT", "/mcp")
                .host(&stage.authority())
                .bearer(&alice)
                .body("application/json", call("read_note")),
            "operation_unknown",
        ),
        (
            "another path of the same resource",
            Request::new("POST", "/mcp/deeper")
                .host(&stage.authority())
                .bearer(&alice)
                .body("application/json", call("delete_note")),
            "operation_not_allowed",
        ),
    ];
    let wrong = complaints(&stage, &rows);
    assert!(wrong.is_empty(), "{kind:?}: {wrong:#?}");
    a_rule_in_audit_mode_only_records(&stage, &alice);
    sizes_and_pieces(&stage, &alice);
}

fn a_rule_in_audit_mode_only_records(stage: &Stage, token: &str) {
    let outcome = stage.try_out(post(stage, token, call("watched")));
    assert_eq!((outcome.status(), outcome.seen.len()), (200, 1), "{}", outcome.shown());
    let line = &outcome.judged[0];
    assert_eq!((line["decision"].as_str(), line["reason"].as_str()), (Some("audit"), Some("operation_not_allowed")));
    assert_eq!((line["operation"].as_str(), line["operation_name"].as_str()), (Some("tools/call"), Some("watched")));
}

/// In pieces, slowly, and at the limit of what is read: the last byte decides as the first does.
fn sizes_and_pieces(stage: &Stage, token: &str) {
    let sized = |tool: &str, size: usize| {
        let empty = message("tools/call", &format!(r#"{{"name":"{tool}","arguments":{{"x":""}}}}"#));
        let filling = "x".repeat(size - empty.len());
        message("tools/call", &format!(r#"{{"name":"{tool}","arguments":{{"x":"{filling}"}}}}"#))
    };
    let at_limit = stage.try_out(post(stage, token, sized("read_note", 65_536)));
    assert_eq!((at_limit.status(), at_limit.seen.len()), (200, 1), "at the limit: {}", at_limit.status());
    let over = stage.try_out(post(stage, token, sized("read_note", 65_537)));
    assert!(over.is_refused() && super::judged_as(&over) == "operation_unknown", "over the limit: {}", over.shown());
    // More than the proxies themselves hold: refused by them, whatever they say.
    let huge = stage.try_out(post(stage, token, sized("read_note", 3 * 1024 * 1024)));
    assert!(huge.is_refused(), "huge: {}", huge.status());

    let chunked = |tool: &str| -> Outcome {
        let pieces: Vec<String> = call(tool).chars().map(|char| format!("1\r\n{char}\r\n")).collect();
        let mut request = Request::new("POST", "/mcp").host(&stage.authority()).bearer(token);
        request = request.header("Content-Type", "application/json").header("Transfer-Encoding", "chunked");
        request.body = format!("{}0\r\n\r\n", pieces.concat()).into_bytes();
        stage.try_out(request)
    };
    let (allowed, forbidden) = (chunked("read_note"), chunked("delete_note"));
    assert_eq!(allowed.reached().body, call("read_note"), "{}", allowed.shown());
    assert!(forbidden.is_refused() && super::judged_as(&forbidden) == "operation_not_allowed", "{}", forbidden.shown());
}
