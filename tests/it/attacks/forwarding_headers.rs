//! Headers with which other proxies describe the original request: whatever a client writes there, the real request is
//! judged and the real request is forwarded.

use serde_json::Value;

use super::consistency::misjudged;
use super::{try_each, unless_refused};
use crate::holes::descriptions::{self, forged_in};
use crate::holes::traefik_variants;
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::stage::{OTHER_HOST, Outcome, Stage};

through_each_proxy!(
    no_header_opens_a_forbidden_resource,
    no_header_makes_a_request_a_preflight,
    no_header_changes_what_is_judged_of_a_good_request,
    none_reaches_the_upstream_as_the_client_wrote_it,
);

/// Header and value; `{host}` is the authority, `{other}` the one of another protected host.
const FORGED: [(&str, &str); 34] = [
    ("X-Forwarded-Uri", "/mcp"),
    ("X-Forwarded-Url", "/mcp"),
    ("X-Forwarded-Path", "/mcp"),
    ("X-Forwarded-Prefix", "/mcp"),
    ("X-Forwarded-Method", "OPTIONS"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Scheme", "https"),
    ("X-Forwarded-Protocol", "https"),
    ("X-Forwarded-Ssl", "on"),
    ("X-Forwarded-Host", "{other}"),
    ("X-Forwarded-Server", "{other}"),
    ("X-Forwarded-Port", "443"),
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Real-Ip", "203.0.113.7"),
    ("Forwarded", "for=203.0.113.7;host={other};proto=https"),
    ("X-Original-Url", "http://{host}/mcp"),
    ("X-Original-Url", "/mcp"),
    ("X-Original-Uri", "/mcp"),
    ("X-Original-Method", "OPTIONS"),
    ("X-Original-Host", "{other}"),
    ("X-Rewrite-Url", "/mcp"),
    ("X-Request-Uri", "/mcp"),
    ("X-Url-Scheme", "https"),
    ("X-Host", "{other}"),
    ("Front-End-Https", "on"),
    ("X-Envoy-Original-Path", "/mcp"),
    ("X-Envoy-Original-Host", "{other}"),
    ("X-Envoy-Original-Method", "OPTIONS"),
    ("X-Envoy-Internal", "true"),
    ("X-Envoy-Auth-Headers-To-Remove", "x-auth-subject"),
    ("X-Auth-Request-Redirect", "/mcp"),
    ("X-HTTP-Method-Override", "OPTIONS"),
    ("X-HTTP-Method", "OPTIONS"),
    ("X-Method-Override", "OPTIONS"),
];

/// Each header once, twice, in other spellings, and named in `Connection` (which asks proxies to drop it).
fn forgeries(stage: &Stage, request: &Request) -> Vec<(String, Request)> {
    let other = format!("{OTHER_HOST}:{}", stage.proxy.port);
    let filled = |value: &str| value.replace("{host}", &stage.authority()).replace("{other}", &other);
    forgeries_of(FORGED.map(|(name, value)| (name, filled(value))), request)
}

fn forgeries_of(
    headers: impl IntoIterator<Item = (&'static str, String)>,
    request: &Request,
) -> Vec<(String, Request)> {
    let forge = |(name, value): (&str, String)| {
        let once = request.clone().header(name, &*value);
        vec![
            (format!("{name}: {value}"), once.clone()),
            (format!("{name}: {value}, twice"), once.clone().header(name, &*value)),
            (format!("{}: {value}", name.replace('-', "_")), request.clone().header(name.replace('-', "_"), &*value)),
            (format!("{}: {value}", name.replace('-', ".")), request.clone().header(name.replace('-', "."), &*value)),
            (format!("Connection: {name}"), request.clone().header("Connection", format!("close, {name}"))),
            (format!("Connection: {name}, {name}: {value}"), once.header("Connection", format!("close, {name}"))),
        ]
    };
    headers.into_iter().flat_map(forge).collect()
}

/// Alice may use `/mcp` only.
fn no_header_opens_a_forbidden_resource(kind: Kind) {
    let stage = Stage::start(kind);
    let request = stage.get("/other/secrets?q").bearer(&stage.token());
    try_each(&stage, forgeries(&stage, &request), |outcome| {
        let right = |line: &Value| line["path"] == "/other/secrets" && line["method"] == "GET";
        let all_right = outcome.is_refused() && outcome.judged.iter().all(right);
        (!all_right).then(|| outcome.shown())
    });
}

/// A preflight needs no token.
fn no_header_makes_a_request_a_preflight(kind: Kind) {
    let stage = Stage::start(kind);
    let request = Request::new("POST", "/mcp").host(&stage.authority()).header("Origin", "http://attacker.example");
    let request = request.header("Access-Control-Request-Method", "POST").body("application/json", "{}");
    try_each(&stage, forgeries(&stage, &request), unless_refused);
}

/// Clients behind proxies of their own send such headers, too: they are served, as what they are. Only a header that
/// is named in `Connection` as well may be a reason to refuse (Envoy does).
fn no_header_changes_what_is_judged_of_a_good_request(kind: Kind) {
    let stage = Stage::start(kind);
    let plain = Request::new("POST", "/mcp/x?q").host(&stage.authority());
    let request = plain.bearer(&stage.token()).body("text/plain", "hello");
    let (named, others) = forgeries(&stage, &request).into_iter().partition(|(name, _)| name.starts_with("Connection"));
    try_each(&stage, others, |outcome| {
        let refused = outcome.is_refused().then(|| format!("refused: {}", outcome.shown()));
        refused.or_else(|| misjudged(&stage, outcome))
    });
    try_each(&stage, named, |outcome| misjudged(&stage, outcome));
}

fn none_reaches_the_upstream_as_the_client_wrote_it(kind: Kind) {
    try_to_describe(&Stage::start(kind));
}

#[test]
fn none_reaches_the_upstream_through_the_variants_of_traefik() {
    for stage in traefik_variants() {
        try_to_describe(&stage);
    }
}

/// Without a forgery the same names may arrive, with the proxy's word.
fn try_to_describe(stage: &Stage) {
    let request = stage.get("/echo-request/described").bearer(&stage.token());
    let told = ["X-Forwarded-Host", "X-Forwarded-Proto"];
    let headers = descriptions::names().into_iter().chain(told).map(|name| (name, descriptions::FORGED.to_owned()));
    try_each(stage, forgeries_of(headers, &request), |outcome| {
        let forged = forged_in(outcome);
        let problems: Vec<String> = forged.into_iter().chain(untrue(stage, outcome)).collect();
        (!problems.is_empty()).then(|| problems.join(", "))
    });
    let plain = stage.try_out(request);
    assert_eq!(plain.status(), 200, "{}", plain.shown());
}

/// What the proxy says of the client itself must be so.
fn untrue(stage: &Stage, outcome: &Outcome) -> Vec<String> {
    let port = stage.proxy.port.to_string();
    let truths = [("x-real-ip", "127.0.0.1"), ("x-forwarded-port", &port), ("x-forwarded-host", &stage.authority())];
    let told = outcome.seen.iter().flat_map(|seen| truths.map(|(name, truth)| (name, truth, seen.all(name))));
    let untrue = told.filter(|(_, truth, values)| !values.is_empty() && values != &[*truth]);
    untrue.map(|(name, truth, values)| format!("{name} is {values:?} and should be {truth}")).collect()
}
