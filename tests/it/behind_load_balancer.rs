//! Traefik behind a balancer that ended TLS: the scheme is the balancer's word, the rest is what Traefik routes.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::support::http::{Request, Response};
use crate::support::process::eventually;
use crate::support::proxies::Kind;
use crate::support::tools;
use crate::support::world::{HOST, World};

#[test]
fn the_scheme_is_what_a_trusted_balancer_says() {
    let world = start(None);
    let token = token(&world, "https://mcp.example.com/mcp");
    let hello = Request::get("/mcp/hello?x=1").host(HOST).bearer(&token);

    let allowed = balanced(&hello).send(world.proxy.port);
    assert_eq!(allowed.status, 200, "{allowed:?}");
    let mirrored = allowed.json();
    assert_eq!((&mirrored["method"], &mirrored["target"]), (&"GET".into(), &"/mcp/hello?x=1".into()));
    assert_eq!(header_values(&mirrored, "x-auth-resource"), ["https://mcp.example.com/mcp"]);
    assert_eq!(header_values(&mirrored, "authorization"), [""; 0]);
    let challenged = balanced(&Request::get("/mcp").host(HOST)).send(world.proxy.port);
    let metadata = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
    let challenge = format!("Bearer resource_metadata=\"{metadata}\", scope=\"mcp:read\"");
    assert_eq!((challenged.status, challenged.header("www-authenticate")), (401, Some(&*challenge)));

    // A balancer that says nothing, and one that is not in `trustedIPs`: the connection is plain http.
    let silent = hello.send(world.proxy.port);
    assert_eq!((silent.status, silent.reason()), (403, "unknown_resource".to_owned()));
    let stranger = send_from([127, 0, 0, 2], &balanced(&hello), world.proxy.port);
    assert_eq!((stranger.status, stranger.reason()), (403, "unknown_resource".to_owned()));
}

#[test]
fn the_request_that_traefik_routes_is_judged_whatever_the_client_says_it_was() {
    let world = start(None);
    let forged = Request::new("PUT", "/mcp/real?x=1")
        .host(HOST)
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Uri", "/other/forged")
        .header("X-Forwarded-Host", "other.example.com");
    let allowed = forged.clone().bearer(&token(&world, "https://mcp.example.com/mcp"));
    assert_eq!(balanced(&allowed).send(world.proxy.port).status, 200);
    assert_eq!(balanced(&forged).send(world.proxy.port).status, 401);
    eventually("both decisions are logged", || world.service.decision_lines().len() == 2);
    for line in world.service.decision_lines() {
        let judged = ["method", "path", "resource"].map(|key| line[key].as_str().unwrap_or("").to_owned());
        assert_eq!(judged, ["PUT", "/mcp/real", "https://mcp.example.com/mcp"], "{line}");
    }
}

/// Each of these gets through when its own closing line is missing, and only then.
#[test]
fn each_line_of_own_view_closes_one_attack() {
    let mut wrong = Vec::new();
    for missing in [None, Some(Line::Uri), Some(Line::Method), Some(Line::Host)] {
        let world = start(missing);
        for attack in attacks(&world) {
            let answer = balanced(&attack.request).send(world.proxy.port);
            let right = if missing == Some(attack.closed_by) {
                reached_the_server(&attack.request, &answer)
            } else {
                (answer.status, answer.reason()) == (401, attack.reason.to_owned())
            };
            if !right {
                wrong.push(format!("{:?} with {missing:?} missing: {answer:?}", attack.closed_by));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lines of `own-view` in the shipped file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Method,
    Uri,
    Host,
}

impl Line {
    const fn text(self) -> &'static str {
        match self {
            Self::Method => "          X-Forwarded-Method: \"\"\n",
            Self::Uri => "          X-Forwarded-Uri: \"\"\n",
            Self::Host => "          X-Forwarded-Host: \"\"\n",
        }
    }
}

/// A request that would be judged as another one if a client might say what it was.
struct Attack {
    closed_by: Line,
    request: Request,
    /// Why it is refused.
    reason: &'static str,
}

fn attacks(world: &World) -> [Attack; 3] {
    let alice = token(world, "https://mcp.example.com/mcp");
    let elsewhere = token(world, "https://other.example.com/mcp");
    [
        // Opens a resource with the token for another one.
        Attack {
            closed_by: Line::Uri,
            request: Request::get("/other/secret").host(HOST).bearer(&alice).header("X-Forwarded-Uri", "/mcp/x"),
            reason: "wrong_audience",
        },
        // Needs no token at all, as a preflight does.
        Attack {
            closed_by: Line::Method,
            request: Request::new("POST", "/mcp/x")
                .host(HOST)
                .header("X-Forwarded-Method", "OPTIONS")
                .header("Origin", "https://client.example.com")
                .header("Access-Control-Request-Method", "POST"),
            reason: "missing_token",
        },
        // Opens this host with the token for another one.
        Attack {
            closed_by: Line::Host,
            request: Request::get("/mcp/x")
                .host(HOST)
                .bearer(&elsewhere)
                .header("X-Forwarded-Host", "other.example.com"),
            reason: "wrong_audience",
        },
    ]
}

/// The MCP server got the request as it was sent.
fn reached_the_server(request: &Request, answer: &Response) -> bool {
    answer.status == 200 && {
        let mirrored = answer.json();
        mirrored["method"] == *request.method && mirrored["target"] == *String::from_utf8_lossy(&request.target)
    }
}

/// The two shipped files for this case; `missing` is taken out of the second.
fn start(missing: Option<Line>) -> World {
    let edit = |name: &str, text: String| match (name, missing) {
        ("traefik.yml", _) => {
            let file = tools::project().join("traefik/traefik-behind-load-balancer.yml");
            std::fs::read_to_string(file).unwrap()
        }
        ("behind-load-balancer.yml", Some(line)) => {
            assert_eq!(text.matches(line.text()).count(), 1, "{line:?}");
            text.replace(line.text(), "")
        }
        _ => text,
    };
    World::start_configured(Kind::Traefik, &edit, &|issuer, _| config(issuer))
}

/// Clients use https and its usual port. All that differs between the resources is their audience.
fn config(issuer: &str) -> String {
    let resource = |url: &str| {
        format!(
            "[[resources]]\nurl = \"{url}\"\nrequired_scopes = [\"mcp:read\"]\n\
             allowed_emails = [\"alice@example.com\"]\n"
        )
    };
    let urls = ["https://mcp.example.com/mcp", "https://mcp.example.com/other", "https://other.example.com/mcp"];
    format!("[log]\nallows = 1.0\n[[issuers]]\nissuer = \"{issuer}\"\n{}", urls.map(resource).concat())
}

fn token(world: &World, resource: &str) -> String {
    world.issuer.sign(&world.issuer.token_for(resource))
}

/// What the balancer adds to every request.
fn balanced(request: &Request) -> Request {
    request.clone().header("X-Forwarded-For", "203.0.113.7").header("X-Forwarded-Proto", "https")
}

/// Sends from another address of this machine.
fn send_from(address: [u8; 4], request: &Request, port: u16) -> Response {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((address, 0)).into()).unwrap();
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
    let mut stream = std::net::TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(&request.bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    Response::parse(&bytes).unwrap()
}

fn header_values(mirrored: &serde_json::Value, name: &str) -> Vec<String> {
    let headers = mirrored["headers"].as_array().unwrap().iter();
    headers.filter(|header| header[0] == name).map(|header| header[1].as_str().unwrap().to_owned()).collect()
}
