//! Who is asked, about what, and how.

use serde_json::json;

use super::{ALICE, Asked, ENDPOINT, RESOURCE, alice, alice_but, ask, config, outcome};
use crate::support::service::Service;
use crate::support::web::Answer;

#[test]
fn the_question_is_a_form_with_our_credentials_in_the_header() {
    let asked = Asked::start();
    let service = asked.service("");
    let token = "a+b/c~d-e_f.g==";
    asked.knows(token, &alice(RESOURCE));
    assert_eq!(outcome(&ask(&service, token)), "200");
    let request = asked.issuer.web.only_request_for(ENDPOINT);
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.header("accept"), Some("application/json"));
    // "our client" and "our:secret%", each form-encoded (RFC 6749 §2.3.1).
    assert_eq!(request.header("authorization"), Some("Basic b3VyK2NsaWVudDpvdXIlM0FzZWNyZXQlMjU="));
    assert_eq!(request.body, "token=a%2Bb%2Fc%7Ed-e_f.g%3D%3D&token_type_hint=access_token");
}

#[test]
fn only_opaque_tokens_leave_the_house() {
    let asked = Asked::start();
    let service = asked.service("");
    let good = asked.issuer.sign(&asked.issuer.token_for(RESOURCE));
    let forged = format!("{}x", good.trim_end_matches(|last: char| last.is_ascii_alphanumeric()));
    let expired = asked.issuer.sign(&asked.issuer.token_for(RESOURCE).claim("exp", 1));
    let foreign = asked.issuer.sign(&asked.issuer.token_for(RESOURCE).claim("iss", "https://other.example.com"));
    let bound = asked.issuer.sign(&asked.issuer.token_for(RESOURCE).claim("cnf", json!({ "jkt": "x" })));
    let cut = good.rsplit_once('.').unwrap().0;
    assert_eq!(outcome(&ask(&service, &good)), "200", "its JWTs are accepted as well");
    for token in [&*forged, &expired, &foreign, &bound, cut, "mfr_abc", "mfa_abc", "mfs_abc.def", "a,b", "a b"] {
        let answer = ask(&service, token);
        assert_eq!(answer.status, 401, "{token}: {}", answer.text());
    }
    assert_eq!(outcome(&service.ask("POST", RESOURCE, None)), "401 missing_token");
    let long = "x".repeat(16 * 1024 + 1);
    assert_eq!(outcome(&ask(&service, &long)), "401 invalid_token");
    assert_eq!(asked.asked_about(), [""; 0]);
    assert_eq!(outcome(&ask(&service, "unknown.with.dots")), "401 invalid_token");
    assert_eq!(asked.asked_about(), ["unknown.with.dots"]);
}

#[test]
fn a_token_is_shown_to_no_issuer_that_the_resource_does_not_accept() {
    let (ours, other) = (Asked::start(), Asked::start());
    let (first, second) = ("https://one.example.com/mcp", "https://two.example.com/mcp");
    let third = "https://three.example.com/mcp";
    let plain = crate::support::issuer::TestIssuer::start();
    let resource = |url: &str, issuer: &str| {
        format!("[[resources]]\nurl = \"{url}\"\nissuers = [\"{issuer}\"]\nallow_any_authenticated = true\n")
    };
    let service = Service::start(&format!(
        "{}{}[[issuers]]\nissuer = \"{}\"\n{}{}{}",
        ours.table(""),
        other.table(""),
        plain.url(),
        resource(first, &ours.issuer.url()),
        resource(second, &other.issuer.url()),
        resource(third, &plain.url()),
    ));
    ours.knows("theirs", &alice(first));
    let at = |url: &str| outcome(&service.ask("POST", url, Some("theirs")));
    assert_eq!(at(first), "200");
    assert_eq!(at(second), "401 invalid_token", "what one issuer said is not what another one says");
    assert_eq!(at(third), "401 invalid_token");
    assert_eq!((ours.questions(), other.questions()), (1, 1));
    assert_eq!(at("https://nowhere.example.com/mcp"), "403 unknown_resource");
    assert_eq!((ours.questions(), other.questions()), (1, 1));
}

#[test]
fn several_issuers_are_asked_in_order_until_one_says_active() {
    let (first, second, third) = (Asked::start(), Asked::start(), Asked::start());
    first.forgets(ALICE);
    second.knows("bob", &alice_but(&json!({ "email": "bob@example.com" })));
    third.knows("bob", &alice(RESOURCE));
    let tables = [&first, &second, &third].map(|asked| asked.table("")).concat();
    let service = Service::start(&config(&tables));
    assert_eq!(outcome(&ask(&service, ALICE)), "200");
    assert_eq!(ask(&service, ALICE).header("x-auth-issuer"), Some(&*second.issuer.url()));
    assert_eq!(outcome(&ask(&service, "bob")), "403 principal_not_allowed", "the first who knows it counts");
    assert_eq!(outcome(&ask(&service, "nobody")), "401 invalid_token");
    let asked = [&first, &second, &third].map(Asked::asked_about);
    assert_eq!(asked[0], [ALICE, "bob", "nobody"]);
    assert_eq!(asked[1], [ALICE, "bob", "nobody"]);
    assert_eq!(asked[2], ["nobody"]);
}

#[test]
fn a_token_is_not_refused_while_an_issuer_that_may_know_it_is_away() {
    let (away, here) = (Asked::start(), Asked::start());
    let service = Service::start(&config(&[&away, &here].map(|asked| asked.table("")).concat()));
    away.issuer.web.set_down(true);
    assert_eq!(outcome(&ask(&service, ALICE)), "200", "another one vouches for it");
    assert_eq!(outcome(&ask(&service, "unknown")), "503 introspection_unavailable");
    away.issuer.web.set_down(false);
    crate::support::process::eventually("both answer", || outcome(&ask(&service, "unknown")) == "401 invalid_token");
}

#[test]
fn an_issuer_whose_tokens_are_all_opaque_needs_no_keys() {
    let asked = Asked::start();
    for path in [crate::support::issuer::METADATA, crate::support::issuer::KEY_SET] {
        asked.issuer.web.answer(path, Answer::Status(404));
    }
    let service = asked.service("algorithms = []");
    assert_eq!(outcome(&ask(&service, ALICE)), "200");
    let jwt = asked.issuer.sign(&asked.issuer.token_for(RESOURCE));
    assert_eq!(outcome(&ask(&service, &jwt)), "401 invalid_token", "no algorithm is accepted");
    assert_eq!(asked.issuer.web.requests(), [ENDPOINT], "nobody looked for keys");
}

#[test]
fn audit_mode_asks_too_and_records_what_would_have_been_refused() {
    let asked = Asked::start();
    let service = Service::start(&(config(&asked.table("")) + "mode = \"audit\"\n"));
    assert_eq!(ask(&service, ALICE).header("x-forwarded-user"), Some("alice@example.com"));
    assert_eq!(ask(&service, "unknown").status, 200);
    let recorded = || {
        let lines = service.decision_lines();
        lines.iter().map(|line| line["reason"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    crate::support::process::eventually("both are recorded", || recorded() == ["", "invalid_token"]);
}

#[test]
fn rules_about_operations_judge_opaque_tokens_as_well() {
    let asked = Asked::start();
    let rule = "[[resources.tool_rules]]\nmethods = [\"tools/call\"]\nnames = [\"delete_*\"]\ndeny = true\n";
    let service = Service::start(&(config(&asked.table("")) + rule));
    let call = |tool: &str| {
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": {} } });
        let request = crate::support::http::Request::new("POST", "/auth")
            .host("127.0.0.1")
            .header("X-Forwarded-Method", "POST")
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", "mcp.example.com")
            .header("X-Forwarded-Uri", "/mcp")
            .bearer(ALICE);
        outcome(&request.body("application/json", body.to_string()).send(service.port))
    };
    for _ in 0..2 {
        assert_eq!(call("read_note"), "200");
        assert_eq!(call("delete_note"), "403 operation_not_allowed");
    }
}
