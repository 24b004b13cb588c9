//! `docs/api-keys.md`: its configuration and its commands work as they stand there.

use std::process::Command;

use mcp_forward_auth::domain::api_key;

use crate::support::process::TempDir;
use crate::support::proxies::Kind;
use crate::support::tools::{project, service_binary};
use crate::support::world::{HOST, World};

fn blocks(page: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    page.split(&*start).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

#[test]
fn somebody_who_follows_the_page_calls_the_server() {
    let page = std::fs::read_to_string(project().join("docs/api-keys.md")).unwrap();
    assert!(blocks(&page, "text").contains(&api_key::PATTERN.to_owned()), "the pattern for scanners");
    let folder = TempDir::new();
    let configuration = blocks(&page, "toml").remove(0);
    let world = World::start_configured(Kind::Traefik, &|_, text| text, &|issuer, port| {
        configuration
            .replace("https://idp.example.com", issuer)
            .replace("https://mcp.example.com/mcp\"", &format!("http://{HOST}:{port}/mcp\"\ninsecure_http = true"))
            .replace("/var/lib/mcp-forward-auth", &folder.path().display().to_string())
    });
    let script = blocks(&page, "sh").join("\n").replace("https://mcp.example.com/mcp", &world.resource());
    // Its name is pointed to the proxy, as DNS would.
    let port = world.proxy.port;
    let script = script.replace("curl ", &format!("curl --noproxy '*' --resolve {HOST}:{port}:127.0.0.1 "));
    let output = Command::new("sh")
        .args(["-euc", &format!("PATH=$PROGRAMS:$PATH\n{script}")])
        .env("PROGRAMS", service_binary().parent().unwrap())
        .env("MCP_FORWARD_AUTH__SERVER__ADMIN_LISTEN", format!("127.0.0.1:{}", world.service.admin_port))
        .output()
        .unwrap();
    let [said, complained] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("\"serverInfo\""), "{said}\n{complained}");
    assert!(said.contains("backup  K"), "{said}");
    assert!(said.ends_with(") is revoked\n"), "{said}");
    assert!(!said.contains("mfa_") && !complained.contains("mfa_"), "{said}\n{complained}");
}
