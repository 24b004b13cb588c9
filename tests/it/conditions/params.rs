//! `operation.params` and `operation.arguments`, through proxies and with a real server that checks its headers.

use serde_json::json;

use super::{ORIGIN, ask, message, resource, start};
use crate::smuggling::modern;
use crate::support::attacked::{AttackedServer, Sdk};
use crate::support::http::Request;
use crate::support::issuer::TestIssuer;
use crate::support::ports;
use crate::support::proxies::{Backends, Kind, Proxy, with_body};
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::world::HOST;

const PARAMS: &str = "upstream_enforces_mcp_headers = true";
const TENANT: &str = "operation.name == 'query' && operation.params.tenant in identity.claims.tenants";

/// A question about a call of `query` whose headers name it.
fn by_headers(path: &str, token: &str, version: &str, params: &[(&str, &str)]) -> Request {
    let request = ask("POST", path, token, None).header("MCP-Protocol-Version", version);
    let request = request.header("Mcp-Method", "tools/call").header("Mcp-Name", "query");
    params.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

#[test]
fn parameters_count_where_the_server_checks_them() {
    let issuer = TestIssuer::start();
    let optional = "!has(operation.params.tenant) || operation.params.tenant == 'red'";
    let resources = [resource("demanded", TENANT, PARAMS), resource("optional", optional, PARAMS)];
    let service = start(&issuer, &resources.concat());
    let token = |path: &str| {
        let token = issuer.token_for(&format!("{ORIGIN}/{path}")).claim("tenants", json!(["red", "größe"]));
        issuer.sign(&token)
    };
    let (new, old) = ("2026-07-28", "2025-11-25");
    let many: Vec<(String, String)> = (0..33).map(|number| (format!("Mcp-Param-P{number}"), "x".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut report = Report::new("mirrored parameters");
    for (path, version, params, expected) in [
        ("demanded", new, &[("Mcp-Param-Tenant", "red")][..], "-"),
        ("demanded", new, &[("mcp-param-TENANT", "red")], "-"),
        ("demanded", new, &[("Mcp-Param-Tenant", "=?base64?Z3LDtsOfZQ==?=")], "-"),
        ("demanded", new, &[("Mcp-Param-Tenant", "blue")], "condition_false"),
        ("demanded", new, &[("Mcp-Param-Tenant", "Red")], "condition_false"),
        ("demanded", new, &[("Mcp-Param-Other", "red")], "condition_false"),
        ("demanded", new, &[], "condition_false"),
        ("demanded", new, &[("Mcp-Param-Tenant", "red"), ("Mcp-Param-Tenant", "red")], "operation_unknown"),
        ("demanded", new, &[("Mcp-Param-Tenant", "red"), ("mcp-param-tenant", "blue")], "operation_unknown"),
        ("demanded", new, &[("Mcp-Param-Tenant", "red,blue")], "operation_unknown"),
        ("demanded", new, &[("Mcp-Param-Tenant", "=?base64?!?=")], "operation_unknown"),
        ("demanded", new, &[("Mcp-Param-Tenant", "red"), ("Mcp-Param-Other", "")], "operation_unknown"),
        ("demanded", new, &many, "operation_unknown"),
        ("demanded", old, &[("Mcp-Param-Tenant", "red")], "operation_unknown"),
        ("optional", new, &[], "-"),
        ("optional", new, &[("Mcp-Param-Tenant", "red")], "-"),
        ("optional", new, &[("Mcp-Param-Tenant", "blue")], "condition_false"),
    ] {
        report.row(format!("{path} {version} {params:?}"));
        let answer = by_headers(path, &token(path), version, params).send(service.port);
        let said = if answer.status == 200 { "-".to_owned() } else { answer.reason() };
        report.equal("the reason", said, expected.to_owned());
    }
    report.finish();
}

#[test]
fn arguments_are_those_of_the_body_and_of_nothing_else() {
    let issuer = TestIssuer::start();
    let condition = "operation.arguments.path.startsWith('/home/' + identity.subject + '/') \
                     && operation.arguments.limits.all(limit, limit <= 10)";
    let service = start(&issuer, &resource("mcp", condition, PARAMS));
    let token = issuer.sign(&issuer.token_for(&format!("{ORIGIN}/mcp")));
    let good = r#""path":"/home/alice-subject/x","limits":[1,10]"#;
    let mut report = Report::new("arguments");
    for (params, expected) in [
        (format!(r#""arguments":{{{good}}}"#), "-"),
        (format!(r#""arguments":{{{good},"more":{{"path":"/etc"}}}}"#), "-"),
        (r#""arguments":{"path":"/home/bob/x","limits":[]}"#.into(), "condition_false"),
        (r#""arguments":{"path":"/home/alice-subject/x","limits":[11]}"#.into(), "condition_false"),
        (r#""arguments":{"path":"/home/alice-subject/x","limits":10}"#.into(), "condition_false"),
        (r#""arguments":{"path":["/home/alice-subject/x"],"limits":[]}"#.into(), "condition_false"),
        (r#""arguments":{"limits":[]}"#.into(), "condition_false"),
        (r#""arguments":[]"#.into(), "condition_false"),
        (r#""_meta":{}"#.into(), "condition_false"),
        (format!(r#""arguments":{{{good},"path":"/etc"}}"#), "operation_unknown"),
        (format!(r#""arguments":{{{good},"Path":"/etc"}}"#), "operation_unknown"),
        (format!(r#""arguments":{{{good},"x":[{{"a":1,"\u0061":2}}]}}"#), "operation_unknown"),
        (format!(r#""arguments":{{{good}}},"Arguments":{{}}"#), "operation_unknown"),
    ] {
        report.row(params.clone());
        let body = message("tools/call", &format!(r#"{{"name":"query",{params}}}"#));
        let answer = ask("POST", "mcp", &token, Some(body)).send(service.port);
        let said = if answer.status == 200 { "-".to_owned() } else { answer.reason() };
        report.equal("the reason", said, expected.to_owned());
    }
    report.row("headers alone");
    let answer = by_headers("mcp", &token, "2026-07-28", &[("Mcp-Param-Path", "/home/alice-subject/x")]);
    report.equal("the reason", answer.send(service.port).reason(), "condition_false".to_owned());
    report.finish();
}

/// Two ways to one server: `/mcp` asks for the tenant that the header names, `/vouched` for the one in the body.
fn config(issuer: &str, port: u16) -> String {
    let resource = |path: &str, condition: &str| {
        format!(
            "[[resources]]\nurl = \"http://{HOST}:{port}{path}\"\ninsecure_http = true\n{PARAMS}\n\
             [[resources.tool_rules]]\nnames = ['query']\ncondition = '''{condition}'''\n"
        )
    };
    let params = resource("/mcp", "operation.params.tenant == 'red'");
    let arguments = resource("/vouched", "operation.arguments.tenant == 'red'");
    format!("[log]\nallows = 1.0\n\n[[issuers]]\nissuer = \"{issuer}\"\n\n{params}\n{arguments}")
}

/// What a real server ran when the header names one tenant and the body another.
fn ran(kind: Kind, sends_body: bool, path: &'static str) -> Vec<bool> {
    let (issuer, server, port) = (TestIssuer::start(), AttackedServer::start(Sdk::TypeScriptV2), ports::free());
    let backends = Backends { service: port, upstream: server.port };
    let as_shipped = |_: &str, text: String| text;
    let proxy = Proxy::start_edited(kind, backends, if sends_body { &with_body } else { &as_shipped });
    let mut service = Service::start_at(port, &config(&issuer.url(), proxy.port));
    service.wait_until_ready();
    let authority = format!("{HOST}:{}", proxy.port);
    let token = issuer.sign(&issuer.token_for(&format!("http://{authority}{path}")));
    let run = |(header, body): (Option<&str>, &str)| {
        let body = modern("query").replace(r#""arguments":{}"#, &format!(r#""arguments":{{"tenant":"{body}"}}"#));
        let request = Request::new("POST", path).host(&authority).bearer(&token).body("application/json", body);
        let request = request.header("Accept", "application/json, text/event-stream");
        let request = request.header("MCP-Protocol-Version", "2026-07-28");
        let request = request.header("Mcp-Method", "tools/call").header("Mcp-Name", "query");
        let before = server.ran().len();
        header.into_iter().fold(request, |request, header| request.header("Mcp-Param-Tenant", header)).send(proxy.port);
        server.ran().len() > before
    };
    [(Some("red"), "red"), (Some("blue"), "blue"), (Some("red"), "blue"), (Some("blue"), "red"), (None, "red")]
        .map(run)
        .into()
}

#[test]
fn a_real_server_runs_only_what_the_condition_saw() {
    for (kind, sends_body) in [(Kind::Envoy, false), (Kind::Envoy, true), (Kind::Traefik, false), (Kind::Traefik, true)]
    {
        let seen = ran(kind, sends_body, "/mcp");
        assert_eq!(seen, [true, false, false, false, false], "{kind:?}, with bodies: {sends_body}: by its header");
    }
    for kind in [Kind::Envoy, Kind::Traefik] {
        assert_eq!(ran(kind, true, "/vouched"), [true, false, false, false, false], "{kind:?}: by its arguments");
    }
}
