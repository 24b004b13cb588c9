//! The templates for middleware-manager, put into a Traefik file as that program does, with TLS as at its users.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::http::{Request, Response};
use crate::support::proxies::Kind;
use crate::support::world::{HOST, World};
use crate::support::{tls, tools};

const RESOURCE: &str = "https://mcp.example.com/mcp";
const METADATA: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

#[test]
fn the_security_chain_of_the_templates_works() {
    templates_work("mcp-security-chain");
}

/// The README's way for versions that serve Traefik over HTTP.
#[test]
fn the_three_templates_work_one_after_the_other() {
    templates_work("mcp-cors-headers, mcp-redirect-regex, mcp-auth");
}

fn templates_work(middlewares: &str) {
    let world = World::start_configured(
        Kind::Traefik,
        &|name, text| with_templates(name, text, middlewares),
        &|issuer, _| {
            format!(
                "[[issuers]]\nissuer = \"{issuer}\"\n[[resources]]\nurl = \"{RESOURCE}\"\nrequired_scopes = [\"mcp:read\"]\n\
             allowed_emails = [\"alice@example.com\"]\n"
            )
        },
    );
    preflights_are_answered(&world);
    requests_without_a_token_are_challenged(&world);
    the_server_sees_alice_and_no_token(&world);
    metadata_is_redirected(&world);
}

fn preflights_are_answered(world: &World) {
    let preflight = Request::new("OPTIONS", "/mcp")
        .header("Origin", "https://client.example.com")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization,mcp-protocol-version");
    let answer = send(world, &preflight);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET,POST,DELETE,OPTIONS"));
    let headers =
        "Authorization,DPoP,Content-Type,Accept,MCP-Protocol-Version,Mcp-Method,Mcp-Name,Mcp-Session-Id,Last-Event-ID";
    assert_eq!(answer.header("access-control-allow-headers"), Some(headers));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

fn requests_without_a_token_are_challenged(world: &World) {
    let answer = send(world, &Request::new("POST", "/mcp").header("Origin", "https://client.example.com"));
    assert_eq!(answer.status, 401, "{answer:?}");
    let challenge = format!("Bearer resource_metadata=\"{METADATA}\", scope=\"mcp:read\"");
    assert_eq!(answer.header("www-authenticate"), Some(&*challenge));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-expose-headers"), Some("WWW-Authenticate,Mcp-Session-Id"));
}

fn the_server_sees_alice_and_no_token(world: &World) {
    let token = world.issuer.sign(&world.issuer.token_for(RESOURCE));
    let forged = Request::get("/mcp/hello?x=1").bearer(&token).header("X-Forwarded-User", "bob@example.com");
    let answer = send(world, &forged.header("X_Forwarded_User", "bob@example.com").header("X-Auth-Subject", "bob"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let mirrored = answer.json();
    assert_eq!(mirrored["target"], "/mcp/hello?x=1");
    let identity = |header: &&serde_json::Value| {
        let name = header[0].as_str().unwrap().replace('_', "-");
        name.starts_with("x-auth-") || name == "authorization" || name == "x-forwarded-user"
    };
    let mut seen: Vec<_> = mirrored["headers"].as_array().unwrap().iter().filter(identity).cloned().collect();
    seen.sort_by_key(|header| header[0].to_string());
    let expected = [
        json!(["x-auth-client", "test-client"]),
        json!(["x-auth-issuer", world.issuer.url()]),
        json!(["x-auth-resource", RESOURCE]),
        json!(["x-auth-subject", "alice-subject"]),
        json!(["x-forwarded-user", "alice@example.com"]),
    ];
    assert_eq!(seen, expected);
}

fn metadata_is_redirected(world: &World) {
    let well_known = "https://oauth.example.com/.well-known";
    let table = [
        ("oauth-protected-resource/mcp", "oauth-protected-resource?resource=https://mcp.example.com/mcp"),
        (
            "oauth-protected-resource/mcp?resource=https://x",
            "oauth-protected-resource?resource=https://mcp.example.com/mcp",
        ),
        ("oauth-protected-resource", "oauth-protected-resource?resource=https://mcp.example.com"),
        ("oauth-authorization-server", "oauth-authorization-server?resource=https://mcp.example.com"),
        ("openid-configuration/mcp", "openid-configuration?resource=https://mcp.example.com/mcp"),
        ("unknown", "unknown?resource=https://mcp.example.com"),
    ];
    let answers =
        table.map(|(asked, expected)| (send(world, &Request::get(format!("/.well-known/{asked}"))), expected));
    let seen =
        answers.each_ref().map(|(answer, _)| (answer.status, answer.header("location").unwrap_or("").to_owned()));
    assert_eq!(seen, table.map(|(_, expected)| (302, format!("{well_known}/{expected}"))));
    // What the redirect does not take is not let through.
    let odd = send(world, &Request::get("/.well-known/oauth-protected-resource/mcp&resource=x"));
    assert!([401, 403].contains(&odd.status), "{odd:?}");

    let target = seen[0].1.strip_prefix("https://oauth.example.com").unwrap();
    let document = Request::get(target).host("oauth.example.com").send(world.service.port);
    assert_eq!((document.status, &document.json()["resource"]), (200, &json!(RESOURCE)));
}

fn send(world: &World, request: &Request) -> Response {
    tls::send(request, HOST, world.proxy.port)
}

/// `dynamic.yml` is replaced: one router with the given middlewares, once with TLS and once without for the probe that
/// waits for Traefik.
fn with_templates(name: &str, text: String, middlewares: &str) -> String {
    if name != "dynamic.yml" {
        return text;
    }
    let router = format!("rule: Host(`{HOST}`), entryPoints: [web], service: mcp, middlewares: [{middlewares}]");
    format!(
        "http:\n  services:\n    mcp: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:8000'}}]}}}}\n\
         \x20 routers:\n    tls: {{{router}, tls: {{}}}}\n    probe: {{{router}}}\n  middlewares:\n{}",
        middlewares_of(&shipped_templates())
    )
}

/// With the one address replaced that the README says to replace.
fn shipped_templates() -> String {
    let text = std::fs::read_to_string(tools::project().join("middleware-manager/templates.yml")).unwrap();
    let address = "http://mcpauth:11000/auth";
    assert_eq!(text.matches(address).count(), 1);
    text.replace(address, "http://127.0.0.1:11000/auth")
}

/// `- id: NAME`, `type: TYPE`, `config:` become `NAME: {TYPE: …}`; what stands below `config:` stays as it is.
fn middlewares_of(templates: &str) -> String {
    let mut result = String::new();
    for line in templates.lines() {
        if let Some(id) = line.strip_prefix("  - id: ") {
            writeln!(result, "    {id}:").unwrap();
        } else if let Some(kind) = line.strip_prefix("    type: ") {
            writeln!(result, "      {kind}:").unwrap();
        } else if let Some(config) = line.strip_prefix("      ") {
            writeln!(result, "        {config}").unwrap();
        }
    }
    result
}
