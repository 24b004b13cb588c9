//! What the pages about clients say of redirect URIs is what registration accepts.

use std::fs;

use serde_json::json;

use super::forms::CONFIG;
use crate::support::http::Request;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::tools::project;

/// The addresses that a page names after `Answers go to`, up to the end of that paragraph.
fn redirect_uris(page: &str) -> Vec<String> {
    let paragraph =
        page.split("\nAnswers go to ").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
    let quoted = paragraph.split('`').skip(1).step_by(2).filter(|text| text.contains("://"));
    quoted.map(ToOwned::to_owned).collect()
}

#[test]
fn every_redirect_uri_on_the_pages_about_clients_can_be_registered() {
    let service = Service::start(CONFIG);
    let mut report = Report::new("clients");
    for entry in fs::read_dir(project().join("docs/clients")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "README" {
            continue;
        }
        report.row(name);
        let text = fs::read_to_string(&path).unwrap();
        report.holds(text.contains("\n**Start from nothing:** "), || "it does not say how a client forgets".to_owned());
        let uris = redirect_uris(&text);
        report.holds(!uris.is_empty(), || "it names no redirect URI".to_owned());
        let body = json!({ "redirect_uris": uris, "token_endpoint_auth_method": "none" }).to_string();
        let request = Request::new("POST", "/register").host("localhost:8080").body("application/json", body);
        let answer = request.send(service.port);
        report.equal("the status", answer.status, 201);
        // Of a set, what is not accepted is left out.
        report.equal("what was registered", &answer.json()["redirect_uris"], &json!(uris));
    }
    report.finish();
}
