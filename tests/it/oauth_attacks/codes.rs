//! Codes in the wrong hands, used twice, or with the wrong proof.

use super::house::{CHALLENGE, HOME, House, Tokens, VERIFIER, outcome, refused};
use crate::support::browser::Browser;
use crate::support::report::Report;

#[test]
fn a_code_that_is_used_twice_ends_what_it_gave() {
    let house = House::start();
    let client = house.register();
    let code = house.code(&client.id, &[]);
    let tokens = Tokens::of(&house.redeem(&client.id, &code, &[]));
    assert_eq!(house.ask(&tokens.access), 200);
    assert_eq!(outcome(&house.redeem(&client.id, &code, &[])), refused(400, "invalid_grant"));
    assert_eq!(house.ask(&tokens.access), 401, "the access token");
    assert_eq!(outcome(&house.refresh(&client.id, &tokens.refresh, &[])), refused(400, "invalid_grant"));
}

#[test]
fn a_used_code_ends_what_it_gave_even_when_somebody_else_shows_it() {
    let house = House::start();
    let (client, thief) = (house.register(), house.register());
    let code = house.code(&client.id, &[]);
    let tokens = Tokens::of(&house.redeem(&client.id, &code, &[]));
    assert_eq!(outcome(&house.redeem(&thief.id, &code, &[])), refused(400, "invalid_grant"));
    assert_eq!(house.ask(&tokens.access), 401);
}

#[test]
fn a_code_of_another_client_gives_nothing_and_is_dead() {
    let house = House::start();
    let (client, thief) = (house.register(), house.register());
    let code = house.code(&client.id, &[]);
    assert_eq!(outcome(&house.redeem(&thief.id, &code, &[])), refused(400, "invalid_grant"));
    assert_eq!(outcome(&house.redeem(&client.id, &code, &[])), refused(400, "invalid_grant"));
}

/// None of these uses the code up, so one code serves for all; it still works at the end.
#[test]
fn a_code_needs_the_verifier_the_place_and_the_resource_that_it_was_made_for() {
    let house = House::start();
    let client = house.register();
    let code = house.code(&client.id, &[]);
    let other = house.resource("/other");
    let mut report = Report::new("redemptions");
    for (name, changes, error) in [
        ("a wrong verifier", [("code_verifier", &*"x".repeat(43))], "invalid_grant"),
        ("the challenge as verifier (`plain`)", [("code_verifier", CHALLENGE)], "invalid_grant"),
        ("no verifier", [("code_verifier", "")], "invalid_request"),
        ("a verifier that is too short", [("code_verifier", "short")], "invalid_grant"),
        ("another redirect URI", [("redirect_uri", "https://evil.example/callback")], "invalid_grant"),
        ("another resource of ours", [("resource", &*other)], "invalid_target"),
        ("a resource of somebody else", [("resource", "https://evil.example/mcp")], "invalid_target"),
        ("another grant type", [("grant_type", "password")], "unsupported_grant_type"),
        ("the grant type of machines", [("grant_type", "client_credentials")], "unauthorized_client"),
        ("the code as a refresh token", [("grant_type", "refresh_token")], "invalid_request"),
        ("another code", [("code", "mfc_guessed")], "invalid_grant"),
    ] {
        report.row(name);
        report.equal("outcome", outcome(&house.redeem(&client.id, &code, &changes)), refused(400, error));
    }
    report.finish();
    assert_eq!(house.redeem(&client.id, &code, &[("code_verifier", VERIFIER)]).status, 200);
}

#[test]
fn a_request_without_a_proof_key_gives_no_code() {
    let house = House::start();
    let client = house.register();
    let mut report = Report::new("challenges");
    for (name, changes) in [
        ("no challenge", vec![("code_challenge", ""), ("code_challenge_method", "")]),
        ("plain", vec![("code_challenge_method", "plain")]),
        ("no method, which means plain", vec![("code_challenge_method", "")]),
        ("a method without a challenge", vec![("code_challenge", "")]),
        ("a challenge that is none", vec![("code_challenge", "abc")]),
        ("the token response type", vec![("response_type", "token")]),
        ("the hybrid response type", vec![("response_type", "code token")]),
        ("the answer in a fragment", vec![("response_mode", "fragment")]),
        ("the answer in a form", vec![("response_mode", "form_post")]),
        ("a request object", vec![("request", "eyJhbGciOiJub25lIn0.e30.")]),
        ("a request object elsewhere", vec![("request_uri", "https://evil.example/request")]),
        ("another resource than ours", vec![("resource", "https://evil.example/mcp")]),
        ("a scope that there is not", vec![("scope", "admin")]),
    ] {
        report.row(name);
        let page = Browser::new(HOME).visit(&house.authorize_url(&client.id, &changes));
        report.holds(page.url.as_str().starts_with(HOME), || format!("{} {}", page.status, page.url));
        report.holds(page.parameter("error").is_some(), || "no error".to_owned());
        report.equal("code", page.parameter("code"), None);
        report.equal("state", page.parameter("state").as_deref(), Some(super::house::STATE));
        report.equal("iss", page.parameter("iss"), Some(house.issuer()));
    }
    report.finish();
}
