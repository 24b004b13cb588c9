//! Floods: who sends too much is told so, in words that clients understand, and everybody else is served.

use serde_json::{Value, json};

use super::house::{DEVELOPMENT, HOME, House, config, outcome, refused};
use crate::sign_in::stage::Stage;
use crate::support::http::{Request, Response};
use crate::support::ports;
use crate::support::proxies::Kind;
use crate::support::report::Report;

/// Registrations of one address in a minute.
const LIMIT: usize = 30;

fn metadata() -> String {
    json!({ "redirect_uris": [HOME], "token_endpoint_auth_method": "none" }).to_string()
}

fn register(house: &House, caller: &str, body: impl Into<Vec<u8>>) -> Response {
    let request = house.request("POST", "/register").header("X-Forwarded-For", caller);
    request.body("application/json", body).send(house.port)
}

/// RFC 6585 §4, in the form of RFC 6749 §5.2; never `invalid_client`, on which clients start over.
fn is_told_to_wait(answer: &Response, report: &mut Report) {
    report.equal("outcome", outcome(answer), refused(429, "temporarily_unavailable"));
    report.holds(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), || {
        format!("Retry-After is {:?}", answer.all("retry-after"))
    });
    report.equal("cache-control", answer.header("cache-control"), Some("no-store"));
}

#[test]
fn who_registers_without_end_is_told_to_wait_and_others_are_served() {
    let house = House::start();
    let client = house.register();
    let flooded = (0..LIMIT).map(|_| register(&house, "198.51.100.1", metadata()).status).collect::<Vec<_>>();
    assert!(flooded.iter().all(|status| *status == 201), "{flooded:?}");
    let mut report = Report::new("a flood of registrations");
    for (name, caller) in [
        ("once more", "198.51.100.1"),
        ("as IPv6", "::ffff:198.51.100.1"),
        ("with another's address before it", "203.0.113.7, 198.51.100.1"),
        ("with a proxy of ours behind it", "198.51.100.1, 10.0.0.1"),
        ("with nonsense before it", "evil, 198.51.100.1"),
    ] {
        report.row(name);
        is_told_to_wait(&register(&house, caller, metadata()), &mut report);
    }
    report.row("somebody else");
    report.equal("status", register(&house, "203.0.113.7", metadata()).status, 201);
    report.row("who registered before");
    report.equal("status", house.ask(&house.tokens(&client.id).access), 200);
    report.finish();
}

/// With a proxy in front, the address is the one that the proxy saw: what the client says of itself is no way out.
fn no_header_is_a_way_out_behind(kind: Kind) {
    let stage = Stage::start(kind);
    let mut statuses = Vec::new();
    for number in 0..=LIMIT {
        let forged = format!("203.0.113.{number}");
        let request = Request::new("POST", "/register").host(&format!("localhost:{}", stage.proxy.port));
        let request = request.header("X-Forwarded-For", &*forged).header("X-Real-IP", &*forged);
        let request = request.header("Forwarded", format!("for={forged}")).header("True-Client-IP", &*forged);
        let request = request.header("CF-Connecting-IP", &*forged).header("X-Client-IP", &*forged);
        statuses.push(request.body("application/json", metadata()).send(stage.proxy.port).status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), LIMIT, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
}

#[test]
fn a_forged_address_is_no_way_out_behind_traefik() {
    no_header_is_a_way_out_behind(Kind::Traefik);
}

#[test]
fn a_forged_address_is_no_way_out_behind_envoy() {
    no_header_is_a_way_out_behind(Kind::Envoy);
}

#[test]
fn a_forged_address_is_no_way_out_behind_nginx() {
    no_header_is_a_way_out_behind(Kind::Nginx);
}

#[test]
fn a_forged_address_is_no_way_out_behind_caddy() {
    no_header_is_a_way_out_behind(Kind::Caddy);
}

#[test]
fn who_begins_sign_ins_without_end_is_shown_a_page_and_others_are_served() {
    const LIMIT: usize = 120;
    let house = House::start();
    let client = house.register();
    let url = house.authorize_url(&client.id, &[]);
    let begin = |caller: &str| {
        let request = house.request("GET", &url[url::Position::BeforePath..]).header("X-Forwarded-For", caller);
        request.send(house.port)
    };
    let served = (0..LIMIT).filter(|_| begin("198.51.100.1").status == 303).count();
    assert_eq!(served, LIMIT);
    let refused = begin("198.51.100.1");
    assert!([429, 503].contains(&refused.status), "{refused:?}");
    assert!(refused.all("location").is_empty() && refused.header("content-security-policy").is_some());
    assert_eq!(begin("203.0.113.7").status, 303);
}

#[test]
fn a_registration_is_bounded_in_every_direction() {
    let house = House::start();
    let with = |name: &str, value: Value| {
        let mut metadata = json!({ "redirect_uris": [HOME], "token_endpoint_auth_method": "none" });
        metadata[name] = value;
        metadata.to_string().into_bytes()
    };
    let uris = |count: usize| json!((0..count).map(|number| format!("{HOME}/{number}")).collect::<Vec<_>>());
    let keys =
        |count: usize| json!({ "keys": vec![json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }); count] });
    let mut report = Report::new("registrations");
    for (name, body, status, error) in [
        ("as many addresses as may be", with("redirect_uris", uris(20)), 201, ""),
        ("one more", with("redirect_uris", uris(21)), 400, "invalid_redirect_uri"),
        ("a thousand addresses", with("redirect_uris", uris(1000)), 400, "invalid_redirect_uri"),
        (
            "an address of 3 KB",
            with("redirect_uris", json!([format!("{HOME}/{}", "x".repeat(3000))])),
            400,
            "invalid_redirect_uri",
        ),
        ("a name of 60 KB", with("client_name", json!("x".repeat(60_000))), 201, ""),
        ("a body of 64 KB and more", with("client_name", json!("x".repeat(66_000))), 400, "invalid_request"),
        ("a thousand scopes", with("scope", json!("x ".repeat(1000))), 201, ""),
        (
            "a thousand keys",
            {
                let mut metadata = json!({ "redirect_uris": [HOME], "token_endpoint_auth_method": "private_key_jwt" });
                metadata["jwks"] = keys(1000);
                metadata.to_string().into_bytes()
            },
            400,
            "invalid_client_metadata",
        ),
        ("nesting without end", "[".repeat(60_000).into_bytes(), 400, "invalid_client_metadata"),
        (
            "nesting within a member",
            format!(r#"{{"jwks":{}"#, r#"{"a":"#.repeat(10_000)).into_bytes(),
            400,
            "invalid_client_metadata",
        ),
        ("a member twice", br#"{"redirect_uris":[],"redirect_uris":[]}"#.to_vec(), 400, "invalid_client_metadata"),
        ("bytes that are no text", vec![0xff; 100], 400, "invalid_client_metadata"),
        ("nothing", Vec::new(), 400, "invalid_client_metadata"),
    ] {
        report.row(name);
        let answer = register(&house, "198.51.100.1", body);
        report.equal("outcome", outcome(&answer), refused(status, error));
        report.holds(answer.body.len() < 8192, || format!("the answer has {} bytes", answer.body.len()));
    }
    report.finish();
}

/// The operator's limit: newcomers wait, and nobody who is there is thrown out.
#[test]
fn a_full_house_throws_nobody_out() {
    let port = ports::free();
    let limited = config(port, DEVELOPMENT, "memory:") + "\n[authorization_server.registration]\nlimit = 3\n";
    let house = House::start_configured(port, &limited);
    let first = house.register();
    let mut report = Report::new("a full house");
    for number in 0..2 {
        report.row("while there is room");
        report.equal("status", register(&house, &format!("198.51.100.{number}"), metadata()).status, 201);
    }
    report.row("when it is full");
    is_told_to_wait(&register(&house, "198.51.100.9", metadata()), &mut report);
    report.row("the first who came");
    report.equal("status", house.ask(&house.tokens(&first.id).access), 200);
    report.finish();
}
