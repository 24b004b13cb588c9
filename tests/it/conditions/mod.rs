//! Conditions of resources and rules: what they say of real requests, what is told of them, and what they cannot hold up.

mod neighbours;
mod params;
mod told;
mod verdicts;

use crate::support::http::Request;
use crate::support::issuer::TestIssuer;
use crate::support::service::Service;

const ORIGIN: &str = "https://mcp.example.com";

/// A resource with `condition` and `more` at `/path`, open to everybody whom the condition lets in.
fn resource(path: &str, condition: &str, more: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!("condition = '''{condition}'''") };
    format!("[[resources]]\nurl = \"{ORIGIN}/{path}\"\n{condition}\n{more}\n")
}

fn start(issuer: &TestIssuer, resources: &str) -> Service {
    Service::start(&format!("[log]\nallows = 1.0\n\n[[issuers]]\nissuer = \"{}\"\n\n{resources}", issuer.url()))
}

/// A question about `path` as Traefik asks it, with `body` if there is one.
fn ask(method: &str, path: &str, token: &str, body: Option<String>) -> Request {
    let request = Request::get("/auth").host("localhost").bearer(token).header("X-Forwarded-Method", method);
    let request = request.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", "mcp.example.com");
    let request = request.header("X-Forwarded-Uri", format!("/{path}?code=1"));
    match body {
        Some(body) => request.body("application/json", body),
        None => request,
    }
}

/// A JSON-RPC body.
fn message(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

fn call(tool: &str) -> String {
    message("tools/call", &format!(r#"{{"name":"{tool}","arguments":{{}}}}"#))
}
