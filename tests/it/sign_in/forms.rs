//! Answers to our own forms. `form-action 'self'` holds for every redirect that follows a form (Content Security Policy
//! Level 3 §6.4.2), so a form whose way leads to another site must be answered with a page that goes on.

use crate::support::http::{Request, Response};
use crate::support::report::Report;
use crate::support::service::Service;

pub(super) const CONFIG: &str = r#"
[[resources]]
url = "http://localhost:8080/mcp"
allowed_emails = ["alice@example.com"]

[authorization_server]
issuer = "http://localhost:8080"

[authorization_server.identity_provider]
kind = "development"

[store]
url = "memory:"
"#;

fn post(service: &Service, path: &str, form: &str) -> Response {
    let request = Request::new("POST", path).host("localhost:8080").header("Origin", "http://localhost:8080");
    request.body("application/x-www-form-urlencoded", form).send(service.port)
}

#[test]
fn a_form_whose_way_leads_to_another_site_is_answered_with_a_page() {
    let service = Service::start(CONFIG);
    let mut report = Report::new("forms");
    for (path, form, leads_to) in [
        ("/sign-in/development", "state=a.b&email=alice%40example.com", "http://localhost:8080/callback?code="),
        ("/connections", "csrf=x&withdraw=y", "http://localhost:8080/sign-in/development?state="),
    ] {
        let answer = post(&service, path, form);
        report.row(path);
        report.equal("the status", answer.status, 200);
        report.equal("the redirect", answer.header("location"), None);
        let (text, refresh) = (answer.text(), format!("<meta http-equiv=\"refresh\" content=\"0;url={leads_to}"));
        report.holds(text.contains(&refresh), || text.clone());
    }
    report.finish();
}
