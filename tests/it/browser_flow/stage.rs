//! A proxy with the shipped files, the service with a development login, the MCP server, and people in a browser.

use serde_json::{Value, json};

use crate::support::chromium::{self, texts};
use crate::support::mcp_server::McpServer;
use crate::support::ports;
use crate::support::proxies::{Backends, Kind, Proxy};
use crate::support::service::Service;
use crate::support::tools;

/// A name that browsers resolve and that may have a development login.
const HOST: &str = "localhost";

pub struct Stage {
    _service: Service,
    proxy: Proxy,
    _server: McpServer,
}

impl Stage {
    /// With the development login alone.
    pub fn start(kind: Kind) -> Self {
        Self::start_with(kind, "", |_| DEVELOPMENT.to_owned())
    }

    /// With `settings` in `[authorization_server]`, and the providers that `providers` writes for our origin.
    pub fn start_with(kind: Kind, settings: &str, providers: impl FnOnce(&str) -> String) -> Self {
        let server = McpServer::start();
        let service_port = ports::free();
        let backends = Backends { service: service_port, upstream: server.port };
        let proxy = Proxy::start_on_host(kind, backends, &|_, text| text, HOST);
        let issuer = format!("http://{HOST}:{}", proxy.port);
        let config = config(&issuer, settings, &providers(&issuer));
        Self { _service: Service::start_at(service_port, &config), proxy, _server: server }
    }

    /// Runs every case of `tests/browser/scenarios/flow/<scenario>.mjs`; fails with all that failed.
    pub fn passes(&self, scenario: &str) {
        let data = |name: &str| std::fs::read_to_string(tools::project().join("tests/data").join(name)).unwrap();
        let world = json!({
            "issuer": format!("http://{HOST}:{}", self.proxy.port),
            "tls": { "key": data("client.localhost.key.pem"), "cert": data("client.localhost.crt.pem") },
        });
        let seen: Value = chromium::run(&format!("flow/{scenario}"), &world);
        let failures = texts(&seen["failures"]);
        assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), seen["ran"], failures.join("\n\n"));
        assert!(seen["ran"].as_u64() > Some(0), "{scenario} has no cases");
    }
}

pub const DEVELOPMENT: &str = "[authorization_server.identity_provider]\nkind = \"development\"\n";

/// Some may use the server; Carol may not.
pub fn config(issuer: &str, settings: &str, providers: &str) -> String {
    const ALLOWED: [&str; 6] = ["alice", "bob", "erin", "frank", "grace", "henry"];
    let allowed = ALLOWED.map(|name| format!("\"{name}@example.com\"")).join(", ");
    format!(
        r#"
[[resources]]
url = "{issuer}/mcp"
name = "Notes"
required_scopes = ["mcp:read"]
challenge_scopes = ["mcp:read", "mcp:write"]
allowed_emails = [{allowed}]

[authorization_server]
issuer = "{issuer}"
name = "Example Notes"
{settings}
[authorization_server.scope_descriptions]
"mcp:read" = "Read your notes"
"mcp:write" = "Change your notes"

{providers}
[store]
url = "memory:"
"#
    )
}
