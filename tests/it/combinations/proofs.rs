//! Proofs of keys where decisions are made in several steps, and challenges of rules in the terms of DPoP.

use super::Presented::{Bound, Jwt, Nothing, OpaqueBound, Preflight};
use super::{ORIGIN, Stage, call, question, verdict};
use crate::support::http::Request;
use crate::support::report::Report;

const RULES: &str = "[[resources.tool_rules]]\nnames = [\"write_*\"]\nrequired_scopes = [\"mcp:write\"]\n\
                     [[resources.tool_rules]]\nnames = [\"delete_*\"]\ncondition = 'identity.subject == \"nobody\"'";

fn stage() -> Stage {
    Stage::start(&[
        ("/plain", ""),
        ("/rules", RULES),
        ("/strict", &format!("dpop_required = true\n{RULES}")),
        ("/watched", &format!("mode = \"audit\"\n{RULES}")),
        ("/origins", &format!("dpop_required = true\nallowed_origins = [\"https://app.example.com\"]\n{RULES}")),
    ])
}

/// A body is waited for, and so are issuers of opaque tokens: the proof is judged once, and remembered, whatever comes of it.
#[test]
fn a_proof_counts_once_however_often_a_decision_is_looked_at() {
    let stage = stage();
    let mut report = Report::new("proofs");
    let rows = [
        ("/plain", "read_it", "ok"),
        ("/rules", "read_it", "ok"),
        ("/rules", "write_it", "insufficient_scope"),
        ("/rules", "delete_it", "condition_false"),
        ("/strict", "read_it", "ok"),
        ("/strict", "write_it", "insufficient_scope"),
    ];
    for (presented, (path, tool, first)) in [Bound, OpaqueBound].iter().flat_map(|kind| rows.map(|row| (*kind, row))) {
        report.row(format!("{presented:?} {tool} at {path}"));
        let request = stage.request(presented, path, call(tool));
        report.equal("first", verdict(&request.send(stage.service.port)), first);
        report.equal("again", verdict(&request.send(stage.service.port)), "invalid_dpop_proof");
        // Nor for what the proof's owner was refused, with another body.
        let mut other = request.clone();
        other.body = call("read_it").unwrap().into_bytes();
        other.headers.retain(|(name, _)| name != b"Content-Length");
        let length = other.body.len().to_string();
        report.equal(
            "with another body",
            verdict(&other.header("Content-Length", length).send(stage.service.port)),
            "invalid_dpop_proof",
        );
    }
    report.row("/watched");
    let request = stage.request(Bound, "/watched", call("read_it"));
    let names = [request.send(stage.service.port), request.send(stage.service.port)]
        .map(|answer| (answer.status, answer.header("X-Auth-Subject").unwrap_or("absent").to_owned()));
    report.equal("named", names, [(200, "alice-subject".to_owned()), (200, String::new())]);
    report.finish();
}

/// Thirty at once: one gets in.
#[test]
fn a_proof_sent_many_times_at_once_lets_one_request_in() {
    let stage = stage();
    for (presented, path) in [(Bound, "/plain"), (Bound, "/rules"), (OpaqueBound, "/plain"), (OpaqueBound, "/rules")] {
        let request = stage.request(presented, path, call("read_it"));
        let allowed = std::thread::scope(|scope| {
            let sent: Vec<_> = (0..30).map(|_| scope.spawn(|| request.send(stage.service.port).status)).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).filter(|status| *status == 200).count()
        });
        assert_eq!(allowed, 1, "{presented:?} {path}");
    }
}

/// Clients with a bound token step up in the terms of DPoP, whoever asks for more; a condition asks for nothing.
#[test]
fn more_scopes_are_asked_for_in_the_terms_of_the_token() {
    let stage = stage();
    let mut report = Report::new("challenges");
    for (presented, path, tool, start) in [
        (Bound, "/rules", "write_it", "DPoP error=\"insufficient_scope\""),
        (OpaqueBound, "/rules", "write_it", "DPoP error=\"insufficient_scope\""),
        (Jwt, "/rules", "write_it", "Bearer error=\"insufficient_scope\""),
        (Bound, "/strict", "write_it", "DPoP error=\"insufficient_scope\""),
        (Bound, "/strict", "delete_it", ""),
        (Bound, "/rules", "delete_it", ""),
        (Nothing, "/strict", "write_it", "DPoP "),
    ] {
        report.row(format!("{presented:?} {tool} at {path}"));
        let challenge = stage.ask(presented, path, call(tool)).all("www-authenticate").join(" | ");
        report.holds(challenge.starts_with(start), || format!("challenge is {challenge:?}"));
        report.equal("there is one", challenge.is_empty(), start.is_empty());
        if start.contains("insufficient_scope") {
            report.holds(challenge.contains("scope=\"mcp:read mcp:write\""), || challenge.clone());
            report.equal("algorithms", challenge.contains("algs="), start.starts_with("DPoP"));
        }
    }
    report.finish();
}

/// A preflight is let through where it can be nothing else, and gives nobody anything to go by.
#[test]
fn what_is_not_quite_a_preflight_needs_a_proof_as_everything_does() {
    let stage = stage();
    let mut report = Report::new("preflights");
    let app = |request: Request| request.header("Origin", "https://app.example.com");
    let method = |request: Request| request.header("Access-Control-Request-Method", "POST");
    for path in ["/strict", "/origins", "/rules"] {
        let options = || question("OPTIONS", path);
        let rows = [
            ("no origin", method(options()), "missing_token"),
            ("no method", app(options()), "missing_token"),
            ("two methods", method(method(app(options()))), "missing_token"),
            ("a POST", method(app(question("POST", path))), "missing_token"),
            ("a lower-case method", method(app(question("options", path))), "missing_token"),
            ("another scheme", method(app(options())).header("Authorization", "Basic YTpi"), "missing_token"),
            ("a DPoP scheme", method(app(options())).header("Authorization", "DPoP x.y.z"), "invalid_token"),
            ("an API key", method(app(options())).bearer("mfa_x"), "invalid_token"),
        ];
        for (name, request, expected) in rows {
            report.row(format!("{name} at {path}"));
            report.equal("verdict", verdict(&request.send(stage.service.port)), expected);
        }
        report.row(format!("a preflight at {path}"));
        let answer = stage.request(Preflight, path, call("delete_it")).header("DPoP", "x").send(stage.service.port);
        report.equal("verdict", verdict(&answer), "ok");
        report.equal("named", answer.header("X-Auth-Subject"), Some(""));
    }
    report.row("from elsewhere");
    let other = question("OPTIONS", "/origins").header("Origin", "https://evil.example");
    report.equal("verdict", verdict(&method(other).send(stage.service.port)), "origin_not_allowed");
    report.row(ORIGIN);
    report.equal("nowhere", verdict(&stage.ask(Preflight, "/nowhere", None)), "unknown_resource");
    report.finish();
}
