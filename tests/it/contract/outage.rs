//! The service is gone: every proxy refuses everything that it would have asked for, and recovers by itself.

use super::case::{ask, ask_with};
use super::check;
use crate::support::http::{Request, Response};
use crate::support::process::eventually;
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::world::{World, config};

fn outage(kind: Kind) {
    let mut world = World::start(kind);
    let good = world.issuer.sign(&world.issuer.token_for(&world.resource()));
    let allowed = |world: &World| ask(world).bearer(&good).send(world.proxy.port).status == 200;
    // Connections to the service are open and warm before it goes.
    assert!(allowed(&world));
    world.service.process.kill();
    let mut report = Report::new(kind);
    for (name, request, decided) in requests(&world, &good) {
        report.row(name);
        let answer = request.send(world.proxy.port);
        report.holds(answer.status >= 500, || format!("status is {}", answer.status));
        report.holds(check::mirrored(&answer).is_none(), || "the MCP server was reached".into());
        report.equal("WWW-Authenticate", answer.all("www-authenticate").len(), 0);
        if decided {
            undecided(kind, &answer, &mut report);
        }
    }
    world.service = Service::start_at(world.service.port, &config(&world.issuer.url(), world.proxy.port));
    world.service.wait_until_ready();
    eventually("the proxy asks again", || allowed(&world));
    report.row("after the outage");
    report.equal("status without token", ask(&world).send(world.proxy.port).status, 401);
    report.finish();
}

fn requests(world: &World, good: &str) -> Vec<(&'static str, Request, bool)> {
    let document = "/.well-known/oauth-protected-resource/mcp";
    let forged = ask(world).bearer(good).header("X-Forwarded-User", "root").header("X-Auth-Subject", "root");
    vec![
        ("a good token", ask(world).bearer(good), true),
        ("a good token again", ask(world).bearer(good), true),
        ("no token", ask(world), true),
        ("a bad token", ask(world).bearer("garbage"), true),
        ("forged identity", forged, true),
        ("POST", ask_with(world, "POST", "/mcp").bearer(good).body("application/json", "{}"), true),
        ("DELETE", ask_with(world, "DELETE", "/mcp").bearer(good), true),
        ("an unknown path", ask_with(world, "GET", "/elsewhere").bearer(good), true),
        ("OPTIONS that is no preflight", ask_with(world, "OPTIONS", "/mcp").bearer(good), true),
        ("metadata", ask_with(world, "GET", document), false),
        ("an OAuth endpoint", ask_with(world, "POST", "/token").body("application/json", "{}"), false),
    ]
}

/// 503, a hint when to come back, and nothing to remember. Traefik says 500 and cannot be told otherwise.
fn undecided(kind: Kind, answer: &Response, report: &mut Report) {
    if kind == Kind::Traefik {
        return report.equal("status", answer.status, 500);
    }
    report.equal("status", answer.status, 503);
    report.equal("Retry-After", answer.all("retry-after"), ["5"]);
    report.equal("Cache-Control", answer.all("cache-control"), ["no-store"]);
    report.equal("Content-Type", answer.all("content-type"), ["application/json"]);
    let body = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default();
    report.equal("error", &body["error"], "temporarily_unavailable");
    check::cors(kind, answer, report);
}

#[test]
fn traefik_fails_closed_and_recovers() {
    outage(Kind::Traefik);
}

#[test]
fn envoy_fails_closed_and_recovers() {
    outage(Kind::Envoy);
}

#[test]
fn nginx_fails_closed_and_recovers() {
    outage(Kind::Nginx);
}

#[test]
fn caddy_fails_closed_and_recovers() {
    outage(Kind::Caddy);
}
