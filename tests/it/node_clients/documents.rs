//! A client that describes itself: its id is the URL of its metadata document, and nothing is registered.

use std::process::Command;

use serde_json::json;

use super::guest::{Guest, Program};
use crate::sign_in::stage::{Setup, Stage};
use crate::support::process::{Process, TempDir};
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::tools;

/// The documents stand on this machine, which is allowed for development only.
const SERVER: &str = "
[authorization_server.identity_provider]
kind = \"development\"

[authorization_server.registration]
enabled = false

[authorization_server.client_documents]
allow_loopback = true
";

#[test]
fn a_client_with_a_metadata_document_signs_in_and_refreshes_through_traefik() {
    signs_in_and_refreshes(Kind::Traefik);
}

#[test]
fn a_client_with_a_metadata_document_signs_in_and_refreshes_through_nginx() {
    signs_in_and_refreshes(Kind::Nginx);
}

fn signs_in_and_refreshes(kind: Kind) {
    let site = Site::start();
    let authority = site.authority().to_str().unwrap().to_owned();
    let stage = Stage::start_with(kind, |_| Setup {
        server: SERVER.to_owned(),
        variables: vec![("SSL_CERT_FILE", authority)],
        ..Setup::default()
    });
    let mut report = Report::new(kind);
    report.row("TypeScript SDK v2");
    let guest = Guest::new(Program::SdkV2);
    let seen = guest.visit(&stage, &["--client-document", &site.url(), "--revoke"], 1, &mut report);
    report.equal("the client", &seen["client"]["client_id"], site.url().as_str());
    report.row("TypeScript SDK v2, another time");
    guest.visit(&stage, &["--client-document", &site.url(), "--revoke"], 0, &mut report);
    report.finish();
}

/// An https server with a certificate of an authority that only the service is told about.
struct Site {
    _process: Process,
    folder: TempDir,
    port: u16,
}

impl Site {
    fn start() -> Self {
        let folder = TempDir::new();
        let mut command = Command::new(tools::tool("python"));
        command.arg(tools::project().join("tests/issuer/tls.py"));
        command.arg("--answer").arg(folder.path().join("client.json"));
        command.arg("--authority").arg(folder.path().join("authority.pem"));
        let mut process = Process::start("client documents", &mut command);
        let port = process.output_once_it_says("\n").trim().parse().unwrap();
        let site = Self { _process: process, folder, port };
        site.folder.write("client.json", &site.document());
        site
    }

    fn url(&self) -> String {
        format!("https://127.0.0.1:{}/client.json", self.port)
    }

    fn authority(&self) -> std::path::PathBuf {
        self.folder.path().join("authority.pem")
    }

    fn document(&self) -> String {
        let redirect_uri = "http://localhost:3030/callback";
        json!({
            "client_id": self.url(),
            "client_name": "TypeScript SDK v2",
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        })
        .to_string()
    }
}
