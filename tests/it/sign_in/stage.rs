//! A proxy with the shipped files, the service with its authorization server and a development login, the MCP server.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::http::{Request, Response};
use crate::support::mcp_server::McpServer;
use crate::support::ports;
use crate::support::proxies::{Backends, Kind, Proxy};
use crate::support::service::Service;
use crate::support::tools;

/// The host in the shipped files must be one that clients resolve, and that may have a development login.
const HOST: &str = "localhost";

pub struct Stage {
    service: Option<Service>,
    service_port: u16,
    config: String,
    environment: Vec<(&'static str, PathBuf)>,
    pub proxy: Proxy,
    _server: McpServer,
}

impl Stage {
    pub fn start(kind: Kind) -> Self {
        Self::start_with(kind, "", Vec::new())
    }

    /// The same with `more` sections in the service's configuration and variables in its environment.
    pub fn start_with(kind: Kind, more: &str, environment: Vec<(&'static str, PathBuf)>) -> Self {
        let server = McpServer::start();
        let service_port = ports::free();
        let backends = Backends { service: service_port, upstream: server.port };
        let proxy = Proxy::start_on_host(kind, backends, &|_, text| text, HOST);
        let config = config(proxy.port) + more;
        let service = Some(Service::start_with(service_port, &config, &environment));
        Self { service, service_port, config, environment, proxy, _server: server }
    }

    /// Ends the service and starts it anew. Its store is memory: clients, tokens and keys are gone.
    pub fn restart_without_memory(&mut self) {
        drop(self.service.take());
        self.service = Some(Service::start_with(self.service_port, &self.config, &self.environment));
    }

    pub fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("http://{HOST}:{}/mcp", self.proxy.port)
    }

    /// `issuer`, and the origin of everything.
    pub fn issuer(&self) -> String {
        format!("http://{HOST}:{}", self.proxy.port)
    }

    /// Runs a client of `tests/clients/python` and returns its report.
    pub fn python(&self, script: &str, options: &[&str]) -> Value {
        let mut command = Command::new(tools::tool("python"));
        command.arg(tools::project().join("tests/clients/python").join(script)).args(["--url", &self.url()]);
        let output = command.args(options).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(&said)
            .unwrap_or_else(|error| panic!("{error}: {said}\n{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// A form that is posted through the proxy.
    pub fn post(&self, path: &str, form: &str) -> Response {
        Request::new("POST", path)
            .host(&format!("{HOST}:{}", self.proxy.port))
            .body("application/x-www-form-urlencoded", form)
            .send(self.proxy.port)
    }

    /// `POST /mcp` through the proxy with this token.
    pub fn ask(&self, token: &str) -> Response {
        Request::new("POST", "/mcp")
            .host(&format!("{HOST}:{}", self.proxy.port))
            .bearer(token)
            .body("application/json", "{}")
            .send(self.proxy.port)
    }
}

fn config(port: u16) -> String {
    format!(
        r#"
[[resources]]
url = "http://{HOST}:{port}/mcp"
name = "Notes"
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
