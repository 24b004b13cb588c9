//! The issuer cannot be asked: nobody gets in for that, nobody is told that the token is bad, and all is well by itself
//! when it comes back.

use serde_json::Value;

use super::{ALICE, Asked, ask, outcome};
use crate::support::process::eventually;
use crate::support::service::Service;
use crate::support::web::Answer;

fn of_readyz(service: &Service) -> Value {
    service.admin("/readyz").json()
}

#[test]
fn an_issuer_that_is_away_is_told_everywhere_and_comes_back_by_itself() {
    let asked = Asked::start();
    let mut service = asked.service("introspection_cache = \"0s\"");
    let ready = of_readyz(&service);
    assert_eq!((&ready["status"], &ready["introspection"][0]["failures"]), (&"ready".into(), &0.into()));
    assert_eq!(ready["introspection"][0]["answered_seconds_ago"], Value::Null);
    assert_eq!(outcome(&ask(&service, ALICE)), "200");

    asked.issuer.web.set_down(true);
    let away = ask(&service, ALICE);
    assert_eq!(outcome(&away), "503 introspection_unavailable");
    assert_eq!(away.header("retry-after"), Some("1"));
    assert_eq!(away.header("www-authenticate"), None);
    let jwt = asked.issuer.sign(&asked.issuer.token_for(super::RESOURCE));
    assert_eq!(outcome(&ask(&service, &jwt)), "200", "its JWTs need no question");
    let ready = service.admin("/readyz");
    assert_eq!(ready.status, 200, "decisions on JWTs are made");
    assert_eq!(ready.json()["status"], "degraded");
    assert_eq!(ready.json()["introspection"][0]["issuer"], asked.issuer.url());
    assert!(ready.json()["introspection"][0]["failures"].as_u64() > Some(0), "{}", ready.text());
    assert!(ready.json()["introspection"][0]["answered_seconds_ago"].is_u64());
    assert!(asked.counted(&service, "unreachable") > 0.0);
    service.process.wait_until_it_says("the introspection endpoint gives no answer");

    asked.issuer.web.set_down(false);
    eventually("it is asked again", || outcome(&ask(&service, ALICE)) == "200");
    assert_eq!(of_readyz(&service)["status"], "ready");
    service.process.wait_until_it_says("the introspection endpoint answers again");
    let label = [("issuer", &*asked.issuer.url())];
    assert!(service.metrics().value("introspection_answered_timestamp_seconds", &label) > 1.0);
    assert!(service.metrics().value("introspection_duration_seconds_count", &label) >= 3.0);
}

/// What is remembered counts through an outage, for as long as it would have anyway.
#[test]
fn who_is_known_gets_in_while_the_issuer_is_away() {
    let asked = Asked::start();
    let service = asked.service("introspection_cache = \"5m\"");
    assert_eq!(outcome(&ask(&service, ALICE)), "200");
    asked.issuer.web.set_down(true);
    assert_eq!(outcome(&ask(&service, ALICE)), "200");
    assert_eq!(outcome(&ask(&service, "somebody-new")), "503 introspection_unavailable");
}

#[test]
fn after_three_failures_nobody_waits_for_the_next() {
    let asked = Asked::start();
    asked.says(Answer::Hang);
    let service = asked.service("");
    for number in 0..3 {
        assert_eq!(outcome(&ask(&service, &format!("token-{number}"))), "503 introspection_unavailable");
    }
    assert_eq!(asked.counted(&service, "late"), 3.0);
    // Some of these come within the second of the pause: they are not asked about.
    eventually("requests are turned away at once", || {
        assert_eq!(outcome(&ask(&service, "another")), "503 introspection_unavailable");
        asked.counted(&service, "paused") >= 1.0
    });
    asked.answers();
    eventually("it answers", || outcome(&ask(&service, ALICE)) == "200");
}

#[test]
fn an_answer_that_comes_in_drops_is_given_up() {
    let asked = Asked::start();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"active\":true,";
    asked.says(Answer::Raw(head.to_owned()));
    let service = asked.service("");
    assert_eq!(outcome(&ask(&service, ALICE)), "503 introspection_unavailable");
    assert_eq!(asked.counted(&service, "late"), 1.0);
}

#[test]
fn credentials_that_the_issuer_does_not_take_are_told_once_as_our_mistake() {
    let asked = Asked::start();
    asked.says(Answer::StatusJson(401, r#"{"error":"invalid_client"}"#.to_owned()));
    let mut service = asked.service("");
    eventually("it was asked five times", || {
        assert_eq!(outcome(&ask(&service, ALICE)), "503 introspection_unavailable");
        asked.counted(&service, "credentials") >= 5.0
    });
    let told = "does not take our credentials; see introspection_client_id and introspection_client_secret";
    let output = service.process.output_once_it_says(told);
    assert_eq!(output.matches(told).count(), 1, "{output}");
    asked.answers();
    eventually("it takes them", || outcome(&ask(&service, ALICE)) == "200");
}

/// Strangers choose tokens: one that the issuer chokes on is no reason to leave it alone.
#[test]
fn questions_that_the_issuer_does_not_like_tell_nothing_against_it() {
    let asked = Asked::start();
    let known = std::sync::Arc::clone(&asked.known);
    asked.says(Answer::made(move |request| {
        if request.field("token").is_some_and(|token| token.starts_with("odd")) {
            return Answer::Status(400);
        }
        super::answer_of(&known.lock().unwrap(), request)
    }));
    let service = asked.service("introspection_cache = \"0s\"");
    for number in 0..10 {
        assert_eq!(outcome(&ask(&service, &format!("odd-{number}"))), "503 introspection_unavailable");
    }
    assert_eq!(outcome(&ask(&service, ALICE)), "200");
    assert_eq!(asked.counted(&service, "paused"), 0.0);
    assert_eq!(of_readyz(&service)["status"], "ready");
}
