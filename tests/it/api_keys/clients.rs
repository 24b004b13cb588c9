//! The life of a key as a real MCP client sees it, through proxies with the shipped files.

use super::stage::{create, operator};
use crate::support::client::{Client, Era, Program, Report, Transport, Visit};
use crate::support::process::TempDir;
use crate::support::proxies::Kind;
use crate::support::world::{HOST, World, config};

const CLIENTS: [Client; 3] = [
    Client::new(Program::Python, Transport::Streamable, Era::Modern),
    Client::new(Program::Python, Transport::Streamable, Era::Legacy),
    Client::new(Program::TypeScriptV2, Transport::Streamable, Era::Modern),
];

fn connect(world: &World, client: Client, key: &str) -> Report {
    let port = world.proxy.port;
    client.connect(&Visit {
        url: format!("http://{HOST}:{port}/mcp"),
        port,
        token: key.to_owned(),
        options: Vec::new(),
    })
}

fn with_keys(issuer: &str, port: u16, folder: &TempDir) -> String {
    let store = folder.path().join("state.redb");
    let text = config(issuer, port).replacen("name = \"Notes\"", "name = \"Notes\"\nallow_api_keys = true", 1);
    format!("{text}\n[api_keys]\n\n[store]\nurl = \"file:{}\"\n", store.display())
}

#[test]
fn a_client_works_with_a_key_until_it_is_revoked() {
    for kind in [Kind::Traefik, Kind::Nginx] {
        let folder = TempDir::new();
        let world = World::start_configured(kind, &|_, text| text, &|issuer, port| with_keys(issuer, port, &folder));
        let resource = world.resource();
        let key = create(&world.service, "backup", &["--resource", &resource, "--scope", "mcp:read"]);
        let narrow = create(&world.service, "narrow", &["--resource", &resource]);
        for client in CLIENTS {
            let report = connect(&world, client, &key);
            assert!(report.succeeded, "{kind:?} {client}: {}", report.json);
            let tools = report.json["tools"].as_array().unwrap();
            assert!(tools.iter().any(|tool| tool == "read_note"), "{kind:?} {client}: {}", report.json);
            assert!(report.challenges().is_empty(), "{kind:?} {client}: {}", report.json);
        }
        let report = connect(&world, CLIENTS[0], &narrow);
        assert!(!report.succeeded && report.requests()[0].ends_with(" 403"), "{kind:?}: {}", report.json);
        assert_eq!(operator(&world.service, &["revoke", "backup"]).code, 0);
        for client in CLIENTS {
            let report = connect(&world, client, &key);
            assert!(!report.succeeded, "{kind:?} {client}: {}", report.json);
            assert!(report.requests().iter().all(|one| one.ends_with(" 401")), "{kind:?} {client}: {}", report.json);
            let challenged = report.challenges().iter().any(|challenge| challenge.contains("has been revoked"));
            assert!(challenged, "{kind:?} {client}: {}", report.json);
        }
    }
}
