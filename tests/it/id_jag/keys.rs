//! The company's keys: missing, rotated, and on a clock that differs.

use serde_json::json;

use super::{Stage, assertion, told};
use crate::support::issuer::{KEY_SET, SigningKey, TestIssuer, now};
use crate::support::process::eventually;
use crate::support::web::Answer;

/// Our trouble is never the client's fault: it keeps its assertion and comes again.
#[test]
fn missing_keys_are_a_503_and_the_same_assertion_is_taken_when_they_come() {
    let company = TestIssuer::start();
    company.web.answer(KEY_SET, Answer::Status(500));
    let mut stage = Stage::unstarted(company, "30s");
    stage.restart();
    let one = stage.assertion();
    assert_eq!(told(&stage.present(&one, &[])), (503, "temporarily_unavailable".to_owned()));
    stage.company.publish();
    eventually("the keys are there", || stage.present(&one, &[]).status == 200);
}

/// Assertions cannot be checked, and that is seen; decisions and sign-ins need none of those keys, so both answer 200.
#[test]
fn missing_keys_are_told_by_readiness_and_metrics_and_take_nothing_else_away() {
    let company = TestIssuer::start();
    company.web.answer(KEY_SET, Answer::Status(500));
    let mut stage = Stage::unstarted(company, "30s");
    stage.restart();
    let issuer = stage.company.url();
    let figure = |name: &str| stage.service().metrics().value(name, &[("issuer", &issuer)]);
    eventually("the failure is counted", || figure("issuer_keys_failures_total") >= 1.0);
    assert_eq!((figure("issuer_keys"), figure("issuer_keys_refreshes_total")), (0.0, 0.0));
    assert_eq!(figure("issuer_keys_age_seconds"), f64::INFINITY);
    for path in ["/readyz", "/readyz/sign-in"] {
        let ready = stage.service().admin(path);
        assert_eq!((ready.status, &ready.json()["status"]), (200, &json!("degraded")), "{path} {}", ready.text());
        assert_eq!(ready.json()["issuers_without_keys"], json!([]), "{path}: no issuer of tokens");
        let told = &ready.json()["authorization_server"]["assertion_issuers"][0];
        assert_eq!((&told["issuer"], &told["keys"], &told["age_seconds"]), (&json!(issuer), &json!(0), &json!(null)));
        assert!(told["failures"].as_u64() >= Some(1), "{told}");
    }

    stage.company.publish();
    // A client that comes makes the service look again.
    eventually("the keys are there", || stage.present(&stage.assertion(), &[]).status == 200);
    let ready = stage.service().admin("/readyz").json();
    assert_eq!(ready["status"], "ready", "{ready}");
    let told = &ready["authorization_server"]["assertion_issuers"][0];
    assert!(told["keys"] == 1 && told["age_seconds"].is_u64(), "{told}");
    assert!(figure("issuer_keys") == 1.0 && figure("issuer_keys_refreshes_total") >= 1.0);
    // Keys that were had once count for ever.
    stage.company.web.set_down(true);
    assert_eq!(stage.service().admin("/readyz").json()["status"], "ready");
}

/// One name, one row: the worse of the two, and all fetches.
#[test]
fn an_issuer_of_tokens_and_of_assertions_has_one_row_of_figures() {
    let stage = Stage::start_trusting_tokens_too();
    let issuer = stage.company.url();
    let figure = |name: &str| stage.service().metrics().value(name, &[("issuer", &issuer)]);
    // Once for its tokens, once for its assertions; the service is ready after the first.
    eventually("both have fetched keys", || figure("issuer_keys_refreshes_total") >= 2.0);
    assert_eq!(figure("issuer_keys"), 1.0);
    assert!(figure("issuer_keys_age_seconds") < 60.0);
}

#[test]
fn a_new_key_is_fetched_and_an_old_one_counts_no_more() {
    let mut stage = Stage::start();
    let old = stage.company.keys.remove(0);
    stage.company.keys.push(SigningKey::generate("key-2", "ES256"));
    stage.company.publish();
    let one = stage.assertion();
    eventually("the new key is known", || match told(&stage.present(&one, &[])) {
        (200, _) => true,
        (503, error) if error == "temporarily_unavailable" => false,
        other => panic!("{other:?}"),
    });
    let by_old = assertion(&stage.company).parameter("kid", old.kid.as_str()).claim("iat", now() - 120);
    let answer = stage.present(&by_old.signed_by(&old), &[]);
    assert_eq!(told(&answer), (400, "invalid_grant".to_owned()), "issued before the keys were fetched");
}

#[test]
fn clocks_may_differ_by_the_leeway() {
    let stage = Stage::start();
    for (iat, exp, status) in [
        (now() + 20, now() + 200, 200),
        (now() - 300, now() - 15, 200),
        (now() - 300, now() - 45, 400),
        (now() + 60, now() + 200, 400),
    ] {
        let token = assertion(&stage.company).claim("iat", iat).claim("exp", exp);
        assert_eq!(stage.present(&stage.company.sign(&token), &[]).status, status, "{iat} {exp}");
    }
}
