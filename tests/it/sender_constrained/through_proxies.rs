//! Through each proxy with the shipped files: the proof reaches the service, and ends there.

use super::Prover;
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::stage::{Outcome, Stage};

macro_rules! through_each_proxy {
    ($($test:ident),+ $(,)?) => {
        mod traefik { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Traefik); })+ }
        mod envoy { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Envoy); })+ }
        mod nginx { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Nginx); })+ }
        mod caddy { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Caddy); })+ }
    };
}

through_each_proxy!(a_bound_token_lives_and_dies_with_its_proofs);

fn a_bound_token_lives_and_dies_with_its_proofs(kind: Kind) {
    let stage = Stage::start(kind);
    let prover = Prover::new("ES256");
    let token = stage.issuer.sign(&prover.bind(stage.token_for("/mcp")));
    let url = stage.resource("/mcp");
    let request = |method: &str, target: &str, proofs: &[&str]| {
        let plain =
            Request::new(method, target).host(&stage.authority()).header("Authorization", format!("DPoP {token}"));
        proofs.iter().fold(plain, |request, proof| request.header("DPoP", *proof))
    };
    let proof = |method: &str, url: &str| prover.signed(method, url, &token);
    let used = proof("GET", &url);
    let (one, two) = (proof("GET", &url), proof("GET", &url));
    let stolen = Prover::new("ES256").signed("GET", &url, &token);
    let rows = [
        ("a GET with its proof", true, request("GET", "/mcp", &[&used])),
        ("the same proof again", false, request("GET", "/mcp", &[&used])),
        ("a path below, with a query", true, request("GET", "/mcp/x?y=1", &[&proof("GET", &format!("{url}/x"))])),
        ("a DELETE", true, request("DELETE", "/mcp", &[&proof("DELETE", &url)])),
        ("a DELETE with the proof of a GET", false, request("DELETE", "/mcp", &[&proof("GET", &url)])),
        ("another path than proven", false, request("GET", "/mcp/x", &[&proof("GET", &url)])),
        ("https in the proof", false, request("GET", "/mcp", &[&proof("GET", &url.replace("http:", "https:"))])),
        ("no proof", false, request("GET", "/mcp", &[])),
        ("two proofs", false, request("GET", "/mcp", &[&one, &two])),
        ("a proof of another key", false, request("GET", "/mcp", &[&stolen])),
        ("as a bearer token", false, stage.get("/mcp").bearer(&token).header("DPoP", proof("GET", &url))),
    ];
    let mut report = Report::new(kind);
    let (names, requests): (Vec<_>, Vec<_>) =
        rows.map(|(name, good, request)| ((name, good), request)).into_iter().unzip();
    for ((name, good), outcome) in names.into_iter().zip(stage.try_out_all(requests)) {
        report.row(name);
        if good { passed(&outcome, &mut report) } else { refused(&outcome, &mut report) }
    }
    report.finish();
}

fn passed(outcome: &Outcome, report: &mut Report) {
    report.holds(outcome.seen.len() == 1, || format!("refused: {}", outcome.shown()));
    for seen in &outcome.seen {
        report.equal("subject", seen.all("x-auth-subject"), ["alice-subject"]);
        report.equal("token at the upstream", seen.all("authorization"), [""; 0]);
        report.equal("proof at the upstream", seen.all("dpop"), [""; 0]);
    }
}

fn refused(outcome: &Outcome, report: &mut Report) {
    report.holds(outcome.is_refused(), || format!("got through: {}", outcome.shown()));
    let challenge = outcome.answer.as_ref().and_then(|answer| answer.header("www-authenticate")).unwrap_or_default();
    report.holds(challenge.starts_with("DPoP error="), || format!("challenge is {challenge:?}"));
}
