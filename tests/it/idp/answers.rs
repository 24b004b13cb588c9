//! Who signed in, by ID token and userinfo: what is asked for, what completes what, and what counts as verified.

use mcp_forward_auth::idp::ProviderSettings;
use serde_json::{Value, json};

use super::fake::{ACCESS_TOKEN, Client, Fake, REFRESH_TOKEN, alice, change, outcome};
use crate::support::report::Report;
use crate::support::web::Answer;

#[test]
fn a_full_id_token_says_everything_and_userinfo_is_not_asked() {
    let fake = Fake::start();
    fake.gives(&fake.id_token());
    let signed_in = fake.client().redeem().unwrap();
    assert_eq!(signed_in.person, alice());
    assert!(signed_in.refresh_token.is_none());
    assert_eq!(signed_in.person.subject_claim(), "idp:alice-subject");
    assert_eq!(fake.web.requests_for("/userinfo"), 0);
}

#[test]
fn a_refresh_token_is_handed_on() {
    let fake = Fake::start();
    let token = fake.id_token().signed_by(&fake.keys[0]);
    fake.gives_tokens(&json!({ "id_token": token, "refresh_token": REFRESH_TOKEN }));
    let signed_in = fake.client().redeem().unwrap();
    assert_eq!(signed_in.refresh_token.unwrap().expose(), REFRESH_TOKEN);
    fake.gives_tokens(&json!({ "id_token": token, "refresh_token": "" }));
    assert!(fake.client().redeem().unwrap().refresh_token.is_none(), "an empty one is none");
}

#[test]
fn userinfo_is_asked_for_what_the_id_token_lacks() {
    let none =
        json!({ "email": null, "email_verified": null, "preferred_username": null, "name": null, "groups": null });
    let rows = [
        ("nothing missing", json!({}), Vec::new(), false, 0),
        ("everything missing", none, Vec::new(), false, 1),
        ("no address", json!({ "email": null }), Vec::new(), false, 1),
        ("no verification", json!({ "email_verified": null }), Vec::new(), false, 1),
        ("no verification, assumed", json!({ "email_verified": null }), Vec::new(), true, 0),
        ("no groups, not configured", json!({ "groups": null }), Vec::new(), false, 0),
        ("no groups, configured", json!({ "groups": null }), vec!["groups".to_owned()], false, 1),
    ];
    let mut report = Report::new("userinfo");
    for (name, changes, groups_claims, assumed, requests) in rows {
        report.row(name);
        let fake = Fake::start();
        let mut settings = fake.settings();
        settings.groups_claims = groups_claims;
        settings.assume_email_verified = assumed;
        let mut token = fake.id_token();
        let about = json!({ "sub": "alice-subject", "email": "alice@example.com", "email_verified": true,
            "preferred_username": "alice", "name": "Alice", "groups": ["staff"] });
        fake.says_at_userinfo(&about);
        change(&mut token.claims, &changes);
        fake.gives(&token);
        let person = Client::new(ProviderSettings::Oidc(settings)).redeem().unwrap().person;
        report.equal("requests", fake.web.requests_for("/userinfo"), requests);
        if requests > 0 {
            report.equal("person", person, alice());
            let bearer = format!("Bearer {ACCESS_TOKEN}");
            let request = fake.web.only_request_for("/userinfo");
            report.equal("authorization", request.header("authorization"), Some(&*bearer));
        }
    }
    report.finish();
}

#[test]
fn an_address_counts_as_verified_only_when_the_provider_says_so_about_this_very_address() {
    let userinfo = |claims: Value| Some(claims);
    let rows = [
        ("true", json!({ "email_verified": true }), None, true),
        ("true as text", json!({ "email_verified": "true" }), None, true),
        ("false", json!({ "email_verified": false }), None, false),
        ("false as text", json!({ "email_verified": "false" }), None, false),
        ("not said", json!({ "email_verified": null }), None, false),
        (
            "said of another address",
            json!({ "email_verified": null }),
            userinfo(json!({ "sub": "alice-subject", "email_verified": true })),
            false,
        ),
        (
            "said of this one at userinfo",
            json!({ "email_verified": null }),
            userinfo(json!({ "sub": "alice-subject", "email": "alice@example.com", "email_verified": true })),
            true,
        ),
        ("no address", json!({ "email": null, "email_verified": true }), None, false),
        ("no sound address", json!({ "email": "alice", "email_verified": true }), None, false),
    ];
    let mut report = Report::new("email_verified");
    for (name, changes, userinfo, verified) in rows {
        report.row(name);
        let fake = Fake::start();
        fake.says_at_userinfo(&userinfo.unwrap_or_else(|| json!({ "sub": "alice-subject" })));
        let mut token = fake.id_token();
        change(&mut token.claims, &changes);
        fake.gives(&token);
        let person = fake.client().redeem().unwrap().person;
        report.equal("verified", (person.email_verified, person.verified_email().is_some()), (verified, verified));
    }
    report.finish();
}

#[test]
fn the_operator_may_vouch_for_addresses() {
    let fake = Fake::start();
    let mut settings = fake.settings();
    settings.assume_email_verified = true;
    fake.gives(&fake.id_token().without("email_verified"));
    assert!(Client::new(ProviderSettings::Oidc(settings)).redeem().unwrap().person.email_verified);
}

#[test]
fn groups_are_read_where_the_operator_says() {
    let fake = Fake::start();
    let mut settings = fake.settings();
    settings.groups_claims = ["realm.roles", "/resource/our.client/roles"].map(ToOwned::to_owned).to_vec();
    let token = fake.id_token().claim("realm", json!({ "roles": ["ops"] }));
    fake.gives(&token.claim("resource", json!({ "our.client": { "roles": ["editor", "ops"] } })));
    let person = Client::new(ProviderSettings::Oidc(settings)).redeem().unwrap().person;
    assert_eq!(person.groups, ["ops", "editor"]);
}

#[test]
fn userinfo_that_is_about_nobody_or_somebody_else_is_not_believed() {
    let rows = [
        ("another subject", Answer::Json(json!({ "sub": "bob-subject" }).to_string()), "untrustworthy"),
        ("no subject", Answer::Json(json!({ "email": "alice@example.com" }).to_string()), "untrustworthy"),
        ("a subject that is a list", Answer::Json(json!({ "sub": ["alice-subject"] }).to_string()), "untrustworthy"),
        ("no object", Answer::Json("[]".into()), "untrustworthy"),
        ("no JSON", Answer::Json("eyJhbGciOiJub25lIn0.e30.".into()), "untrustworthy"),
        ("the token is not taken", Answer::Status(401), "refused"),
        ("a missing scope", Answer::Status(403), "unavailable"),
        ("an outage", Answer::Status(503), "unavailable"),
        ("too much", Answer::Huge(600 * 1024), "unavailable"),
        ("a redirect", Answer::Redirect("/elsewhere".into()), "unavailable"),
    ];
    let mut report = Report::new("userinfo");
    let fake = Fake::start();
    fake.gives(&fake.id_token().without("email"));
    let client = fake.client();
    for (name, answer, expected) in rows {
        report.row(name);
        fake.web.answer("/userinfo", answer);
        report.equal("outcome", outcome(&client.redeem()).0, expected);
    }
    report.equal("redirects followed", fake.web.requests_for("/elsewhere"), 0);
    report.finish();
}

#[test]
fn without_userinfo_the_id_token_is_all_there_is() {
    let fake = Fake::start();
    fake.publish_with(&json!({ "userinfo_endpoint": null }));
    fake.gives(&fake.id_token().without("email"));
    let person = fake.client().redeem().unwrap().person;
    assert_eq!((person.email, person.email_verified), (None, false));
}

/// Names are shown to people and written to headers.
#[test]
fn names_with_control_characters_and_endless_ones_are_left_out() {
    let fake = Fake::start();
    let token = fake.id_token().claim("name", "Alice\r\nAdmin").claim("preferred_username", "a".repeat(5000));
    fake.gives(&token.claim("groups", json!(["staff", "a\u{0}b", "", "g".repeat(5000)])));
    let person = fake.client().redeem().unwrap().person;
    assert_eq!((person.name, person.user_name, person.groups), (None, None, vec!["staff".to_owned()]));
}
