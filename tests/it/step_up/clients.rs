//! Real clients that sign in with little and call a tool that needs more: those that come back, and those that cannot.

use serde_json::Value;

use super::{ALL, sorted, stage};
use crate::node_clients::guest::{Guest, Program, walks, write_browser};
use crate::node_clients::inspector::call;
use crate::sign_in::stage::{Setup, Stage};
use crate::support::process::TempDir;
use crate::support::proxies::{Kind, with_body};
use crate::support::report::Report;

const NOTE: &str = r#"{"name":"welcome"}"#;
const THEN: [&str; 4] = ["--then", "read_note", "--arguments", NOTE];

#[test]
fn clients_fetch_what_a_tool_needs_and_call_it_through_traefik() {
    clients_fetch_what_a_tool_needs_and_call_it(Kind::Traefik);
}

#[test]
fn clients_fetch_what_a_tool_needs_and_call_it_through_envoy() {
    clients_fetch_what_a_tool_needs_and_call_it(Kind::Envoy);
}

fn clients_fetch_what_a_tool_needs_and_call_it(kind: Kind) {
    let stage = stage(kind);
    let mut report = Report::new(kind);
    report.row("TypeScript SDK v2");
    let guest = Guest::new(Program::SdkV2);
    let seen = guest.run(&stage, &THEN);
    stepped_up(&seen, &guest.asked_scopes(), &mut report);
    report.equal("who calls afterwards", &seen["again"]["X-Forwarded-User"], "alice@example.com");
    report.row("TypeScript SDK v2, another time: it has all it needs");
    let seen = guest.run(&stage, &THEN);
    stepped_up(&seen, &guest.asked_scopes(), &mut report);
    report.row("mcp-remote");
    let guest = Guest::new(Program::McpRemote);
    let seen = guest.run(&stage, &THEN);
    stepped_up(&seen, &guest.asked_scopes(), &mut report);
    report.row("Python SDK");
    let seen = stage.python("sign_in.py", &["--then", "read_note", "--then-arguments", NOTE]);
    let asked: Vec<String> = serde_json::from_value(seen["asked"].clone()).unwrap();
    stepped_up(&seen, &asked, &mut report);
    report.equal("the client", &seen["client"]["client_id"], &seen["first"]["client"]["client_id"]);
    report.equal("the scope before", &seen["first"]["tokens"]["scope"], "mcp:read");
    report.finish();
}

/// The tool ran, after the person was asked twice: for little, and for all of it.
fn stepped_up(seen: &Value, asked: &[String], report: &mut Report) {
    report.holds(seen["error"].is_null(), || format!("{seen:#}"));
    report.equal("the tool's answer", &seen["then"], "Hello from the notes.");
    let asked: Vec<String> = asked.iter().map(|scope| without_offline_access(scope)).collect();
    report.equal("what the person was asked for", asked, vec!["mcp:read".to_owned(), ALL.to_owned()]);
    report.equal("what the client holds", sorted(seen["tokens"]["scope"].as_str().unwrap_or_default()), ALL.to_owned());
    report.holds(seen["tokens"]["refresh_token"].is_string(), || "there is no refresh token".to_owned());
}

/// Clients add it to whatever they need.
fn without_offline_access(scope: &str) -> String {
    sorted(&scope.split(' ').filter(|scope| *scope != "offline_access").collect::<Vec<_>>().join(" "))
}

/// Version 1 of the TypeScript SDK refreshes instead of asking the person, which gives it no more than it had.
#[test]
fn a_client_that_cannot_fetch_more_is_told_so_and_keeps_what_it_has() {
    let stage = stage(Kind::Traefik);
    let mut report = Report::new("cannot");
    report.row("TypeScript SDK v1");
    let guest = Guest::new(Program::SdkV1);
    let seen = guest.run(&stage, &THEN);
    report.holds(seen["error"].is_null(), || format!("{seen:#}"));
    let error = seen["then_error"].as_str().unwrap_or_default();
    report.holds(error.contains("403 after trying upscoping"), || format!("it is not told why: {seen:#}"));
    report.equal("who calls afterwards", &seen["again"]["X-Forwarded-User"], "alice@example.com");
    report.equal("how often it tried", refusals(&stage), 2);
    report.row("TypeScript SDK v1, another time");
    let seen = guest.run(&stage, &[]);
    report.equal("who calls", &seen["answer"]["X-Forwarded-User"], "alice@example.com");
    report.equal("how often the person was asked", guest.walks(), 1);
    report.finish();
}

/// It is no loop and no lost session there either, whatever this version makes of a challenge.
#[test]
fn the_inspector_is_told_so_and_keeps_what_it_has() {
    let stage = stage(Kind::Traefik);
    let home = TempDir::new();
    write_browser(home.path(), true);
    let whoami = |time: &str| {
        let called = call(&stage, &home, "whoami", &[]);
        assert!(called.succeeded && called.said.contains("alice@example.com"), "{time}: {called:?}");
        assert_eq!(walks(home.path()), 1, "{time}");
    };
    whoami("first");
    let called = call(&stage, &home, "read_note", &["--tool-arg", "name=welcome"]);
    assert!(!called.succeeded, "{called:?}");
    assert!(called.told.contains("without authorization code"), "{called:?}");
    let refusals = refusals(&stage);
    assert!((1..=2).contains(&refusals), "it tried {refusals} times");
    whoami("afterwards");
}

/// Calls that lacked a scope.
fn refusals(stage: &Stage) -> usize {
    stage.service().wait_for_log();
    stage.service().decision_lines().iter().filter(|line| line["reason"] == "insufficient_scope").count()
}

/// The operator asks for more than last year: the clients' tokens and refresh tokens hold too little.
#[test]
fn clients_come_back_when_the_resource_itself_needs_more() {
    let folder = TempDir::new();
    let store = format!("file:{}", folder.path().join("store").display());
    let mut stage =
        Stage::start_edited(Kind::Traefik, with_body, |_| Setup { store: store.clone(), ..Setup::default() });
    let mut report = Report::new("grown");
    let guest = Guest::new(Program::SdkV2);
    let file = folder.path().join("python.json");
    let python = ["--store", file.to_str().unwrap()];
    report.row("before");
    let first = [guest.run(&stage, &[]), stage.python("sign_in.py", &python)];
    stage.restart_changed(|config| config.replace(r#"["mcp:read"]"#, r#"["mcp:read", "notes:list", "notes:read"]"#));
    let second = [guest.run(&stage, &[]), stage.python("sign_in.py", &python)];
    for (name, before, after) in [("TypeScript SDK v2", &first[0], &second[0]), ("Python SDK", &first[1], &second[1])] {
        report.row(name);
        for (seen, scope) in [(before, "mcp:read"), (after, ALL)] {
            report.holds(seen["error"].is_null(), || format!("{seen:#}"));
            let held = seen["tokens"]["scope"].as_str().unwrap_or_default();
            report.equal("what the client holds", sorted(held), scope.to_owned());
        }
        report.equal("the client", &after["client"]["client_id"], &before["client"]["client_id"]);
    }
    report.row("the person");
    report.equal("asked by the first client", guest.walks(), 2);
    report.equal("asked by the second client", &second[1]["sign_ins"], 1);
    report.finish();
}
