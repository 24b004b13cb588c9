//! Clients that are described by a document at an address of their own (client id metadata documents), which the service
//! fetches over TLS from a server whose authority it was told to trust.

use std::process::Command;

use serde_json::{Value, json};

use super::stage::{Setup, Stage};
use crate::support::process::{Process, TempDir, eventually};
use crate::support::proxies::Kind;
use crate::support::tools;

/// A site with one document, at every path.
struct Site {
    folder: TempDir,
    server: Process,
    port: u16,
}

impl Site {
    /// The document says of itself that it stands at `/client.json`.
    fn start() -> Self {
        let folder = TempDir::new();
        let document = folder.write("client.json", "{}");
        let mut command = Command::new(tools::tool("python"));
        command.arg(tools::project().join("tests/issuer/tls.py")).arg("--answer").arg(document);
        let mut server = Process::start("site", command.arg("--authority").arg(folder.path().join("authority.pem")));
        let port = server.output_once_it_says("\n").trim().parse().unwrap();
        let site = Self { folder, server, port };
        site.lists("http://localhost/callback");
        site
    }

    /// The document with another list of redirect URIs.
    fn lists(&self, redirect_uri: &str) {
        self.says(&json!({
            "client_id": self.document(),
            "client_name": "Notebook",
            "redirect_uris": [redirect_uri],
            "token_endpoint_auth_method": "none",
        }));
    }

    fn says(&self, document: &Value) {
        self.folder.write("client.json", &document.to_string());
    }

    fn document(&self) -> String {
        format!("https://127.0.0.1:{}/client.json", self.port)
    }

    /// A service that trusts the site's authority and reads documents on this machine.
    fn stage(&self, kind: Kind) -> Stage {
        let authority = self.folder.path().join("authority.pem").display().to_string();
        let server = r#"
[authorization_server.identity_provider]
kind = "development"

[authorization_server.client_documents]
allow_loopback = true
"#;
        let variables = vec![("SSL_CERT_FILE", authority)];
        Stage::start_with(kind, |_| Setup { server: server.to_owned(), variables, ..Setup::default() })
    }
}

fn connect(stage: &Stage, document: &str) -> Value {
    stage.python("sign_in.py", &["--document", document])
}

/// The page that the person saw at last; no token came of it.
fn refusal(report: &Value) -> &str {
    assert!(report["error"].is_string() && report["tokens"].is_null(), "{report:#}");
    report["texts"].as_array().unwrap().last().and_then(Value::as_str).unwrap_or_else(|| panic!("{report:#}"))
}

fn answer(report: &Value) -> Value {
    assert!(report["error"].is_null(), "{report:#}");
    serde_json::from_str(report["answer"].as_str().unwrap()).unwrap()
}

#[test]
fn a_python_client_with_a_document_is_shown_by_its_host_and_calls_a_tool_while_the_host_is_down() {
    let mut site = Site::start();
    let stage = site.stage(Kind::Traefik);
    let report = connect(&stage, &site.document());
    assert_eq!(answer(&report)["X-Auth-Client"], site.document(), "{report:#}");
    assert_eq!(answer(&report)["X-Forwarded-User"], "alice@example.com", "{report:#}");
    assert_eq!(report["client"]["client_id"], site.document(), "no registration: {report:#}");
    let consent = report["texts"][0].as_str().unwrap();
    assert!(consent.contains("Notebook"), "the document's name, not the client's: {consent}");
    assert!(consent.contains("The name comes from <strong class=\"name\">127.0.0.1"), "{consent}");
    assert!(!consent.contains("Python SDK"), "{consent}");
    site.server.kill();
    let report = connect(&stage, &site.document());
    assert_eq!(answer(&report)["X-Auth-Client"], site.document(), "{report:#}");
}

#[test]
fn a_rust_client_with_a_document_calls_a_tool() {
    let site = Site::start();
    let (stage, folder) = (site.stage(Kind::Nginx), TempDir::new());
    let report = stage.rust(&folder.path().join("kept"), &["--document", &site.document()], Some(&[]));
    assert!(report["error"].is_null(), "{report:#}");
    assert_eq!(report["answer"]["X-Auth-Client"], site.document(), "{report:#}");
    assert_eq!(report["kept"]["client_id"], site.document(), "{report:#}");
}

/// Documents are kept for an hour or more; nobody should have to wait so long for a new address to work.
#[test]
fn a_document_that_lists_another_redirect_uri_counts_at_the_next_authorization() {
    let site = Site::start();
    let stage = site.stage(Kind::Traefik);
    site.lists("http://localhost/elsewhere");
    let report = connect(&stage, &site.document());
    assert!(refusal(&report).contains("This app asked for its answer at a wrong address"), "{report:#}");
    site.lists("http://localhost/callback");
    // A moment is left between two readings, whoever asks.
    let mut report = json!({});
    eventually("the new document", || {
        report = connect(&stage, &site.document());
        report["error"].is_null()
    });
    assert_eq!(answer(&report)["X-Auth-Client"], site.document(), "{report:#}");
}

/// No redirect, since nobody has said where to, and no word that makes a client throw its id away.
#[test]
fn a_document_that_cannot_be_had_is_told_to_the_person() {
    let mut site = Site::start();
    let stage = site.stage(Kind::Traefik);
    site.server.kill();
    let report = connect(&stage, &site.document());
    let page = refusal(&report);
    assert!(page.contains("This app cannot be looked up") && page.contains("Wait a minute"), "{page}");
    assert!(report["error"].as_str().unwrap().contains("503 at"), "{report:#}");
    let told = stage.post("/token", &format!("grant_type=refresh_token&refresh_token=x&client_id={}", site.document()));
    assert_eq!((told.status, &told.json()["error"]), (503, &json!("temporarily_unavailable")));
}

#[test]
fn a_document_that_breaks_a_rule_is_told_to_the_person_with_the_rule_for_its_maker() {
    let site = Site::start();
    let stage = site.stage(Kind::Traefik);
    let other = format!("https://127.0.0.1:{}/other.json", site.port);
    let report = connect(&stage, &other);
    let page = refusal(&report);
    assert!(page.contains("This app does not describe itself well enough"), "{page}");
    assert!(page.contains("client_id in the client metadata document is not the URL of the document"), "{page}");
    assert!(report["error"].as_str().unwrap().contains("400 at"), "{report:#}");
}
