//! The commands: what they print where, what they refuse, and that only the operator gives them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::stage::{OTHER, PEOPLE, RESOURCE, Stage, listed, operator};
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

/// The keys stand beside grants and clients in one store, and the authorization server describes them.
#[test]
fn the_authorization_server_describes_keys_to_those_who_may_see_all() {
    let port = crate::support::ports::free();
    let origin = format!("http://localhost:{port}");
    let config = format!(
        r#"
[api_keys]

[store]
url = "memory:"

[[resources]]
url = "{origin}/mcp"
allowed_emails = ["alice@example.com"]
allow_api_keys = true

[authorization_server]
issuer = "{origin}"
identity_provider = {{ kind = "development" }}

[[authorization_server.clients]]
client_id = "watcher"
client_secret = "a-secret-of-the-watcher-0123456789"
redirect_uris = ["https://watcher.example.com/callback"]
may_introspect = true

[[authorization_server.clients]]
client_id = "other"
client_secret = "a-secret-of-the-other-0123456789"
redirect_uris = ["https://other.example.com/callback"]
"#
    );
    let mut service = Service::start_at(port, &config);
    service.wait_until_ready();
    let resource = format!("{origin}/mcp");
    let key = super::stage::create(&service, "backup", &["--resource", &resource, "--scope", "mcp:read"]);
    let asked = |path: &str, client: &str, key: &str| {
        let secret = format!("{client}:a-secret-of-the-{client}-0123456789");
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", key).finish();
        Request::new("POST", path)
            .host(&format!("localhost:{port}"))
            .header("Authorization", format!("Basic {}", STANDARD.encode(secret)))
            .body("application/x-www-form-urlencoded", body)
            .send(port)
    };
    let told = asked("/introspect", "watcher", &key).json();
    for (name, value) in [
        ("active", json!(true)),
        ("iss", json!(origin)),
        ("sub", json!("api-key:backup")),
        ("client_id", json!("api-key:backup")),
        ("scope", json!("mcp:read")),
        ("aud", json!(resource)),
    ] {
        assert_eq!(told[name], value, "{told}");
    }
    assert_eq!(asked("/introspect", "other", &key).json(), json!({ "active": false }), "not its own");
    assert_eq!(asked("/introspect", "watcher", &super::presenting::invented(9)).json(), json!({ "active": false }));
    // Taking keys back is the operator's: a client that saw one cannot.
    assert_eq!(asked("/revoke", "watcher", &key).status, 200);
    let answer = service.ask("POST", &resource, Some(&key));
    assert_eq!((answer.status, answer.header("X-Auth-Issuer")), (200, Some(&*origin)));
    assert_eq!(operator(&service, &["revoke", "backup"]).code, 0);
    assert_eq!(asked("/introspect", "watcher", &key).json(), json!({ "active": false }));
    assert_eq!(listed(&service)[0]["state"], "revoked");
}
