//! From nothing to a tool call through each proxy, to an MCP server that believes nothing but assertions.

use std::process::Command;

use serde_json::Value;

use crate::support::client::{Client, Era, Program, Transport, Visit};
use crate::support::http::Request;
use crate::support::mcp_server::McpServer;
use crate::support::ports;
use crate::support::proxies::{Backends, Kind, Proxy};
use crate::support::service::Service;
use crate::support::tools;

const HOST: &str = "localhost";

struct Stage {
    service: Service,
    server: McpServer,
    proxy: Proxy,
}

impl Stage {
    /// The server fetches the keys from the service itself, under an address that only machines inside know.
    fn start(kind: Kind) -> Self {
        let backends = Backends { service: ports::free(), upstream: ports::free() };
        let proxy = Proxy::start_on_host(kind, backends, &|_, text| text, HOST);
        let mut service = Service::start_at(backends.service, &config(proxy.port));
        service.wait_until_ready();
        let origin = format!("http://{HOST}:{}", proxy.port);
        let server = McpServer::start_with(
            backends.upstream,
            &[
                ("IDENTITY_ASSERTION_JWKS", format!("http://127.0.0.1:{}/jwks", backends.service)),
                ("IDENTITY_ASSERTION_ISSUER", origin.clone()),
                ("IDENTITY_ASSERTION_AUDIENCE", format!("{origin}/mcp")),
            ],
        );
        Self { service, server, proxy }
    }

    fn url(&self) -> String {
        format!("http://{HOST}:{}/mcp", self.proxy.port)
    }
}

fn config(port: u16) -> String {
    format!(
        r#"
[[resources]]
url = "http://{HOST}:{port}/mcp"
identity_assertion = true
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com"]

[authorization_server]
issuer = "http://{HOST}:{port}"

[authorization_server.identity_provider]
kind = "development"

[store]
url = "memory:"
"#
    )
}

#[test]
fn a_server_knows_who_calls_through_traefik() {
    a_server_knows_who_calls(Kind::Traefik);
}

#[test]
fn a_server_knows_who_calls_through_envoy() {
    a_server_knows_who_calls(Kind::Envoy);
}

#[test]
fn a_server_knows_who_calls_through_nginx() {
    a_server_knows_who_calls(Kind::Nginx);
}

#[test]
fn a_server_knows_who_calls_through_caddy() {
    a_server_knows_who_calls(Kind::Caddy);
}

fn a_server_knows_who_calls(kind: Kind) {
    let stage = Stage::start(kind);
    let mut command = Command::new(tools::tool("python"));
    command.arg(tools::project().join("tests/clients/python/sign_in.py")).args(["--url", &stage.url()]);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["error"].is_null(), "{report}");
    let seen: Value = serde_json::from_str(report["answer"].as_str().unwrap()).unwrap();
    let issuer = format!("http://{HOST}:{}", stage.proxy.port);
    let verified = &seen["verified"];
    assert_eq!(verified["sub"], "development:alice@example.com", "{seen}");
    assert_eq!(verified["email"], "alice@example.com", "{seen}");
    assert_eq!((&verified["iss"], &verified["token_issuer"]), (&issuer.as_str().into(), &issuer.as_str().into()));
    assert_eq!(verified["aud"], stage.url(), "{seen}");
    assert_eq!(verified["client_id"], report["client"]["client_id"], "{seen}");
    assert_eq!(verified["scope"], "mcp:read", "{seen}");
    around_the_proxy_there_is_no_way(&stage);
}

/// Whoever reaches the server by another way can write any header but this one.
fn around_the_proxy_there_is_no_way(stage: &Stage) {
    let client = Client::new(Program::Python, Transport::Streamable, Era::Modern);
    let visit = Visit { url: stage.url(), port: stage.server.port, ..Visit::default() };
    let report = client.connect(&visit);
    let error = report.json["error"].as_str().unwrap_or_default().to_owned();
    assert!(!report.succeeded && error.contains("exactly one identity assertion"), "{:?}", report.json);
    let decisions = stage.service.decisions();
    assert_eq!(
        Request::get("/healthz").host(HOST).send(stage.server.port).status,
        200,
        "it was the server that refused"
    );
    assert_eq!(stage.service.decisions(), decisions, "nobody asked the service");
}
