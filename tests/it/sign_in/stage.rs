//! A proxy with the shipped files, the service with its authorization server and a development login, the MCP server.

use std::path::Path;
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

/// What a test wants otherwise than usual.
pub struct Setup {
    /// Keys of `[authorization_server]`, and tables after them.
    pub server: String,
    /// `allowed_emails`, as TOML.
    pub allowed: &'static str,
    /// `required_scopes`, as TOML.
    pub scopes: &'static str,
    /// Tables below the resource.
    pub rules: &'static str,
    /// `store.url`
    pub store: String,
    /// `tokens.leeway`
    pub leeway: &'static str,
    /// Variables of the service's environment.
    pub variables: Vec<(&'static str, String)>,
}

impl Default for Setup {
    fn default() -> Self {
        let server = "[authorization_server.identity_provider]\nkind = \"development\"".to_owned();
        Self {
            server,
            allowed: r#"["alice@example.com"]"#,
            scopes: r#"["mcp:read"]"#,
            rules: "",
            store: "memory:".to_owned(),
            leeway: "30s",
            variables: Vec::new(),
        }
    }
}

pub struct Stage {
    service: Option<Service>,
    service_port: u16,
    config: String,
    variables: Vec<(&'static str, String)>,
    pub proxy: Proxy,
    _server: McpServer,
}

impl Stage {
    pub fn start(kind: Kind) -> Self {
        Self::start_with(kind, |_| Setup::default())
    }

    /// With what `setup` makes of the origin of everything.
    pub fn start_with(kind: Kind, setup: impl FnOnce(&str) -> Setup) -> Self {
        Self::start_edited(kind, |_, text| text, setup)
    }

    /// With the proxy's files changed by `edit`.
    pub fn start_edited(kind: Kind, edit: fn(&str, String) -> String, setup: impl FnOnce(&str) -> Setup) -> Self {
        let server = McpServer::start();
        let service_port = ports::free();
        let backends = Backends { service: service_port, upstream: server.port };
        let proxy = Proxy::start_on_host(kind, backends, &edit, HOST);
        let setup = setup(&format!("http://{HOST}:{}", proxy.port));
        let config = config(proxy.port, &setup);
        let service = Some(start(service_port, &config, &setup.variables));
        Self { service, service_port, config, variables: setup.variables, proxy, _server: server }
    }

    /// Ends the service and starts it anew. Its store is memory: clients, tokens and keys are gone.
    pub fn restart_without_memory(&mut self) {
        drop(self.service.take());
        self.service = Some(start(self.service_port, &self.config, &self.variables));
    }

    /// Ends the service and starts it anew with a changed configuration.
    pub fn restart_changed(&mut self, change: impl FnOnce(&str) -> String) {
        drop(self.service.take());
        self.config = change(&self.config);
        self.service = Some(start(self.service_port, &self.config, &self.variables));
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
        report(command.args(options))
    }

    /// The client on the Rust SDK, which keeps its credentials in `store`. Without a person nobody can be asked.
    pub fn rust(&self, store: &Path, options: &[&str], person: Option<&[&str]>) -> Value {
        let mut command = Command::new(tools::rust_client());
        command.args(["--url", &self.url()]).arg("--store").arg(store).args(options);
        if let Some(words) = person {
            command.arg(tools::tool("python")).arg(tools::project().join("tests/clients/python/person.py")).args(words);
        }
        report(&mut command)
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

/// Runs a client to its end: one JSON object.
fn report(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{error}: {said}\n{}", String::from_utf8_lossy(&output.stderr)))
}

fn start(port: u16, config: &str, variables: &[(&str, String)]) -> Service {
    let mut service = Service::start_in(port, config, variables);
    service.wait_until_ready();
    service
}

fn config(port: u16, setup: &Setup) -> String {
    let Setup { server, allowed, scopes, rules, store, leeway, .. } = setup;
    format!(
        r#"
[tokens]
leeway = "{leeway}"

[[resources]]
url = "http://{HOST}:{port}/mcp"
name = "Notes"
required_scopes = {scopes}
allowed_emails = {allowed}
{rules}

[authorization_server]
issuer = "http://{HOST}:{port}"
{server}

[store]
url = "{store}"
"#
    )
}
