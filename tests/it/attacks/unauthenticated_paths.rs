//! The routes that need no decision lead to the service; from none of them is there a way to the upstream.

use super::try_each;
use crate::contract::documents::{ABSENT, METHODS, is_absent};
use crate::holes::traefik_variants;
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::stage::{Outcome, Stage};

through_each_proxy!(
    no_way_leads_from_an_open_route_to_the_upstream,
    no_way_leads_from_an_open_route_to_an_answer_of_the_service,
);

const OPEN: [&str; 17] = [
    "/.well-known",
    "/.well-known/unknown",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/jwks.json",
    "/authorize",
    "/token",
    "/register",
    "/revoke",
    "/introspect",
    "/callback",
    "/consent",
    "/jwks",
    "/sign-in",
    "/sign-out",
    "/connections",
];

/// `{}` is the open path.
const WAYS: &str = r"
    {}/../mcp {}/../../mcp {}/../../echo-request/x {}/..%2fmcp {}/..%2f..%2fmcp {}%2f..%2f..%2fmcp {}/%2e%2e/mcp
    {}/%2e%2e/%2e%2e/mcp {}/.%2e/.%2e/mcp {}/..;/mcp {}/..;/..;/mcp {};/../../mcp {}/..\mcp {}\..\..\mcp {}/..%5c..%5cmcp
    {}/..%252f..%252fmcp {}/..%00/mcp {}%00/../../mcp {}//mcp {}//../mcp {}/./mcp {}?/../../mcp {}#/../../mcp {}%3f/../../mcp
    {}%23/../../mcp {}/mcp {}/x/../../../mcp {}X {}.x {}%20 {}+ {}/ {}// {}. {}/. {}/.. {}%2f {}%2e {}%0a {}%09 {}~
    /mcp/..{} /mcp/../..{} /mcp/../../..{} /mcp/..%2f..%2f..{} /mcp/..%2f..%2f.{} /mcp/%2e%2e{} /mcp/..;{} /mcp/..%2f{} //{} /.{} /./{} /mcp/.{} /x/..{} /mcp{}
    /mcp?{} /mcp#{} /mcp;{} /mcp%3f{} /mcp%23{} /mcp%00{} /mcp\..{} /mcp%5c..{} /mcp/..%252f{}
";

fn no_way_leads_from_an_open_route_to_the_upstream(kind: Kind) {
    try_every_way(&Stage::start(kind));
}

#[test]
fn no_way_leads_to_the_upstream_through_the_variants_of_traefik() {
    for stage in traefik_variants() {
        try_every_way(&stage);
    }
}

fn try_every_way(stage: &Stage) {
    let spellings = OPEN.iter().flat_map(|open| [(*open).to_owned(), open.to_uppercase(), open.replace('o', "%6f")]);
    let targets = spellings.flat_map(|open| WAYS.split_whitespace().map(move |way| way.replace("{}", &open)));
    let requests = targets.map(|target| (target.clone(), Request::get(target).host(&stage.authority())));
    try_each(stage, requests.collect(), |outcome| (!outcome.seen.is_empty()).then(|| outcome.shown()));
}

/// The service decides at `/auth` and tells its health at `/health`: nobody but proxies may ask. A client who gets
/// there learns what a stolen token is good for.
fn no_way_leads_from_an_open_route_to_an_answer_of_the_service(kind: Kind) {
    try_every_way_to_the_service(&Stage::start(kind));
}

#[test]
fn no_way_leads_to_an_answer_of_the_service_through_the_variants_of_traefik() {
    for stage in traefik_variants() {
        try_every_way_to_the_service(&stage);
    }
}

/// Asked for in the words of a proxy, with a good token.
fn try_every_way_to_the_service(stage: &Stage) {
    let (token, resource) = (stage.token(), stage.resource("/mcp"));
    let doors = ["auth", "auth/nginx", "auth/envoy/mcp", "health"];
    let ways = WAYS.split_whitespace().map(|way| way.replace("{}", "/.well-known/unknown")).chain(["/mcp".to_owned()]);
    let targets = ways.flat_map(|way| doors.map(|door| way.replace("mcp", door)));
    let requests = targets.map(|target| {
        let request = stage.get(&*target).bearer(&token).header("X-Original-Method", "GET");
        let request = request.header("X-Original-URL", &*resource).header("X-Forwarded-Method", "GET");
        (target, request.header("X-Forwarded-Uri", "/mcp"))
    });
    try_each(stage, requests.collect(), |outcome| answers_as_the_service(outcome).then(|| outcome.shown()));
}

fn answers_as_the_service(outcome: &Outcome) -> bool {
    let Some(answer) = &outcome.answer else { return false };
    let decided =
        !answer.all("x-auth-subject").is_empty() || outcome.judged.iter().any(|line| line["decision"] == "allow");
    outcome.seen.is_empty() && (answer.status == 200 || decided)
}

/// The four proxies are asked in `contract/`.
#[test]
fn the_variants_of_traefik_say_404_to_unknown_documents() {
    let [balanced, redirected, many, composed, templates] = traefik_variants();
    for (stage, redirects) in [(&balanced, false), (&redirected, true), (&many, false), (&composed, false)] {
        let mut report = Report::new(stage.proxy.kind);
        for (method, path) in METHODS.iter().flat_map(|method| ABSENT.map(|path| (*method, path))) {
            report.row(format!("{method} {path}"));
            let answer = Request::new(method, path).host(&stage.authority()).send(stage.proxy.port);
            let moved = (300..400).contains(&answer.status);
            if !(redirects && moved) {
                is_absent(method, &answer, &mut report);
            }
        }
        report.finish();
    }
    // There the chain redirects every document to the sign-in host.
    let answer = templates.get("/.well-known/unknown/x").send(templates.proxy.port);
    let elsewhere = format!("https://oauth.example.com:{}/.well-known/unknown", templates.proxy.port);
    let location = answer.header("location").unwrap_or_default();
    assert!(answer.status == 302 && location.starts_with(&elsewhere), "{answer:?}");
}
