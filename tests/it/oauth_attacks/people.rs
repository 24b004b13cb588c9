//! People who may not, or may no longer: what a provider says of them now counts, and what the operator says now.

use serde_json::{Value, json};

use super::house::{DEVELOPMENT, HOME, House, Tokens, config, outcome, refused};
use super::providers::{AtProvider, configured};
use crate::idp::fake::{CODE, Fake};
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::web::Answer;

/// Alice's tokens from a provider that can be asked again.
fn tokens(house: &House, provider: &Fake, client: &str) -> Tokens {
    let mut alice = AtProvider::new(house, client);
    let id_token = alice.id_token(provider).signed_by(&provider.keys[0]);
    provider.gives_tokens(&json!({ "id_token": id_token, "refresh_token": "refresh-token-value" }));
    let page = alice.returns(&[("code", CODE)]);
    let code = page.parameter("code").unwrap_or_else(|| panic!("{} {}", page.url, page.text));
    Tokens::of(&house.redeem(client, &code, &[]))
}

#[test]
fn an_address_that_nobody_vouches_for_lets_nobody_in() {
    let provider = Fake::start();
    let house = House::start_with(&configured(&provider), "memory:");
    let client = house.register();
    let mut report = Report::new("addresses");
    for (name, claims) in [
        ("not verified", json!({ "email_verified": false })),
        ("not said to be verified", json!({ "email_verified": null })),
        ("not quite verified", json!({ "email_verified": "yes" })),
        ("verified by a number", json!({ "email_verified": 2 })),
        ("somebody else's", json!({ "email": "bob@example.com" })),
        ("with more behind it", json!({ "email": "alice@example.com.evil.example" })),
        ("with a name before it", json!({ "email": "Alice <alice@example.com>" })),
        ("two in one", json!({ "email": "bob@example.com,alice@example.com" })),
        ("with a line break", json!({ "email": "bob@example.com\nalice@example.com" })),
        ("as a list", json!({ "email": ["alice@example.com"] })),
        ("in letters that look alike", json!({ "email": "\u{430}lice@example.com" })),
        ("none", json!({ "email": null })),
        ("as a user name", json!({ "email": null, "preferred_username": "alice@example.com" })),
        ("as a group", json!({ "email": null, "groups": ["alice@example.com"] })),
    ] {
        report.row(name);
        let mut somebody = AtProvider::new(&house, &client.id);
        let mut token = somebody.id_token(&provider);
        crate::idp::fake::change(&mut token.claims, &claims);
        provider.gives(&token);
        let page = somebody.returns(&[("code", CODE)]);
        report.holds(!page.url.as_str().starts_with(HOME) || page.parameter("code").is_none(), || "a code".to_owned());
        let told = page.status == 403 || page.parameter("error").is_some();
        report.holds(told, || format!("{} {}", page.status, page.url));
    }
    report.finish();
}

#[test]
fn what_the_provider_says_at_a_refresh_counts() {
    let provider = Fake::start();
    let house = House::start_with(&configured(&provider), "memory:");
    let client = house.register();
    let signed = |claims: &Value| {
        let mut token = provider.id_token().without("nonce");
        crate::idp::fake::change(&mut token.claims, claims);
        let tokens =
            json!({ "access_token": "a", "token_type": "Bearer", "id_token": token.signed_by(&provider.keys[0]) });
        Answer::Json(tokens.to_string())
    };
    let mut report = Report::new("answers at a refresh");
    for (name, answer) in [
        ("another address", signed(&json!({ "email": "bob@example.com" }))),
        ("no longer verified", signed(&json!({ "email_verified": false }))),
        ("no address", signed(&json!({ "email": null }))),
        ("no such person", Answer::StatusJson(400, r#"{"error":"invalid_grant"}"#.into())),
    ] {
        report.row(name);
        let tokens = tokens(&house, &provider, &client.id);
        report.equal("before", house.ask(&tokens.access), 200);
        provider.web.answer("/token", answer);
        provider.says_at_userinfo(&json!({ "sub": "alice-subject" }));
        let answer = house.refresh(&client.id, &tokens.refresh, &[]);
        report.equal("outcome", outcome(&answer), refused(400, "invalid_grant"));
        report.equal("the access token", house.ask(&tokens.access), 401);
        provider.web.answer("/token", signed(&json!({})));
        let again = house.refresh(&client.id, &tokens.refresh, &[]);
        report.equal("afterwards", outcome(&again), refused(400, "invalid_grant"));
    }
    for (name, answer) in [
        ("it is down", Answer::Status(500)),
        ("it talks nonsense", Answer::Json("<html>".into())),
        ("it knows us no more", Answer::StatusJson(401, r#"{"error":"invalid_client"}"#.into())),
        ("it sends us elsewhere", Answer::Redirect("http://127.0.0.1:1/token".into())),
    ] {
        report.row(name);
        let tokens = tokens(&house, &provider, &client.id);
        provider.web.answer("/token", answer);
        let answer = house.refresh(&client.id, &tokens.refresh, &[]);
        report.equal("outcome", outcome(&answer), refused(503, "temporarily_unavailable"));
        report.equal("the access token", house.ask(&tokens.access), 200);
        provider.web.answer("/token", signed(&json!({})));
        report.equal("afterwards", house.refresh(&client.id, &tokens.refresh, &[]).status, 200);
    }
    report.finish();
}

/// The operator takes Alice off the list and starts anew, on the same store.
#[test]
fn whoever_is_taken_off_the_list_is_out_and_stays_out() {
    let folder = TempDir::new();
    let (port, store) = (ports::free(), format!("file:{}", folder.path().join("store").display()));
    let with_alice = config(port, DEVELOPMENT, &store);
    let without = with_alice.replace("\"alice@example.com\"", "\"dave@example.com\"");
    let house = House::start_configured(port, &with_alice);
    let client = house.register();
    let (first, second) = (house.tokens(&client.id), house.tokens(&client.id));
    drop(house);
    let house = House::start_configured(port, &without);
    assert_eq!(house.ask(&first.access), 403, "at once");
    assert_eq!(outcome(&house.refresh(&client.id, &first.refresh, &[])), refused(400, "invalid_grant"));
    assert_eq!(house.ask(&first.access), 401, "the grant is over");
    drop(house);
    let house = House::start_configured(port, &with_alice);
    assert_eq!(house.ask(&first.access), 401, "and stays over");
    assert_eq!(outcome(&house.refresh(&client.id, &first.refresh, &[])), refused(400, "invalid_grant"));
    assert_eq!(house.ask(&second.access), 200, "what was not asked for meanwhile stands");
    assert_eq!(house.refresh(&client.id, &second.refresh, &[]).status, 200);
}

#[test]
fn what_was_revoked_stays_revoked_after_a_restart() {
    let folder = TempDir::new();
    let (port, store) = (ports::free(), format!("file:{}", folder.path().join("store").display()));
    let settings = config(port, DEVELOPMENT, &store);
    let house = House::start_configured(port, &settings);
    let client = house.register();
    let (ended, alone, kept) = (house.tokens(&client.id), house.tokens(&client.id), house.tokens(&client.id));
    for token in [&ended.refresh, &alone.access] {
        assert_eq!(house.post("/revoke", &[("token", token), ("client_id", &client.id)]).status, 200);
    }
    let code = house.code(&client.id, &[]);
    let replayed = Tokens::of(&house.redeem(&client.id, &code, &[]));
    drop(house);
    let house = House::start_configured(port, &settings);
    let mut report = Report::new("after a restart");
    for (name, tokens, status) in [
        ("a grant that ended", &ended, 401),
        ("a token that ended alone", &alone, 401),
        ("one that did not", &kept, 200),
    ] {
        report.row(name);
        report.equal("status", house.ask(&tokens.access), status);
    }
    report.row("a code that was used before");
    report.equal("before", house.ask(&replayed.access), 200);
    report.equal("outcome", outcome(&house.redeem(&client.id, &code, &[])), refused(400, "invalid_grant"));
    report.equal("afterwards", house.ask(&replayed.access), 401);
    report.finish();
}
