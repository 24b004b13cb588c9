//! What a client may read before it has a token: metadata, and the OAuth endpoints that clients guess.

use serde_json::{Value, json};

use super::case::ask_with;
use super::{check, preflight};
use crate::support::http::{Request, Response};
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::world::World;

fn documents(kind: Kind) {
    let world = World::start(kind);
    let mut report = Report::new(kind);
    let before = world.service.decisions();
    metadata(&world, &mut report);
    absent(&world, &mut report);
    report.row("documents");
    report.equal("decisions", world.service.decisions(), before);
    preflight::check(&world, &mut report);
    report.finish();
}

fn notes(world: &World) -> Value {
    json!({
        "resource": world.resource(),
        "authorization_servers": [world.issuer.url()],
        "scopes_supported": ["mcp:read"],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "RS256", "PS256"],
        "resource_name": "Notes",
    })
}

/// RFC 9728 documents: of each resource by its path, and by its name in the query.
fn metadata(world: &World, report: &mut Report) {
    let other = json!({
        "resource": world.resource_at("/other"),
        "authorization_servers": [world.issuer.url()],
        "scopes_supported": ["mcp:write"],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "RS256", "PS256"],
    });
    let by_name = format!("/.well-known/oauth-protected-resource?resource={}", world.resource());
    for (target, expected) in [
        ("/.well-known/oauth-protected-resource/mcp", notes(world)),
        ("/.well-known/oauth-protected-resource/mcp/", notes(world)),
        ("/.well-known/oauth-protected-resource/mcp?x=1", notes(world)),
        ("/.well-known/oauth-protected-resource/other", other),
        (&by_name, notes(world)),
    ] {
        report.row(format!("GET {target}"));
        let answer = ask_with(world, "GET", target).send(world.proxy.port);
        report.equal("document", serde_json::from_slice(&answer.body).unwrap_or(Value::Null), expected);
        document_headers(world, &answer, report);
        report.row(format!("HEAD {target}"));
        let answer = ask_with(world, "HEAD", target).send(world.proxy.port);
        report.equal("body", answer.text(), "");
        document_headers(world, &answer, report);
    }
    report.row("metadata with a token that is no good");
    let request = ask_with(world, "GET", "/.well-known/oauth-protected-resource/mcp").bearer("garbage");
    document_headers(world, &request.send(world.proxy.port), report);
    report.row("metadata without Origin");
    let request = Request::get("/.well-known/oauth-protected-resource/mcp").host(&world.authority());
    report.equal("status", request.send(world.proxy.port).status, 200);
}

fn document_headers(world: &World, answer: &Response, report: &mut Report) {
    report.equal("status", answer.status, 200);
    report.equal("Content-Type", answer.all("content-type"), ["application/json"]);
    report.equal("Cache-Control", answer.all("cache-control"), ["public, max-age=300"]);
    report.equal("WWW-Authenticate", answer.all("www-authenticate").len(), 0);
    check::cors(world.proxy.kind, answer, report);
}

/// Documents that the service does not have.
pub const ABSENT: [&str; 22] = [
    // Two resources on this host: which one is meant cannot be told.
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/",
    "/.well-known/oauth-protected-resource/elsewhere",
    "/.well-known/oauth-protected-resource/mcp/deeper",
    "/.well-known/oauth-protected-resource?resource=http://elsewhere.example.com/mcp",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/mcp",
    "/.well-known/jwks.json",
    // Others that clients look for, now or one day.
    "/.well-known/",
    "/.well-known/unknown",
    "/.well-known/unknown?x=1",
    "/.well-known/mcp.json",
    "/.well-known/mcp/server-card.json",
    "/.well-known/oauth-protected-resourceX",
    "/.well-known/oauth-protected-resource.json",
    "/.well-known/openid-configuration.json",
    "/.well-known/oauth-client/deep/er/",
    "/.well-known/security.txt",
    "/.well-known/auth",
    "/.well-known/%C3%A9",
];

/// Methods that ask for a document, or for what may be done with one.
pub const METHODS: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// 404 in JSON: clients take 401 for "sign in first" and 5xx for "broken", and give up.
fn absent(world: &World, report: &mut Report) {
    let rows = METHODS.iter().flat_map(|method| ABSENT.map(|path| (*method, path)));
    let endpoints = [
        "/authorize",
        "/token",
        "/register",
        "/register/x",
        "/revoke",
        "/introspect",
        "/callback",
        "/consent",
        "/jwks",
        "/sign-in",
        "/sign-in/x",
        "/sign-out",
        "/connections",
    ];
    let rows = rows.chain(endpoints.iter().flat_map(|path| [("GET", *path), ("POST", *path)]));
    for (method, target) in
        rows.chain([("GET", "/authorize?client_id=x&redirect_uri=http://localhost/"), ("PUT", "/register/x")])
    {
        report.row(format!("{method} {target}"));
        let request = ask_with(world, method, target);
        let request = if METHODS.contains(&method) { request } else { request.body("application/json", "{}") };
        let answer = request.send(world.proxy.port);
        is_absent(method, &answer, report);
        report.equal("Cache-Control", answer.all("cache-control"), ["no-store"]);
        check::cors(world.proxy.kind, &answer, report);
    }
    report.row("an unknown document, asked for with a token that is no good");
    let request = ask_with(world, "GET", "/.well-known/unknown").bearer("garbage");
    is_absent("GET", &request.send(world.proxy.port), report);
    report.row("POST to a document");
    let request = ask_with(world, "POST", "/.well-known/oauth-protected-resource/mcp");
    let answer = request.body("application/json", "{}").send(world.proxy.port);
    report.equal("status", answer.status, 405);
    report.equal("Allow", answer.all("allow"), ["GET, HEAD"]);
}

/// The service's own 404.
pub fn is_absent(method: &str, answer: &Response, report: &mut Report) {
    let not_found = json!({ "error": "not_found", "error_description": "there is nothing at this URL" });
    report.equal("status", answer.status, 404);
    report.equal("Content-Type", answer.all("content-type"), ["application/json"]);
    report.equal("WWW-Authenticate", answer.all("www-authenticate").len(), 0);
    if method == "HEAD" {
        report.equal("body", answer.text(), "");
    } else {
        report.equal("body", &serde_json::from_slice(&answer.body).unwrap_or(Value::Null), &not_found);
    }
}

#[test]
fn traefik_serves_documents_and_preflights_without_a_decision() {
    documents(Kind::Traefik);
}

#[test]
fn envoy_serves_documents_and_preflights_without_a_decision() {
    documents(Kind::Envoy);
}

#[test]
fn nginx_serves_documents_and_preflights_without_a_decision() {
    documents(Kind::Nginx);
}

#[test]
fn caddy_serves_documents_and_preflights_without_a_decision() {
    documents(Kind::Caddy);
}
