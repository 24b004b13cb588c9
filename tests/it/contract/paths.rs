//! Paths with more than one reading: either nobody lets them through, or the path that was judged is, byte for byte,
//! the one that the MCP server received.

use serde_json::Value;

use super::case::{ask, ask_with};
use super::{check, marker};
use crate::support::http::{Request, Response};
use crate::support::process::eventually;
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::world::World;

/// Under `/echo-request`, which the good token opens, and beside it, which it does not.
const TARGETS: &[&[u8]] = &[
    b"/echo-request/x/../y",
    b"/echo-request/../elsewhere",
    b"/elsewhere/../echo-request/x",
    b"/echo-request/%2e%2e/elsewhere",
    b"/echo-request/%2E./elsewhere",
    b"/echo-request/..%2felsewhere",
    b"/echo-request/..%2Felsewhere",
    b"/echo-request/..%5celsewhere",
    b"/echo-request\\..\\elsewhere",
    b"/echo-request/x%2fy",
    b"/echo-request/x%5cy",
    b"/echo-request/./x",
    b"/echo-request/x/.",
    b"/echo-request/x/..",
    b"/echo-request/..",
    b"//echo-request/x",
    b"/echo-request//x",
    b"/echo-request/x//",
    b"/%65cho-request/x",
    b"/echo%2Drequest/x",
    b"/echo-request%2fx",
    b"/echo-request/x%2e",
    b"/echo-request/..;/elsewhere",
    b"/echo-request;x=1/y",
    b"/echo-request/x%3By",
    b"/echo-request/%252e%252e/elsewhere",
    b"/echo-request/x%252fy",
    b"/echo-request/x%25",
    b"/echo-request/x%3fy=1",
    b"/echo-request/x%23y",
    b"/echo-request/x#y",
    b"/echo-request/x?q=1#y",
    b"/echo-request/%00",
    b"/echo-request/x%00/../y",
    b"/echo-request/x%0d%0aX-Forwarded-User:%20root",
    b"/echo-request/x%09y",
    b"/echo-request/%zz",
    b"/echo-request/%2",
    b"/echo-request/%c0%ae%c0%ae/elsewhere",
    b"/echo-request/%c3%bc",
    b"/echo-request/%ff",
    b"/echo-request/\xc3\xbc",
    b"/echo-request/\xff",
    b"/echo-request/x y",
    b"/echo-request/\"<>^`{|}",
    b"/ECHO-REQUEST/x",
    b"/Echo-Request",
    b"/MCP/x",
    b"/authorize/../echo-request/x",
    b"/register/../echo-request/x",
    b"/register/..%2fecho-request/x",
    b"/register/%2e%2e/echo-request/x",
    b"/.well-known/oauth-protected-resource/../../echo-request/x",
    b"/.well-known/oauth-protected-resource/..%2f..%2fecho-request/x",
    b"/AUTHORIZE/../echo-request/x",
    b"*",
    b"echo-request/x",
    b"?x=1",
];

fn paths(kind: Kind) {
    let world = World::start_with(kind, &|_, text| text, "[log]\nallows = 1.0\n");
    let token = world.issuer.sign(&world.issuer.token_for(&world.resource()));
    let plain = requests(&world);
    let marked = plain
        .iter()
        .enumerate()
        .map(|(index, request)| request.clone().bearer(&token).header("User-Agent", marker(index)));
    let refused = all_at_once(world.proxy.port, &plain);
    let answered = all_at_once(world.proxy.port, &marked.collect::<Vec<_>>());
    let judged = judged_paths(&world, plain.len());
    let mut report = Report::new(kind);
    for (index, request) in plain.iter().enumerate() {
        report.row(shown(request));
        if let Some(answer) = &refused[index] {
            let reached = answer.status == 200 || check::mirrored(answer).is_some();
            report.holds(!reached, || format!("let through without a token: {}", answer.text()));
        }
        let received = answered[index].as_ref().and_then(check::mirrored);
        judged_is_received(judged[index].as_deref(), received.as_ref(), &mut report);
    }
    plain_paths(&world, &token, &mut report);
    report.finish();
}

/// A refusal to read such a request at all may be a closed connection: `None`. Envoy holds its connections for a second
/// after a refusal; waiting for all of them together costs one second, not a minute.
fn all_at_once(port: u16, requests: &[Request]) -> Vec<Option<Response>> {
    std::thread::scope(|scope| {
        let sent: Vec<_> = requests.iter().map(|request| scope.spawn(move || request.try_send(port).ok())).collect();
        sent.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn requests(world: &World) -> Vec<Request> {
    let authority = world.authority();
    let absolute = |host: &str, header: &str| Request::get(format!("http://{host}/echo-request/x")).host(header);
    let ambiguous = TARGETS.iter().map(|target| Request::get(*target).host(&authority));
    ambiguous
        .chain([
            absolute("elsewhere.example.com", &authority),
            Request::new("CONNECT", "/echo-request/x").host(&authority),
        ])
        .collect()
}

fn shown(request: &Request) -> String {
    format!("{} {}", request.method, request.target.escape_ascii())
}

/// By row: the path of the allow, if the service allowed it.
fn judged_paths(world: &World, rows: usize) -> Vec<Option<String>> {
    let _ = ask(world).header("User-Agent", "the last one").send(world.proxy.port);
    eventually("the decision log is written", || {
        world.service.decision_lines().iter().any(|line| line["user_agent"] == "the last one")
    });
    let lines = world.service.decision_lines();
    let allowed = |index| {
        let line = lines.iter().find(|line| line["user_agent"] == marker(index) && line["decision"] == "allow")?;
        line["path"].as_str().map(ToOwned::to_owned)
    };
    (0..rows).map(allowed).collect()
}

fn judged_is_received(judged: Option<&str>, received: Option<&Value>, report: &mut Report) {
    let Some(received) = received else { return };
    let target = received["target"].as_str().unwrap();
    let path = target.split('?').next().unwrap();
    report.equal("judged", judged, Some(path));
    let inside = path == "/echo-request" || path.starts_with("/echo-request/");
    report.holds(inside, || format!("{path} reached the MCP server, outside of what the token opens"));
}

/// What has one reading passes as it is, so that the rows above fail for what they name.
fn plain_paths(world: &World, token: &str, report: &mut Report) {
    for target in [
        "/echo-request",
        "/echo-request/",
        "/echo-request/x.y/-_~!$&'()*+,=:@",
        "/echo-request/%C3%BC%20",
        "/echo-request/...",
        "/echo-request/.hidden/x..y",
        "/echo-request/x?a=/../b&c=%2e%2e%2f&d=//&e=%25",
    ] {
        report.row(target);
        let answer = ask_with(world, "GET", target).bearer(token).send(world.proxy.port);
        let received = check::mirrored(&answer).map(|received| received["target"].clone());
        report.equal("received", received, Some(Value::from(target)));
    }
}

#[test]
fn traefik_forwards_the_path_that_was_judged() {
    paths(Kind::Traefik);
}

#[test]
fn envoy_forwards_the_path_that_was_judged() {
    paths(Kind::Envoy);
}

#[test]
fn nginx_forwards_the_path_that_was_judged() {
    paths(Kind::Nginx);
}

#[test]
fn caddy_forwards_the_path_that_was_judged() {
    paths(Kind::Caddy);
}
