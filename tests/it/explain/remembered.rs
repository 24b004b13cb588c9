//! From the request id of a refusal to why it was one, for tokens that nobody has any more.

use mcp_forward_auth::authz::BrowserSessions;
use mcp_forward_auth::config::Config;
use mcp_forward_auth::http::explain::remembered;
use serde_json::{Value, json};

use super::commands::explain;
use super::{Stage, URL, in_process, step};
use crate::support::http::{Request, Response};
use crate::support::issuer::SigningKey;
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::stage;

/// What `/auth` answers to a call with this body.
fn ask(stage: &Stage, id: &str, token: &str, body: &str) -> Response {
    Request::get("/auth")
        .host("localhost")
        .header("X-Forwarded-Method", "POST")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "mcp.example.com")
        .header("X-Forwarded-Uri", "/mcp?access_token=hush-hush-hush-hush")
        .header("X-Request-Id", id)
        .bearer(token)
        .body("application/json", body)
        .send(stage.service.port)
}

fn call(tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } })
}

#[test]
fn a_refusal_through_a_proxy_leads_to_its_steps() {
    let stage = stage::Stage::start(Kind::Traefik);
    let admin = format!("127.0.0.1:{}", stage.service.admin_port);
    let because = |id: &str| explain(&["--request-id", id, "--json", "--admin", &admin], "");
    let other = stage.token_for("/elsewhere");
    let mut report = Report::new("refusals");
    for (name, token, path, told, part) in [
        ("nobody", None, "/mcp", "credential", "no Authorization"),
        ("garbage", Some("garbage".to_owned()), "/mcp", "authentication", "not a signed JWT"),
        ("another audience", Some(stage.issuer.sign(&other)), "/mcp", "audience", "/elsewhere] does not hold http"),
        (
            "too few scopes",
            Some(stage.master_scoped("openid")),
            "/mcp",
            "scopes",
            "granted [openid], needed mcp:read or",
        ),
    ] {
        report.row(name);
        let target = format!("{path}?access_token=hush-hush-hush-hush");
        let mut request = stage.get(target);
        request = token.iter().fold(request, |request, token| request.bearer(token));
        let refused = stage.try_out(request);
        let answer = refused.answer.as_ref().unwrap();
        let id = answer.json()["request_id"].as_str().unwrap().to_owned();
        report.equal("the header", answer.header("x-request-id"), Some(&*id));
        report.equal("the log", refused.judged[0]["request_id"].as_str(), Some(&*id));
        let said = because(&id);
        report.equal("the code", (said.code, said.complaint.as_str()), (1, ""));
        let explanation = said.json();
        let (outcome, text) = step(&explanation, told);
        report.equal("the outcome", outcome, "refused");
        report.holds(text.contains(part), || text.to_owned());
        report.equal("the reason", &explanation["verdict"]["reason"], &refused.judged[0]["reason"]);
        report.equal("the answer", explanation["answers"][0]["body"].as_str(), Some(&*answer.text()));
        report.equal("the id", explanation["refused"]["request_id"].as_str(), Some(&*id));
        let leaks = said.text.contains("hush") || token.is_some_and(|token| super::secrets::leaks(&said.text, &token));
        report.holds(!leaks, || said.text.clone());
        let shown = explain(&["--request-id", &id, "--admin", &admin], "").text;
        report.holds(shown.contains(">>> NO") && shown.contains(text), || shown.clone());
    }
    report.row("an allow");
    let allowed = stage.get("/mcp").bearer(&stage.token()).header("X-Request-Id", "of-an-allow");
    report.equal("the status", stage.try_out(allowed).status(), 200);
    let said = because("of-an-allow");
    report.equal("the code", (said.code, said.text.as_str()), (3, ""));
    report.holds(said.complaint.contains("no refusal of this request id is remembered"), || said.complaint.clone());
    report.finish();
}

impl stage::Stage {
    fn master_scoped(&self, scope: &str) -> String {
        self.issuer.sign(&self.token_for("/mcp").claim("scope", scope))
    }
}

#[test]
fn of_a_batch_the_operation_that_was_refused_is_told() {
    let stage = Stage::start();
    let batch = json!([call("read_note"), call("write_note"), call("delete_note")]).to_string();
    assert_eq!(ask(&stage, "a-batch", &stage.token(), &batch).reason(), "operation_not_allowed");
    let said = stage.explain(&["--request-id", "a-batch", "--json"]);
    let explanation = said.json();
    assert_eq!(step(&explanation, "tool_rules[0]").0, "refused", "{explanation:#}");
    assert_eq!(step(&explanation, "operation").1, "[tools/call delete_note]");
    assert_eq!(explanation["request"]["operation"], "tools/call delete_note");
    assert!(!said.text.contains("hush"));
}

#[test]
fn what_audit_mode_would_have_refused_is_remembered_too() {
    let stage = Stage::start();
    let url = "https://watched.example.com/mcp";
    let token = stage.issuer.sign(&stage.issuer.token_for(url));
    let answer = stage.service.ask("POST", url, Some(&token));
    assert_eq!(answer.status, 200);
    let id = answer.header("x-request-id").unwrap();
    let said = stage.explain(&["--request-id", id]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.text.contains(">>> NO") && said.text.contains("it would be refused: principal_not_allowed"),
        "{said:?}"
    );
}

#[test]
fn a_flood_of_refusals_is_forgotten_and_those_of_known_callers_stay() {
    let stage = Stage::start();
    let body = call("delete_note").to_string();
    assert_eq!(ask(&stage, "of-alice", &stage.token(), &body).status, 403);
    for number in 0..1100 {
        assert_eq!(ask(&stage, &format!("of-a-stranger-{number}"), "garbage", "{}").status, 401);
    }
    let code = |id: &str| stage.explain(&["--request-id", id]).code;
    assert_eq!((code("of-alice"), code("of-a-stranger-1099"), code("of-a-stranger-1")), (1, 1, 3));
    // Ids that somebody sends are shown, and move no cursor.
    assert_eq!(ask(&stage, "~\"<b>[31m", "garbage", "{}").status, 401);
    assert_eq!(code("~\"<b>[31m"), 1);
}

#[test]
fn nothing_is_remembered_without_a_service() {
    let said = explain(&["--request-id", "one", "--admin", "127.0.0.1:1", "--url", URL], "");
    assert_eq!(said.code, 2, "{said:?}");
    let closed = format!("127.0.0.1:{}", crate::support::ports::free());
    let said = explain(&["--request-id", "one", "--admin", &closed], "");
    assert_eq!((said.code, said.text.as_str()), (3, ""), "{said:?}");
    assert!(said.complaint.contains("no service answers"), "{said:?}");
}

#[test]
fn a_browser_that_was_sent_to_sign_in_is_told_of_and_where_it_wanted_to_go_is_not() {
    let text = format!(
        "[[issuers]]\nissuer = \"https://idp.example.com\"\n[[resources]]\nurl = \"{URL}\"\nallow_any_authenticated = true\n"
    );
    let mut config = Config::from_toml(&text).unwrap();
    config.policies[0].sessions = BrowserSessions::Here;
    let service = in_process::service(config, &SigningKey::generate("key-1", "ES256"), "");
    let ways = [
        Request::get("/auth")
            .header("X-Forwarded-Method", "GET")
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", "mcp.example.com")
            .header("X-Forwarded-Uri", "/mcp?hush-hush"),
        Request::get("/auth/envoy/mcp?hush-hush").host("mcp.example.com").header("X-Forwarded-Proto", "https"),
        Request::get("/auth/nginx")
            .header("X-Original-Method", "GET")
            .header("X-Original-URL", format!("{URL}?hush-hush")),
    ];
    let requests = ways.into_iter().enumerate();
    let requests =
        requests.map(|(way, request)| request.header("Accept", "text/html").header("X-Request-Id", way.to_string()));
    for (way, answer) in in_process::ask(&service, requests.collect()).into_iter().enumerate() {
        assert_eq!(
            (answer.status, answer.headers.contains_key("location")),
            ([302, 302, 401][way], true),
            "{answer:?}"
        );
        let (refusal, _) = service.refusals.find(&way.to_string()).unwrap();
        let told = serde_json::to_value(remembered(&service.point, &refusal)).unwrap();
        assert_eq!(told["note"], "a browser was sent to sign in");
        assert_eq!((step(&told, "credential").0, &told["answers"]), ("refused", &json!([])));
        assert!(!told.to_string().contains("hush"), "{told}");
    }
}
