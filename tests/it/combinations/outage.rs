//! An issuer that cannot be asked, beside rules, audit mode, assertions and bound tokens: nobody is let in unasked.

use super::Presented::{Jwt, Key, Opaque, OpaqueAsDpop, OpaqueBound};
use super::{OPAQUE, Stage, call, question, verdict};
use crate::support::assertion::HEADER;
use crate::support::process::eventually;
use crate::support::report::Report;
use crate::support::web::Answer;

const DENY: &str = "[[resources.tool_rules]]\nnames = [\"delete_*\"]\ndeny = true";

fn stage() -> Stage {
    Stage::start(&[
        ("/plain", ""),
        ("/rules", DENY),
        ("/condition", "condition = 'operation.name != \"delete_it\"'"),
        ("/asserted", "identity_assertion = true"),
        ("/strict", "dpop_required = true"),
        ("/pages", "browser_sign_in = true"),
        ("/watched", "mode = \"audit\"\nidentity_assertion = true"),
        ("/watched-rules", &format!("mode = \"audit\"\nidentity_assertion = true\n{DENY}")),
    ])
}

#[test]
fn while_an_issuer_is_away_its_opaque_tokens_open_nothing_and_are_told_of_nobody() {
    let stage = stage();
    stage.issuer.web.answer(super::ENDPOINT, Answer::Status(500));
    let mut report = Report::new("an issuer is away");
    for path in ["/plain", "/rules", "/condition", "/asserted", "/strict", "/pages"] {
        for tool in ["read_it", "delete_it"] {
            report.row(format!("{tool} at {path}"));
            let answer = stage.ask(Opaque, path, call(tool));
            report.equal("status", answer.status, 503);
            report.equal("reason", answer.reason(), "introspection_unavailable");
            report.equal("challenges", answer.all("www-authenticate").len(), 0);
        }
        for presented in [OpaqueAsDpop, OpaqueBound] {
            report.row(format!("{presented:?} at {path}"));
            let answer = stage.ask(presented, path, call("read_it"));
            report.equal("status", answer.status, 503);
            report.equal("verdict", verdict(&answer), "introspection_unavailable");
            report.equal("challenges", answer.all("www-authenticate").len(), 0);
        }
    }
    for path in ["/watched", "/watched-rules"] {
        report.row(path);
        let forged = question("POST", path).bearer(OPAQUE).header(HEADER, "forged").header("X-Auth-Subject", "bob");
        let answer = forged.body("application/json", call("delete_it").unwrap()).send(stage.service.port);
        report.equal("status", answer.status, 200);
        for name in [HEADER, "X-Auth-Subject", "X-Forwarded-Email", "X-Forwarded-User"] {
            report.equal(name, answer.header(name), Some(""));
        }
    }
    eventually("both lines", || watched(&stage).len() == 2);
    report.row("the log");
    report.equal("reasons", watched(&stage), ["introspection_unavailable"; 2]);
    report.row("everybody else");
    report.equal("a JWT", verdict(&stage.ask(Jwt, "/rules", call("read_it"))), "ok");
    report.equal("a key", verdict(&stage.ask(Key, "/rules", call("read_it"))), "ok");
    report.equal("a JWT that deletes", verdict(&stage.ask(Jwt, "/rules", call("delete_it"))), "operation_not_allowed");
    report.finish();
}

/// Why enforcement would have refused what audit mode let through, in order.
fn watched(stage: &Stage) -> Vec<String> {
    let lines = stage.service.decision_lines();
    let of_watched = lines.iter().filter(|line| line["path"].as_str().is_some_and(|path| path.starts_with("/watched")));
    of_watched.map(|line| line["reason"].as_str().unwrap_or("-").to_owned()).collect()
}

/// What is remembered of a good token counts everywhere it did, and rules are asked about it each time.
#[test]
fn an_answer_that_is_remembered_skips_no_rule() {
    let stage = stage();
    let mut report = Report::new("remembered");
    for round in ["asked", "remembered"] {
        for (path, tool, expected) in [
            ("/plain", "delete_it", "ok"),
            ("/rules", "read_it", "ok"),
            ("/rules", "delete_it", "operation_not_allowed"),
            ("/condition", "read_it", "ok"),
            ("/condition", "delete_it", "condition_false"),
            ("/strict", "read_it", "invalid_token"),
            ("/nowhere", "read_it", "unknown_resource"),
        ] {
            report.row(format!("{round}: {tool} at {path}"));
            report.equal("verdict", verdict(&stage.ask(Opaque, path, call(tool))), expected);
        }
    }
    report.finish();
}
