//! Issuers, good and bad: algorithms, discovery, rotation, outages, and attacks by and at the key set.

mod algorithms;
mod cache;
mod differential;
mod discovery;
mod hostile_key_sets;
mod outage;
mod private_authority;
mod rotation;
mod several;
mod unknown_keys;

use crate::support::http::Response;
use crate::support::issuer::TestIssuer;
use crate::support::service::Service;

/// The one resource of these tests.
const RESOURCE: &str = "https://mcp.example.com/mcp";

/// A configuration with one `[[issuers]]` table, given as its keys, and `before` in front of it.
fn config(before: &str, issuer: &str) -> String {
    format!("{before}\n[[issuers]]\n{issuer}\n[[resources]]\nurl = \"{RESOURCE}\"\n")
}

/// The keys of an `[[issuers]]` table for `issuer`, discovered.
fn table(issuer: &TestIssuer) -> String {
    format!("issuer = \"{}\"", issuer.url())
}

/// The service with keys that are fetched when somebody asks, and at most once a second.
fn eager(issuer: &TestIssuer) -> Service {
    Service::start(&config("[keys]\nrefresh_cooldown = \"1s\"", &table(issuer)))
}

/// Asks for the resource.
fn ask(service: &Service, token: &str) -> Response {
    service.ask("POST", RESOURCE, Some(token))
}

fn reason(response: &Response) -> String {
    response.json()["reason"].as_str().unwrap_or_default().to_owned()
}

/// Status and reason of an answer, `200` alone for an allow.
fn outcome(response: &Response) -> String {
    if response.status == 200 { "200".to_owned() } else { format!("{} {}", response.status, reason(response)) }
}

/// A figure of an issuer's keys.
fn key_figure(service: &Service, name: &str, issuer: &TestIssuer) -> f64 {
    service.metrics().value(name, &[("issuer", &issuer.url())])
}

fn refreshes(service: &Service, issuer: &TestIssuer) -> f64 {
    key_figure(service, "issuer_keys_refreshes_total", issuer)
}

fn failures(service: &Service, issuer: &TestIssuer) -> f64 {
    key_figure(service, "issuer_keys_failures_total", issuer)
}

/// Checks every row at the same time, each with processes of its own, and tells all that fail.
fn each_at_once<T: Sync>(rows: &[(&str, T)], check: impl Fn(&str, &T) + Sync) {
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let check = &check;
        let running: Vec<_> = rows.iter().map(|(name, row)| (*name, scope.spawn(move || check(name, row)))).collect();
        let ended = running.into_iter().map(|(name, thread)| (name, thread.join()));
        ended.filter(|(_, outcome)| outcome.is_err()).map(|(name, _)| name).collect()
    });
    assert!(!rows.is_empty() && failed.is_empty(), "failed: {failed:#?}; the reasons stand above");
}
