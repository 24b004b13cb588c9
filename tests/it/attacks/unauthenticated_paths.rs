//! The routes that need no decision lead to the service; from none of them is there a way to the upstream.

use super::try_each;
use crate::holes::traefik_variants;
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::stage::Stage;

through_each_proxy!(no_way_leads_from_an_open_route_to_the_upstream);

const OPEN: [&str; 12] = [
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
];

/// `{}` is the open path.
const WAYS: &str = r"
    {}/../mcp {}/../../mcp {}/../../echo-request/x {}/..%2fmcp {}/..%2f..%2fmcp {}%2f..%2f..%2fmcp {}/%2e%2e/mcp
    {}/%2e%2e/%2e%2e/mcp {}/.%2e/.%2e/mcp {}/..;/mcp {}/..;/..;/mcp {};/../../mcp {}/..\mcp {}\..\..\mcp {}/..%5c..%5cmcp
    {}/..%252f..%252fmcp {}/..%00/mcp {}%00/../../mcp {}//mcp {}//../mcp {}/./mcp {}?/../../mcp {}#/../../mcp {}%3f/../../mcp
    {}%23/../../mcp {}/mcp {}/x/../../../mcp {}X {}.x {}%20 {}+ {}/ {}// {}. {}/. {}/.. {}%2f {}%2e {}%0a {}%09 {}~
    /mcp/..{} /mcp/../..{} /mcp/..%2f..%2f.{} /mcp/%2e%2e{} /mcp/..;{} /mcp/..%2f{} //{} /.{} /./{} /mcp/.{} /x/..{} /mcp{}
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
