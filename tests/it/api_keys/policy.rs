//! What a key may do, and that no token of an issuer is ever taken for one.

use serde_json::json;

use super::stage::{OTHER, PEOPLE, RESOURCE, Stage, verdict};
use crate::support::http::Request;
use crate::support::report::Report;

/// Only the key `backup`, or members of `ops`, delete.
const RULES: &str = r#"
[[resources.tool_rules]]
names = ["delete_*"]
allowed_clients = ["api-key:backup"]
allowed_subjects = ["api-key:other"]
allowed_users = ["api-key:backup"]
allowed_groups = ["ops"]
"#;

fn with_rules(text: &str) -> String {
    let url = format!("url = \"{OTHER}\"");
    text.replace(&format!("[[resources]]\n{url}"), &format!("{RULES}\n[[resources]]\n{url}"))
}

fn call(stage: &Stage, token: &str, tool: &str) -> String {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } });
    let request = Request::get("/auth")
        .host("localhost")
        .bearer(token)
        .header("X-Forwarded-Method", "POST")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "mcp.example.com")
        .header("X-Forwarded-Uri", "/mcp")
        .body("application/json", body.to_string());
    verdict(&request.send(stage.service.port))
}

#[test]
fn rules_know_a_key_by_its_name_and_its_groups() {
    let stage = Stage::start_with(|text| with_rules(&text));
    let backup = stage.create("backup", &[]);
    let other = stage.create("other", &[]);
    let third = stage.create("third", &[]);
    let operator = stage.create("operator", &["--group", "ops"]);
    let mut report = Report::new("callers");
    for (name, key, may) in
        [("backup", &backup, true), ("other", &other, true), ("third", &third, false), ("operator", &operator, true)]
    {
        report.row(name);
        report.equal("reading", call(&stage, key, "read_note"), "ok");
        report.equal("deleting", call(&stage, key, "delete_note"), if may { "ok" } else { "operation_not_allowed" });
    }
    report.finish();
}

#[test]
fn no_token_passes_for_a_key_whatever_it_says_of_itself() {
    let stage = Stage::start_with(|text| with_rules(&text));
    stage.create("backup", &[]);
    let signed = |name: &str, value: &str| {
        stage.issuer.sign(&stage.issuer.token_for(RESOURCE).claim(name, value).claim("iss", stage.issuer.url()))
    };
    assert_eq!(call(&stage, &signed("client_id", "backup"), "read_note"), "ok");
    assert_eq!(call(&stage, &signed("client_id", "backup"), "delete_note"), "operation_not_allowed");
    let mut report = Report::new("claims");
    for claim in ["sub", "client_id", "azp", "preferred_username"] {
        for name in ["api-key:backup", "api-key:other", "API-KEY:backup", "api-key:", "api-key:nobody"] {
            report.row(format!("{claim} {name}"));
            let token = match claim {
                "azp" => {
                    let token = stage.issuer.token_for(RESOURCE).without("client_id").claim("azp", name);
                    stage.issuer.sign(&token)
                }
                _ => signed(claim, name),
            };
            for tool in ["read_note", "delete_note"] {
                report.equal(tool, call(&stage, &token, tool), "invalid_token");
            }
        }
    }
    // Names that only look like one are somebody's own, and no key's.
    for name in ["api-keys:backup", " api-key:backup", "api\u{2010}key:backup", "x api-key:backup"] {
        report.row(name);
        report.equal("reading", call(&stage, &signed("client_id", name), "read_note"), "ok");
        report.equal("deleting", call(&stage, &signed("client_id", name), "delete_note"), "operation_not_allowed");
    }
    // A token is admitted by the lists only, even where keys are admitted without.
    let stranger = stage.issuer.token_for(RESOURCE).claim("groups", json!([])).claim("api_key", true);
    report.row("a stranger");
    report.equal("reading", call(&stage, &stage.issuer.sign(&stranger), "read_note"), "principal_not_allowed");
    report.finish();
}

#[test]
fn a_resource_that_stops_admitting_keys_refuses_them() {
    let mut stage = Stage::start();
    let key = stage.create("backup", &[]);
    assert_eq!(stage.ask(RESOURCE, &key), "ok");
    let end = |service: &mut crate::support::service::Service| assert!(service.process.terminate().success());
    stage.restart_after(end, |text| text.replacen("allow_api_keys = true\n", "", 1));
    assert_eq!(stage.ask(RESOURCE, &key), "principal_not_allowed");
    let said = stage.operator(&["create", "--name", "another", "--resource", RESOURCE]);
    assert_eq!(said.code, 1);
    let told = format!("{RESOURCE} does not admit API keys; set allow_api_keys = true for this resource");
    assert_eq!(said.complaint, format!("mcp-forward-auth: {told}\n"));
    assert_eq!(said.text, "");

    // Without [api_keys] at all a key is a token like any other, and no good one.
    let off = |text: String| {
        let text =
            text.replace("allow_api_keys = true\n", "").replace("[api_keys]\nmax_lifetime = \"unlimited\"\n", "");
        let (before, after) = text.split_once("[store]\nurl = ").unwrap();
        format!("{before}{}", after.split_once('\n').unwrap().1)
    };
    stage.restart_after(end, off);
    assert_eq!(stage.ask(RESOURCE, &key), "invalid_token");
    assert_eq!(stage.ask(PEOPLE, &key), "invalid_token");
}

#[test]
fn the_server_is_told_which_key_it_is() {
    let stage = Stage::start();
    let key = stage.create("backup", &["--group", "robots", "--group", "night shift"]);
    let answer = stage.service.ask("POST", RESOURCE, Some(&key));
    let told = |name: &str| answer.header(name).unwrap_or("absent").to_owned();
    for (name, value) in [
        ("X-Forwarded-User", "api-key:backup"),
        ("X-Forwarded-Email", ""),
        ("X-Forwarded-Groups", "robots,night%20shift"),
        ("X-Forwarded-Scopes", "mcp:read"),
        ("X-Auth-Subject", "api-key:backup"),
        ("X-Auth-Client", "api-key:backup"),
        ("X-Auth-Issuer", "urn:mcp-forward-auth:api-keys"),
        ("X-Auth-Resource", RESOURCE),
    ] {
        assert_eq!(told(name), value, "{name}");
    }
}
