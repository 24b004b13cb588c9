//! Good tokens in the wrong place: at another resource, on another host, outside the `Authorization` header.

use super::{try_each, unless_refused};
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::stage::Stage;

through_each_proxy!(
    a_token_is_good_for_its_own_resource_only,
    a_token_counts_in_the_authorization_header_only,
    two_credentials_are_none,
);

fn a_token_is_good_for_its_own_resource_only(kind: Kind) {
    let stage = Stage::start(kind);
    let over_tls = stage.resource("/mcp").replace("http://", "https://");
    let without_port = stage.resource("/mcp").replace(&format!(":{}", stage.proxy.port), "");
    let rows = [
        ("/other/x", stage.resource("/mcp")),
        ("/other/x", stage.resource("/open")),
        ("/open/x", stage.resource("/mcp")),
        ("/mcp/x", stage.resource("/other")),
        ("/mcp/x", stage.resource("/open")),
        ("/echo-request/x", stage.resource("/echo-request")),
        ("/mcp/x", stage.other_host_resource()),
        ("/open/x", stage.other_host_resource()),
        ("/mcp/x", over_tls),
        ("/mcp/x", without_port),
        ("/mcp/x", stage.resource("")),
        ("/mcp/x", stage.resource("/")),
        ("/mcp/x", stage.resource("/mcp/x")),
        ("/mcp/x", stage.resource("/mc")),
        ("/mcp/x", stage.resource("/MCP")),
        ("/mcp/x", stage.resource("/mcp?x")),
        ("/mcp/x", stage.resource("/mcp#x")),
        ("/mcp/x", stage.resource("/*")),
        ("/mcp/x", stage.authority()),
        ("/mcp/x", "*".to_owned()),
        ("/mcp/x", String::new()),
    ];
    let requests = rows.map(|(target, audience)| {
        let token = stage.token_for("/mcp").claim("aud", &*audience).claim("scope", "mcp:admin");
        (format!("{target} with a token for {audience:?}"), stage.get(target).bearer(&stage.issuer.sign(&token)))
    });
    try_each(&stage, requests.to_vec(), unless_refused);
}

fn a_token_counts_in_the_authorization_header_only(kind: Kind) {
    let stage = Stage::start(kind);
    let token = stage.token();
    let form = format!("access_token={token}");
    let post = Request::new("POST", "/mcp").host(&stage.authority());
    let mut requests = vec![
        ("in the query".to_owned(), stage.get(format!("/mcp?{form}"))),
        ("in the query, with the scheme".to_owned(), stage.get(format!("/mcp?Authorization=Bearer%20{token}"))),
        ("in a form".to_owned(), post.body("application/x-www-form-urlencoded", form.as_str())),
        ("in a cookie".to_owned(), stage.get("/mcp").header("Cookie", form.as_str())),
        ("as a password".to_owned(), stage.get("/mcp").header("Authorization", format!("Basic {token}"))),
        ("without a scheme".to_owned(), stage.get("/mcp").header("Authorization", token.as_str())),
        ("with another scheme".to_owned(), stage.get("/mcp").header("Authorization", format!("DPoP {token}"))),
        ("in the path".to_owned(), stage.get(format!("/mcp/{token}"))),
    ];
    let names = [
        "Proxy-Authorization",
        "X-Authorization",
        "X-Access-Token",
        "X-Forwarded-Access-Token",
        "X-Auth-Token",
        "Authorization_",
        "Authoriz_ation",
        "Sec-WebSocket-Protocol",
        "X-Original-Authorization",
        "Http-Authorization",
    ];
    for name in names {
        requests.push((format!("in {name}"), stage.get("/mcp").header(name, format!("Bearer {token}"))));
    }
    try_each(&stage, requests, unless_refused);
}

/// Proxies disagree on which of two counts, or join them.
fn two_credentials_are_none(kind: Kind) {
    let stage = Stage::start(kind);
    let good = format!("Bearer {}", stage.token());
    let two = |first: &str, second: &str| {
        let request = stage.get("/mcp").header("Authorization", first).header("Authorization", second);
        (format!("{} and {}", &first[..first.len().min(12)], &second[..second.len().min(12)]), request)
    };
    let one = |value: String| ("in one header".to_owned(), stage.get("/mcp").header("Authorization", value));
    let requests = vec![
        two(&good, &good),
        two(&good, "Bearer x"),
        two("Bearer x", &good),
        two(&good, "Basic YTpi"),
        two("Basic YTpi", &good),
        one(format!("{good}, {good}")),
        one(format!("{good},Bearer x")),
        one(format!("Bearer x,{good}")),
        one(format!("{good} x")),
        one(format!("Basic YTpi, {good}")),
    ];
    try_each(&stage, requests, unless_refused);
}
