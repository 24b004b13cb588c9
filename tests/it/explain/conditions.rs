//! Conditions, explained: what they read is shown, and what a call hands over can be described.

use serde_json::{Value, json};

use super::commands::{Said, explain};
use super::{URL, step};
use crate::support::http::Request;
use crate::support::issuer::{TestIssuer, Token};
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::service::Service;

fn config(issuer: &str) -> String {
    format!(
        r#"
[[issuers]]
issuer = "{issuer}"

[[resources]]
url = "{URL}"
allow_any_authenticated = true
condition = "identity.claims.level >= 3"

[[resources.tool_rules]]
methods = ["tools/call", "prompts/get"]
names = ["write_*"]
condition = "operation.arguments.path.startsWith('/home/' + identity.subject + '/')"

[[resources.tool_rules]]
names = ["watch_*"]
condition = "identity.claims.department == 'ops'"
mode = "audit"
"#
    )
}

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

    fn token(&self, edit: impl FnOnce(Token) -> Token) -> String {
        self.issuer.sign(&edit(self.issuer.token_for(URL)))
    }

    fn explain(&self, arguments: &[&str]) -> Said {
        let admin = format!("127.0.0.1:{}", self.service.admin_port);
        explain(&[arguments, &["--admin", &admin]].concat(), "")
    }

    fn post(&self, command: &Value) -> u16 {
        let request = Request::new("POST", "/admin/explain").host("localhost");
        request.body("application/json", command.to_string()).send(self.service.admin_port).status
    }
}

const HOME: &str = r#"{"path":"/home/alice-subject/notes"}"#;
const ELSEWHERE: &str = r#"{"path":"/etc/passwd"}"#;

/// A name, a token, what is asked, the exit code, the step that speaks with its outcome, and a part of what it tells.
type Row<'a> = (&'a str, &'a str, &'a [&'a str], i32, &'a str, &'a str, &'a str);

#[test]
fn what_a_condition_read_is_shown_and_so_is_why_it_has_no_answer() {
    let stage = Stage::start();
    let high = stage.token(|token| token.claim("level", 3));
    let low = stage.token(|token| token.claim("level", 2));
    let text = stage.token(|token| token.claim("level", "high"));
    let none = stage.token(|token| token);
    let (read, write): (&[&str], &[&str]) = (&["--tool", "read_note"], &["--tool", "write_note"]);
    let home: &[&str] = &["--tool", "write_note", "--arguments", HOME];
    let elsewhere: &[&str] = &["--tool", "write_note", "--arguments", ELSEWHERE];
    let prompt: &[&str] = &["--operation", "prompts/get:write_it", "--arguments", ELSEWHERE];
    let watched: &[&str] = &["--tool", "watch_it"];
    let rows: [Row<'_>; 9] = [
        ("true", &high, read, 0, "condition", "passed", "level >= 3: true; it read identity.claims.level = 3"),
        ("false", &low, read, 1, "condition", "refused", "level >= 3: false; it read identity.claims.level = 2"),
        (
            "absent",
            &none,
            read,
            1,
            "condition",
            "refused",
            "no answer, something that it asks for is not there; it read identity.claims.level, which is not there",
        ),
        (
            "another kind",
            &text,
            read,
            1,
            "condition",
            "refused",
            "no answer, something is of another kind than it needs; it read identity.claims.level = \"high\"",
        ),
        (
            "at home",
            &high,
            home,
            0,
            "tool_rules[0]",
            "passed",
            "operation.arguments.path = \"/home/alice-subject/notes\"",
        ),
        ("elsewhere", &high, elsewhere, 1, "tool_rules[0]", "refused", "operation.arguments.path = \"/etc/passwd\""),
        (
            "nothing handed over",
            &high,
            write,
            1,
            "tool_rules[0]",
            "refused",
            "operation.arguments.path, which is not there",
        ),
        ("a prompt", &high, prompt, 1, "tool_rules[0]", "refused", "operation.arguments.path = \"/etc/passwd\""),
        (
            "recorded only",
            &high,
            watched,
            0,
            "tool_rules[1]",
            "audited",
            "identity.claims.department, which is not there",
        ),
    ];
    let mut report = Report::new("conditions");
    for (name, token, asked, code, spoken, outcome, detail) in rows {
        report.row(name);
        let arguments = [&["--url", URL, "--token", token], asked].concat();
        let said = stage.explain(&[&*arguments, &["--json"]].concat());
        report.equal("the code", (said.code, said.complaint.as_str()), (code, ""));
        let explanation = said.json();
        let (known, text) = step(&explanation, spoken);
        report.equal("the outcome", known, outcome);
        report.holds(text.contains(detail), || format!("{text} says nothing of {detail}"));
        let reason = if outcome == "passed" { Value::Null } else { json!("condition_false") };
        report.equal("the reason", &explanation["verdict"]["reason"], &reason);
        let shown = stage.explain(&arguments);
        report.holds(shown.text.contains(text), || shown.text.clone());
    }
    report.finish();
}

#[test]
fn arguments_that_no_call_hands_over_are_told_in_one_line() {
    let closed = format!("127.0.0.1:{}", ports::free());
    let mut report = Report::new("arguments");
    for (operation, arguments, complaint) in [
        ("tools/call:write", "{\"path\": hush", "--arguments: it is no JSON object, at column 10"),
        ("tools/call:write", "[\"hush\"]", "--arguments: it is no JSON object, at column 0"),
        ("tools/call:write", "", "--arguments: it is no JSON object, at column 0"),
        ("tools/list", "{}", "--arguments: only tools/call and prompts/get take any"),
        ("http/get", "{}", "--arguments: only tools/call and prompts/get take any"),
    ] {
        report.row(format!("{operation} {arguments}"));
        let asked = ["--url", URL, "--operation", operation, "--arguments", arguments, "--admin", &closed];
        let said = explain(&asked, "");
        report.equal("the code", (said.code, said.text.as_str()), (2, ""));
        report.equal("the lines", said.complaint.lines().count(), 1);
        report.holds(said.complaint.contains(complaint), || said.complaint.clone());
        report.holds(!said.complaint.contains("hush"), || said.complaint.clone());
    }
    report.finish();
    let stage = Stage::start();
    let ask = |operation: Value| stage.post(&json!({ "url": URL, "operation": operation }));
    assert_eq!(ask(json!({ "method": "tools/call", "name": "one", "arguments": { "path": "/x" } })), 200);
    assert_eq!(ask(json!({ "method": "tools/call", "name": "one", "arguments": ["/x"] })), 400);
    assert_eq!(ask(json!({ "method": "tools/list", "arguments": {} })), 400);
}

#[test]
fn what_a_call_handed_over_is_not_remembered_and_that_is_told() {
    let stage = Stage::start();
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "write_note", "arguments": { "path": "/etc/hush-hush" } },
    });
    let request = Request::get("/auth").host("localhost").header("X-Forwarded-Method", "POST");
    let request = request.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", "mcp.example.com");
    let request = request.header("X-Forwarded-Uri", "/mcp").header("X-Request-Id", "a-call");
    let request = request.bearer(&stage.token(|token| token.claim("level", 3)));
    let answer = request.body("application/json", body.to_string()).send(stage.service.port);
    assert_eq!(answer.reason(), "condition_false");
    let said = stage.explain(&["--request-id", "a-call", "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    let explanation = said.json();
    let (outcome, text) = step(&explanation, "tool_rules[0]");
    assert_eq!(outcome, "refused", "{explanation:#}");
    assert!(text.contains("not true; what the call handed over is not remembered"), "{text}");
    assert_eq!(step(&explanation, "condition").0, "passed", "claims are remembered: {explanation:#}");
    assert!(!said.text.contains("hush"), "{said:?}");
}

#[test]
fn without_a_service_conditions_see_the_same_claims_and_arguments() {
    let issuer = TestIssuer::start();
    let folder = TempDir::new();
    let closed = format!("127.0.0.1:{}", ports::free());
    let file = folder.write("config.toml", &config(&issuer.url()));
    let token = issuer.sign(&issuer.token_for(URL).claim("level", 3));
    let ask = |arguments: &str| {
        let place = ["--config", file.to_str().unwrap(), "--admin", &closed, "--json"];
        let asked = ["--url", URL, "--token", &token, "--tool", "write_note", "--arguments", arguments];
        explain(&[&place[..], &asked].concat(), "")
    };
    let said = ask(HOME);
    assert_eq!(said.code, 0, "{said:?}");
    let explanation = said.json();
    assert!(step(&explanation, "condition").1.contains("identity.claims.level = 3"), "{explanation:#}");
    let said = ask(ELSEWHERE);
    assert_eq!((said.code, step(&said.json(), "tool_rules[0]").0), (1, "refused"), "{said:?}");
}
