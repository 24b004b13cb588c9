//! A service with its authorization server, a development login and a store in a file, with or without a proxy.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::http::{Request, Response};
use crate::support::mcp_server::McpServer;
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::proxies::{Backends, Kind, Proxy};
use crate::support::service::Service;
use crate::support::tools;

/// A name that clients resolve, and that may have a development login.
const HOST: &str = "localhost";

/// A client of the configuration.
pub const CONFIGURED: &str = "nightly-report";

pub struct Stage {
    pub service: Service,
    /// Where clients ask: the proxy's port, or the service's own.
    pub port: u16,
    behind: Option<(Proxy, McpServer)>,
    folder: TempDir,
}

impl Stage {
    /// Clients ask the service itself.
    pub fn start() -> Self {
        let (port, folder) = (ports::free(), TempDir::new());
        let service = Service::start_at(port, &config(port, &folder));
        Self { service, port, behind: None, folder }
    }

    /// Clients ask a proxy with the shipped files.
    pub fn behind(kind: Kind) -> Self {
        let (server, service_port, folder) = (McpServer::start(), ports::free(), TempDir::new());
        let backends = Backends { service: service_port, upstream: server.port };
        let proxy = Proxy::start_on_host(kind, backends, &|_, text| text, HOST);
        let port = proxy.port;
        let service = Service::start_at(service_port, &config(port, &folder));
        Self { service, port, behind: Some((proxy, server)), folder }
    }

    /// The service without proxy, started by a shell command that ends with the program and its arguments.
    pub fn start_under(wrapper: &[&str]) -> Self {
        let (port, admin_port, folder) = (ports::free(), ports::free(), TempDir::new());
        let file = folder.write("config.toml", &config(port, &folder));
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(tools::service_binary()).arg("serve").arg("--config").arg(file);
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--set", &format!("server.admin_listen=127.0.0.1:{admin_port}")]);
        let service = Service::launch(port, admin_port, TempDir::new(), &mut command);
        Self { service, port, behind: None, folder }
    }

    /// Ends the service, does something to its files, and starts it again.
    pub fn restart_after(&mut self, change: impl FnOnce(&std::path::Path)) {
        assert!(self.service.process.terminate().success());
        change(&self.folder.path().join("store.redb"));
        self.service = Service::start_at(self.service.port, &config(self.port, &self.folder));
    }

    pub fn issuer(&self) -> String {
        format!("http://{HOST}:{}", self.port)
    }

    /// The resource at `path`.
    pub fn resource(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    /// A request as clients send it.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target).host(&format!("{HOST}:{}", self.port))
    }

    pub fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.request("POST", path).body("application/x-www-form-urlencoded", body).send(self.port)
    }

    /// What becomes of a request to the resource at `path` with this token: the proxy lets it through, or `/auth` does.
    pub fn lets_through(&self, path: &str, token: &str) -> bool {
        let answer = if self.behind.is_some() {
            self.request("POST", path).bearer(token).body("application/json", "{}").send(self.port)
        } else {
            self.service.ask("POST", &self.resource(path), Some(token))
        };
        assert!(answer.status != 403 && answer.status < 500, "{answer:?}");
        answer.status != 401
    }

    /// Runs a command of the operator against this service.
    pub fn operator(&self, arguments: &[&str]) -> Said {
        let admin = format!("127.0.0.1:{}", self.service.admin_port);
        run(&[arguments, &["--admin", &admin]].concat())
    }

    /// The same, which must succeed, with its answer as JSON.
    pub fn operator_json(&self, arguments: &[&str]) -> Value {
        let said = self.operator(&[arguments, &["--json"]].concat());
        assert_eq!((said.code, &*said.complaint), (0, ""), "{arguments:?}: {}", said.text);
        serde_json::from_str(&said.text).unwrap_or_else(|error| panic!("{error}: {}", said.text))
    }
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub text: String,
    pub complaint: String,
}

/// Runs the program with these arguments.
pub fn run(arguments: &[&str]) -> Said {
    let Output { status, stdout, stderr } =
        Command::new(tools::service_binary()).args(arguments).env_clear().output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: status.code().unwrap(), text: text(stdout), complaint: text(stderr) }
}

fn config(port: u16, folder: &TempDir) -> String {
    let store = folder.path().join("store.redb");
    format!(
        r#"
[[resources]]
url = "http://{HOST}:{port}/mcp"
name = "Notes"
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com", "bob@example.com"]

[[resources]]
url = "http://{HOST}:{port}/other"
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com", "bob@example.com"]

[authorization_server]
issuer = "http://{HOST}:{port}"

[authorization_server.identity_provider]
kind = "development"

[[authorization_server.clients]]
client_id = "{CONFIGURED}"
redirect_uris = ["https://report.example.com/callback"]

[store]
url = "file:{store}"
"#,
        store = store.display()
    )
}
