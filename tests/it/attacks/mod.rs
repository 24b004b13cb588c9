//! Attacks through each proxy with the shipped files.

/// Makes four tests of each `fn(Kind)` that is named.
macro_rules! through_each_proxy {
    ($($test:ident),+ $(,)?) => {
        mod traefik { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Traefik); })+ }
        mod envoy { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Envoy); })+ }
        mod nginx { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Nginx); })+ }
        mod caddy { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Caddy); })+ }
    };
}

mod consistency;
mod forwarding_headers;
mod framing;
mod identity_assertions;
mod identity_headers;
mod odd_targets;
mod preflights;
mod raw;
mod request_lines;
mod sizes;
mod token_values;
mod tokens;
mod unauthenticated_paths;

use crate::support::http::Request;
use crate::support::report::Report;
use crate::support::stage::{Outcome, Stage};

/// Sends each request and reports what is wrong with its outcome.
fn try_each(stage: &Stage, requests: Vec<(String, Request)>, wrong: impl Fn(&Outcome) -> Option<String>) {
    let mut report = Report::new(stage.proxy.kind);
    let (names, requests): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
    for (name, outcome) in names.into_iter().zip(stage.try_out_all(requests)) {
        report.row(name);
        if let Some(problem) = wrong(&outcome) {
            report.fail(problem);
        }
    }
    report.finish();
}

/// For [`try_each`]: nothing may reach the upstream, nor look to the client as if it had.
#[allow(clippy::unnecessary_wraps, reason = "try_each takes this form")]
fn unless_refused(outcome: &Outcome) -> Option<String> {
    (!outcome.is_refused()).then(|| format!("got through: {}", outcome.shown()))
}
