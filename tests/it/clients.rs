//! The official SDK clients through every proxy: all transports and protocol eras, a long stream, and refusals.

use serde_json::{Value, json};

use crate::support::client::{ALL, Client, Era, Program, Report, Transport, Visit};
use crate::support::proxies::Kind;
use crate::support::world::{HOST, World};

const SECONDS: u64 = 30;
/// Less than this between the first and the last event means that something on the way held them back.
const MIN_SPREAD_SECONDS: f64 = 25.0;

#[test]
fn all_clients_work_through_traefik() {
    all_clients_work_through(Kind::Traefik);
}

#[test]
fn all_clients_work_through_envoy() {
    all_clients_work_through(Kind::Envoy);
}

#[test]
fn all_clients_work_through_nginx() {
    all_clients_work_through(Kind::Nginx);
}

#[test]
fn all_clients_work_through_caddy() {
    all_clients_work_through(Kind::Caddy);
}

/// All streams at the same time, and the refusals while they run.
fn all_clients_work_through(kind: Kind) {
    let world = World::start(kind);
    let alice = world.issuer.sign(&world.issuer.token_for(&world.resource()));
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let streams = ALL.map(|client| {
            let visit = visit(&world, client, &alice, SECONDS);
            scope.spawn(move || (client, client.connect(&visit)))
        });
        let mut complaints = refusals(&world);
        for stream in streams {
            let (client, report) = stream.join().unwrap();
            complaints.extend(complain(client, "Alice", accepted(&world, client, &report)));
        }
        complaints
    });
    assert!(complaints.is_empty(), "{kind:?}:\n{}", complaints.join("\n"));
}

fn visit(world: &World, client: Client, token: &str, countdown: u64) -> Visit {
    // The older transport's endpoint is an `also_paths` of the same resource: the token is for `/mcp` all the same.
    let path = if client.transport == Transport::Sse { "/sse" } else { "/mcp" };
    Visit {
        url: format!("http://{HOST}:{}{path}", world.proxy.port),
        port: world.proxy.port,
        token: token.to_owned(),
        options: vec!["--countdown".to_owned(), countdown.to_string()],
    }
}

/// What was reported, and what should have been.
type Difference = (&'static str, Value, Value);

fn accepted(world: &World, client: Client, report: &Report) -> Vec<Difference> {
    if let Some(error) = report.json["error"].as_str() {
        return vec![("error", json!([error, report.requests()]), Value::Null)];
    }
    let refused =
        report.requests().into_iter().filter(|request| !request.ends_with(" 200") && !request.ends_with(" 202"));
    let spread = &report.json["countdown"]["spread_seconds"];
    let streamed = spread.as_f64().is_some_and(|seconds| seconds >= MIN_SPREAD_SECONDS);
    let checks = [
        ("success", json!(report.succeeded), json!(true)),
        ("requests that failed", json!(refused.collect::<Vec<_>>()), json!([])),
        ("protocol version", report.json["protocol_version"].clone(), json!(client.era.protocol_version())),
        ("tools", report.json["tools"].clone(), json!(["countdown", "delete_note", "echo", "read_note", "whoami"])),
        ("whoami", report.json["whoami"].clone(), alice_as_the_server_sees_her(world)),
        ("echo", report.json["echo"].clone(), json!("hello")),
        ("events", report.json["countdown"]["events"].clone(), json!(SECONDS)),
        ("result of the countdown", report.json["countdown"]["result"].clone(), json!("lift-off")),
        ("events came one by one", json!([streamed, spread]), json!([true, spread])),
    ];
    checks.into_iter().filter(|(_, seen, expected)| seen != expected).collect()
}

fn alice_as_the_server_sees_her(world: &World) -> Value {
    json!({
        "X-Forwarded-User": "alice@example.com",
        "X-Forwarded-Email": "alice@example.com",
        "X-Forwarded-Groups": "staff,R%2C%20D",
        "X-Forwarded-Scopes": "mcp:read",
        "X-Auth-Subject": "alice-subject",
        "X-Auth-Issuer": world.issuer.url(),
        "X-Auth-Client": "test-client",
        "X-Auth-Resource": world.resource(),
        "authorization_present": false,
        "lookalikes": {},
    })
}

/// Nobody, and Bob, who has a good token but may not come in. One client after the other: the streams need the machine.
fn refusals(world: &World) -> Vec<String> {
    let token = world.issuer.token_for(&world.resource());
    let bob = world.issuer.sign(&token.claim("email", "bob@example.com").claim("sub", "bob-subject"));
    let metadata = format!("http://{HOST}:{}/.well-known/oauth-protected-resource/mcp", world.proxy.port);
    let challenge = format!("Bearer resource_metadata=\"{metadata}\", scope=\"mcp:read\"");
    let mut complaints = Vec::new();
    for client in ALL {
        let nobody = client.connect(&visit(world, client, "", 0));
        complaints.extend(complain(client, "nobody", refused(client, &nobody, 401, Some(&challenge))));
        // The wrong person is not challenged: a new login would change nothing.
        let bob = client.connect(&visit(world, client, &bob, 0));
        complaints.extend(complain(client, "Bob", refused(client, &bob, 403, None)));
    }
    complaints
}

fn refused(client: Client, report: &Report, status: u16, challenge: Option<&str>) -> Vec<Difference> {
    let request = if client.transport == Transport::Sse { "GET /sse" } else { "POST /mcp" };
    let requests = vec![format!("{request} {status}"); requests_before_giving_up(client)];
    let challenges: Vec<&str> = challenge.into_iter().cycle().take(requests.len()).collect();
    let checks = [
        ("success", json!(report.succeeded), json!(false)),
        ("an error is told", json!(report.json["error"].is_string()), json!(true)),
        ("requests", json!(report.requests()), json!(requests)),
        ("challenges", json!(report.challenges()), json!(challenges)),
        ("tools", report.json["tools"].clone(), Value::Null),
    ];
    checks.into_iter().filter(|(_, seen, expected)| seen != expected).collect()
}

/// Python takes a refused `server/discover` for an older server and tries `initialize`. All others stop at the first.
fn requests_before_giving_up(client: Client) -> usize {
    let falls_back = client.program == Program::Python && client.transport == Transport::Streamable;
    if falls_back && client.era == Era::Modern { 2 } else { 1 }
}

fn complain(client: Client, who: &str, differences: Vec<Difference>) -> Vec<String> {
    let shown = |(what, seen, expected)| format!("{client}, {who}: {what} was {seen}, not {expected}");
    differences.into_iter().map(shown).collect()
}
