//! The headers of each contract: there exactly once and well formed, or nothing is judged, and the log says which one.

use super::{CONTRACTS, Contract, Header, Pair, RESOURCE, refused};
use crate::support::http::Request;
use crate::support::report::Report;

struct Row {
    name: String,
    request: Request,
    reason: &'static str,
    /// What the operator reads.
    detail: String,
}

fn rows(contract: Contract) -> Vec<Row> {
    let (_, _, headers) = contract.question("POST", RESOURCE);
    let mut rows = Vec::new();
    for (name, value) in &headers {
        // Forward-auth and auth_request do not look at Host.
        if *name == "Host" && contract != Contract::ExtAuthz {
            continue;
        }
        let without: Vec<Header> = headers.iter().filter(|(known, _)| known != name).cloned().collect();
        let twice = |second: &str| [&headers[..], &[(*name, second.to_owned())]].concat();
        let mut add = |what: &str, headers: &[Header], detail: String| {
            let request = with_headers(contract, headers);
            let name = format!("{contract:?}, {name} {what}");
            rows.push(Row { name, request, reason: "invalid_request", detail });
        };
        if *name != "Host" {
            add("missing", &without, format!("the proxy sent no {name};"));
            add("twice, the same", &twice(value), format!("{name} was sent more than once;"));
            add("twice, different", &twice("x"), format!("{name} was sent more than once;"));
            add("twice, one empty", &twice(""), format!("{name} was sent more than once;"));
        }
        for bad in malformed(name) {
            let changed: Vec<Header> = headers
                .iter()
                .map(|(known, value)| (*known, if known == name { (*bad).to_owned() } else { value.clone() }))
                .collect();
            add(&format!("= {bad:?}"), &changed, format!("{name} is not well formed;"));
        }
    }
    rows.extend(targets(contract));
    rows
}

fn with_headers(contract: Contract, headers: &[Header]) -> Request {
    let (method, target, _) = contract.question("POST", RESOURCE);
    headers.iter().fold(Request::new(&method, target), |request, (name, value)| request.header(*name, value.clone()))
}

fn malformed(name: &str) -> &'static [&'static str] {
    match name {
        "X-Forwarded-Method" | "X-Original-Method" => {
            &["", "PO ST", "POST,GET", "POST\u{e9}", "A-METHOD-THAT-IS-FAR-TOO-LONG-TO-BE"]
        }
        "X-Forwarded-Proto" => &["", "ftp", "https,http", "https:", "https://"],
        "X-Forwarded-Host" | "Host" => &[
            "",
            "a,b",
            "user@mcp.example.com",
            "mcp.example.com:x",
            "mcp.example.com:0",
            "a/b",
            "mcp..example.com",
            "h\u{e9}",
        ],
        "X-Original-URL" => &[
            "",
            "/mcp",
            "mcp.example.com/mcp",
            "https://mcp.example.com",
            "ftp://mcp.example.com/mcp",
            "https:///mcp",
            "https://user@mcp.example.com/mcp",
        ],
        // What is wrong with a target is told as an ambiguous path.
        _ => &[],
    }
}

/// A target that is no path: the log says what is wrong with it.
fn targets(contract: Contract) -> Vec<Row> {
    let bad = |target: &str| match contract {
        Contract::ForwardAuth => {
            let (_, _, mut headers) = contract.question("POST", RESOURCE);
            target.clone_into(&mut headers.last_mut().unwrap().1);
            with_headers(contract, &headers)
        }
        Contract::AuthRequest | Contract::ExtAuthz => contract.ask("POST", &format!("https://mcp.example.com{target}")),
    };
    let mut targets = vec![
        ("/mcp/../x", "the path holds a dot segment"),
        ("/mcp//x", "the path holds an empty segment"),
        ("/mcp/%2e%2e/x", "the path holds a dot segment"),
        ("/mcp%2fx", "the path holds an encoded slash or a backslash"),
        ("/mcp%252fx", "the path is encoded twice"),
        ("/mcp;x", "the path holds a semicolon"),
        ("/mcp%00", "the path holds bytes that proxies and servers read differently"),
        ("/MCP", "the path differs from a resource only in case"),
    ];
    if contract == Contract::ForwardAuth {
        targets.push(("mcp", "the path does not start with a slash"));
        targets.push(("", "the path does not start with a slash"));
        targets.push(("https://mcp.example.com/mcp", "the path does not start with a slash"));
    }
    let row = |(target, detail): (&str, &str)| Row {
        name: format!("{contract:?}, target {target:?}"),
        request: bad(target),
        reason: "ambiguous_path",
        detail: detail.to_owned(),
    };
    targets.into_iter().map(row).collect()
}

#[test]
fn a_missing_repeated_or_malformed_header_is_refused_by_name() {
    let pair = Pair::start();
    let token = pair.token(RESOURCE);
    let mut report = Report::new("contract headers");
    for contract in CONTRACTS {
        report.row(format!("{contract:?}, complete"));
        report.equal("status", contract.ask("POST", RESOURCE).bearer(&token).send(pair.service.port).status, 200);
        let rows = rows(contract);
        let agent = |index: usize| format!("{contract:?}-{index}");
        for (index, row) in rows.iter().enumerate() {
            report.row(&*row.name);
            let request = row.request.clone().bearer(&token).header("User-Agent", agent(index));
            refused(&request.send(pair.service.port), 403, "invalid_request", row.reason, &mut report);
        }
        for (index, row) in rows.iter().enumerate() {
            report.row(format!("decision line of: {}", row.name));
            let line = pair.line(&agent(index));
            report.equal("reason", &line["reason"], row.reason);
            report.equal("contract", &line["contract"], contract.name());
            let detail = line["detail"].as_str().unwrap_or_default().to_owned();
            report
                .holds(detail.starts_with(&row.detail), || format!("detail is {detail:?}, expected {:?}", row.detail));
        }
    }
    report.finish();
}

/// RFC 9112 §3.2: exactly one `Host`, or the request is not even read.
#[test]
fn a_question_without_exactly_one_host_is_refused() {
    let pair = Pair::start();
    let token = pair.token(RESOURCE);
    let mut report = Report::new("Host");
    for contract in CONTRACTS {
        let (_, _, headers) = contract.question("POST", RESOURCE);
        let (host, others): (Vec<Header>, Vec<Header>) = headers.into_iter().partition(|(name, _)| *name == "Host");
        for (name, hosts) in [("none", vec![]), ("two", [host.clone(), host].concat())] {
            report.row(format!("{contract:?}, {name}"));
            let request = with_headers(contract, &[hosts, others.clone()].concat());
            report.equal("status", request.bearer(&token).send(pair.service.port).status, 400);
        }
    }
    report.finish();
}

/// A client can send any header: only those of the asked contract count.
#[test]
fn headers_of_another_contract_neither_help_nor_harm() {
    let pair = Pair::start();
    let token = pair.token(RESOURCE);
    let mut report = Report::new("foreign headers");
    for contract in CONTRACTS {
        for other in CONTRACTS.into_iter().filter(|other| *other != contract) {
            report.row(format!("{contract:?} with the headers of {other:?}"));
            let (method, target, _) = contract.question("POST", RESOURCE);
            let (_, _, headers) = other.question("POST", RESOURCE);
            let request = headers
                .iter()
                .fold(Request::new(&method, target), |request, (name, value)| request.header(*name, value.clone()));
            let proto = contract == Contract::ExtAuthz && other == Contract::ForwardAuth;
            let answer = request.bearer(&token).send(pair.service.port);
            // Envoy's contract shares X-Forwarded-Proto; the Host is then that of the service itself.
            let reason = if proto { "unknown_resource" } else { "invalid_request" };
            report.equal("status", answer.status, 403);
            report.equal("reason", &answer.json()["reason"], reason);

            report.row(format!("{contract:?} with misleading headers of {other:?}"));
            let (_, _, own) = contract.question("POST", RESOURCE);
            let (_, _, misleading) = other.question("DELETE", "http://elsewhere.example.com/public");
            let foreign = misleading.into_iter().filter(|(name, _)| own.iter().all(|(known, _)| known != name));
            let request =
                foreign.fold(contract.ask("POST", RESOURCE), |request, (name, value)| request.header(name, value));
            report.equal("status", request.bearer(&token).send(pair.service.port).status, 200);
        }
    }
    report.finish();
}
