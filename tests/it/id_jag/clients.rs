//! Real SDKs with their providers for assertions, through a real proxy: they sign in, and fetch more when a tool needs it.

use std::process::Command;

use serde_json::{Value, json};

use super::{SECRET, assertion};
use crate::sign_in::stage::{Setup, Stage};
use crate::support::issuer::TestIssuer;
use crate::support::process::eventually;
use crate::support::proxies::{Kind, with_body};
use crate::support::tools;

const RULES: &str = r#"
[[resources.tool_rules]]
names = ["read_note"]
required_scopes = ["notes:read"]
"#;

#[test]
fn clients_come_with_assertions_and_step_up_through_traefik() {
    come_with_assertions(Kind::Traefik);
}

#[test]
fn clients_come_with_assertions_and_step_up_through_envoy() {
    come_with_assertions(Kind::Envoy);
}

fn come_with_assertions(kind: Kind) {
    let company = TestIssuer::start();
    let server = format!(
        "[authorization_server.identity_provider]\nkind = \"development\"\n[[authorization_server.clients]]\n\
         client_id = \"app\"\nclient_secret = \"{SECRET}\"\n[[authorization_server.assertion_issuers]]\n\
         name = \"corp\"\nissuer = \"{}\"\n",
        company.url()
    );
    let stage = Stage::start_edited(kind, with_body, |_| Setup { server, rules: RULES, ..Setup::default() });
    let fresh = |scope: &str| {
        let token = assertion(&company).claim("aud", stage.issuer()).claim("resource", stage.url());
        company.sign(&token.claim("scope", scope))
    };
    eventually("the keys are there", || {
        let probe = company.sign(&assertion(&company).claim("aud", "nobody"));
        let form = format!("grant_type={}&client_id=app&client_secret={SECRET}&assertion={probe}", super::GRANT_TYPE);
        stage.post("/token", &form).status == 400
    });
    let run = |command: &mut Command| {
        let output = command
            .args(["--url", &stage.url(), "--issuer", &stage.issuer(), "--client", "app", "--secret", SECRET])
            .args(["--assertion", &fresh("mcp:read"), "--assertion", &fresh("mcp:read notes:read")])
            .args(["--tool", "whoami", "--arguments", "{}"])
            .args(["--tool", "read_note", "--arguments", r#"{"name":"welcome"}"#])
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    };
    let python = run(Command::new(tools::tool("python")).arg(tools::project().join("tests/clients/python/company.py")));
    let node = run(Command::new(tools::tool("node")).arg(tools::installed("tests/clients/typescript", "company.mjs")));
    for seen in [python, node] {
        assert!(seen["error"].is_null(), "{seen:#}");
        let whoami: Value = serde_json::from_str(seen["answers"][0].as_str().unwrap()).unwrap();
        assert_eq!(whoami["X-Forwarded-User"], "alice@example.com", "{whoami}");
        assert_eq!(whoami["X-Auth-Subject"], "corp:alice-at-corp", "{whoami}");
        assert_eq!(seen["answers"][1], "Hello from the notes.", "{seen:#}");
        assert_eq!(seen["asked"], json!([[stage.issuer(), stage.url()], [stage.issuer(), stage.url()]]), "{seen:#}");
        assert_eq!(seen["tokens"]["scope"], "mcp:read notes:read", "{seen:#}");
        assert!(seen["tokens"]["refresh_token"].is_null(), "{seen:#}");
    }
}
