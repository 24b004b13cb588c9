//! Real SDK clients of both eras through the proxies that send the body: who may read, and who may delete.

use crate::support::client::{Client, Era, Program, Report, Transport, Visit};
use crate::support::proxies::with_body;
use crate::support::world::{HOST, World};

use super::SENDERS;

const CLIENTS: [Client; 5] = [
    Client::new(Program::Python, Transport::Streamable, Era::Legacy),
    Client::new(Program::Python, Transport::Streamable, Era::Modern),
    Client::new(Program::TypeScriptV1, Transport::Streamable, Era::Legacy),
    Client::new(Program::TypeScriptV2, Transport::Streamable, Era::Legacy),
    Client::new(Program::TypeScriptV2, Transport::Streamable, Era::Modern),
];

#[test]
fn alice_reads_notes_and_only_operators_delete_them() {
    for kind in SENDERS {
        let world = World::start_configured(kind, &with_body, &config);
        let alice = world.issuer.token_for(&world.resource());
        let operator = world.issuer.sign(&alice.clone().claim("groups", vec!["ops"]));
        let alice = world.issuer.sign(&alice);
        let mut complaints = Vec::new();
        for client in CLIENTS {
            let call = |token: &str, tool: &str| call(&world, client, token, tool);
            let read = call(&alice, "read_note");
            if read.json["answer"] != "Hello from the notes." {
                complaints.push(format!("{client}: Alice could not read: {}", read.json));
            }
            let delete = call(&alice, "delete_note");
            let refused = delete.requests().iter().any(|request| request.ends_with(" 403"));
            if delete.succeeded || !refused || !delete.json["answer"].is_null() {
                complaints.push(format!("{client}: Alice deleted, or was refused otherwise: {}", delete.json));
            }
        }
        let deleted = call(&world, CLIENTS[1], &operator, "delete_note");
        if deleted.json["answer"] != "deleted welcome" {
            complaints.push(format!("the operator could not delete: {}", deleted.json));
        }
        assert!(complaints.is_empty(), "{kind:?}:\n{}", complaints.join("\n"));
    }
}

fn call(world: &World, client: Client, token: &str, tool: &str) -> Report {
    let path = if client.transport == Transport::Sse { "/sse" } else { "/mcp" };
    let options = ["--tool", tool, "--arguments", r#"{"name":"welcome"}"#].map(ToOwned::to_owned);
    client.connect(&Visit {
        url: format!("http://{HOST}:{}{path}", world.proxy.port),
        port: world.proxy.port,
        token: token.to_owned(),
        options: options.into(),
    })
}

fn config(issuer: &str, port: u16) -> String {
    crate::support::world::config(issuer, port).replacen(
        "allowed_emails = [\"alice@example.com\", \"*@corp.example\"]",
        "allowed_emails = [\"alice@example.com\", \"*@corp.example\"]\n\n[[resources.tool_rules]]\nnames = [\"delete_*\"]\n\
         allowed_groups = [\"ops\"]",
        1,
    )
}
