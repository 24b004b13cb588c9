//! Endpoints that answer badly, late, too much or not at all. Nothing of it may hold a sign-in for long, and no redirect
//! may take a code elsewhere.

use std::time::Duration;

use mcp_forward_auth::idp::ProviderSettings;
use mcp_forward_auth::idp::github::GithubSettings;
use serde_json::{Value, json};

use super::fake::{Client, DISCOVERY, Fake, outcome, registration};
use crate::support::report::Report;
use crate::support::web::{Answer, Web};

const ENDPOINTS: [&str; 3] = [DISCOVERY, "/jwks", "/token"];

#[test]
fn bad_answers_of_any_endpoint_are_trouble_and_never_a_sign_in() {
    let rows = [
        ("an error", Answer::Status(500)),
        ("nothing there", Answer::Status(404)),
        ("no content", Answer::Status(204)),
        ("a page", Answer::Json("<html>".into())),
        ("an empty answer", Answer::Json(String::new())),
        ("an empty object", Answer::Json("{}".into())),
        ("a list", Answer::Json("[]".into())),
        ("null", Answer::Json("null".into())),
        ("too much", Answer::Huge(600 * 1024)),
        ("a redirect", Answer::Redirect("/elsewhere".into())),
    ];
    let mut report = Report::new("bad answers");
    for endpoint in ENDPOINTS {
        for (name, answer) in &rows {
            report.row(format!("{endpoint}: {name}"));
            let fake = Fake::start();
            fake.gives(&fake.id_token());
            fake.web.answer(endpoint, answer.clone());
            // What a redirect would lead to is a good answer to everything.
            fake.web.answer("/elsewhere", Answer::Json(fake.metadata().to_string()));
            let (kind, text) = outcome(&fake.client().redeem());
            report.holds(kind == "unavailable" || kind == "untrustworthy", || format!("{kind}: {text}"));
            report.equal("redirects followed", fake.web.requests_for("/elsewhere"), 0);
        }
    }
    report.finish();
}

#[test]
fn a_closed_connection_is_trouble() {
    let fake = Fake::start();
    let client = fake.client();
    fake.gives(&fake.id_token());
    client.redeem().unwrap();
    fake.web.set_down(true);
    assert_eq!(outcome(&client.redeem()).0, "unavailable");
}

/// Every single answer is within its limit, and all of them together are not.
#[test]
fn many_slow_answers_end_too() {
    let web = Web::start();
    let slow = |body: Value| Answer::Slow(Duration::from_secs(8), body.to_string());
    web.answer("/login/oauth/access_token", slow(json!({ "access_token": "access-token-value" })));
    web.answer("/api/v3/user", slow(json!({ "login": "octocat", "id": 1 })));
    web.answer("/api/v3/user/emails?per_page=100&page=1", slow(json!([])));
    web.answer("/api/v3/user/orgs?per_page=100&page=1", slow(json!([])));
    web.answer("/api/v3/user/teams?per_page=100&page=1", slow(json!([])));
    let settings = GithubSettings { web_url: web.url(), ..GithubSettings::new(registration()) };
    let (kind, text) = outcome(&Client::new(ProviderSettings::Github(settings)).redeem());
    assert_eq!((kind, text.contains("GitHub took too long")), ("unavailable", true), "{text}");
    assert_eq!(web.requests_for("/api/v3/user/orgs?per_page=100&page=1"), 0);
}

/// Silence and drops of water end in seconds, not when the other side pleases. All of them at the same time.
#[test]
fn silence_ends_by_itself() {
    let rows: Vec<(&str, Answer)> = ENDPOINTS
        .into_iter()
        .chain(["/userinfo"])
        .flat_map(|endpoint| [(endpoint, Answer::Hang), (endpoint, Answer::Trickle)])
        .collect();
    let wait = |endpoint: &str, answer: &Answer| {
        let fake = Fake::start();
        fake.gives(&fake.id_token().without("email"));
        fake.says_at_userinfo(&json!({ "sub": "alice-subject" }));
        fake.web.answer(endpoint, answer.clone());
        (format!("{endpoint} {answer:?}"), outcome(&fake.client().redeem()).0)
    };
    let wait = &wait;
    let ended: Vec<(String, &str)> = std::thread::scope(|scope| {
        let waiting: Vec<_> =
            rows.iter().map(|(endpoint, answer)| scope.spawn(move || wait(endpoint, answer))).collect();
        waiting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let others: Vec<_> = ended.iter().filter(|(_, kind)| *kind != "unavailable").collect();
    assert!(ended.len() == 8 && others.is_empty(), "{others:?}");
}
