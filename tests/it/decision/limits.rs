//! Clients that send too much, proxies that announce what they do not send, and the ids that lead to the log.

use super::{CONTRACTS, Contract, Pair, RESOURCE};
use crate::support::http::{Connection, Request, Response};
use crate::support::report::Report;

/// Proxies hand on what a client sends: it may trip the parser, but only into a refusal.
#[test]
fn too_many_or_too_long_headers_are_a_refusal() {
    let pair = Pair::start();
    let token = pair.token(RESOURCE);
    let mut report = Report::new("crowds");
    let filled = |count: usize, length: usize, contract: Contract| {
        let fill = |request: Request, index| request.header(format!("X-Filler-{index}"), "x".repeat(length));
        (0..count).fold(contract.ask("POST", RESOURCE).bearer(&token), fill)
    };
    for contract in CONTRACTS {
        for (name, request) in [
            ("100 headers", filled(100, 1, contract)),
            ("1000 headers", filled(1000, 1, contract)),
            ("a header of 1 MB", filled(1, 1 << 20, contract)),
            ("90 headers of 8 KB", filled(90, 8192, contract)),
            ("a path of 100 KB", contract.ask("POST", &format!("{RESOURCE}/{}", "x".repeat(100_000))).bearer(&token)),
            ("a query of 1 MB", contract.ask("POST", &format!("{RESOURCE}?{}", "x".repeat(1 << 20))).bearer(&token)),
            (
                "1000 Authorization headers",
                (0..1000).fold(contract.ask("POST", RESOURCE), |request, _| request.bearer(&token)),
            ),
        ] {
            report.row(format!("{contract:?}, {name}"));
            // A closed connection is a refusal too: proxies fail closed on it.
            if let Ok(answer) = request.try_send(pair.service.port) {
                report.holds((400..500).contains(&answer.status), || format!("status is {}", answer.status));
            }
            let next = contract.ask("POST", RESOURCE).bearer(&token).send(pair.service.port);
            report.equal("status of the next request", next.status, 200);
        }
        // What browsers and SDKs send by far.
        report.row(format!("{contract:?}, 60 headers"));
        report.equal("status", filled(60, 100, contract).send(pair.service.port).status, 200);
    }
    report.finish();
}

#[test]
fn a_token_that_is_too_long_is_refused_without_being_read() {
    let pair = Pair::start();
    let mut report = Report::new("long tokens");
    let token = |length: usize| pair.issuer.sign(&pair.issuer.token_for(RESOURCE).claim("filler", "x".repeat(length)));
    for (name, token, status) in [("12 KB", token(9_000), 200), ("27 KB", token(20_000), 401)] {
        for contract in CONTRACTS {
            report.row(format!("{contract:?}, {name}"));
            let answer = contract.ask("POST", RESOURCE).bearer(&token).send(pair.service.port);
            report.equal("status", answer.status, status);
            if status == 401 {
                report.equal("reason", &answer.json()["reason"], "invalid_token");
                report.equal("description", &answer.json()["error_description"], "the token is too long");
            }
        }
    }
    report.finish();
}

/// nginx announces the client's `Content-Length` and sends no body, unless it is told not to.
#[test]
fn a_body_that_never_comes_is_not_waited_for() {
    let pair = Pair::start();
    let token = pair.token(RESOURCE);
    let mut report = Report::new("missing bodies");
    for contract in CONTRACTS {
        for (name, value) in [("Content-Length", "1000000"), ("Transfer-Encoding", "chunked")] {
            report.row(format!("{contract:?}, {name}: {value}"));
            let ask = || contract.ask("POST", RESOURCE).header(name, value);
            let alone = |request: Request| Connection::open(pair.service.port).send(&request);
            report.equal("right token", alone(ask().bearer(&token)).status, 200);
            report.equal("no token", alone(ask()).status, 401);
            report.equal(
                "right token, Expect",
                alone(ask().bearer(&token).header("Expect", "100-continue")).status,
                200,
            );
        }
    }
    report.finish();
}

/// Bytes of a body must never be taken for the next request.
#[test]
fn a_body_is_not_a_second_question() {
    let pair = Pair::start();
    let token = pair.token(RESOURCE);
    let hidden = Contract::ForwardAuth.ask("POST", RESOURCE).bearer(&token).bytes_as_given();
    let mut chunked = format!("{:x}\r\n", hidden.len()).into_bytes();
    chunked.extend(&hidden);
    chunked.extend(b"\r\n0\r\n\r\n");
    let mut report = Report::new("bodies");
    for contract in CONTRACTS {
        let length = hidden.len().to_string();
        for (name, value, body) in
            [("Content-Length", length.as_str(), &hidden), ("Transfer-Encoding", "chunked", &chunked)]
        {
            report.row(format!("{contract:?}, {name}"));
            let mut connection = Connection::open(pair.service.port);
            let mut bytes = contract.ask("POST", RESOURCE).header(name, value).bytes_as_given();
            bytes.extend(body);
            // The last request on the connection, so that the server closes after it.
            bytes.extend(contract.ask("POST", RESOURCE).bytes());
            connection.write(&bytes);
            let statuses: Vec<u16> =
                std::iter::from_fn(|| connection.read()).map(|answer: Response| answer.status).collect();
            report.holds(matches!(statuses.as_slice(), [401] | [401, 401]), || format!("answers are {statuses:?}"));
        }
    }
    report.finish();
}

#[test]
fn the_request_id_leads_from_the_answer_to_the_log() {
    let pair = Pair::start();
    let long = "x".repeat(129);
    let ids = [
        ("a plain one", vec!["req-1.2_3"], true),
        ("a UUID", vec!["7d166c6d-5472-4226-884b-519e130f6009"], true),
        ("none", vec![], false),
        ("an empty one", vec![""], false),
        ("one with spaces", vec!["a b"], false),
        ("one that is not ASCII", vec!["r\u{e9}q"], false),
        ("one that is too long", vec![long.as_str()], false),
        ("two", vec!["a", "b"], false),
    ];
    let mut report = Report::new("request ids");
    for contract in CONTRACTS {
        let mut answered = Vec::new();
        for (name, ids, kept) in &ids {
            report.row(format!("{contract:?}, {name}"));
            let request = contract.ask("POST", RESOURCE).header("User-Agent", format!("{contract:?} {name}"));
            let request = ids.iter().fold(request, |request, id| request.header("X-Request-Id", *id));
            let answer = request.send(pair.service.port);
            let id = answer.json()["request_id"].as_str().unwrap().to_owned();
            report.equal("X-Request-Id", answer.all("x-request-id"), [&*id]);
            let new = id.len() >= 18 && !ids.contains(&&*id);
            report.holds(if *kept { id == ids[0] } else { new }, || format!("id is {id}"));
            answered.push((name, id));
        }
        for (name, id) in answered {
            report.row(format!("{contract:?}, {name}, in the log"));
            report.equal("id", &pair.line(&format!("{contract:?} {name}"))["request_id"], &*id);
        }
    }
    report.finish();
}
