//! Rules about single operations, through real proxies: what runs, what does not, and what cannot be told.

mod bodies;
mod clients;
mod drift;
mod headers_alone;
mod scopes;

use crate::support::http::Request;
use crate::support::proxies::{Kind, Proxy, with_body};
use crate::support::stage::{Outcome, Stage};
use crate::support::world::HOST;

/// The proxies that can send a body.
const SENDERS: [Kind; 2] = [Kind::Traefik, Kind::Envoy];

/// A proxy with the files that send the body, and rules: nobody deletes, only staff write, prompts need a scope.
fn stage(kind: Kind) -> Stage {
    let start = |backends| Proxy::start_edited(kind, backends, &with_body);
    Stage::start_configured(start, &|issuer, port| config(issuer, port, ""))
}

fn config(issuer: &str, port: u16, more: &str) -> String {
    format!(
        r#"
[log]
allows = 1.0

[server]
max_body_bytes = 65536
body_timeout = "2s"

[[issuers]]
issuer = "{issuer}"

[[resources]]
url = "http://{HOST}:{port}/mcp"
insecure_http = true
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com", "bob@example.com"]
{more}

[[resources.tool_rules]]
names = ["delete_*"]
deny = true

[[resources.tool_rules]]
names = ["write_*"]
allowed_groups = ["ops"]

[[resources.tool_rules]]
methods = ["prompts/*"]
required_scopes = ["mcp:prompts"]

[[resources.tool_rules]]
methods = ["http/get"]
allowed_groups = ["ops"]

[[resources.tool_rules]]
names = ["watched"]
deny = true
mode = "audit"
"#
    )
}

/// A JSON-RPC body.
fn message(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

fn call(tool: &str) -> String {
    message("tools/call", &format!(r#"{{"name":"{tool}","arguments":{{}}}}"#))
}

/// A POST as MCP clients make it.
fn post(stage: &Stage, token: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", "/mcp").host(&stage.authority()).bearer(token).body("application/json", body)
}

/// The reason in the log line of the only decision.
fn judged_as(outcome: &Outcome) -> &str {
    outcome.judged.first().and_then(|line| line["reason"].as_str()).unwrap_or("-")
}

/// A row: what was sent, and the reason of the refusal; `-` where it must reach the server unchanged.
type Row = (&'static str, Request, &'static str);

/// What is wrong with the outcomes of `rows`.
fn complaints(stage: &Stage, rows: &[Row]) -> Vec<String> {
    let requests = rows.iter().map(|(_, request, _)| request.clone()).collect();
    let outcomes = stage.try_out_all(requests);
    let wrong = |((name, request, reason), outcome): (&Row, &Outcome)| {
        let sound = if *reason == "-" {
            outcome.status() == 200
                && outcome.seen.len() == 1
                && outcome.reached().body.len() == request.body.len()
                && judged_as(outcome) == "-"
        } else {
            outcome.is_refused() && outcome.status() == 403 && judged_as(outcome) == *reason
        };
        (!sound).then(|| format!("{name}: not {reason}: {}", outcome.shown()))
    };
    rows.iter().zip(&outcomes).filter_map(wrong).collect()
}
