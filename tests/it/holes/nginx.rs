//! nginx: what the decision is asked about, which path is forwarded, identity headers, the client's token.

use super::attacks::{
    any_passes, forged_names, host_is_split, method_is_believed, nobody_is_let_in, oauth_paths_reach_upstream,
    other_host_is_routed, path_is_believed, preflight_reaches_upstream, token_passes,
};
use super::{Careless, Edits, closed_by, closed_name_by_name, closed_twice};
use crate::support::proxies::Kind::Nginx;
use crate::support::stage::Stage;

const FILE: &str = "nginx.conf";
const ORIGINAL_URL: &str = "proxy_set_header X-Original-URL $scheme://$host$host_port$request_uri;";

#[test]
fn identity_headers_are_closed_by_setting_each_of_them() {
    closed_name_by_name(
        Nginx,
        || Edits::of(FILE),
        |name| {
            let variable = name.to_lowercase().replace("x-forwarded-", "auth_").replace("x-auth-", "auth_");
            let variable = variable.replace("x-identity-", "auth_");
            [format!("proxy_set_header {name} ${variable};")]
        },
    );
}

#[test]
fn everything_is_closed_by_asking_at_all() {
    closed_by(Nginx, &Edits::of(FILE).without("auth_request /_decision;"), nobody_is_let_in);
}

#[test]
fn preflights_are_closed_by_answering_them_before_the_decision() {
    let by = r#"map "$request_method:$http_access_control_request_method:$http_origin" $preflight { default ""; }"#;
    let line = r#"map "$request_method:$http_access_control_request_method:$http_origin" $preflight { default ""; "~^OPTIONS:[^:]+:." 1; }"#;
    closed_by(Nginx, &Edits::of(FILE).replacing(line, by), preflight_reaches_upstream);
}

#[test]
fn aliases_of_identity_headers_are_closed_by_dropping_odd_names() {
    let underscores = Edits::of(FILE).replacing("underscores_in_headers off;", "underscores_in_headers on;");
    closed_by(Nginx, &underscores, |stage| !forged_names(stage, "_").is_empty());
    let invalid = Edits::of(FILE).replacing("ignore_invalid_headers on;", "ignore_invalid_headers off;");
    closed_by(Nginx, &invalid, |stage| !forged_names(stage, ".").is_empty());
}

#[test]
fn the_client_s_token_ends_at_the_proxy_because_authorization_is_emptied() {
    closed_by(Nginx, &Edits::of(FILE).without(r#"proxy_set_header Authorization "";"#), token_passes);
}

#[test]
fn a_forged_url_is_closed_by_setting_x_original_url() {
    let attack = |stage: &Stage| path_is_believed(stage, "X-Original-URL", &stage.resource("/mcp"));
    closed_by(Nginx, &Edits::of(FILE).without(ORIGINAL_URL), attack);
}

#[test]
fn a_forged_method_is_closed_by_setting_x_original_method() {
    let edits = Edits::of(FILE).without("proxy_set_header X-Original-Method $request_method;");
    closed_by(Nginx, &edits, |stage| method_is_believed(stage, "X-Original-Method"));
}

/// `GET http://a/ HTTP/1.1` with `Host: b` is routed to `a`; `$http_host` would have it judged for `b`.
#[test]
fn split_hosts_are_closed_by_the_routed_host_in_the_url() {
    let by = "proxy_set_header X-Original-URL $scheme://$http_host$request_uri;";
    closed_by(Nginx, &Edits::of(FILE).replacing(ORIGINAL_URL, by), host_is_split);
}

#[test]
fn other_hosts_are_closed_by_the_default_server() {
    let edits = Edits::of(FILE).without("server { listen 0.0.0.0:8080 default_server; return 404; }");
    closed_by(Nginx, &edits, other_host_is_routed);
}

/// With a path in `proxy_pass`, what is forwarded is decoded and normalised after it was judged as it came.
#[test]
fn decoded_paths_are_closed_by_a_proxy_pass_without_a_path() {
    let edits = || Edits::of(FILE).replacing("proxy_pass http://mcp;", "proxy_pass http://mcp/;");
    let forwarded = |edits: &Edits| {
        let careless = Careless::start(Nginx, edits, &["/auth/nginx"]);
        careless.forwarded("/mcp/..%2fother", &[]).target
    };
    assert_eq!(forwarded(&Edits::of(FILE)), "/mcp/..%2fother", "as it was judged");
    assert_eq!(forwarded(&edits()), "/other", "not as it was judged");
    closed_twice(Nginx, &edits(), |stage| any_passes(stage, &["/mcp/..%2fother", "/mcp/../other", "/mcp//../other"]));
}

/// `location` matches decoded paths, and the raw one is forwarded: only the service may stand behind such a route.
#[test]
fn routes_without_a_decision_are_closed_by_leading_to_the_service() {
    let edits = Edits::of(FILE).replacing("proxy_pass http://mcp-forward-auth;", "proxy_pass http://mcp;");
    closed_by(Nginx, &edits, oauth_paths_reach_upstream);
    closed_by(Nginx, &edits, |stage| {
        let outcome = stage.try_out(stage.get("/mcp/..%2fregister/x"));
        outcome.seen.iter().any(|seen| seen.target == "/mcp/..%2fregister/x")
    });
}

/// Whoever may ask directly learns what a stolen token is good for.
#[test]
fn the_decision_location_is_closed_by_being_internal() {
    let attack = |stage: &Stage| stage.try_out(stage.get("/_decision")).judged.len() == 1;
    closed_by(Nginx, &Edits::of(FILE).without("internal;"), attack);
    let stage = Stage::start(Nginx);
    assert_eq!(stage.try_out(stage.get("/_decision").bearer(&stage.token())).status(), 404);
}
