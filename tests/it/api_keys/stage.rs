//! A service that gives out API keys, with an issuer of tokens beside them, and nothing in front of it.

use serde_json::Value;

use crate::operators::stage::{Said, run};
use crate::support::http::{Request, Response};
use crate::support::issuer::TestIssuer;
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::service::Service;

pub const RESOURCE: &str = "https://mcp.example.com/mcp";
/// It admits keys as well.
pub const OTHER: &str = "https://mcp.example.com/other";
/// For people only.
pub const PEOPLE: &str = "https://mcp.example.com/people";

pub struct Stage {
    pub service: Service,
    pub issuer: TestIssuer,
    port: u16,
    folder: TempDir,
    config: String,
}

impl Stage {
    pub fn start() -> Self {
        Self::start_with(|text| text)
    }

    /// With the configuration changed by `edit`.
    pub fn start_with(edit: impl FnOnce(String) -> String) -> Self {
        let (issuer, folder, port) = (TestIssuer::start(), TempDir::new(), ports::free());
        let config = edit(config(&issuer.url(), &folder));
        let mut service = Service::start_at(port, &config);
        service.wait_until_ready();
        Self { service, issuer, port, folder, config }
    }

    /// Starts it again, with the configuration changed by `edit`, after it was ended by `end`.
    pub fn restart_after(&mut self, end: impl FnOnce(&mut Service), edit: impl FnOnce(String) -> String) {
        end(&mut self.service);
        self.config = edit(std::mem::take(&mut self.config));
        self.service = Service::start_at(self.port, &self.config);
        self.service.wait_until_ready();
    }

    /// Everything that the service keeps on the disk.
    pub fn stored(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }

    /// What becomes of a request to the resource with this in its header: `ok`, or the reason.
    pub fn ask(&self, url: &str, token: &str) -> String {
        verdict(&self.service.ask("POST", url, Some(token)))
    }

    pub fn operator(&self, arguments: &[&str]) -> Said {
        operator(&self.service, arguments)
    }

    pub fn listed(&self) -> Vec<Value> {
        listed(&self.service)
    }

    pub fn create(&self, name: &str, more: &[&str]) -> String {
        create(&self.service, name, &[&["--resource", RESOURCE, "--scope", "mcp:read"], more].concat())
    }

    /// A command as a POST to the admin listener.
    pub fn post(&self, path: &str, body: &str) -> Response {
        Request::new("POST", path).host("localhost").body("application/json", body).send(self.service.admin_port)
    }
}

pub fn verdict(answer: &Response) -> String {
    if answer.status == 200 { "ok".into() } else { answer.reason() }
}

/// Runs a command of the operator against this service.
pub fn operator(service: &Service, arguments: &[&str]) -> Said {
    let admin = format!("127.0.0.1:{}", service.admin_port);
    run(&[&["api-key"], arguments, &["--admin", &admin]].concat())
}

/// Makes a key, which is all that is on standard output.
pub fn create(service: &Service, name: &str, more: &[&str]) -> String {
    let said = operator(service, &[&["create", "--name", name], more].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let key = said.text.strip_suffix('\n').unwrap().to_owned();
    assert!(key.starts_with("mfa_") && key.len() == 53, "{said:?}");
    assert!(!said.complaint.contains("mfa_"), "{said:?}");
    key
}

pub fn listed(service: &Service) -> Vec<Value> {
    let said = operator(service, &["list", "--json"]);
    assert_eq!((said.code, &*said.complaint), (0, ""), "{said:?}");
    let answer: Value = serde_json::from_str(&said.text).unwrap();
    answer["api_keys"].as_array().unwrap().clone()
}

fn config(issuer: &str, folder: &TempDir) -> String {
    let store = folder.path().join("state.redb");
    format!(
        r#"
[log]
allows = 1.0

[api_keys]
max_lifetime = "unlimited"

[store]
url = "file:{store}"

[[issuers]]
issuer = "{issuer}"

[[resources]]
url = "{RESOURCE}"
required_scopes = ["mcp:read"]
allowed_groups = ["staff"]
allow_api_keys = true

[[resources]]
url = "{OTHER}"
required_scopes = ["mcp:write"]
allowed_groups = ["staff"]
allow_api_keys = true

[[resources]]
url = "{PEOPLE}"
allow_any_authenticated = true
"#,
        store = store.display()
    )
}
