//! Request ids that clients choose: whose refusal is told, and what each line of the log still says.

use serde_json::Value;

use super::Presented::{self, Invented, Jwt, Key, Nothing};
use super::{Stage, call};
use crate::operators::stage::run;
use crate::support::process::eventually;

const ID: &str = "of-somebody";

fn stage() -> Stage {
    Stage::start(&[("/rules", "[[resources.tool_rules]]\nnames = [\"delete_*\"]\ndeny = true")])
}

fn refused(stage: &Stage, presented: Presented, id: &str) {
    let request = stage.request(presented, "/rules", call("delete_it")).header("X-Request-Id", id);
    assert_ne!(request.send(stage.service.port).status, 200);
}

fn explained(stage: &Stage, id: &str) -> Value {
    let admin = format!("127.0.0.1:{}", stage.service.admin_port);
    serde_json::from_str(&run(&["explain", "--request-id", id, "--json", "--admin", &admin]).text).unwrap()
}

#[test]
fn a_stranger_with_the_same_id_hides_no_refusal_of_a_known_caller() {
    let stage = stage();
    refused(&stage, Jwt, ID);
    let alone = explained(&stage, ID);
    assert_eq!(alone["verdict"]["reason"], "operation_not_allowed");
    assert!(alone.get("note").is_none(), "{alone}");
    for stranger in [Nothing, Invented] {
        refused(&stage, stranger, ID);
        let told = explained(&stage, ID);
        assert_eq!(told["verdict"]["reason"], "operation_not_allowed", "{told}");
        assert!(told["note"].as_str().is_some_and(|note| note.contains("several requests")), "{told}");
    }
}

#[test]
fn of_two_known_callers_with_one_id_the_later_is_told_and_that_there_were_two() {
    let stage = stage();
    refused(&stage, Jwt, ID);
    refused(&stage, Key, ID);
    let told = explained(&stage, ID);
    assert!(told["steps"].to_string().contains("api-key:backup"), "{told}");
    assert!(told["note"].as_str().is_some_and(|note| note.contains("several requests")), "{told}");
    // Each has its own line, whatever id it chose.
    eventually("both lines", || stage.service.decision_lines().len() == 2);
    let subjects: Vec<_> = stage.service.decision_lines().iter().map(|line| line["subject"].clone()).collect();
    assert_eq!(subjects, ["alice-subject", "api-key:backup"]);
}

#[test]
fn an_id_that_is_no_plain_token_is_replaced() {
    let stage = stage();
    let long = "x".repeat(129);
    for id in ["two words", "tab\there", "r\u{f6}t", "", &long] {
        refused(&stage, Nothing, id);
    }
    eventually("all lines", || stage.service.decision_lines().len() == 5);
    for line in stage.service.decision_lines() {
        let id = line["request_id"].as_str().unwrap();
        assert!(id.len() < 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'), "{line}");
    }
}
