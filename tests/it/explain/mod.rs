//! `explain`: it says what `/auth` does, to the byte, and never what a token is.

mod agreement;
mod cases;
mod commands;
mod conditions;
mod credentials;
mod guard;
mod in_process;
mod random_conditions;
mod remembered;
mod secrets;

use serde_json::Value;

use crate::support::issuer::TestIssuer;
use crate::support::service::Service;

const URL: &str = "https://mcp.example.com/mcp";

/// A service with rules of every kind, and the issuer whose tokens it takes.
struct Stage {
    issuer: TestIssuer,
    service: Service,
}

impl Stage {
    fn start() -> Self {
        let issuer = TestIssuer::start();
        let service = Service::start(&config(&issuer.url()));
        Self { issuer, service }
    }

    /// Alice's good token.
    fn token(&self) -> String {
        self.issuer.sign(&self.issuer.token_for(URL))
    }
}

fn config(issuer: &str) -> String {
    format!(
        r#"
[[issuers]]
issuer = "{issuer}"

[[resources]]
url = "{URL}"
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com"]
allowed_groups = ["ops"]
allowed_origins = ["https://app.example.com"]

[[resources.tool_rules]]
names = ["delete_*"]
allowed_groups = ["ops"]

[[resources.tool_rules]]
names = ["write_*", "delete_*"]
required_scopes = ["mcp:write"]

[[resources]]
url = "https://watched.example.com/mcp"
allowed_groups = ["ops"]
mode = "audit"

[scopes.implies]
"mcp:admin" = ["mcp:write"]
"#
    )
}

/// The step of this name: its outcome and what it tells.
fn step<'v>(explanation: &'v Value, name: &str) -> (&'v str, &'v str) {
    let step = explanation["steps"].as_array().unwrap().iter().find(|step| step["step"] == name);
    let step = step.unwrap_or_else(|| panic!("no step {name}: {explanation}"));
    (step["outcome"].as_str().unwrap(), step["detail"].as_str().unwrap())
}
