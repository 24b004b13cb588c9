//! The company's keys: missing, rotated, and on a clock that differs.

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
