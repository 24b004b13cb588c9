//! Without the body: headers are believed only of MCP 2026-07-28 and where the operator vouches for the server.

use crate::support::http::Request;
use crate::support::proxies::{Kind, Proxy};
use crate::support::stage::Stage;

use super::{Row, call, complaints, config, post};

const ALL: [Kind; 4] = [Kind::Traefik, Kind::Envoy, Kind::Nginx, Kind::Caddy];

/// The usual files, which keep the body from the service.
fn stage(kind: Kind, more: &str) -> Stage {
    let start = |backends| Proxy::start_edited(kind, backends, &|_, text| text);
    Stage::start_configured(start, &|issuer, port| config(issuer, port, more))
}

#[test]
fn without_a_body_nothing_can_be_told() {
    for kind in ALL {
        let stage = stage(kind, "");
        let alice = stage.token();
        let modern = |tool: &'static str| {
            let request = post(&stage, &alice, call(tool)).header("MCP-Protocol-Version", "2026-07-28");
            request.header("Mcp-Method", "tools/call").header("Mcp-Name", tool)
        };
        let rows: Vec<Row> = vec![
            ("a call", post(&stage, &alice, call("read_note")), "operation_unknown"),
            ("a call with headers", modern("read_note"), "operation_unknown"),
            ("an end of a session", Request::new("DELETE", "/mcp").host(&stage.authority()).bearer(&alice), "-"),
        ];
        let wrong = complaints(&stage, &rows);
        assert!(wrong.is_empty(), "{kind:?}: {wrong:#?}");
    }
}

#[test]
fn headers_count_where_the_server_checks_them() {
    for kind in ALL {
        let stage = stage(kind, "upstream_enforces_mcp_headers = true");
        let alice = stage.token();
        let send = |headers: &[(&str, &str)]| {
            let request = post(&stage, &alice, call("read_note"));
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
        };
        let version = ("MCP-Protocol-Version", "2026-07-28");
        let (method, name) = (("Mcp-Method", "tools/call"), ("Mcp-Name", "read_note"));
        let forbidden = ("Mcp-Name", "delete_note");
        let rows: Vec<Row> = vec![
            ("all three", send(&[version, method, name]), "-"),
            ("a listing", send(&[version, ("Mcp-Method", "tools/list")]), "-"),
            ("an encoded name", send(&[version, method, ("Mcp-Name", "=?base64?cmVhZF9ub3Rl?=")]), "-"),
            ("a forbidden tool", send(&[version, method, forbidden]), "operation_not_allowed"),
            (
                "the same encoded",
                send(&[version, method, ("Mcp-Name", "=?base64?ZGVsZXRlX25vdGU=?=")]),
                "operation_not_allowed",
            ),
            ("an older version", send(&[("MCP-Protocol-Version", "2025-11-25"), method, name]), "operation_unknown"),
            ("no version", send(&[method, name]), "operation_unknown"),
            ("no method", send(&[version, name]), "operation_unknown"),
            ("no name", send(&[version, method]), "operation_unknown"),
            ("two names", send(&[version, method, name, forbidden]), "operation_unknown"),
            (
                "two versions",
                send(&[version, ("MCP-Protocol-Version", "2025-11-25"), method, name]),
                "operation_unknown",
            ),
            ("what cannot be decoded", send(&[version, method, ("Mcp-Name", "=?base64?!?=")]), "operation_unknown"),
            ("a name of what has none", send(&[version, ("Mcp-Method", "tools/list"), name]), "operation_unknown"),
        ];
        let wrong = complaints(&stage, &rows);
        assert!(wrong.is_empty(), "{kind:?}: {wrong:#?}");
    }
}
