//! Under `/auth` nothing but decisions lives, whatever the method and the path.

use serde_json::json;

use super::{CONTRACTS, Contract, Pair, RESOURCE, refused};
use crate::support::http::Request;
use crate::support::report::Report;

#[test]
fn every_unknown_path_under_auth_is_a_refusal() {
    let pair = Pair::start();
    let token = pair.token(RESOURCE);
    let mut report = Report::new("unknown endpoints");
    for target in [
        "/auth/",
        "/auth/x",
        "/auth/health",
        "/auth/healthz",
        "/auth/metrics",
        "/auth/nginx/",
        "/auth/nginx/x",
        "/auth/nginxx",
        "/auth/envoyx",
        "/auth/envoy.",
        "/auth/ENVOY/mcp",
        "/auth/traefik",
        "/auth/../health",
        "/auth/.well-known/oauth-protected-resource/mcp",
        "/auth//",
    ] {
        for method in ["GET", "POST", "OPTIONS"] {
            report.row(format!("{method} {target}"));
            refused(
                &complete(method, target, &token).send(pair.service.port),
                403,
                "invalid_request",
                "invalid_request",
                &mut report,
            );
        }
    }
    for target in ["/authx", "/auth%2fnginx", "/auth%2f", "/AUTH", "//auth", "/./auth", "/x/../auth", "/authorize", "/"]
    {
        report.row(target);
        report.equal("status", complete("GET", target, &token).send(pair.service.port).status, 404);
    }
    report.finish();
}

/// A good token and every header that any contract asks for: only the path can be wrong.
fn complete(method: &str, target: &str, token: &str) -> Request {
    let (_, _, forwarded) = Contract::ForwardAuth.question("GET", RESOURCE);
    let (_, _, original) = Contract::AuthRequest.question("GET", RESOURCE);
    let headers = forwarded.into_iter().chain(original.into_iter().filter(|(name, _)| *name != "Host"));
    headers.fold(Request::new(method, target), |request, (name, value)| request.header(name, value)).bearer(token)
}

/// Proxies ask with GET, with the client's method, or with what an operator configured.
#[test]
fn every_method_is_a_decision() {
    let pair = Pair::start();
    let token = pair.token(RESOURCE);
    let mut report = Report::new("methods");
    for method in
        ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "BREW", "get", "M-SEARCH"]
    {
        for contract in CONTRACTS {
            report.row(format!("{contract:?} asked with {method}"));
            let mut request = contract.ask("POST", RESOURCE);
            method.clone_into(&mut request.method);
            report.equal("without token", request.send(pair.service.port).status, 401);
            report.equal("with the right token", request.bearer(&token).send(pair.service.port).status, 200);

            report.row(format!("{contract:?} asked about {method}"));
            let about = contract.ask(method, RESOURCE);
            report.equal("without token", about.send(pair.service.port).status, 401);
            report.equal("with the right token", about.bearer(&token).send(pair.service.port).status, 200);
        }
    }
    report.finish();
}

/// Caddy appends the client's query: nothing in it may change anything.
#[test]
fn the_query_of_the_decision_url_is_not_read() {
    let pair = Pair::start();
    let token = pair.token(RESOURCE);
    let mut report = Report::new("queries");
    for query in [
        "?".to_owned(),
        "?x=1".to_owned(),
        "?mode=audit&contract=nginx&resource=https://mcp.example.com/other".to_owned(),
        format!("?access_token={token}"),
        "?X-Forwarded-Uri=/public&rd=/x/../y//z".to_owned(),
    ] {
        for contract in [Contract::ForwardAuth, Contract::AuthRequest] {
            report.row(format!("{contract:?} {query:.40}"));
            let mut request = contract.ask("POST", RESOURCE);
            request.target.extend(query.as_bytes());
            report.equal("without token", request.send(pair.service.port).json()["reason"].clone(), "missing_token");
            report.equal("with the right token", request.bearer(&token).send(pair.service.port).status, 200);
        }
    }
    report.finish();
}

/// A preflight carries no token; one that does, or is not quite one, is judged.
#[test]
fn a_preflight_is_allowed_as_nobody() {
    let pair = Pair::start();
    let mut report = Report::new("preflights");
    for contract in CONTRACTS {
        let origin = |request: Request| request.header("Origin", "https://app.example.com");
        let asks = |request: Request| request.header("Access-Control-Request-Method", "POST");
        let no_method = |request: Request| request.header("Access-Control-Request-Method", "a:b");
        for (name, request, status) in [
            ("a preflight", asks(origin(contract.ask("OPTIONS", RESOURCE))), 200),
            ("without Origin", asks(contract.ask("OPTIONS", RESOURCE)), 401),
            ("without Access-Control-Request-Method", origin(contract.ask("OPTIONS", RESOURCE)), 401),
            ("another method", asks(origin(contract.ask("POST", RESOURCE))), 401),
            ("with an empty Origin", asks(contract.ask("OPTIONS", RESOURCE).header("Origin", "")), 401),
            ("with two origins", asks(origin(origin(contract.ask("OPTIONS", RESOURCE)))), 401),
            ("asking for two methods", asks(asks(origin(contract.ask("OPTIONS", RESOURCE)))), 401),
            ("asking for no method", no_method(origin(contract.ask("OPTIONS", RESOURCE))), 401),
            ("with a bad token", asks(origin(contract.ask("OPTIONS", RESOURCE))).bearer("garbage"), 401),
            ("of an unknown resource", asks(origin(contract.ask("OPTIONS", "https://mcp.example.com/x"))), 403),
        ] {
            report.row(format!("{contract:?}, {name}"));
            let answer = request.send(pair.service.port);
            report.equal("status", answer.status, status);
            if status == 200 {
                report.equal("user", answer.all("x-forwarded-user"), [""]);
                report.equal("resource", answer.all("x-auth-resource"), [RESOURCE]);
            }
        }
    }
    report.finish();
}

#[test]
fn everything_beside_decisions_answers_in_json() {
    let pair = Pair::start();
    let mut report = Report::new("other paths");
    let not_found = json!({ "error": "not_found", "error_description": "there is nothing at this URL" });
    for (method, target, status) in [
        ("GET", "/health", 200),
        ("HEAD", "/health", 200),
        ("POST", "/health", 405),
        ("GET", "/healthz", 404),
        ("GET", "/readyz", 404),
        ("GET", "/metrics", 404),
        ("GET", "/mcp", 404),
        ("GET", "/authorize", 404),
        ("POST", "/token", 404),
        ("POST", "/register", 404),
        ("GET", "/.well-known/oauth-authorization-server", 404),
        ("GET", "/.well-known/openid-configuration/mcp", 404),
        ("GET", "/.well-known/unknown", 404),
        ("GET", "/.well-known/oauth-protected-resourceX", 404),
        ("GET", "/.well-known", 404),
        ("GET", "/.well-known/", 404),
    ] {
        report.row(format!("{method} {target}"));
        let answer = Request::new(method, target).host("mcp.example.com").send(pair.service.port);
        report.equal("status", answer.status, status);
        report.equal("Content-Type", answer.all("content-type"), ["application/json"]);
        if status == 404 {
            report.equal("body", answer.json(), not_found.clone());
        }
    }
    report.finish();
}
