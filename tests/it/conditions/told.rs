//! What is told of conditions: in the answer, in the log, in audit mode; and rules with conditions.

use serde_json::json;

use super::{ORIGIN, ask, call, message, resource, start};
use crate::support::issuer::TestIssuer;
use crate::support::process::eventually;
use crate::support::report::Report;
use crate::support::service::Service;

fn lines(service: &Service, count: usize) -> Vec<serde_json::Value> {
    eventually("the lines of the decisions", || service.decision_lines().len() >= count);
    service.decision_lines()
}

#[test]
fn a_refusal_names_its_condition_and_no_value() {
    let issuer = TestIssuer::start();
    let rule = "[[resources.tool_rules]]\ncondition = \"operation.name == identity.claims.private\"";
    let resources = [
        resource("false", "identity.claims.private == 'x'", ""),
        resource("error", "identity.claims.private > 3", ""),
        resource("absent", "identity.claims.absent == 'x'", ""),
        resource("rule", "", rule),
    ];
    let service = start(&issuer, &resources.concat());
    for path in ["false", "error", "absent", "rule"] {
        let token = issuer.token_for(&format!("{ORIGIN}/{path}")).claim("private", "hunter2");
        let answer = ask("POST", path, &issuer.sign(&token), Some(call("other"))).send(service.port);
        assert_eq!((answer.status, answer.header("www-authenticate")), (403, None), "{path}");
        assert_eq!(answer.json()["reason"], "condition_false");
        assert!(!answer.text().contains("hunter2"));
    }
    let details: Vec<_> = lines(&service, 4).iter().map(|line| line["detail"].clone()).collect();
    let expected = [
        "condition",
        "condition: error: something is of another kind than it needs",
        "condition: error: something that it asks for is not there",
        "tool_rules[0].condition",
    ];
    assert_eq!(details, expected.map(|detail| json!(detail)));
    assert!(!service.whole_output().contains("hunter2"));
}

#[test]
fn a_rule_with_a_condition_is_about_its_own_operations_only() {
    let issuer = TestIssuer::start();
    let rules = "
[[resources.tool_rules]]
names = ['delete_*']
required_scopes = ['mcp:admin']
condition = 'identity.claims.level >= 3'

[[resources.tool_rules]]
methods = ['resources/read']
condition = 'operation.name.startsWith(\"file:///\" + identity.subject + \"/\")'
";
    let service = start(&issuer, &resource("mcp", "", rules));
    let mut report = Report::new("rules with conditions");
    let read = |uri: &str| message("resources/read", &format!(r#"{{"uri":"{uri}"}}"#));
    for (scope, level, body, expected) in [
        ("mcp:read", 0, call("read_note"), "-"),
        ("mcp:read", 3, call("delete_note"), "insufficient_scope"),
        ("mcp:read", 0, call("delete_note"), "insufficient_scope"),
        ("mcp:admin", 0, call("delete_note"), "condition_false"),
        ("mcp:admin", 3, call("delete_note"), "-"),
        ("mcp:read", 0, read("file:///alice-subject/a"), "-"),
        ("mcp:read", 0, read("file:///bob/a"), "condition_false"),
        ("mcp:read", 0, read("file:///alice-subject/../bob/a"), "operation_unknown"),
        ("mcp:read", 0, format!("[{},{}]", call("x"), read("file:///bob/a")), "condition_false"),
        ("mcp:read", 0, format!("[{},{}]", call("delete_x"), read("file:///bob/a")), "condition_false"),
    ] {
        report.row(format!("{scope} {level} {body}"));
        let token = issuer.token_for(&format!("{ORIGIN}/mcp")).claim("scope", scope).claim("level", level);
        let answer = ask("POST", "mcp", &issuer.sign(&token), Some(body)).send(service.port);
        let said = if answer.status == 200 { "-".to_owned() } else { answer.reason() };
        report.equal("the reason", said, expected.to_owned());
    }
    report.finish();
}

#[test]
fn in_audit_mode_a_condition_is_recorded_and_lets_through() {
    let issuer = TestIssuer::start();
    let rule = "[[resources.tool_rules]]\nnames = ['a']\nmode = 'audit'\ncondition = 'operation.name == \"b\"'";
    let resources = [
        resource("whole", "identity.claims.absent == 'x'", "mode = 'audit'"),
        resource("operations", "operation.name == 'b'", "mode = 'audit'"),
        resource("rule", "", rule),
    ];
    let service = start(&issuer, &resources.concat());
    for path in ["whole", "operations", "rule"] {
        let token = issuer.sign(&issuer.token_for(&format!("{ORIGIN}/{path}")));
        assert_eq!(ask("POST", path, &token, Some(call("a"))).send(service.port).status, 200, "{path}");
    }
    let told = |line: &serde_json::Value| (line["decision"].clone(), line["reason"].clone(), line["resource"].clone());
    let told: Vec<_> = lines(&service, 3).iter().map(told).collect();
    let expected = ["whole", "operations", "rule"];
    let expected = expected.map(|path| (json!("audit"), json!("condition_false"), json!(format!("{ORIGIN}/{path}"))));
    assert_eq!(told, expected);
}

#[test]
fn each_rule_in_audit_mode_counts_what_it_would_have_refused() {
    let issuer = TestIssuer::start();
    let rules = "
[[resources.tool_rules]]
names = ['a', 'b']
mode = 'audit'
condition = 'operation.name == \"b\"'

[[resources.tool_rules]]
names = ['c']
deny = true

[[resources.tool_rules]]
names = ['a']
mode = 'audit'
deny = true
";
    let whole = resource("whole", "identity.claims.absent == 'x'", "mode = 'audit'");
    let service = start(&issuer, &format!("{}{whole}", resource("mcp", "", rules)));
    for (path, tool) in [("mcp", "a"), ("mcp", "b"), ("mcp", "c"), ("mcp", "a"), ("whole", "a")] {
        let token = issuer.sign(&issuer.token_for(&format!("{ORIGIN}/{path}")));
        ask("POST", path, &token, Some(call(tool))).send(service.port);
    }
    let metrics = service.metrics();
    let would_refuse = |path: &str, rule: &str| {
        metrics.value("rule_would_refuse_total", &[("resource", &format!("{ORIGIN}/{path}")), ("rule", rule)])
    };
    assert_eq!(would_refuse("mcp", "tool_rules[0]"), 2.0);
    assert_eq!(would_refuse("mcp", "tool_rules[2]"), 2.0);
    assert_eq!(would_refuse("whole", "condition"), 1.0);
    let series = metrics.samples.iter().filter(|sample| sample.name.ends_with("rule_would_refuse_total")).count();
    assert_eq!(series, 3, "rules that refuse have no such series");
    let resource = format!("{ORIGIN}/mcp");
    let decisions = |outcome, reason| {
        metrics.value("decisions_total", &[("outcome", outcome), ("reason", reason), ("resource", &resource)])
    };
    assert_eq!(decisions("audit", "condition_false"), 2.0, "what is let through is not counted as forbidden");
    assert_eq!(decisions("forbidden", "condition_false"), 0.0);
    assert_eq!(decisions("forbidden", "operation_not_allowed"), 1.0);
    assert_eq!(decisions("allow", ""), 1.0);
}
