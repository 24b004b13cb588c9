//! One line for each refusal, with the fields that log systems already know, and the way from an answer to its line.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{RESOURCE, Stage, asking};
use crate::support::process::eventually;
use crate::support::report::Report;

/// The decision lines once there are at least `count`.
fn lines(stage: &Stage, count: usize) -> Vec<Value> {
    eventually("the lines are written", || stage.service.decision_lines().len() >= count);
    stage.service.decision_lines()
}

fn line_of(stage: &Stage, request_id: &str) -> Value {
    let find = || stage.service.decision_lines().into_iter().find(|line| line["request_id"] == request_id);
    eventually("the line is written", || find().is_some());
    find().unwrap()
}

#[test]
fn each_refusal_has_one_line_and_an_allow_has_none() {
    let stage = Stage::start("");
    // Until the keys were had, requests were undecidable: those lines are not counted.
    let before = settled(&stage);
    let outcomes = stage.every_outcome();
    for (_, _, _, request) in &outcomes {
        stage.send(request);
    }
    let expected: Vec<(&str, &str)> = outcomes
        .iter()
        .filter(|(outcome, ..)| *outcome != "allow")
        .map(|(outcome, reason, ..)| (*outcome, *reason))
        .collect();
    let written = lines(&stage, before + expected.len());
    let told: Vec<(&str, &str)> = written[before..]
        .iter()
        .map(|line| (line["decision"].as_str().unwrap(), line["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(told, expected);
    for line in &written[before..] {
        let level = match line["decision"].as_str().unwrap() {
            "audit" => "INFO",
            "undecidable" => "ERROR",
            _ => "WARN",
        };
        assert_eq!(line["level"], level, "{line}");
    }
}

/// The number of lines once those of the start have been written: a last refusal of our own comes after them all.
fn settled(stage: &Stage) -> usize {
    stage.send(&asking(RESOURCE).header("X-Request-Id", "the-last-of-the-start"));
    line_of(stage, "the-last-of-the-start");
    stage.service.decision_lines().len()
}

#[test]
fn the_fields_are_those_that_are_documented() {
    let stage = Stage::start("");
    let bob = stage.token(|token| token.claim("email", "bob@example.com"));
    let long = "agent ".repeat(200);
    let request = asking(&format!("{RESOURCE}/notes?cursor=1"))
        .bearer(&bob)
        .header("X-Request-Id", "known-caller")
        .header("User-Agent", long.trim());
    assert_eq!(stage.send(&request), 403);
    let line = line_of(&stage, "known-caller");
    let mut report = Report::new("a known caller");
    report.row("fields");
    let fields: BTreeSet<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "client client_ip contract decision duration_ms issuer level message method path reason request_id \
                    resource status subject timestamp user_agent";
    report.equal("the fields", fields, expected.split(' ').collect());
    for (field, expected) in [
        ("client", "test-client"),
        ("client_ip", "10.0.0.1"),
        ("contract", "forward_auth"),
        ("decision", "forbidden"),
        ("level", "WARN"),
        ("message", "decision"),
        ("method", "POST"),
        ("path", "/mcp/notes"),
        ("reason", "principal_not_allowed"),
        ("resource", RESOURCE),
        ("subject", "alice-subject"),
        ("issuer", &stage.issuer.url()),
        ("user_agent", &long[..256]),
    ] {
        report.row(field);
        report.equal("the value", line[field].as_str(), Some(expected));
    }
    report.row("numbers");
    report.equal("the status", line["status"].as_u64(), Some(403));
    report.holds(line["duration_ms"].as_f64().is_some_and(|took| took > 0.0), || format!("{}", line["duration_ms"]));
    report.holds(!line["timestamp"].is_null(), || "no timestamp".to_owned());
    report.finish();

    assert_eq!(stage.send(&asking("https://mcp.example.com/no").header("X-Request-Id", "nobody")), 403);
    let line = line_of(&stage, "nobody");
    let absent: Vec<&str> = ["subject", "client", "issuer", "resource", "user_agent"]
        .into_iter()
        .filter(|field| line.get(field).is_some())
        .collect();
    assert!(absent.is_empty(), "fields without a value are left out, not null: {absent:?}");
    let detail = line["detail"].as_str().unwrap();
    assert!(detail.starts_with("no resource covers https://mcp.example.com/no; "), "{detail}");
}

#[test]
fn a_request_id_leads_from_the_answer_to_the_line() {
    let stage = Stage::start("");
    let mut report = Report::new("request ids");
    let long = "x".repeat(129);
    for (name, given, kept) in [
        ("a plain one", Some("req-42/a:b"), true),
        ("none", None, false),
        ("empty", Some(""), false),
        ("two words", Some("a b"), false),
        ("too long", Some(long.as_str()), false),
        ("not ASCII", Some("caf\u{e9}"), false),
    ] {
        report.row(name);
        let request = given.map_or(asking(RESOURCE), |id| asking(RESOURCE).header("X-Request-Id", id));
        let answer = request.send(stage.service.port);
        let id = answer.header("x-request-id").unwrap_or_default().to_owned();
        report.equal("the one in the body", answer.json()["request_id"].as_str(), Some(id.as_str()));
        report.equal("whether it is the given one", given == Some(id.as_str()), kept);
        report.equal("the reason in its line", line_of(&stage, &id)["reason"].as_str(), Some("missing_token"));
    }
    report.row("two of them");
    let twice = asking(RESOURCE).header("X-Request-Id", "first").header("X-Request-Id", "second");
    let id = twice.send(stage.service.port).header("x-request-id").unwrap_or_default().to_owned();
    report.holds(id != "first" && id != "second" && !id.is_empty(), || format!("one was chosen: {id}"));
    report.finish();
}

#[test]
fn allows_are_logged_when_the_operator_asks_for_it() {
    let stage = Stage::start("allows = 1");
    let before = settled(&stage);
    for index in 0..5 {
        let answer = stage.allowed().header("X-Request-Id", format!("allowed-{index}")).send(stage.service.port);
        assert_eq!(answer.status, 200);
    }
    let written = lines(&stage, before + 5);
    let told: Vec<&Value> = written[before..].iter().collect();
    assert_eq!(told.len(), 5);
    for (index, line) in told.iter().enumerate() {
        assert_eq!(line["request_id"], format!("allowed-{index}"));
        assert_eq!(
            (&line["decision"], &line["level"], &line["status"]),
            (&"allow".into(), &"INFO".into(), &200.into())
        );
        assert!(line.get("reason").is_none() && line["subject"] == "alice-subject", "{line}");
    }
}

/// With `level = "off"` nothing is told but decisions.
#[test]
fn decisions_are_logged_at_every_level() {
    let stage = Stage::start("level = \"off\"");
    settled(&stage);
    let output = stage.service.process.output();
    assert!(output.lines().all(|line| line.contains("\"message\":\"decision\"")), "{output}");
}

/// The form for people: one line each, and nothing in it that a terminal would obey.
#[test]
fn the_console_form_is_one_harmless_line_per_decision() {
    let stage = Stage::start("format = \"console\"");
    let hidden = stage.token(|token| token.claim("email", "bob@example.com").claim("sub", "\u{202e}evil"));
    assert_eq!(stage.send(&asking(RESOURCE).bearer(&hidden)), 403);
    let plain =
        stage.token(|token| token.claim("email", "bob@example.com").claim("client_id", "a\u{1b}[2Jb\nWARN fake line"));
    assert_eq!(stage.send(&asking(RESOURCE).bearer(&plain).header("X-Request-Id", "plain")), 403);
    eventually("the line is written", || stage.service.process.output().contains(" plain "));
    let output = stage.service.process.output();
    let line = output.lines().find(|line| line.contains(" plain ")).unwrap();
    assert!(line.contains(" WARN  forbidden principal_not_allowed POST https://mcp.example.com/mcp /mcp "), "{line}");
    assert!(line.contains("subject=alice-subject client=a\\u{1b}[2Jb\\nWARN fake line"), "{line}");
    assert!(output.contains("subject=\\u{202e}evil"), "{output}");
    let harmless = |char: char| char == '\n' || (!char.is_control() && char != '\u{202e}');
    assert!(output.chars().all(harmless), "no colours either, as this is no terminal: {output:?}");
}
