//! Stolen and forged identity assertions, where assertions are wanted: the upstream sees ours, once, or none.
//!
//! Where none are wanted, the name is one of the identity headers that every test of those sends.

use super::identity_headers::forgeries;
use super::try_each;
use crate::holes::reads_as;
use crate::support::assertion::{AUTHORIZATION_SERVER, HEADER, verified};
use crate::support::http::Request;
use crate::support::proxies::{Kind, Proxy};
use crate::support::stage::{Outcome, Stage};
use crate::support::world::HOST;

through_each_proxy!(
    ours_arrives_in_the_place_of_every_forgery,
    none_arrives_for_whom_nobody_vouches,
    none_arrives_at_a_resource_that_wants_none,
    without_a_permit_nothing_arrives,
);

fn stage(kind: Kind) -> Stage {
    let start = |backends| Proxy::start_edited(kind, backends, &|_, text| text);
    Stage::start_configured(start, &config)
}

/// One resource that wants assertions, one that is only watched, one that wants none.
fn config(issuer: &str, port: u16) -> String {
    format!(
        r#"
[log]
allows = 1.0

[[issuers]]
issuer = "{issuer}"

[[resources]]
url = "http://{HOST}:{port}/mcp"
insecure_http = true
identity_assertion = true
also_paths = ["/echo-request"]
allowed_emails = ["alice@example.com"]

[[resources]]
url = "http://{HOST}:{port}/watched"
insecure_http = true
identity_assertion = true
mode = "audit"
allowed_emails = ["alice@example.com"]

[[resources]]
url = "http://{HOST}:{port}/plain"
insecure_http = true
allowed_emails = ["alice@example.com"]
{AUTHORIZATION_SERVER}"#
    )
}

/// Every way to send the header, with a good assertion about somebody else and with nonsense.
fn forged(stage: &Stage, request: &Request) -> Vec<(String, Request)> {
    let carol = stage.token_for("/mcp").claim("sub", "carol-subject");
    let stolen = stage.try_out(stage.get("/mcp/stolen").bearer(&stage.issuer.sign(&carol)));
    let stolen = stolen.reached().all(HEADER).concat();
    assert!(!stolen.is_empty());
    let with = |lines: Vec<(String, String)>, value: &str| {
        let add = |request: Request, (name, old): (String, String)| {
            request.header(name, if old.starts_with("forged") { value.to_owned() } else { old })
        };
        lines.into_iter().fold(request.clone(), add)
    };
    let twice = |lines: Vec<(String, String)>| {
        let shown = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(" | ");
        [(format!("{shown}, stolen"), with(lines.clone(), &stolen)), (shown, with(lines, "forged"))]
    };
    forgeries(HEADER).into_iter().flat_map(twice).collect()
}

/// What the upstream could read as an assertion; empty values say nothing.
fn read(outcome: &Outcome) -> Vec<String> {
    let headers = outcome.seen.iter().flat_map(|seen| &seen.headers);
    let alike = headers.filter(|(name, value)| reads_as(name.trim(), HEADER) && !value.is_empty());
    alike.map(|(_, value)| value.clone()).collect()
}

fn ours_arrives_in_the_place_of_every_forgery(kind: Kind) {
    let stage = stage(kind);
    let request = stage.get("/echo-request/x").bearer(&stage.token());
    try_each(&stage, forged(&stage, &request), |outcome| {
        if outcome.is_refused() {
            return None;
        }
        let [token] = &read(outcome)[..] else { return Some(outcome.shown()) };
        match verified(&stage.service, token, &stage.resource("/mcp")) {
            Ok(said) if said["sub"] == "alice-subject" && outcome.seen.len() == 1 => None,
            other => Some(format!("{other:?}")),
        }
    });
    assert_eq!(stage.try_out(request).status(), 200);
}

fn none_arrives_for_whom_nobody_vouches(kind: Kind) {
    let stage = stage(kind);
    let bob = stage.token_for("/watched").claim("email", "bob@example.com").claim("sub", "bob-subject");
    for request in [stage.get("/watched/x"), stage.get("/watched/x").bearer(&stage.issuer.sign(&bob))] {
        try_each(&stage, forged(&stage, &request), unless_none);
        assert_eq!(stage.try_out(request).status(), 200, "audit mode lets it through");
    }
}

fn none_arrives_at_a_resource_that_wants_none(kind: Kind) {
    let stage = stage(kind);
    let request = stage.get("/plain/x").bearer(&stage.issuer.sign(&stage.token_for("/plain")));
    try_each(&stage, forged(&stage, &request), unless_none);
    assert_eq!(stage.try_out(request).status(), 200);
}

fn unless_none(outcome: &Outcome) -> Option<String> {
    (!outcome.is_refused() && !read(outcome).is_empty()).then(|| outcome.shown())
}

fn without_a_permit_nothing_arrives(kind: Kind) {
    let stage = stage(kind);
    let bob = stage.issuer.sign(&stage.token_for("/mcp").claim("email", "bob@example.com"));
    let preflight = Request::new("OPTIONS", "/mcp").host(&stage.authority()).header("Origin", "http://a.example");
    for request in [
        stage.get("/mcp/x"),
        stage.get("/mcp/x").bearer(&bob),
        preflight.header("Access-Control-Request-Method", "POST"),
    ] {
        try_each(&stage, forged(&stage, &request), |outcome| (!outcome.seen.is_empty()).then(|| outcome.shown()));
    }
}
