//! CORS preflights: the proxy answers them by itself, since they can carry no token.

use super::case::ORIGIN;
use super::check::items;
use crate::support::http::{Request, Response};
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::world::World;

const ALLOWED_HEADERS: [&str; 9] = [
    "Authorization",
    "DPoP",
    "Content-Type",
    "Accept",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
    "Mcp-Session-Id",
    "Last-Event-ID",
];

pub fn check(world: &World, report: &mut Report) {
    for (method, target) in [
        ("POST", "/mcp"),
        ("GET", "/mcp"),
        ("DELETE", "/echo-request/x?y=1"),
        ("POST", "/elsewhere"),
        ("GET", "/.well-known/oauth-protected-resource/mcp"),
        ("POST", "/token"),
        ("POST", "/register"),
    ] {
        report.row(format!("preflight for {method} {target}"));
        let before = world.service.decisions();
        let request = Request::new("OPTIONS", target)
            .host(&world.authority())
            .header("Origin", ORIGIN)
            .header("Access-Control-Request-Method", method)
            .header("Access-Control-Request-Headers", "authorization,content-type,mcp-protocol-version");
        answered(world.proxy.kind, &request.send(world.proxy.port), report);
        report.equal("decisions", world.service.decisions(), before);
    }
}

fn answered(kind: Kind, answer: &Response, report: &mut Report) {
    report.holds(matches!(answer.status, 200 | 204), || format!("status is {}", answer.status));
    report.equal("body", answer.text(), "");
    let origin = if kind == Kind::Envoy { ORIGIN } else { "*" };
    report.equal("Access-Control-Allow-Origin", answer.all("access-control-allow-origin"), [origin]);
    report.equal("Access-Control-Allow-Credentials", answer.all("access-control-allow-credentials").len(), 0);
    report.equal("Access-Control-Max-Age", answer.all("access-control-max-age"), ["600"]);
    report.equal("methods", list(answer, "access-control-allow-methods"), ["GET", "POST", "DELETE", "OPTIONS"]);
    report.equal("headers", list(answer, "access-control-allow-headers"), ALLOWED_HEADERS);
}

/// The members of the only header of that name.
fn list<'a>(answer: &'a Response, name: &str) -> Vec<&'a str> {
    match answer.all(name).as_slice() {
        [list] => items(list),
        _ => Vec::new(),
    }
}
