//! The contract matrix: each proxy with its shipped files, asked everything, seen from both ends: what the client is
//! answered and what the MCP server receives.

mod allowed;
mod case;
mod check;
pub mod documents;
mod forbidden;
mod outage;
mod own_document;
mod paths;
mod preflight;
mod refused_tokens;

use crate::support::process::eventually;
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::world::World;
use case::{Case, Expected, ask};

/// Every request to a protected path, and what must come of it.
fn requests(kind: Kind) {
    let world = World::start(kind);
    let mut cases = refused_tokens::cases(&world);
    cases.extend(forbidden::cases(&world));
    cases.extend(allowed::cases(&world));
    let mut report = Report::new(kind);
    for (index, case) in cases.iter().enumerate() {
        report.row(case.name);
        match case.request.clone().header("User-Agent", marker(index)).try_send(world.proxy.port) {
            Ok(answer) => check::answer(&world, case, &answer, &mut report),
            Err(error) => report.fail(error.to_string()),
        }
    }
    check_decision_log(&world, &cases, &mut report);
    report.finish();
}

/// Leads from a row to its decision line: every proxy hands `User-Agent` on.
fn marker(index: usize) -> String {
    format!("row-{index}")
}

/// The service must have refused for the reason that the row names, and nobody else: nginx does not tell the client.
fn check_decision_log(world: &World, cases: &[Case], report: &mut Report) {
    let _ = ask(world).header("User-Agent", "the last one").send(world.proxy.port);
    let line_of = |agent: &str| world.service.decision_lines().into_iter().find(|line| line["user_agent"] == agent);
    eventually("the decision log is written", || line_of("the last one").is_some());
    for (index, case) in cases.iter().enumerate() {
        report.row(format!("decision line of: {}", case.name));
        match (&case.expected, line_of(&marker(index))) {
            (Expected::Refused(refusal), Some(line)) => {
                report.equal("reason", &line["reason"], refusal.reason);
                report.equal("status", &line["status"], refusal.status);
                report.equal("contract", &line["contract"], check::contract(world.proxy.kind));
                // A path that cannot be read is not repeated.
                if refusal.reason != "ambiguous_path" {
                    report.equal("method", &line["method"], &*case.request.method);
                    let target = String::from_utf8_lossy(&case.request.target);
                    report.equal("path", &line["path"], target.split('?').next().unwrap());
                }
            }
            (Expected::Refused(_), None) => report.fail("the service did not refuse, or was not asked"),
            (Expected::Allowed(_) | Expected::RefusedByProxy(_), Some(line)) => {
                report.fail(format!("the service refused: {line}"));
            }
            (Expected::Allowed(_) | Expected::RefusedByProxy(_), None) | (Expected::NotAllowed, _) => {}
        }
    }
}

#[test]
fn traefik_enforces_every_decision() {
    requests(Kind::Traefik);
}

#[test]
fn envoy_enforces_every_decision() {
    requests(Kind::Envoy);
}

#[test]
fn nginx_enforces_every_decision() {
    requests(Kind::Nginx);
}

#[test]
fn caddy_enforces_every_decision() {
    requests(Kind::Caddy);
}
