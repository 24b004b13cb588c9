//! A well-known document of the MCP server's own, let through as the proxy's guide says: with the guide's own lines.

use serde_json::Value;

use super::case::ask_with;
use super::{check, documents};
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::tools;
use crate::support::world::{World, config};

const DOCUMENT: &str = "/.well-known/mcp.json";

fn own_document(kind: Kind) {
    let world = World::start_configured(kind, &|_, text| with_own_document(kind, &text), &|issuer, port| {
        let usual = r#"also_paths = ["/sse""#;
        config(issuer, port).replace(usual, &format!(r#"also_paths = ["{DOCUMENT}", "/sse""#))
    });
    let token = world.issuer.sign(&world.issuer.token_for(&world.resource()));
    let mut report = Report::new(kind);
    report.row("without a token");
    let refused = ask_with(&world, "GET", DOCUMENT).send(world.proxy.port);
    report.equal("status", refused.status, 401);
    report.equal("challenges", refused.all("www-authenticate").len(), 1);
    report.row("with a token");
    let answer = ask_with(&world, "GET", &format!("{DOCUMENT}?x=1")).bearer(&token).send(world.proxy.port);
    let target = check::mirrored(&answer).map(|received| received["target"].clone());
    report.equal("received", target, Some(Value::from(format!("{DOCUMENT}?x=1"))));
    report.equal("client's token", answer.text().contains(&token), false);
    for path in ["/.well-known/unknown", "/.well-known/mcp.jsonX", "/.well-known/mcp.json/x"] {
        report.row(path);
        let other = ask_with(&world, "GET", path).bearer(&token).send(world.proxy.port);
        documents::is_absent("GET", &other, &mut report);
    }
    report.row("metadata");
    let metadata = ask_with(&world, "GET", "/.well-known/oauth-protected-resource/mcp").send(world.proxy.port);
    report.equal("resource", &metadata.json()["resource"], &*world.resource());
    report.finish();
}

/// The guide's lines, at the place that the guide names; files without that place stay as they are.
fn with_own_document(kind: Kind, text: &str) -> String {
    let lines = lines_of_the_guide(kind);
    let below = |place: &str| text.replacen(place, &format!("{place}{lines}"), 1);
    match kind {
        Kind::Traefik => below("  routers:\n"),
        Kind::Envoy => below("              routes:\n"),
        Kind::Caddy => {
            let path = text.lines().find(|line| line.trim_start().starts_with("path /.well-known/"));
            below(&format!("{}\n", path.unwrap()))
        }
        Kind::Nginx => {
            let shipped = lines.replace(r"(?!mcp\.json$)", "");
            assert!(text.contains(&shipped), "the guide changes another line than the shipped one: {shipped}");
            text.replacen(&shipped, &lines, 1)
        }
    }
}

/// The code under the heading in `docs/proxies/`.
fn lines_of_the_guide(kind: Kind) -> String {
    let guide = std::fs::read_to_string(tools::project().join(format!("docs/proxies/{}.md", kind.folder()))).unwrap();
    let (_, section) = guide.split_once("### A document of the MCP server's own\n").expect("the section");
    let (_, code) = section.split_once("```").and_then(|(_, rest)| rest.split_once('\n')).expect("its code");
    code.split_once("```").expect("the end of its code").0.to_owned()
}

#[test]
fn traefik_lets_one_document_of_the_server_through_as_its_guide_says() {
    own_document(Kind::Traefik);
}

#[test]
fn envoy_lets_one_document_of_the_server_through_as_its_guide_says() {
    own_document(Kind::Envoy);
}

#[test]
fn nginx_lets_one_document_of_the_server_through_as_its_guide_says() {
    own_document(Kind::Nginx);
}

#[test]
fn caddy_lets_one_document_of_the_server_through_as_its_guide_says() {
    own_document(Kind::Caddy);
}
