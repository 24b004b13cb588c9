//! The shortest way through everything: one proxy, three requests.

use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::world::World;

fn smoke(kind: Kind) {
    let world = World::start(kind);
    let ask = || Request::get("/mcp/hello?x=1").host(&world.authority());
    let refused = ask().send(world.proxy.port);
    assert_eq!(refused.status, 401, "{refused:?}");
    assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer resource_metadata="));
    let token = world.issuer.sign(&world.issuer.token_for(&world.resource()));
    let allowed = ask().bearer(&token).send(world.proxy.port);
    assert_eq!(allowed.status, 200, "{allowed:?}\n{}", world.service.process.output());
    let bob = world.issuer.token_for(&world.resource()).claim("email", "bob@example.com");
    assert_eq!(ask().bearer(&world.issuer.sign(&bob)).send(world.proxy.port).status, 403);
}

#[test]
fn traefik_asks_and_obeys() {
    smoke(Kind::Traefik);
}

#[test]
fn envoy_asks_and_obeys() {
    smoke(Kind::Envoy);
}

#[test]
fn nginx_asks_and_obeys() {
    smoke(Kind::Nginx);
}

#[test]
fn caddy_asks_and_obeys() {
    smoke(Kind::Caddy);
}
