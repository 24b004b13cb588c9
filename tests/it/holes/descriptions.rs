//! What a client says about its own request. No service judges by it, but some MCP servers read it in the place of the
//! method, path or host that was judged (`X-Original-Url`, `X-Http-Method-Override`): each name is closed by its line.

use super::{Edits, reads_as, traefik};
use crate::support::proxies::Kind::{Caddy, Envoy, Nginx, Traefik};
use crate::support::stage::{Outcome, Stage};

/// Nobody but a client writes these to any of the four proxies.
const OVERRIDES: [&str; 9] = [
    "Forwarded",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-Original-Host",
    "X-Original-Method",
    "X-Original-Uri",
    "X-Original-Url",
    "X-Rewrite-Url",
];

/// Traefik as the edge replaces or drops these by itself; the others hand on the client's.
const FORWARDED: [&str; 6] = [
    "X-Forwarded-Method",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Forwarded-Uri",
    "X-Real-Ip",
];

/// All of them.
pub fn names() -> Vec<&'static str> {
    [&OVERRIDES[..], &FORWARDED[..]].concat()
}

/// A value that none of the proxies would write.
pub const FORGED: &str = "forged-by-the-client";

/// The values that reached the upstream as the client wrote them, in whatever spelling of the name.
pub fn forged_in(outcome: &Outcome) -> Vec<String> {
    let headers = outcome.seen.iter().flat_map(|seen| &seen.headers);
    headers.filter(|(_, value)| value.contains(FORGED)).map(|(name, value)| format!("{name}: {value}")).collect()
}

#[test]
fn in_traefik_each_name_is_closed_by_its_own_line() {
    let line = |name: &str| format!("{name}: \"\"");
    let edited = |edits: &Edits| edits.open(Traefik);
    closed_by_their_lines(&OVERRIDES, || Edits::of("dynamic.yml"), line, edited);
    closed_by_their_lines(&OVERRIDES, traefik::templates, line, edited);
}

/// There Traefik believes whoever connects, and balancers hand on what they do not know. Three more names are blanked
/// because Traefik judges by them: see `behind_a_load_balancer_each_blanked_header_closes_its_own_forgery`.
#[test]
fn in_traefik_behind_a_load_balancer_each_name_is_closed_by_its_own_line() {
    let names = [&OVERRIDES[..], &["X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-Ip"]].concat();
    let line = |name: &str| format!("{name}: \"\"");
    closed_by_their_lines(&names, || Edits::of("behind-load-balancer.yml"), line, traefik::behind_load_balancer);
}

#[test]
fn in_envoy_each_name_is_closed_by_its_own_line() {
    let names = [names(), vec!["X-Forwarded-Host"]].concat();
    let line = |name: &str| format!("- remove: {}", name.to_lowercase());
    closed_by_their_lines(&names, || Edits::of("envoy.yaml"), line, |edits| edits.open(Envoy));
}

#[test]
fn in_nginx_each_name_is_closed_by_its_own_line() {
    let line = |name: &str| match name {
        "X-Real-Ip" => "proxy_set_header X-Real-Ip $remote_addr;".to_owned(),
        _ => format!("proxy_set_header {name} \"\";"),
    };
    closed_by_their_lines(&names(), || Edits::of("nginx.conf"), line, |edits| edits.open(Nginx));
}

#[test]
fn in_caddy_each_name_is_closed_by_its_own_line() {
    let line = |name: &str| format!("request_header -{name}");
    closed_by_their_lines(&names(), || Edits::of("Caddyfile"), line, |edits| edits.open(Caddy));
}

/// Taking out the lines of some names opens the hole for those names and no other.
fn closed_by_their_lines(
    names: &[&'static str],
    file: impl Fn() -> Edits,
    line: impl Fn(&str) -> String,
    open: impl Fn(&Edits) -> Stage,
) {
    assert_eq!(passed(&open(&file()), names), [""; 0], "as shipped");
    for remainder in [0, 1] {
        let chosen: Vec<&str> = names.iter().copied().skip(remainder).step_by(2).collect();
        let edits = file().without_all(chosen.iter().map(|name| line(name)));
        assert_eq!(passed(&open(&edits), names), chosen, "without the lines of these");
    }
}

/// Alice sends them all with her token.
fn passed(stage: &Stage, names: &[&'static str]) -> Vec<&'static str> {
    let plain = stage.get("/echo-request/described").bearer(&stage.token());
    let outcome = stage.try_out(names.iter().fold(plain, |request, name| request.header(*name, FORGED)));
    let seen = outcome.reached();
    let forged =
        |name: &&str| seen.headers.iter().any(|(known, value)| reads_as(known, name) && value.contains(FORGED));
    names.iter().copied().filter(forged).collect()
}
