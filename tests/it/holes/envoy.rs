//! Envoy: a 200 that lacks a header, spellings, paths of the service itself, and smuggling through a wildcard.

use super::attacks::{
    any_passes, forged, forged_names, forged_names_in, oauth_paths_reach_upstream, other_host_is_routed,
    preflight_reaches_upstream, scheme_is_believed, token_passes,
};
use super::{Careless, Edits, IDENTITY, closed_by, closed_name_by_name, closed_twice};
use crate::support::http::Request;
use crate::support::process::eventually;
use crate::support::proxies::Kind::Envoy;
use crate::support::stage::{Stage, new_agent};

const FILE: &str = "envoy.yaml";
const TOKEN_REMOVED: &str = "request_headers_to_remove: [authorization, dpop]";

fn removed_early(name: &str) -> String {
    format!("- remove: {}", name.to_lowercase())
}

fn replaced_by_answer(name: &str) -> String {
    format!("- {{exact: {}, ignore_case: true}}", name.to_lowercase())
}

#[test]
fn identity_headers_are_closed_name_by_name_by_two_lines() {
    closed_name_by_name(Envoy, || Edits::of(FILE), |name| [removed_early(name), replaced_by_answer(name)]);
}

#[test]
fn identity_headers_are_closed_by_the_answers_alone() {
    let edits = Edits::of(FILE).without_all(IDENTITY.map(removed_early));
    closed_twice(Envoy, &edits, |stage| !forged_names(stage, "-").is_empty());
}

/// The service names every identity header on every 200. Should it ever not, the early removal closes the hole.
#[test]
fn identity_headers_are_closed_by_early_removal_even_when_the_answer_lacks_them() {
    let forged_through = |edits: &Edits| {
        let careless = Careless::start(Envoy, edits, &["/auth/envoy/mcp"]);
        forged_names_in(&careless.forwarded("/mcp", &forged("-")))
    };
    assert_eq!(forged_through(&Edits::of(FILE)), [""; 0]);
    assert_eq!(forged_through(&Edits::of(FILE).without_all(IDENTITY.map(removed_early))), IDENTITY);
}

#[test]
fn underscores_in_identity_headers_are_closed_by_dropping_them() {
    let edits = Edits::of(FILE)
        .replacing("common_http_protocol_options:", "common_http_protocol_options: {}")
        .without("headers_with_underscores_action: DROP_HEADER");
    closed_by(Envoy, &edits, |stage| !forged_names(stage, "_").is_empty());
}

#[test]
fn dots_in_identity_headers_are_closed_by_removing_such_names() {
    let edits = Edits::of(FILE).without(r#"- remove_on_match: {key_matcher: {contains: "."}}"#);
    closed_by(Envoy, &edits, |stage| !forged_names(stage, ".").is_empty());
}

#[test]
fn the_client_s_token_is_removed_by_the_route_and_by_the_service() {
    closed_twice(Envoy, &Edits::of(FILE).without(TOKEN_REMOVED), token_passes);
    let passes_through = |edits: &Edits| {
        let careless = Careless::start(Envoy, edits, &["/auth/envoy/mcp"]);
        !careless.forwarded("/mcp", &[("Authorization".into(), "Bearer token")]).all("authorization").is_empty()
    };
    assert!(!passes_through(&Edits::of(FILE)), "the route removes it alone");
    assert!(passes_through(&Edits::of(FILE).without(TOKEN_REMOVED)));
}

/// A client's `/health` would be asked of the service as `/health`, and be allowed by its 200.
#[test]
fn the_service_s_own_paths_are_closed_by_the_decision_prefix() {
    let attack = |stage: &Stage| stage.try_out(stage.get("/health")).seen.iter().any(|seen| seen.target == "/health");
    closed_by(Envoy, &Edits::of(FILE).without("path_prefix: /auth/envoy"), attack);
}

#[test]
fn a_forged_scheme_is_closed_by_using_the_remote_address() {
    closed_by(Envoy, &Edits::of(FILE).without("use_remote_address: true"), scheme_is_believed);
}

/// A wildcard copies the answer's `content-length: 0` onto the client's request: its body becomes a second request.
#[test]
fn smuggling_is_closed_by_listing_header_names() {
    for wildcard in [r#"{safe_regex: {regex: ".*"}}"#, "{prefix: content-}"] {
        let stage =
            Edits::of(FILE).replacing(&replaced_by_answer("X-Auth-Resource"), &format!("- {wildcard}")).open(Envoy);
        let agent = smuggle(&stage);
        eventually("a smuggled request", || !stage.upstream.seen_from(&agent).is_empty());
        assert_eq!(stage.upstream.seen_from(&agent)[0].all("x-forwarded-user"), ["root"], "{wildcard}");
    }
}

#[test]
fn as_shipped_a_request_in_a_body_stays_a_body() {
    let stage = Stage::start(Envoy);
    let agent = smuggle(&stage);
    // The next request on the same connection to the upstream: whatever was smuggled would stand before it.
    stage.try_out(stage.get("/echo-request/after").bearer(&stage.token())).reached();
    assert!(stage.upstream.seen_from(&agent).is_empty());
    assert!(stage.upstream.seen().iter().any(|seen| seen.body.contains(&agent)), "the body arrives as a body");
}

/// Sends a request as a body; the smuggled request has the `User-Agent` that is returned.
fn smuggle(stage: &Stage) -> String {
    let agent = new_agent();
    let body = format!("GET /smuggled HTTP/1.1\r\nHost: mcp\r\nUser-Agent: {agent}\r\nX-Forwarded-User: root\r\n\r\n");
    let request = Request::new("POST", "/echo-request/x").host(&stage.authority()).bearer(&stage.token());
    let _ = request.body("text/plain", body).try_send(stage.proxy.port);
    agent
}

/// Each line has Envoy repair or refuse one kind of path; without any of them the service refuses it.
#[test]
fn odd_paths_are_closed_twice_by_the_proxy_and_by_the_service() {
    let rows = [
        ("normalize_path: true", "/mcp/../other", (200, Some("/other"))),
        ("merge_slashes: true", "/mcp//x", (200, Some("/mcp/x"))),
        ("path_with_escaped_slashes_action: REJECT_REQUEST", "/mcp/..%2fother", (400, None)),
    ];
    for (line, path, closed) in rows {
        let asked_at = format!("/auth/envoy{path}");
        let urls = [asked_at.as_str(), "/auth/envoy/other", "/auth/envoy/mcp/x", "/auth/envoy/mcp"];
        let shipped = Careless::start(Envoy, &Edits::of(FILE), &urls).ask(path);
        assert_eq!(shipped, (closed.0, closed.1.map(ToOwned::to_owned)), "{path} as shipped");
        let opened = Careless::start(Envoy, &Edits::of(FILE).without(line), &urls).ask(path);
        assert_eq!(opened, (200, Some(path.to_owned())), "{path} without {line}");
    }
    let edits = Edits::of(FILE).without_all(rows.map(|(line, ..)| line.to_owned()));
    let paths =
        ["/mcp/../other", "/mcp/%2e%2e/other", "/mcp/..%2fother", "//other", "/mcp\\..\\other", "/mcp/..;/other"];
    closed_twice(Envoy, &edits, |stage| any_passes(stage, &paths));
}

/// Without a decision there is no access.
#[test]
fn a_lost_service_is_closed_by_not_allowing_on_failure() {
    let attack = |stage: &mut Stage| {
        stage.service.process.terminate();
        let request = stage.get("/mcp/lost").header("X-Auth-Subject", "root");
        let _ = request.send(stage.proxy.port);
        stage.upstream.seen().iter().any(|seen| seen.target == "/mcp/lost")
    };
    assert!(!attack(&mut Stage::start(Envoy)));
    let edits = Edits::of(FILE).replacing("failure_mode_allow: false", "failure_mode_allow: true");
    assert!(attack(&mut edits.open(Envoy)));
}

#[test]
fn preflights_are_closed_by_the_filter_that_answers_them() {
    let line = r#"allow_origin_string_match: [{safe_regex: {regex: ".*"}}]"#;
    closed_by(Envoy, &Edits::of(FILE).without(line), preflight_reaches_upstream);
}

#[test]
fn routes_without_a_decision_are_closed_by_leading_to_the_service() {
    let edits =
        Edits::of(FILE).replacing("route: &service {cluster: mcp-forward-auth}", "route: &service {cluster: mcp}");
    closed_by(Envoy, &edits, oauth_paths_reach_upstream);
}

#[test]
fn other_hosts_are_closed_by_the_domains_of_the_virtual_host() {
    let edits = Edits::of(FILE).replacing(r#"domains: ["mcp.example.com", "mcp.example.com:*"]"#, r#"domains: ["*"]"#);
    closed_by(Envoy, &edits, other_host_is_routed);
}
