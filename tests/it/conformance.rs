//! The conformance suite of the protocol, with our authorization server as what is tested.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::sign_in::stage::Stage;
use crate::support::http::Request;
use crate::support::ports;
use crate::support::process::{Process, TempDir};
use crate::support::proxies::Kind;
use crate::support::tools;

/// What version 0.2.0-alpha.12 checks of an authorization server.
const CHECKS: [&str; 3] =
    ["authorization-code-grant", "authorization-server-metadata", "authorization-server-metadata-cimd"];

#[test]
fn every_check_of_an_authorization_server_passes_through_traefik() {
    every_check_passes(Kind::Traefik);
}

#[test]
fn every_check_of_an_authorization_server_passes_through_nginx() {
    every_check_passes(Kind::Nginx);
}

fn every_check_passes(kind: Kind) {
    let stage = Stage::start(kind);
    let results = TempDir::new();
    let (mut suite, said) = run(&stage, &results);
    assert!(suite.wait().success(), "{}", suite.output());
    let checks = checks(&results);
    let scenarios = scenarios();
    assert!(!scenarios.is_empty() && checks.keys().eq(scenarios.iter()), "{:?}, not {scenarios:?}", checks.keys());
    let mut seen: Vec<&Value> = checks.values().flatten().collect();
    let failed: Vec<&&Value> = seen.iter().filter(|check| check["status"] != "SUCCESS").collect();
    assert!(failed.is_empty(), "{failed:#?}\n{said}");
    seen.sort_by_key(|check| check["id"].to_string());
    let seen: Vec<&str> = seen.iter().filter_map(|check| check["id"].as_str()).collect();
    assert_eq!(seen, CHECKS);
}

/// All scenarios for an authorization server; the person follows the URL that the suite prints.
fn run(stage: &Stage, results: &TempDir) -> (Process, String) {
    let port = ports::free();
    let mut command = conformance();
    command.args(["authorization", "--url", &stage.issuer(), "--resource", &stage.url()]);
    command.args(["--client-id", &register(stage, port), "--port", &port.to_string()]);
    command.arg("--output-dir").arg(results.path());
    let mut suite = Process::start("conformance", &mut command);
    let said = suite.output_once_it_says("Waiting up to");
    let url = said.lines().find(|line| line.contains("/authorize?")).unwrap_or_else(|| panic!("{said}"));
    let mut person = Command::new(tools::tool("python"));
    person.arg(tools::project().join("tests/clients/python/person.py")).args(["--keep", url.trim()]);
    let walked = person.output().unwrap();
    assert!(walked.status.success(), "{}", String::from_utf8_lossy(&walked.stderr));
    (suite, said)
}

fn register(stage: &Stage, port: u16) -> String {
    let client = json!({
        "client_name": "Conformance",
        "redirect_uris": [format!("http://127.0.0.1:{port}/callback")],
        "token_endpoint_auth_method": "none",
    });
    let request = Request::new("POST", "/register").host(&format!("localhost:{}", stage.proxy.port));
    let answer = request.body("application/json", client.to_string()).send(stage.proxy.port);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

fn conformance() -> Command {
    let program = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
    let mut command = Command::new(tools::newer_node());
    command.arg(tools::installed("tests/conformance", program));
    command
}

/// The scenarios that the suite has for authorization servers, by its own account.
fn scenarios() -> Vec<String> {
    let output = conformance().args(["list", "--authorization"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = said.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split(' ').next());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}

/// The checks by scenario, from the files that the suite wrote.
fn checks(results: &TempDir) -> BTreeMap<String, Vec<Value>> {
    let files = std::fs::read_dir(results.path()).unwrap().flatten().map(|entry| entry.path());
    let known = scenarios();
    files
        .filter_map(|folder| {
            let text = std::fs::read_to_string(folder.join("checks.json")).ok()?;
            let name = folder.file_name()?.to_str()?.to_owned();
            let scenario = known.iter().find(|scenario| name.contains(scenario.as_str())).unwrap_or(&name);
            Some((scenario.clone(), serde_json::from_str(&text).unwrap()))
        })
        .collect()
}
