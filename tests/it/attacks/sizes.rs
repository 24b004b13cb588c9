//! Requests of every size: served as what they are, or refused; never let through unjudged or cut.

use super::consistency::misjudged;
use super::{try_each, unless_refused};
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::stage::Stage;

through_each_proxy!(large_requests_are_judged_as_they_are_forwarded, large_requests_without_a_token_are_refused);

const SIZES: [usize; 8] = [1_000, 4_000, 8_000, 8_192, 16_000, 32_000, 64_000, 128_000];

fn requests(stage: &Stage, plain: impl Fn(String) -> Request) -> Vec<(String, Request)> {
    let mut requests = Vec::new();
    for size in SIZES {
        let long = "a".repeat(size);
        requests.extend([
            (format!("a path of {size} bytes"), plain(format!("/mcp/{long}"))),
            (format!("a path of {size} bytes that climbs"), plain(format!("/mcp/{long}/../../other"))),
            (format!("{size} bytes of segments"), plain(format!("/mcp{}", "/a".repeat(size / 2)))),
            (format!("a query of {size} bytes"), plain(format!("/mcp?{long}"))),
            (format!("a header of {size} bytes"), plain("/mcp".into()).header("X-Long", &*long)),
            (format!("a user of {size} bytes"), plain("/mcp".into()).header("X-Forwarded-User", &*long)),
            (
                format!("a forwarded path of {size} bytes"),
                plain("/mcp".into()).header("X-Forwarded-Uri", format!("/{long}")),
            ),
            (
                format!("an original URL of {size} bytes"),
                plain("/mcp".into()).header("X-Original-Url", format!("/{long}")),
            ),
            (
                format!("a Connection of {size} bytes"),
                plain("/mcp".into()).header("Connection", format!("close, {long}")),
            ),
            (format!("a host of {size} bytes"), Request::get("/mcp").host(&format!("{long}.{}", stage.authority()))),
        ]);
    }
    for count in [50, 90, 99, 100, 101, 150, 300, 1000] {
        let many = |name: &dyn Fn(usize) -> String| {
            (0..count).fold(plain("/mcp".into()), |request, index| request.header(name(index), "forged"))
        };
        requests.push((format!("{count} headers"), many(&|index| format!("X-Many-{index}"))));
        requests.push((format!("{count} forged users"), many(&|_| "X-Forwarded-User".into())));
        requests.push((format!("{count} cookies"), many(&|_| "Cookie".into())));
    }
    requests
}

fn large_requests_are_judged_as_they_are_forwarded(kind: Kind) {
    let stage = Stage::start(kind);
    let token = stage.token();
    let requests = requests(&stage, |target| stage.get(target).bearer(&token));
    try_each(&stage, requests, |outcome| {
        let forged = outcome.seen.iter().any(|seen| seen.all("x-forwarded-user") != ["alice@example.com"]);
        misjudged(&stage, outcome).or_else(|| forged.then(|| outcome.shown()))
    });
}

/// Tokens of every size are no tokens either.
fn large_requests_without_a_token_are_refused(kind: Kind) {
    let stage = Stage::start(kind);
    let mut requests = requests(&stage, |target| stage.get(target));
    for size in SIZES {
        requests.push((format!("a token of {size} bytes"), stage.get("/mcp").bearer(&"a".repeat(size))));
        requests.push((
            format!("a token and {size} bytes"),
            stage.get("/mcp").bearer(&(stage.token() + &"a".repeat(size))),
        ));
    }
    try_each(&stage, requests, unless_refused);
}
