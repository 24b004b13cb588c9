//! An issuer whose certificate comes from an authority that the system does not know.

use std::process::Command;

use serde_json::Value;

use super::{RESOURCE, ask, config, outcome};
use crate::support::issuer::{SigningKey, TestIssuer, key_set};
use crate::support::ports;
use crate::support::process::{Process, TempDir};
use crate::support::service::Service;
use crate::support::tools;

const ISSUER: &str = "https://idp.example.com";

#[test]
fn its_keys_are_fetched_once_its_authority_is_named_and_else_the_log_says_why() {
    let folder = TempDir::new();
    let key = SigningKey::generate("key", "ES256");
    let port = serve(&folder, &key_set([&key]));
    let table = format!("issuer = \"{ISSUER}\"\njwks_uri = \"https://127.0.0.1:{}/jwks\"", port.1);

    let mut stranger = service(&table, None);
    let told = stranger.process.output_once_it_says("the keys could not be fetched");
    assert!(told.contains("invalid peer certificate: UnknownIssuer"), "{told}");
    let told_by: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(told_by.iter().all(|line| line.get("log.file").is_none()), "a library speaks for itself: {told}");

    let mut friend = service(&table, Some(&folder));
    friend.wait_until_ready();
    let issuer = TestIssuer::with_keys(vec![key]);
    let token = issuer.sign(&issuer.token_for(RESOURCE).claim("iss", ISSUER));
    assert_eq!(outcome(&ask(&friend, &token)), "200");
}

/// The server, which ends with the value, and its port.
fn serve(folder: &TempDir, keys: &str) -> (Process, u16) {
    let answer = folder.write("keys.json", keys);
    let mut command = Command::new(tools::tool("python"));
    command.arg(tools::project().join("tests/issuer/tls.py"));
    command.arg("--answer").arg(answer).arg("--authority").arg(folder.path().join("authority.pem"));
    let mut server = Process::start("issuer", &mut command);
    let port = server.output_once_it_says("\n").trim().parse().unwrap();
    (server, port)
}

fn service(table: &str, authority: Option<&TempDir>) -> Service {
    let (port, admin_port, folder) = (ports::free(), ports::free(), TempDir::new());
    let file = folder.write("config.toml", &config("", table));
    let mut command = Command::new(tools::service_binary());
    command.arg("--config").arg(file).args(["--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--set", &format!("server.admin_listen=127.0.0.1:{admin_port}")]);
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    if let Some(authority) = authority {
        command.env("SSL_CERT_FILE", authority.path().join("authority.pem"));
    }
    Service::launch(port, admin_port, folder, &mut command)
}
