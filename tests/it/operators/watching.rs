//! What is counted and logged of sign-ins: every end of one, with who and what, and nothing that somebody could use.

use serde_json::Value;

use super::stage::Stage;
use crate::support::metrics::Metrics;
use crate::support::report::Report;

type Way = (&'static str, Vec<(&'static str, &'static str)>);

#[test]
fn a_real_flow_moves_exactly_its_own_counters() {
    let stage = Stage::start();
    let mut report = Report::new("counters");
    let mut step = |name: &str, moved: Vec<Way>, act: &mut dyn FnMut()| {
        report.row(name);
        let before = stage.service.metrics();
        act();
        let after = stage.service.metrics();
        report.equal("what moved", movements(&before, &after), expected(moved));
    };
    let mut client = String::new();
    let registered = vec![("registrations_total", vec![("outcome", "registered")])];
    step("a registration", registered, &mut || client = stage.register("One"));
    let refused = vec![("registrations_total", vec![("outcome", "invalid_client_metadata")])];
    step("no registration", refused, &mut || {
        let answer = stage.request("POST", "/register").body("application/json", "{").send(stage.port);
        assert_eq!(answer.status, 400);
    });
    let asked = |operation| {
        let labels = vec![("operation", operation), ("outcome", "answered"), ("provider", "development")];
        ("identity_provider_requests_total", labels)
    };
    let ended = |outcome| ("sign_ins_total", vec![("outcome", outcome), ("provider", "development")]);
    let token = |kind, outcome| ("token_requests_total", vec![("grant_type", kind), ("outcome", outcome)]);
    let mut access = None;
    let let_in = vec![asked("begin"), asked("redeem"), ended("let_in"), token("authorization_code", "issued")];
    step("somebody lets it in", let_in, &mut || access = Some(stage.let_in("alice@example.com", &client, "/mcp")));
    let turned_away = vec![asked("begin"), asked("redeem"), ended("not_allowed")];
    step("somebody who may not", turned_away, &mut || {
        stage.walk("carol@example.com", &client, "/mcp", "approve");
    });
    let denied = vec![("sign_ins_total", vec![("outcome", "denied"), ("provider", "")])];
    step("somebody says no", denied, &mut || {
        stage.walk("alice@example.com", &client, "/mcp", "deny");
    });
    let access = access.unwrap();
    step("a refresh", vec![token("refresh_token", "issued")], &mut || {
        stage.refreshed(&access);
    });
    step("nonsense", vec![token("other", "unsupported_grant_type")], &mut || {
        stage.post_form("/token", &[("grant_type", "evil\n{}"), ("client_id", &client)]);
    });
    step("the operator", vec![("grants_ended_total", vec![("cause", "operator")])], &mut || {
        stage.operator_json(&["grants", "revoke", "--all"]);
    });
    step("too late", vec![token("refresh_token", "invalid_grant")], &mut || {
        stage.refresh_error(&access);
    });
    let forbidden = vec![("client_document_fetches_total", vec![("outcome", "forbidden")])];
    step("a document inside", forbidden, &mut || {
        stage.walk("alice@example.com", "https://localhost/client.json", "/mcp", "approve");
    });
    report.finish();
    let metrics = stage.service.metrics();
    assert!(metrics.value("signing_key_age_seconds", &[]) < 600.0);
    assert_eq!(metrics.value("revocations", &[]), 1.0);
    assert_eq!(metrics.value("store_failures_total", &[("operation", "write")]), 0.0);
}

/// Counters of the authorization server that moved by one; by more is a failure of its own.
fn movements(before: &Metrics, after: &Metrics) -> Vec<String> {
    let counted = |name: &str| name.ends_with("_total") && !name.contains("cache") && !name.contains("decisions");
    let moved = after.samples.iter().filter(|sample| counted(&sample.name) && !before.samples.contains(sample));
    let mut moved: Vec<String> = moved
        .map(|sample| {
            let old = before.samples.iter().find(|old| old.name == sample.name && old.labels == sample.labels);
            let old = old.unwrap_or_else(|| panic!("a series that was not there: {sample:?}"));
            assert_eq!(sample.value, old.value + 1.0, "{sample:?}");
            format!("{}{:?}", sample.name.strip_prefix("mcp_forward_auth_").unwrap(), sample.labels)
        })
        .collect();
    moved.sort();
    moved
}

fn expected(ways: Vec<Way>) -> Vec<String> {
    let labels = |labels: Vec<(&'static str, &'static str)>| {
        format!("{:?}", labels.into_iter().collect::<std::collections::BTreeMap<_, _>>())
    };
    let mut expected: Vec<String> = ways.into_iter().map(|(name, names)| format!("{name}{}", labels(names))).collect();
    expected.sort();
    expected
}

#[test]
fn every_end_of_a_sign_in_is_one_line_with_who_and_what() {
    let stage = Stage::start();
    let client = stage.register("One");
    let access = stage.let_in("alice@example.com", &client, "/mcp");
    stage.walk("carol@example.com", &client, "/mcp", "approve");
    stage.walk("alice@example.com", &client, "/mcp", "deny");
    stage.operator_json(&["grants", "revoke", "--user", "alice@example.com"]);
    let output = stage.service.process.output();
    let lines: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told = |message: &str| lines.iter().filter(|line| line["message"] == message).collect::<Vec<_>>();
    let sign_ins = told("sign-in");
    let outcomes: Vec<&str> = sign_ins.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["let_in", "not_allowed", "denied"], "{output}");
    let subjects: Vec<Option<&str>> = sign_ins.iter().map(|line| line["subject"].as_str()).collect();
    let (alice, carol) = ("development:alice@example.com", "development:carol@example.com");
    assert_eq!(subjects, [Some(alice), Some(carol), None]);
    for line in &sign_ins {
        assert_eq!((&line["client"], &line["resource"]), (&client.clone().into(), &stage.resource("/mcp").into()));
        assert!(line["span"]["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
    }
    assert_eq!(sign_ins[1]["cause"], "principal_not_allowed");
    let [ended] = told("a grant ended")[..] else { panic!("{output}") };
    assert_eq!((&ended["cause"], &ended["subject"]), (&"operator".into(), &alice.into()));
    let [told] = told("the operator ended grants")[..] else { panic!("{output}") };
    assert_eq!((&told["user"], &told["ended"]), (&"alice@example.com".into(), &1.into()));
    for secret in [&access.token, &access.refresh] {
        assert!(!output.contains(secret.as_str()), "a token stands in the log");
    }
    assert!(!output.contains("code="), "a query stands in the log: {output}");
}
