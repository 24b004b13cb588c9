//! From an assertion to a call, what the token says, and how somebody is cut off.

use super::{GRANT_TYPE, NOTES, OTHER, Stage, assertion, told};
use crate::operators::stage::run;
use crate::support::issuer::{claims_of, now};
use crate::support::process::eventually;

#[test]
fn an_assertion_gives_a_token_for_its_person_resource_and_scopes_and_no_refresh_token() {
    let stage = Stage::start();
    let answer = stage.present(&stage.assertion(), &[("scope", "mcp:read")]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    let body = answer.json();
    assert_eq!((body["scope"].as_str(), body["token_type"].as_str()), (Some("mcp:read"), Some("Bearer")));
    assert!(body.get("refresh_token").is_none(), "{body}");
    let claims = claims_of(body["access_token"].as_str().unwrap());
    for (name, value) in [
        ("sub", "corp:alice-at-corp"),
        ("aud", NOTES),
        ("client_id", "app"),
        ("scope", "mcp:read"),
        ("email", "alice@example.com"),
    ] {
        assert_eq!(claims[name], value, "{claims}");
    }
    assert_eq!(claims["groups"], serde_json::json!(["staff"]), "{claims}");
    let token = body["access_token"].as_str().unwrap();
    assert!(stage.lets_through(token));
    let elsewhere = stage.service().ask("POST", OTHER, Some(token));
    assert_eq!(elsewhere.status, 401, "the token is for one resource");
}

/// Asked, allowed and offered: what is in all three.
#[test]
fn scopes_are_what_is_asked_allowed_and_offered() {
    let stage = Stage::start();
    for (stated, asked, granted) in [
        (Some("mcp:read mcp:write"), "", "mcp:read mcp:write"),
        (Some("mcp:read mcp:write admin"), "mcp:write admin", "mcp:write"),
        (Some("mcp:read"), "mcp:read mcp:write", "mcp:read"),
        (None, "", "mcp:read"),
        (None, "mcp:read mcp:write", "mcp:read"),
    ] {
        let token = assertion(&stage.company);
        let token = match stated {
            Some(stated) => token.claim("scope", stated),
            None => token.without("scope"),
        };
        let answer = stage.present(&stage.company.sign(&token), &[("scope", asked)]);
        assert_eq!(answer.json()["scope"].as_str(), Some(granted), "{stated:?} {asked}: {}", answer.text());
    }
    let without = stage.company.sign(&assertion(&stage.company).claim("aud", serde_json::json!([super::OURS])));
    assert_eq!(stage.present(&without, &[("resource", "")]).status, 200, "an audience in an array, no resource asked");
}

/// One grant for a person, a client and a resource, and its end is the end of every token.
#[test]
fn the_operator_sees_one_grant_and_ends_it_with_every_assertion_from_before() {
    let stage = Stage::start();
    let early = stage.assertion();
    let tokens = [stage.token(), stage.token(), stage.token()];
    let admin = format!("127.0.0.1:{}", stage.service().admin_port);
    let listed = run(&["grants", "list", "--user", "alice@example.com", "--json", "--admin", &admin]);
    let listed: serde_json::Value = serde_json::from_str(&listed.text).unwrap();
    assert_eq!(listed["grants"].as_array().map(Vec::len), Some(1), "{listed}");
    assert!(tokens.iter().all(|token| stage.lets_through(token)));
    let said = run(&["grants", "revoke", "--user", "alice@example.com", "--admin", &admin]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(!tokens.iter().any(|token| stage.lets_through(token)), "every token is over at once");
    assert_eq!(told(&stage.present(&early, &[])), (400, "invalid_grant".to_owned()), "it was issued before");
    let ahead = stage.company.sign(&assertion(&stage.company).claim("iat", now() + 20));
    assert_eq!(told(&stage.present(&ahead, &[])), (400, "invalid_grant".to_owned()), "by a clock that is ahead");
    let counted = stage
        .service()
        .counted(&format!("mcp_forward_auth_token_requests_total{{grant_type=\"{GRANT_TYPE}\",outcome=\"issued\"}}"));
    assert_eq!(counted, 3);
}

#[test]
fn cutting_off_somebody_who_never_came_holds_for_assertions_from_before() {
    let stage = Stage::start();
    let early = stage.assertion();
    let admin = format!("127.0.0.1:{}", stage.service().admin_port);
    let said = run(&["grants", "revoke", "--user", "alice@example.com", "--admin", &admin]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(told(&stage.present(&early, &[])), (400, "invalid_grant".to_owned()));
}

/// As with a sign-in: what was ended stays ended, and who is vouched for again may come again.
#[test]
fn an_assertion_from_after_the_end_is_a_new_grant() {
    let stage = Stage::start_with("5s");
    let token = stage.token();
    let admin = format!("127.0.0.1:{}", stage.service().admin_port);
    let grant = claims_of(&token)["grant"].as_str().unwrap().to_owned();
    let said = run(&["grants", "revoke", "--user", "corp:alice-at-corp", "--admin", &admin]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(!stage.lets_through(&token));
    assert_eq!(told(&stage.present(&stage.assertion(), &[])), (400, "invalid_grant".to_owned()), "clocks differ");
    let mut later = String::new();
    eventually("a later assertion is taken", || {
        let answer = stage.present(&stage.assertion(), &[]);
        later = answer.json()["access_token"].as_str().unwrap_or_default().to_owned();
        answer.status == 200
    });
    assert!(stage.lets_through(&later) && !stage.lets_through(&token));
    assert_ne!(claims_of(&later)["grant"].as_str(), Some(&*grant));
}

#[test]
fn many_assertions_about_one_person_at_once_are_all_taken_and_share_one_grant() {
    let stage = Stage::start();
    let assertions: Vec<String> = (0..20).map(|_| stage.assertion()).collect();
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = assertions.iter().map(|one| scope.spawn(|| stage.present(one, &[]))).collect();
        let answers = runs.into_iter().map(|run| run.join().unwrap());
        answers.map(|answer| answer.json()["access_token"].as_str().unwrap_or_default().to_owned()).collect()
    });
    let grants: std::collections::BTreeSet<String> =
        tokens.iter().map(|token| claims_of(token)["grant"].to_string()).collect();
    assert_eq!(grants.len(), 1, "{grants:?}");
    assert!(tokens.iter().all(|token| stage.lets_through(token)));
}
