//! Caddy: identity headers and their removal by `Connection`, the client's token, decoded decision paths, unknown hosts.

use super::attacks::{
    any_passes, forged_names, forwarded_host_is_believed, oauth_paths_reach_upstream, preflight_reaches_upstream,
    scheme_is_believed, token_passes,
};
use super::{Careless, Edits, IDENTITY, closed_by, closed_name_by_name, closed_twice, opened_by};
use crate::support::http::Request;
use crate::support::proxies::Kind::Caddy;
use crate::support::stage::{OTHER_HOST, Stage};

const FILE: &str = "Caddyfile";

#[test]
fn identity_headers_are_closed_by_their_names_in_the_list() {
    closed_name_by_name(Caddy, || Edits::of(FILE), |name| [name.to_owned()]);
}

/// No line of the file does this: Caddy drops such names.
#[test]
fn aliases_of_identity_headers_are_closed_by_the_proxy_itself() {
    let stage = Stage::start(Caddy);
    assert_eq!(forged_names(&stage, "_"), [""; 0]);
    assert_eq!(forged_names(&stage, "."), [""; 0]);
}

#[test]
fn the_client_s_token_ends_at_the_proxy_because_authorization_is_in_the_list() {
    closed_by(Caddy, &Edits::of(FILE).without("Authorization"), token_passes);
}

/// Named in `Connection`, a header is removed last of all, after the decision has set it.
#[test]
fn removed_identity_headers_are_closed_by_dropping_connection() {
    let attack = |stage: &Stage| {
        let request = stage.get("/echo-request/x").bearer(&stage.token());
        let outcome = stage.try_out(request.header("Connection", format!("close, {}", IDENTITY.join(", "))));
        outcome.reached().all("x-forwarded-user").is_empty()
    };
    closed_by(Caddy, &Edits::of(FILE).without("request_header -Connection"), attack);
}

#[test]
fn preflights_are_closed_by_answering_them_before_the_decision() {
    closed_by(Caddy, &Edits::of(FILE).replacing("handle @preflight {", "handle /never {"), preflight_reaches_upstream);
}

/// Nobody is trusted to say more than the connection does; that is Caddy's default.
#[test]
fn forged_forwarding_headers_are_closed_by_trusting_nobody() {
    closed_by(Caddy, &trusting_the_attacker(), scheme_is_believed);
}

/// A balancer in `trusted_proxies` often hands on what the client wrote.
#[test]
fn a_forged_host_is_closed_by_dropping_the_header_even_from_a_balancer() {
    closed_twice(Caddy, &trusting_the_attacker(), forwarded_host_is_believed);
    let edits = trusting_the_attacker().without("request_header -X-Forwarded-Host");
    opened_by(Caddy, &edits, forwarded_host_is_believed);
}

fn trusting_the_attacker() -> Edits {
    Edits::of(FILE).replacing("servers {", "servers {\n\t\ttrusted_proxies static 127.0.0.0/8")
}

/// `uri /auth{uri}` would ask about a decoded path and forward the raw one.
#[test]
fn decoded_decision_paths_are_closed_by_a_fixed_decision_url() {
    let edits = || Edits::of(FILE).replacing("uri /auth", "uri /auth{uri}");
    let asked = |edits: &Edits| {
        let careless = Careless::start(Caddy, edits, &["/auth", "/auth/mcp", "/auth/mcp/../other"]);
        careless.forwarded("/mcp/..%2fother", &[]);
        careless.service.requests().pop().unwrap()
    };
    assert_eq!(asked(&Edits::of(FILE)), "/auth");
    assert_eq!(asked(&edits()), "/auth/mcp/../other", "not what is forwarded");
    closed_twice(Caddy, &edits(), |stage| any_passes(stage, &["/mcp/..%2fother"]));
}

/// Caddy's routes match decoded paths in any case and forward the raw one: only the service may stand behind them.
#[test]
fn routes_without_a_decision_are_closed_by_leading_to_the_service() {
    let edits = Edits::of(FILE).replacing("reverse_proxy 127.0.0.1:11000", "reverse_proxy 127.0.0.1:8000");
    closed_by(Caddy, &edits, oauth_paths_reach_upstream);
    closed_by(Caddy, &edits, |stage| {
        let paths = ["/mcp/..%2fregister/x", "/REGISTER/x"].map(|path| stage.get(path));
        stage.try_out_all(paths.to_vec()).iter().all(|outcome| outcome.seen.len() == 1)
    });
}

/// Monitors and clients would take Caddy's own empty 200 for an answer of the MCP server.
#[test]
fn unknown_hosts_are_closed_by_the_last_site() {
    let attack = |stage: &Stage| {
        let host = format!("{OTHER_HOST}:{}", stage.proxy.port);
        stage.try_out(Request::get("/mcp").host(&host)).status() == 200
    };
    closed_by(Caddy, &Edits::of(FILE).without("respond 404"), attack);
}
