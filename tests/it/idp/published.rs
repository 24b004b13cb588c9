//! What a provider publishes: discovery, keys, their refresh, outages.

use mcp_forward_auth::domain::Issuer;
use mcp_forward_auth::idp::ProviderSettings;
use serde_json::json;

use super::fake::{Client, DISCOVERY, Fake, outcome, run, start};
use crate::support::issuer::{SigningKey, key_set};
use crate::support::report::Report;
use crate::support::web::Answer;

#[test]
fn metadata_that_does_not_fit_is_not_used() {
    let plain = "http://idp.example.com";
    let rows = [
        ("another issuer", json!({ "issuer": "https://evil.example.com" })),
        ("the issuer with a slash", json!({ "issuer": "SLASH" })),
        ("no issuer", json!({ "issuer": null })),
        ("an authorization endpoint without TLS", json!({ "authorization_endpoint": plain })),
        ("a token endpoint without TLS", json!({ "token_endpoint": plain })),
        ("a userinfo endpoint without TLS", json!({ "userinfo_endpoint": plain })),
        ("keys without TLS", json!({ "jwks_uri": plain })),
        ("a token endpoint that is a file", json!({ "token_endpoint": "file:///etc/passwd" })),
        ("an authorization endpoint that is a script", json!({ "authorization_endpoint": "javascript:alert(1)" })),
        ("no token endpoint", json!({ "token_endpoint": null })),
        ("no authorization endpoint", json!({ "authorization_endpoint": null })),
        ("no keys", json!({ "jwks_uri": null })),
    ];
    let mut report = Report::new("metadata");
    for (name, mut changes) in rows {
        report.row(name);
        let fake = Fake::start();
        if changes["issuer"] == "SLASH" {
            changes["issuer"] = json!(format!("{}/", fake.url()));
        }
        fake.publish_with(&changes);
        fake.gives(&fake.id_token());
        let client = fake.client();
        report.equal("at the request", outcome(&run(client.provider.authorization_url(&start()))).0, "untrustworthy");
        report.equal("at the answer", outcome(&client.redeem()).0, "untrustworthy");
        report.equal("codes sent", fake.web.requests_for("/token"), 0);
    }
    report.finish();
}

#[test]
fn an_issuer_is_taken_with_and_without_a_path_and_a_slash() {
    for path in ["", "/", "/realms/main", "/realms/main/"] {
        let fake = Fake::start();
        let issuer = fake.at(path);
        let mut metadata = fake.metadata();
        metadata["issuer"] = json!(issuer);
        let place = format!("{}{DISCOVERY}", path.trim_end_matches('/'));
        fake.web.answer(&place, Answer::Json(metadata.to_string()));
        let mut settings = fake.settings();
        settings.issuer = Issuer::parse(&issuer).unwrap();
        fake.gives(&fake.id_token().claim("iss", issuer.clone()));
        let outcome = outcome(&Client::new(ProviderSettings::Oidc(settings)).redeem());
        assert_eq!(outcome, ("accepted", String::new()), "{issuer}");
    }
}

/// Mix-up: a code of one provider must never be sent to another, so whose answer it is comes first (RFC 9207 §2.4).
#[test]
fn an_answer_of_another_issuer_is_refused_before_its_code_goes_anywhere() {
    let promise = json!({ "authorization_response_iss_parameter_supported": true });
    let rows = [
        ("not promised, not sent", json!({}), None, "accepted"),
        ("not promised, sent", json!({}), Some("SELF"), "accepted"),
        ("not promised, another", json!({}), Some("https://evil.example.com"), "untrustworthy"),
        ("promised, sent", promise.clone(), Some("SELF"), "accepted"),
        ("promised, not sent", promise.clone(), None, "untrustworthy"),
        ("promised, with a slash", promise, Some("SELF/"), "untrustworthy"),
        ("empty", json!({}), Some(""), "untrustworthy"),
    ];
    let mut report = Report::new("iss of the answer");
    for (name, metadata, iss, expected) in rows {
        report.row(name);
        let fake = Fake::start();
        fake.publish_with(&metadata);
        fake.gives(&fake.id_token());
        let iss = iss.map(|iss| iss.replace("SELF", &fake.url()));
        let redeemed = fake.client().redeem_answer(super::fake::callback(iss.as_deref()));
        report.equal("outcome", outcome(&redeemed).0, expected);
        report.equal("codes sent", fake.web.requests_for("/token"), usize::from(expected == "accepted"));
    }
    report.finish();
}

#[test]
fn documents_are_fetched_once_and_again_after_an_hour() {
    let fake = Fake::start();
    fake.gives(&fake.id_token());
    let client = fake.client();
    let fetches = || (fake.web.requests_for(DISCOVERY), fake.web.requests_for("/jwks"));
    assert_eq!(fetches(), (0, 0), "nothing is fetched before somebody signs in");
    client.redeem().unwrap();
    client.redeem().unwrap();
    client.request(&start());
    assert_eq!(fetches(), (1, 1));
    client.clock.forward(3600);
    fake.gives(&fake.id_token().claim("exp", 9_999_999_999_u64));
    client.redeem().unwrap();
    assert_eq!(fetches(), (2, 2));
}

#[test]
fn a_provider_that_is_down_at_the_start_is_used_once_it_is_up() {
    let fake = Fake::start();
    fake.gives(&fake.id_token());
    fake.web.set_down(true);
    let client = fake.client();
    assert_eq!(outcome(&client.redeem()).0, "unavailable");
    fake.web.set_down(false);
    client.clock.forward(2);
    assert_eq!(outcome(&client.redeem()).0, "accepted");
}

#[test]
fn old_documents_serve_through_an_outage_of_what_they_came_from() {
    let fake = Fake::start();
    let client = fake.client();
    fake.gives(&fake.id_token().claim("exp", 9_999_999_999_u64));
    client.redeem().unwrap();
    fake.web.answer(DISCOVERY, Answer::Status(503));
    fake.web.answer("/jwks", Answer::Status(503));
    client.clock.forward(7200);
    assert_eq!(outcome(&client.redeem()), ("accepted", String::new()));
}

#[test]
fn an_unknown_key_brings_the_keys_anew_but_not_at_every_token() {
    let mut fake = Fake::start();
    let client = fake.client();
    fake.gives(&fake.id_token());
    client.redeem().unwrap();
    fake.keys.insert(0, SigningKey::generate("key-2", "ES256"));
    fake.gives(&fake.id_token());
    assert_eq!(outcome(&client.redeem()).0, "untrustworthy", "the keys were fetched a moment ago");
    client.clock.forward(10);
    assert_eq!(outcome(&client.redeem()).0, "untrustworthy", "the key is not published");
    assert_eq!(fake.web.requests_for("/jwks"), 2);
    fake.web.answer("/jwks", Answer::Json(key_set(&fake.keys)));
    assert_eq!(outcome(&client.redeem()).0, "untrustworthy", "no fetch within the cool-down");
    assert_eq!(fake.web.requests_for("/jwks"), 2);
    client.clock.forward(10);
    assert_eq!(outcome(&client.redeem()), ("accepted", String::new()));
    assert_eq!(fake.web.requests_for("/jwks"), 3);
}
