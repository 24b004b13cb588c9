//! Everything at once: issuer, service, MCP server, proxy.

use super::issuer::TestIssuer;
use super::mcp_server::McpServer;
use super::ports;
use super::proxies::{Backends, Edit, Kind, Proxy};
use super::service::Service;

pub const HOST: &str = "mcp.example.com";

pub struct World {
    pub issuer: TestIssuer,
    pub service: Service,
    /// Held so that it ends with the value.
    _server: McpServer,
    pub proxy: Proxy,
}

impl World {
    /// The proxy with the shipped files, the service protecting `http://mcp.example.com:<port>/mcp`.
    pub fn start(kind: Kind) -> Self {
        Self::start_with(kind, &|_, text| text, "")
    }

    /// The same with the proxy's files changed by `edit`.
    pub fn start_edited(kind: Kind, edit: &Edit<'_>) -> Self {
        Self::start_with(kind, edit, "")
    }

    /// The same with `more` sections in the service's configuration.
    pub fn start_with(kind: Kind, edit: &Edit<'_>, more: &str) -> Self {
        Self::start_configured(kind, edit, &|issuer, port| config(issuer, port) + more)
    }

    /// The same with a configuration of the service made from the issuer's identifier and the proxy's port.
    pub fn start_configured(kind: Kind, edit: &Edit<'_>, config: &dyn Fn(&str, u16) -> String) -> Self {
        let issuer = TestIssuer::start();
        let server = McpServer::start();
        // The resource's port is the proxy's, which is known only once the proxy runs: the service starts after it, on
        // a port chosen before.
        let service_port = ports::free();
        let proxy = Proxy::start_edited(kind, Backends { service: service_port, upstream: server.port }, edit);
        let config = config(&issuer.url(), proxy.port);
        let mut service = Service::start_at(service_port, &config);
        service.wait_until_ready();
        Self { issuer, service, _server: server, proxy }
    }

    /// The resource's identifier.
    pub fn resource(&self) -> String {
        self.resource_at("/mcp")
    }

    /// The identifier of the resource at `path`.
    pub fn resource_at(&self, path: &str) -> String {
        format!("http://{HOST}:{}{path}", self.proxy.port)
    }

    /// `Host` as a client of the proxy sends it.
    pub fn authority(&self) -> String {
        format!("{HOST}:{}", self.proxy.port)
    }
}

/// One resource for Alice, in the order of documentation.
pub fn config(issuer: &str, port: u16) -> String {
    format!(
        r#"
[[issuers]]
issuer = "{issuer}"

[[resources]]
url = "http://{HOST}:{port}/mcp"
name = "Notes"
insecure_http = true
also_paths = ["/sse", "/messages", "/echo-request"]
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com", "*@corp.example"]

[[resources]]
url = "http://{HOST}:{port}/other"
insecure_http = true
required_scopes = ["mcp:write"]
allowed_groups = ["staff"]

[scopes.implies]
"mcp:admin" = ["mcp:write"]
"mcp:write" = ["mcp:read"]
"#
    )
}
