//! Good tokens that are presented in another way than in one `Authorization: Bearer` header.

use super::{Bench, decision_request, is_refused};
use crate::support::report::Report;

#[test]
fn odd_authorization_values_are_refused() {
    let bench = Bench::start();
    let good = bench.sign(&bench.token());
    let mut report = Report::new("Authorization");
    let values: [Vec<u8>; 19] = [
        good.clone().into_bytes(),
        b"Bearer".to_vec(),
        b"Bearer ".to_vec(),
        format!("Bearer {good},").into_bytes(),
        format!("Bearer ,{good}").into_bytes(),
        format!("Bearer {good} {good}").into_bytes(),
        format!("Bearer {good}, Bearer {good}").into_bytes(),
        format!("Bearer {good};x=y").into_bytes(),
        format!("Bearer \"{good}\"").into_bytes(),
        format!("Bearer <{good}>").into_bytes(),
        format!("Bearer={good}").into_bytes(),
        format!("Bearer:{good}").into_bytes(),
        format!("Bearer {good}%20").into_bytes(),
        format!("Bearer {}", good.replace('.', "%2e")).into_bytes(),
        format!("Bearer {good}\u{e9}").into_bytes(),
        [b"Bearer ".to_vec(), good.clone().into_bytes(), vec![0xff]].concat(),
        format!("Bearer\u{a0}{good}").into_bytes(),
        format!("Bearer Bearer {good}").into_bytes(),
        format!("Bearer {good}\u{200b}").into_bytes(),
    ];
    for value in values {
        report.row(String::from_utf8_lossy(&value).chars().take(40).collect::<String>());
        is_refused(&bench.ask(&value), ("invalid_request", "invalid_token"), &mut report);
    }
    for value in [format!("bearer {good}"), format!("BEARER  {good}"), format!("  Bearer {good}  ")] {
        report.row("another case, more spaces");
        report.equal("status", bench.ask(value.as_bytes()).status, 200);
    }
    report.finish();
}

/// Not asked for, so nobody is there: the client is told how to get a token, not that it has a bad one.
#[test]
fn tokens_elsewhere_do_not_count() {
    let bench = Bench::start();
    let good = bench.sign(&bench.token());
    let bearer = format!("Bearer {good}");
    let plain = decision_request;
    let mut rows = vec![("another scheme", plain().header("Authorization", format!("Basic {good}")))];
    let names = [
        "Proxy-Authorization",
        "X-Forwarded-Authorization",
        "X-Original-Authorization",
        "X-Auth-Token",
        "X-Access-Token",
        "X-Forwarded-Access-Token",
        "X-Authorization",
        "Authorization_",
        "Cookie",
        "Sec-WebSocket-Protocol",
    ];
    rows.extend(names.map(|name| (name, plain().header(name, bearer.as_str()))));
    for target in ["/auth?access_token={}", "/auth?Authorization=Bearer%20{}", "/auth?X-Forwarded-Uri=/mcp&token={}"] {
        let mut request = plain();
        request.target = target.replace("{}", &good).into_bytes();
        rows.push((target, request));
    }
    let mut report = Report::new("elsewhere");
    for (name, request) in rows {
        report.row(name);
        let answer = request.send(bench.service.port);
        report.equal("status", answer.status, 401);
        report.holds(answer.text().contains("missing_token"), || answer.text());
    }
    report.finish();
}

#[test]
fn two_authorization_headers_are_refused() {
    let bench = Bench::start();
    let good = format!("Bearer {}", bench.sign(&bench.token()));
    let mut report = Report::new("two headers");
    for other in [good.as_str(), "Bearer x", "Basic YTpi", "", "Bearer"] {
        for (first, second) in [(good.as_str(), other), (other, good.as_str())] {
            report.row(format!("{first:.12} and {second:.12}"));
            let request = decision_request().header("Authorization", first).header("authorization", second);
            is_refused(&request.send(bench.service.port), ("invalid_request", "invalid_token"), &mut report);
        }
    }
    report.finish();
}
