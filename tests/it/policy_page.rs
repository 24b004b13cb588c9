//! Every example of `docs/policy.md` decides as the table under it says.

use std::collections::BTreeMap;

use crate::support::http::{Request, Response};
use crate::support::issuer::TestIssuer;
use crate::support::process::eventually;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::stage::new_agent;
use crate::support::tools::project;

const URL: &str = "https://mcp.example.com/mcp";

#[test]
fn every_example_of_the_policy_page_decides_as_its_table_says() {
    let page = std::fs::read_to_string(project().join("docs/policy.md")).unwrap();
    let issuer = TestIssuer::start();
    let mut report = Report::new("docs/policy.md");
    let mut rows = 0;
    for part in page.split("```toml\n").skip(1) {
        let (config, rest) = part.split_once("\n```\n").unwrap();
        let config = config.replace("https://idp.example.com", &issuer.url());
        let mut service = Service::start(&format!("[log]\nallows = 1.0\n\n{config}"));
        service.wait_until_ready();
        let table = rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        for line in table.skip(2) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            report.row(line.to_owned());
            let agent = new_agent();
            let question = ask(&token(&issuer, cells[0]), cells[1].trim_matches('`')).header("User-Agent", &*agent);
            let answer = question.send(service.port);
            report.equal("the verdict", shown(&service, &answer, &agent), cells[2].replace('`', ""));
            rows += 1;
        }
    }
    report.holds(rows > 20, || format!("only {rows} rows were found"));
    report.finish();
}

/// `alice@example.com in ops with mcp:read`.
fn token(issuer: &TestIssuer, caller: &str) -> String {
    let words: Vec<&str> = caller.split(' ').collect();
    let after = |word: &str| words.iter().position(|known| *known == word).map(|place| words[place + 1]);
    let token = issuer.token_for(URL).claim("email", words[0]).claim("scope", after("with").unwrap_or("openid"));
    issuer.sign(&token.claim("groups", after("in").into_iter().collect::<Vec<_>>()))
}

/// `tools/call read_note`, as Traefik asks about it.
fn ask(token: &str, operation: &str) -> Request {
    let (method, name) = operation.split_once(' ').unwrap_or((operation, ""));
    let named_by = BTreeMap::from([("tools/call", "name"), ("resources/read", "uri")]);
    let body = match method {
        "http/get" | "http/delete" => None,
        "jsonrpc/response" => Some(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned()),
        _ => {
            let params = named_by.get(method).map(|key| format!(r#""{key}":"{name}""#)).unwrap_or_default();
            Some(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#))
        }
    };
    let http = method.strip_prefix("http/").map_or("POST".to_owned(), str::to_uppercase);
    let request = Request::get("/auth").host("localhost").bearer(token).header("X-Forwarded-Method", http);
    let request = request.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", "mcp.example.com");
    let request = request.header("X-Forwarded-Uri", "/mcp");
    body.map_or(request.clone(), |body| request.body("application/json", body))
}

fn shown(service: &Service, answer: &Response, agent: &str) -> String {
    if answer.status != 200 {
        return answer.reason();
    }
    let line = || service.decision_lines().into_iter().find(|line| line["user_agent"] == *agent);
    eventually("the line of the decision", || line().is_some());
    match line().unwrap()["reason"].as_str() {
        Some(reason) => format!("audited {reason}"),
        None => "allowed".to_owned(),
    }
}
