//! Rows with a good token that does not open this door: 403, and a challenge only when more scopes would help.

use super::case::{Case, Expected, Refusal, ask, ask_with};
use crate::support::http::Request;
use crate::support::issuer::Token;
use crate::support::world::{HOST, World};

pub fn cases(world: &World) -> Vec<Case> {
    let mut cases = wrong_persons(world);
    cases.extend(too_few_scopes(world));
    cases.extend(no_resource(world));
    cases
}

fn wrong_persons(world: &World) -> Vec<Case> {
    let token = || world.issuer.token_for(&world.resource());
    let named = |email: &str| token().claim("email", email);
    let refused = |name, request: Request, token: &Token, reason, description| {
        let refusal = Refusal::denied(reason, description);
        Case::new(name, request.bearer(&world.issuer.sign(token)), Expected::Refused(refusal))
    };
    let not_allowed = |name, token: &Token| {
        refused(name, ask(world), token, "principal_not_allowed", "the caller may not use this resource")
    };
    let unverified = |name, token: &Token| {
        refused(name, ask(world), token, "email_not_verified", "the e-mail address is not verified")
    };
    vec![
        not_allowed("the wrong person", &named("bob@example.com")),
        not_allowed("somebody at a subdomain of an allowed domain", &named("bob@sub.corp.example")),
        not_allowed("somebody without address", &token().without("email")),
        unverified("an allowed address, said to be unverified", &token().claim("email_verified", false)),
        unverified("an allowed address, not said to be verified", &token().without("email_verified")),
        unverified("an unverified address of an allowed domain", &named("bob@corp.example").without("email_verified")),
        refused(
            "a group that the other resource does not allow",
            ask_with(world, "GET", "/other/row"),
            &world
                .issuer
                .token_for(&world.resource_at("/other"))
                .claim("scope", "mcp:write")
                .claim("groups", vec!["guests"]),
            "principal_not_allowed",
            "the caller may not use this resource",
        ),
    ]
}

/// The challenge asks for what was granted and what is missing, together.
fn too_few_scopes(world: &World) -> Vec<Case> {
    let token = |scope: &str| world.issuer.token_for(&world.resource()).claim("scope", scope);
    let refused = |name, request: Request, token: &Token, path, wanted| {
        let refusal = Refusal::insufficient_scope(world, path, wanted);
        Case::new(name, request.bearer(&world.issuer.sign(token)), Expected::Refused(refusal))
    };
    let no_scope = world.issuer.token_for(&world.resource()).without("scope");
    let reader = world.issuer.token_for(&world.resource_at("/other")).claim("scope", "mcp:read");
    let post = ask_with(world, "POST", "/other/row").body("application/json", "{}");
    vec![
        refused("no scope at all", ask(world), &no_scope, "/mcp", "mcp:read"),
        refused("other scopes", ask(world), &token("profile mcp:other"), "/mcp", "mcp:other mcp:read profile"),
        refused("a scope that only starts like it", ask(world), &token("mcp:reader"), "/mcp", "mcp:read mcp:reader"),
        refused("a narrower scope", ask_with(world, "GET", "/other"), &reader, "/other", "mcp:read mcp:write"),
        refused("a narrower scope, POST", post, &reader, "/other", "mcp:read mcp:write"),
        refused("a narrower scope, HEAD", ask_with(world, "HEAD", "/other"), &reader, "/other", "mcp:read mcp:write"),
    ]
}

/// What is not configured is not there, token or not.
fn no_resource(world: &World) -> Vec<Case> {
    let good = world.issuer.sign(&world.issuer.token_for(&world.resource()));
    let unknown = |name, request: Request| {
        let description = "no protected resource is configured for this URL";
        Case::new(name, request, Expected::Refused(Refusal::denied("unknown_resource", description)))
    };
    let other_host = |name| {
        let request = Request::get("/echo-request/row").host("other.example.com").bearer(&good);
        // No proxy knows the host, so none asks.
        Case::new(name, request, Expected::RefusedByProxy(404))
    };
    let ambiguous = Refusal {
        error: "invalid_request",
        ..Refusal::denied("ambiguous_path", "the path can be read in more than one way")
    };
    let encoded_twice = ask_with(world, "GET", "/echo-request/x%252fy").bearer(&good);
    let without_port = Request::get("/echo-request/row").host(HOST).header("Origin", super::case::ORIGIN);
    vec![
        unknown("an unknown path without token", ask_with(world, "GET", "/elsewhere?x=1")),
        unknown("an unknown path with a good token", ask_with(world, "GET", "/elsewhere?x=1").bearer(&good)),
        unknown("the root", ask_with(world, "GET", "/").bearer(&good)),
        unknown("a path that only starts like a resource", ask_with(world, "GET", "/mcpx").bearer(&good)),
        unknown("the host on another port", without_port.bearer(&good)),
        unknown("a name like that of an OAuth endpoint", ask_with(world, "GET", "/authorizeX").bearer(&good)),
        unknown("under an OAuth endpoint", ask_with(world, "POST", "/token/x").bearer(&good)),
        unknown("the folder of the documents without its slash", ask_with(world, "GET", "/.well-known")),
        unknown("a name like that of the documents' folder", ask_with(world, "GET", "/.well-knownX/unknown")),
        other_host("an unknown host"),
        Case::new("a path with two readings", encoded_twice, Expected::Refused(ambiguous)),
    ]
}
