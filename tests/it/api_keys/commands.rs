//! The commands: what they print where, what they refuse, and that only the operator gives them.

use serde_json::{Value, json};

use super::stage::{OTHER, PEOPLE, RESOURCE, Stage, operator};
use crate::operators::stage::run;
use crate::support::http::Request;
use crate::support::report::Report;
use crate::support::service::Service;

#[test]
fn a_key_is_told_once_and_listed_without_itself() {
    let stage = Stage::start();
    let said = stage.operator(&[
        "create",
        "--name",
        "backup",
        "--resource",
        RESOURCE,
        "--resource",
        OTHER,
        "--scope",
        "mcp:read",
        "--group",
        "ops",
        "--expires-in",
        "12h",
    ]);
    assert_eq!((said.code, said.text.lines().count(), said.complaint.lines().count()), (0, 1, 2), "{said:?}");
    assert!(said.complaint.contains(&format!("warning: {OTHER} requires the scope mcp:write")), "{said:?}");
    assert!(said.complaint.contains(" UTC; the key is shown this once, and cannot be shown again"), "{said:?}");
    let unlimited = stage.operator(&["create", "--name", "always", "--resource", RESOURCE, "--expires-in", "never"]);
    assert!(unlimited.complaint.contains("lives until it is revoked"), "{unlimited:?}");
    let made: Value =
        serde_json::from_str(&stage.operator(&["create", "--name", "in-json", "--resource", RESOURCE, "--json"]).text)
            .unwrap();
    assert_eq!(stage.ask(PEOPLE, made["key"].as_str().unwrap()), "wrong_audience");

    let listed = stage.listed();
    assert_eq!(listed.iter().map(|key| &key["name"]).collect::<Vec<_>>(), ["always", "backup", "in-json"]);
    let mut members: Vec<&str> = listed[1].as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let known = ["created", "expires", "groups", "id", "last_used", "name", "resources", "scope", "state"];
    assert_eq!(members, known);
    assert_eq!(listed[1]["resources"], json!([RESOURCE, OTHER]));
    assert_eq!((&listed[1]["scope"], &listed[1]["groups"]), (&json!("mcp:read"), &json!(["ops"])));
    assert_eq!((&listed[0]["expires"], &listed[1]["last_used"]), (&Value::Null, &Value::Null));

    let table = stage.operator(&["list"]).text;
    let lines: Vec<&str> = table.lines().collect();
    let headings: Vec<&str> = lines[0].split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    assert_eq!(headings, ["NAME", "ID", "STATE", "RESOURCES", "SCOPE", "GROUPS", "CREATED", "EXPIRES", "LAST USED"]);
    assert!(lines[1].starts_with("always ") && lines[1].contains(" never "), "{table}");
    assert!(!table.contains("mfa_") && !format!("{listed:?}").contains("mfa_"));
    let one = stage.operator(&["list", "--limit", "1"]);
    assert_eq!(one.complaint, "mcp-forward-auth: only the first 1 are shown, and there may be more: see --limit\n");

    let said = stage.operator(&["revoke", listed[1]["id"].as_str().unwrap()]);
    assert!(said.code == 0 && said.text.starts_with("backup (K") && said.text.ends_with(") is revoked\n"), "{said:?}");
    let again = stage.operator(&["revoke", "backup"]);
    assert_eq!(again.complaint, "mcp-forward-auth: no living key has the name or id backup\n");
    assert_eq!(again.code, 1);
    // Somebody found a key and does not know which it is.
    let found = stage.operator(&["revoke", made["key"].as_str().unwrap()]);
    assert!(found.code == 0 && found.text.starts_with("in-json (K"), "{found:?}");
    let again = stage.operator(&["revoke", made["key"].as_str().unwrap()]);
    assert_eq!(again.complaint, "mcp-forward-auth: this is no living key of this service\n");
}

#[test]
fn what_makes_no_sense_is_refused_and_makes_no_key() {
    let stage = Stage::start();
    stage.create("taken", &[]);
    let mut report = Report::new("commands");
    for (arguments, code, told) in [
        (vec!["create", "--resource", RESOURCE], 2, "--name"),
        (vec!["create", "--name", "x"], 2, "--resource"),
        (vec!["create", "--name", "x", "--resource", RESOURCE, "--expires-in", "soon"], 2, "like 90d, or never"),
        (vec!["create", "--name", "x", "--resource", RESOURCE, "--expires-in", "0s"], 1, "lives no time"),
        (vec!["create", "--name", "taken", "--resource", RESOURCE], 1, "a living key is called taken"),
        (vec!["create", "--name", "X", "--resource", RESOURCE], 1, "lower-case letters"),
        (vec!["create", "--name", "x", "--resource", PEOPLE], 1, "does not admit API keys"),
        (vec!["create", "--name", "x", "--resource", "https://evil.example/mcp"], 1, "no resource of this service"),
        (vec!["create", "--name", "x", "--resource", RESOURCE, "--scope", "a b"], 1, "no scope"),
        (vec!["create", "--name", "x", "--resource", RESOURCE, "--group", ""], 1, "no group"),
        (vec!["revoke"], 2, "NAME|ID|KEY"),
        (vec!["revoke", "nobody"], 1, "no living key has the name or id nobody"),
    ] {
        report.row(arguments.join(" "));
        let said = stage.operator(&arguments);
        report.equal("the exit code", said.code, code);
        report.holds(said.complaint.contains(told) && said.text.is_empty(), || format!("{said:?}"));
    }
    for body in [
        "",
        "{}",
        "[]",
        r#"{"name":"x"}"#,
        r#"{"name":"x","resources":"https://mcp.example.com/mcp"}"#,
        r#"{"name":"x","resources":["https://mcp.example.com/mcp"],"lifetime_seconds":-1}"#,
        r#"{"name":"x","resources":["https://mcp.example.com/mcp"],"lifetime_seconds":1,"unlimited":true}"#,
        r#"{"name":"x","resources":["https://mcp.example.com/mcp"],"key":"mfa_mine"}"#,
        r#"{"name":"x","resources":["https://mcp.example.com/mcp"],"id":"K1"}"#,
    ] {
        report.row(body);
        report.equal("the status", stage.post("/admin/api-keys", body).status, 400);
    }
    report.finish();
    assert_eq!(stage.listed().len(), 1);
}

#[test]
fn only_the_operator_commands() {
    let stage = Stage::start();
    let key = stage.create("backup", &[]);
    let body = json!({ "name": "evil", "resources": [RESOURCE] }).to_string();
    let post = |path: &str, body: &str| Request::new("POST", path).body("application/json", body);
    let create = || post("/admin/api-keys", &body);
    let revoke = || post("/admin/api-keys/revoke", r#"{"key":"backup"}"#);
    let mut report = Report::new("strangers");
    for (name, request, status) in [
        ("a page whose name was pointed here", create().host("evil.example"), 403),
        ("a page", create().host("localhost").header("Origin", "https://evil.example"), 403),
        ("a page that revokes", revoke().host("localhost").header("Sec-Fetch-Site", "cross-site"), 403),
        ("a proxy", create().host("localhost").header("X-Forwarded-For", "203.0.113.7"), 403),
        ("a page that reads", Request::get("/admin/api-keys").host("localhost").header("Origin", "null"), 403),
        (
            "a form",
            Request::new("POST", "/admin/api-keys").host("localhost").body("application/x-www-form-urlencoded", &*body),
            415,
        ),
    ] {
        report.row(name);
        report.equal("the status", request.send(stage.service.admin_port).status, status);
    }
    report.row("the public listener");
    for request in [create(), revoke(), Request::get("/admin/api-keys")] {
        let answer = request.host("localhost").send(stage.service.port);
        report.holds(answer.status == 404, || format!("{answer:?}"));
    }
    report.finish();
    assert_eq!((stage.listed().len(), stage.ask(RESOURCE, &key)), (1, "ok".into()));
}

#[test]
fn a_service_without_keys_says_how_to_turn_them_on() {
    let service = Service::start_unready(
        "[[issuers]]\nissuer = \"http://127.0.0.1:1\"\n[[resources]]\nurl = \"https://mcp.example.com/mcp\"\n",
    );
    for arguments in [vec!["list"], vec!["create", "--name", "x", "--resource", RESOURCE], vec!["revoke", "x"]] {
        let said = operator(&service, &arguments);
        let told = "mcp-forward-auth: API keys are not turned on: add [api_keys] to the configuration\n";
        assert_eq!((said.code, &*said.complaint), (1, told), "{arguments:?}");
    }
    let nobody = run(&["api-key", "list", "--admin", "127.0.0.1:1"]);
    assert!(nobody.code == 1 && nobody.complaint.contains("no service answers"), "{nobody:?}");
}
