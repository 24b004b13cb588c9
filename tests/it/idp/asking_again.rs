//! Asking a provider again with a refresh token: who is still theirs, what is true of them now.

use mcp_forward_auth::domain::Person;
use serde_json::json;

use super::fake::{Fake, REFRESH_TOKEN, alice, outcome};
use crate::support::report::Report;
use crate::support::web::Answer;

#[test]
fn the_refresh_token_is_sent_and_what_is_true_now_comes_back() {
    let fake = Fake::start();
    let token = fake.id_token().without("nonce").claim("groups", json!(["ops"]));
    fake.gives_tokens(&json!({ "id_token": token.signed_by(&fake.keys[0]), "refresh_token": "rotated" }));
    let now = fake.client().ask_again(&alice()).unwrap();
    assert_eq!(now.person, Person { groups: vec!["ops".into()], ..alice() });
    assert_eq!(now.refresh_token.unwrap().expose(), "rotated");
    let request = fake.web.only_request_for("/token");
    let sent = ["grant_type", "refresh_token"].map(|name| request.field(name).unwrap());
    assert_eq!(sent, ["refresh_token", REFRESH_TOKEN]);
}

#[test]
fn a_refresh_token_that_is_not_rotated_stays_the_one_to_ask_with() {
    let fake = Fake::start();
    fake.gives(&fake.id_token());
    assert_eq!(fake.client().ask_again(&alice()).unwrap().refresh_token.unwrap().expose(), REFRESH_TOKEN);
}

#[test]
fn without_an_id_token_userinfo_says_who_it_is() {
    let fake = Fake::start();
    fake.gives_tokens(&json!({}));
    fake.says_at_userinfo(&json!({ "sub": "alice-subject", "email": "new@example.com", "email_verified": false }));
    let now = fake.client().ask_again(&alice()).unwrap().person;
    assert_eq!((now.email.unwrap().as_str(), now.email_verified), ("new@example.com", false));
    fake.says_at_userinfo(&json!({ "sub": "bob-subject", "email": "alice@example.com", "email_verified": true }));
    assert_eq!(outcome(&fake.client().ask_again(&alice())).0, "untrustworthy");
}

#[test]
fn without_both_the_taken_refresh_token_is_the_providers_word() {
    let fake = Fake::start();
    fake.publish_with(&json!({ "userinfo_endpoint": null }));
    fake.gives_tokens(&json!({}));
    assert_eq!(fake.client().ask_again(&alice()).unwrap().person, alice());
}

#[test]
fn the_new_id_token_must_be_as_good_as_the_first_and_about_the_same_person() {
    let rows = [
        ("another person", json!({ "sub": "bob-subject" }), "untrustworthy"),
        ("another audience", json!({ "aud": "other-client" }), "untrustworthy"),
        ("another issuer", json!({ "iss": "https://evil.example.com" }), "untrustworthy"),
        ("expired", json!({ "exp": 1 }), "untrustworthy"),
        ("the nonce of then", json!({}), "accepted"),
        ("no nonce", json!({ "nonce": null }), "accepted"),
    ];
    let mut report = Report::new("refreshed ID tokens");
    let fake = Fake::start();
    let client = fake.client();
    for (name, changes, expected) in rows {
        report.row(name);
        let mut token = fake.id_token();
        super::fake::change(&mut token.claims, &changes);
        fake.gives(&token);
        report.equal("outcome", outcome(&client.ask_again(&alice())).0, expected);
    }
    report.row("a forged one");
    fake.gives_tokens(&json!({ "id_token": fake.id_token().parameter("alg", "none").with_signature(b"") }));
    report.equal("outcome", outcome(&client.ask_again(&alice())).0, "untrustworthy");
    report.finish();
}

#[test]
fn a_person_of_another_provider_is_not_asked_for() {
    let fake = Fake::start();
    let stranger = Person { provider: "other".into(), ..alice() };
    assert_eq!(outcome(&fake.client().ask_again(&stranger)).0, "untrustworthy");
    assert!(fake.web.requests().is_empty());
}

/// A refusal ends the grant; trouble of the provider's or of ours must not.
#[test]
fn only_errors_about_the_person_are_refusals() {
    let error = |status, error: &str| Answer::StatusJson(status, json!({ "error": error }).to_string());
    let rows = [
        ("revoked, disabled, expired", error(400, "invalid_grant"), "refused"),
        ("something is to be done in a browser", error(400, "interaction_required"), "refused"),
        ("our secret is wrong", error(401, "invalid_client"), "unavailable"),
        ("we may not", error(400, "unauthorized_client"), "unavailable"),
        ("they do not understand us", error(400, "invalid_request"), "unavailable"),
        ("too often", error(429, "invalid_grant"), "unavailable"),
        ("an outage", error(500, "invalid_grant"), "unavailable"),
        ("an outage behind a proxy", Answer::Status(502), "unavailable"),
        ("a page", Answer::Json("<html>".into()), "unavailable"),
        ("a redirect to a page", Answer::Redirect("/maintenance".into()), "unavailable"),
    ];
    let mut report = Report::new("errors");
    let fake = Fake::start();
    let client = fake.client();
    for (name, answer, expected) in rows {
        report.row(name);
        fake.web.answer("/token", answer);
        report.equal("outcome", outcome(&client.ask_again(&alice())).0, expected);
    }
    report.equal("redirects followed", fake.web.requests_for("/maintenance"), 0);
    report.finish();
}
