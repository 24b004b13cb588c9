//! Explanations say who may what: only programs of this machine get one.

use serde_json::json;

use super::{Stage, URL};
use crate::support::http::Request;
use crate::support::report::Report;

#[test]
fn no_page_in_a_browser_no_proxy_and_no_other_name_gets_an_explanation() {
    let stage = Stage::start();
    let body = json!({ "url": URL, "token": stage.token() }).to_string();
    let ask = || Request::new("POST", "/admin/explain");
    let asked = |request: Request| request.body("application/json", body.as_str());
    let local = || asked(ask().host("localhost"));
    let mut report = Report::new("strangers");
    for (name, request, status) in [
        ("this machine", local(), 200),
        ("a page whose name was pointed here", asked(ask().host("evil.example")), 403),
        ("another origin", local().header("Origin", "https://evil.example"), 403),
        ("no origin to speak of", local().header("Origin", "null"), 403),
        ("another site", local().header("Sec-Fetch-Site", "cross-site"), 403),
        ("a proxy", local().header("X-Forwarded-For", "203.0.113.7"), 403),
        ("a form", ask().host("localhost").body("text/plain", body.as_str()), 415),
        ("a GET", Request::get("/admin/explain").host("localhost"), 405),
    ] {
        report.row(name);
        let answer = request.send(stage.service.admin_port);
        report.equal("the status", answer.status, status);
        report.equal("whether it tells", answer.text().contains("steps"), status == 200);
    }
    report.row("the public listener");
    report.equal("the status", local().send(stage.service.port).status, 404);
    report.finish();
}

#[test]
fn commands_that_say_something_else_are_refused_and_nothing_is_guessed() {
    let stage = Stage::start();
    let mut report = Report::new("commands");
    for body in [
        "{}",
        "",
        "[]",
        r#"{"url":"/mcp"}"#,
        r#"{"url":"https://mcp.example.com/mcp","tokens":"x"}"#,
        r#"{"url":"https://mcp.example.com/mcp","token":["x"]}"#,
        r#"{"url":"https://mcp.example.com/mcp","method":"GET IT"}"#,
        r#"{"url":"https://mcp.example.com/mcp","url":"https://mcp.example.com/mcp"}"#,
        r#"{"url":"https://mcp.example.com/mcp"}{}"#,
    ] {
        report.row(body);
        let request = Request::new("POST", "/admin/explain").host("localhost").body("application/json", body);
        let answer = request.send(stage.service.admin_port);
        report.equal("the answer", (answer.status, answer.json()["error"].as_str()), (400, Some("invalid_request")));
    }
    report.finish();
    let long = json!({ "url": URL, "token": "x".repeat(200_000) }).to_string();
    let request = Request::new("POST", "/admin/explain").host("localhost").body("application/json", long);
    assert_eq!(request.send(stage.service.admin_port).status, 413);
}
