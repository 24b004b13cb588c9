//! What the issuer says decides: good answers become identities, hostile ones never open anything.

use serde_json::json;

use super::{ALICE, Asked, alice, alice_but, ask, outcome};
use crate::support::issuer::now;
use crate::support::report::Report;
use crate::support::web::Answer;

#[test]
fn a_good_answer_becomes_the_identity_that_the_upstream_is_told() {
    let asked = Asked::start();
    let service = asked.service("");
    for _ in 0..2 {
        let answer = ask(&service, ALICE);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = |name| answer.header(name).unwrap_or_default();
        assert_eq!(told("x-forwarded-user"), "alice@example.com");
        assert_eq!(told("x-forwarded-groups"), "staff");
        assert_eq!(told("x-forwarded-scopes"), "mcp:read");
        assert_eq!(told("x-auth-subject"), "alice-subject");
        assert_eq!(told("x-auth-issuer"), asked.issuer.url());
        assert_eq!(told("x-auth-client"), "test-client");
    }
    assert_eq!(asked.questions(), 1, "the answer is remembered");
}

#[test]
fn what_is_said_of_a_token_is_judged_like_the_claims_of_a_jwt() {
    let asked = Asked::start();
    let service = asked.service("");
    let mut report = Report::new("answers");
    for (index, (changes, expected)) in [
        (json!({}), "200"),
        (json!({ "iss": asked.issuer.url(), "iat": null, "token_type": null, "username": null }), "200"),
        (json!({ "exp": null }), "200"),
        (json!({ "active": false }), "401 invalid_token"),
        (json!({ "iss": "https://other.example.com" }), "401 unknown_issuer"),
        (json!({ "exp": now() - 60 }), "401 expired_token"),
        (json!({ "nbf": now() + 600 }), "401 invalid_token"),
        (json!({ "iat": now() + 600 }), "401 invalid_token"),
        (json!({ "exp": "tomorrow" }), "401 invalid_token"),
        (json!({ "aud": "https://other.example.com/mcp" }), "401 wrong_audience"),
        (json!({ "aud": ["https://other.example.com/mcp"] }), "401 wrong_audience"),
        (json!({ "aud": null }), "401 wrong_audience"),
        (json!({ "aud": [] }), "401 wrong_audience"),
        (json!({ "aud": [{ "a": 1 }] }), "401 invalid_token"),
        (json!({ "sub": null }), "200"),
        (json!({ "sub": null, "client_id": null }), "401 invalid_token"),
        (json!({ "sub": ["alice-subject"] }), "401 invalid_token"),
        (json!({ "cnf": { "jkt": "x" } }), "401 invalid_token"),
        (json!({ "token_type": "DPoP" }), "401 invalid_token"),
        (json!({ "token_type": "mac" }), "401 invalid_token"),
        (json!({ "typ": "Refresh" }), "401 invalid_token"),
        (json!({ "token_use": "refresh_token" }), "401 invalid_token"),
        (json!({ "email_verified": false }), "403 email_not_verified"),
        (json!({ "email": "bob@example.com" }), "403 principal_not_allowed"),
    ]
    .into_iter()
    .enumerate()
    {
        report.row(changes.to_string());
        let token = format!("token-{index}");
        asked.knows(&token, &alice_but(&changes));
        report.equal("first", outcome(&ask(&service, &token)), expected);
        report.equal("remembered", outcome(&ask(&service, &token)), expected);
    }
    report.finish();
    assert_eq!(asked.questions(), 24, "each token was asked about once");
}

#[test]
fn what_is_no_answer_opens_nothing_and_is_never_said_to_be_the_tokens_fault() {
    let json = |text: &str| Answer::Json(text.to_owned());
    let good = |asked: &Asked| {
        let mut good = alice(super::RESOURCE);
        good["iss"] = json!(asked.issuer.url());
        good.to_string()
    };
    let typed = |kind: &str, body: &str| {
        Answer::Raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))
    };
    let asked = Asked::start();
    let good = good(&asked);
    let rows: Vec<(&str, Answer, &str)> = vec![
        ("active as text", json(r#"{"active":"true","sub":"a"}"#), "unusable"),
        ("active as number", json(r#"{"active":1}"#), "unusable"),
        ("no active", json(&good.replace("\"active\":true,", "")), "unusable"),
        ("active twice", json(&good.replacen('{', "{\"active\":false,", 1)), "unusable"),
        ("aud twice", json(&good.replacen('{', "{\"aud\":\"x\",", 1)), "unusable"),
        ("an array", json(&format!("[{good}]")), "unusable"),
        ("a text", json("\"active\""), "unusable"),
        ("nothing", json(""), "unusable"),
        ("a page", typed("text/html", "<p>active"), "unusable"),
        ("good, but called text", typed("text/plain", &good), "unusable"),
        ("good, but a signed answer", typed("application/token-introspection+jwt", &good), "unusable"),
        ("deep", json(&format!("{{\"active\":true,\"x\":{}1{}}}", "[".repeat(5000), "]".repeat(5000))), "unusable"),
        ("huge", json(&good.replacen('{', &format!("{{\"x\":\"{}\",", "y".repeat(70_000)), 1)), "unusable"),
        ("good, with 500", Answer::StatusJson(500, good.clone()), "status"),
        ("good, with 201", Answer::StatusJson(201, good.clone()), "status"),
        ("good, with 429", Answer::StatusJson(429, good.clone()), "status"),
        ("good, with 400", Answer::StatusJson(400, good.clone()), "request_rejected"),
        ("good, with 401", Answer::StatusJson(401, good.clone()), "credentials"),
        ("good, with 403", Answer::StatusJson(403, good.clone()), "credentials"),
        ("a redirect to itself", Answer::Redirect(format!("{}/elsewhere", asked.issuer.url())), "status"),
    ];
    asked.issuer.web.answer("/elsewhere", Answer::Json(good.clone()));
    let service = asked.service("");
    let mut report = Report::new("no answers");
    for (index, (name, answer, counted)) in rows.into_iter().enumerate() {
        report.row(name);
        asked.says(answer);
        // A pause after failures ends by itself.
        let before = asked.counted(&service, counted);
        let token = format!("token-{index}");
        let last = std::cell::RefCell::new(String::new());
        crate::support::process::eventually(name, || {
            let answer = ask(&service, &token);
            let retry = answer.header("retry-after").unwrap_or_default().to_owned();
            *last.borrow_mut() = format!("{} {retry} {:?}", outcome(&answer), answer.header("www-authenticate"));
            asked.counted(&service, counted) > before || !last.borrow().starts_with("503")
        });
        report.equal("answer", last.into_inner(), "503 introspection_unavailable 1 None");
    }
    report.finish();
    assert_eq!(asked.issuer.web.requests_for("/elsewhere"), 0, "no token goes where a redirect leads");
    asked.answers();
    crate::support::process::eventually("it answers again", || outcome(&ask(&service, ALICE)) == "200");
}

#[test]
fn an_audience_that_is_missing_counts_only_where_the_operator_vouches_and_the_type_is_told() {
    let asked = Asked::start();
    let service = asked.service("introspection_vouches_for_audience = true");
    let mut report = Report::new("vouched");
    for (index, (changes, expected)) in [
        (json!({}), "200"),
        (json!({ "aud": null }), "200"),
        (json!({ "aud": [] }), "401 wrong_audience"),
        (json!({ "aud": "" }), "401 wrong_audience"),
        (json!({ "aud": "https://other.example.com/mcp" }), "401 wrong_audience"),
        (json!({ "aud": null, "token_type": null }), "401 invalid_token"),
        (json!({ "aud": null, "token_type": "refresh_token" }), "401 invalid_token"),
        (json!({ "aud": null, "email": "bob@example.com" }), "403 principal_not_allowed"),
    ]
    .into_iter()
    .enumerate()
    {
        report.row(changes.to_string());
        let token = format!("token-{index}");
        asked.knows(&token, &alice_but(&changes));
        report.equal("answer", outcome(&ask(&service, &token)), expected);
    }
    report.finish();
}

#[test]
fn groups_are_found_where_the_issuer_keeps_them() {
    let asked = Asked::start();
    asked.knows("nested", &alice_but(&json!({ "realm_access": { "roles": ["ops", 7] }, "groups": ["staff"] })));
    let service = asked.service("groups_claims = [\"realm_access.roles\"]");
    assert_eq!(ask(&service, "nested").header("x-forwarded-groups"), Some("ops"));
}
