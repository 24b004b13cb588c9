//! Answers arrive whole through every proxy, however soon the MCP server begins them, and no request reaches it twice.

use crate::support::http::{Connection, Request};
use crate::support::proxies::Kind;
use crate::support::stage::Stage;
use crate::support::upstream::{HANG_UP, IN_PARTS};

const CLIENTS: usize = 20;
const CONNECTIONS: usize = 10;
const EACH: usize = 10;
/// More than Traefik reads before it sends.
const LARGE: usize = 1_500_000;

#[test]
fn through_traefik() {
    check(Kind::Traefik);
}

#[test]
fn through_envoy() {
    check(Kind::Envoy);
}

#[test]
fn through_nginx() {
    check(Kind::Nginx);
}

#[test]
fn through_caddy() {
    check(Kind::Caddy);
}

fn check(kind: Kind) {
    let stage = Stage::start(kind);
    answers_are_whole(&stage);
    large_bodies_pass(&stage);
    nothing_is_sent_twice(&stage);
}

/// Clients that call all at once: a proxy that loses a race now and then loses one of so many. Their connections stay
/// open, or Traefik would not run that race.
fn answers_are_whole(stage: &Stage) {
    let request = post(stage, IN_PARTS, b"{}");
    let client = || (0..CONNECTIONS).map(|_| cut_answers(stage.proxy.port, &request)).sum::<usize>();
    let cut: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert_eq!(cut, 0, "of {} answers so many were cut", CLIENTS * CONNECTIONS * EACH);
}

/// Those of one connection: none or one, for a cut answer is the connection's last.
fn cut_answers(port: u16, request: &Request) -> usize {
    let mut connection = Connection::open(port);
    let mut whole = || {
        connection.write(&request.bytes_as_given());
        connection.read().is_some_and(|answer| answer.body == b"whole")
    };
    usize::from(!(0..EACH).all(|_| whole()))
}

fn large_bodies_pass(stage: &Stage) {
    let body = vec![b'x'; LARGE];
    let outcome = stage.try_out(post(stage, "/mcp/large", &body));
    assert_eq!((outcome.status(), outcome.reached().body.len()), (200, LARGE));
}

/// A call may delete something: whether it arrived is unknown, so nobody may make it again but the client.
fn nothing_is_sent_twice(stage: &Stage) {
    let outcome = stage.try_out(post(stage, HANG_UP, b"{}"));
    assert!(outcome.status() >= 500, "{}", outcome.shown());
    outcome.reached();
}

fn post(stage: &Stage, target: &str, body: &[u8]) -> Request {
    let request = Request::new("POST", target).host(&stage.authority()).bearer(&stage.token());
    request.body("application/json", body)
}
