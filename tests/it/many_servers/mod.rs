//! The example with four servers, as it is shipped: each opens to tokens of its own, and to no others.

mod example;

use serde_json::json;

use self::example::Example;
use crate::support::client::{self, Client, Era, Transport, Visit};
use crate::support::http::{Request, Response};

/// One of the four as the README describes it.
struct Server {
    name: &'static str,
    host: &'static str,
    path: &'static str,
    scope: &'static str,
    email: &'static str,
    /// A tool, its arguments, and what its answer holds.
    tool: (&'static str, &'static str, &'static str),
    /// Whether it speaks the newer protocol.
    modern: bool,
}

const SERVERS: [Server; 4] = [
    Server {
        name: "Notes",
        host: "mcp.example.com",
        path: "/notes",
        scope: "mcp:read",
        email: "alice@corp.example",
        tool: ("whoami", "{}", "alice@corp.example"),
        modern: true,
    },
    Server {
        name: "Everything",
        host: "mcp.example.com",
        path: "/everything",
        scope: "mcp:read",
        email: "alice@example.com",
        tool: ("echo", r#"{"message":"hello"}"#, "Echo: hello"),
        modern: false,
    },
    Server {
        name: "Memory",
        host: "memory.example.com",
        path: "/mcp",
        scope: "memory:write",
        email: "alice@example.com",
        tool: ("read_graph", "{}", "entities"),
        modern: true,
    },
    Server {
        name: "Files",
        host: "files.example.com",
        path: "/mcp",
        scope: "files:write",
        email: "bob@example.com",
        tool: ("list_allowed_directories", "{}", "/files"),
        modern: true,
    },
];

#[test]
fn four_servers_behind_one_service_stay_apart_and_stop_cleanly() {
    let mut example = Example::start();
    let mut complaints = example.clients_connect_with_the_right_token();
    complaints.extend(example.tokens_open_only_their_own_server());
    complaints.extend(example.challenges_lead_to_the_right_document());
    complaints.extend(example.other_paths_lead_nowhere());
    complaints.extend(example.stops_cleanly());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

impl Example {
    fn url(&self, server: &Server) -> String {
        format!("http://{}{}", self.authority(server), server.path)
    }

    fn authority(&self, server: &Server) -> String {
        format!("{}:{}", server.host, self.port)
    }

    /// A token for `audience` that is right in all else for `server`.
    fn token(&self, server: &Server, audience: &Server) -> String {
        let token = self.issuer.token_for(&self.url(audience));
        self.issuer.sign(&token.claim("email", server.email).claim("scope", server.scope))
    }

    fn clients_connect_with_the_right_token(&self) -> Vec<String> {
        SERVERS.iter().flat_map(|server| self.clients_connect_to(server)).collect()
    }

    fn clients_connect_to(&self, server: &Server) -> Vec<String> {
        let (tool, arguments, _) = server.tool;
        let visit = Visit {
            url: self.url(server),
            port: self.port,
            token: self.token(server, server),
            options: ["--tool", tool, "--arguments", arguments].map(ToOwned::to_owned).to_vec(),
        };
        let speaks =
            |client: &Client| client.transport == Transport::Streamable && (server.modern || client.era == Era::Legacy);
        std::thread::scope(|scope| {
            let visit = &visit;
            let connections: Vec<_> = client::ALL
                .into_iter()
                .filter(speaks)
                .map(|client| (client, scope.spawn(move || client.connect(visit))))
                .collect();
            let reports = connections.into_iter().map(|(client, connection)| (client, connection.join().unwrap()));
            reports.filter_map(|(client, report)| complaint(server, client, &report)).collect()
        })
    }

    /// Every token at every server.
    fn tokens_open_only_their_own_server(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for server in &SERVERS {
            for audience in &SERVERS {
                // As its owner has it, and as nothing but the audience is wrong with it.
                for token in [self.token(audience, audience), self.token(server, audience)] {
                    let answer = self.initialize(server, Some(&token));
                    let seen = (answer.status, answer.reason());
                    let own = std::ptr::eq(server, audience);
                    let expected = if own { (200, String::new()) } else { (401, "wrong_audience".to_owned()) };
                    if seen != expected {
                        complaints.push(format!("{} with a token for {}: {answer:?}", server.name, audience.name));
                    }
                }
            }
        }
        complaints
    }

    fn initialize(&self, server: &Server, token: Option<&str>) -> Response {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
        }});
        let request = Request::new("POST", server.path)
            .host(&self.authority(server))
            .header("Accept", "application/json, text/event-stream")
            .body("application/json", body.to_string());
        token.map_or(request.clone(), |token| request.bearer(token)).send(self.port)
    }

    fn challenges_lead_to_the_right_document(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for server in &SERVERS {
            let refused = self.initialize(server, None);
            let location =
                format!("http://{}/.well-known/oauth-protected-resource{}", self.authority(server), server.path);
            let challenge = format!("Bearer resource_metadata=\"{location}\", scope=\"{}\"", server.scope);
            if refused.status != 401 || refused.header("www-authenticate") != Some(&challenge) {
                complaints.push(format!("{} without a token: {refused:?}", server.name));
            }
            let path = location.split_at(location.find("/.well-known").unwrap()).1;
            let document = Request::get(path).host(&self.authority(server)).send(self.port);
            if document.status != 200 || document.json() != self.document(server) {
                complaints.push(format!("{}: {document:?}", server.name));
            }
        }
        complaints
    }

    fn document(&self, server: &Server) -> serde_json::Value {
        json!({
            "resource": self.url(server),
            "authorization_servers": [self.issuer.url()],
            "scopes_supported": [server.scope],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "RS256", "PS256"],
            "resource_name": server.name,
        })
    }

    /// Each route is one exact path, and two servers on one host have no document in common.
    fn other_paths_lead_nowhere(&self) -> Vec<String> {
        let token = self.token(&SERVERS[0], &SERVERS[0]);
        let paths = ["/mcp", "/notes/more", "/notes/", "/", "/.well-known/oauth-protected-resource"];
        let answers = paths.map(|path| {
            let request = Request::get(path).host(&self.authority(&SERVERS[0])).bearer(&token);
            (path, request.send(self.port))
        });
        let found = answers.into_iter().filter(|(_, answer)| answer.status != 404);
        found.map(|(path, answer)| format!("{path} on {}: {answer:?}", SERVERS[0].host)).collect()
    }
}

fn complaint(server: &Server, client: Client, report: &client::Report) -> Option<String> {
    let answer = report.json["answer"].as_str().unwrap_or("");
    let version = report.json["protocol_version"] == client.era.protocol_version();
    let right = report.succeeded && version && answer.contains(server.tool.2);
    (!right).then(|| format!("{client} at {}: {}", server.name, report.json))
}
