//! Tokens that are bound to a client certificate, behind proxies that end TLS and tell of it, and without one.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Prover, RESOURCE, digest, is_refused, question};
use crate::support::http::{Request, Response};
use crate::support::issuer::TestIssuer;
use crate::support::process::TempDir;
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::world::{HOST, World};
use crate::support::{tls, tools};

const HEADER: &str = "X-Forwarded-Tls-Client-Cert";
const REFUSED: (&str, &str, &str) = ("Bearer", "invalid_token", "invalid_token");

/// Certificates with their keys, made for one test.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn make() -> Self {
        let folder = TempDir::new();
        let mut command = Command::new(tools::tool("python"));
        command.arg(tools::project().join("tests/issuer/client_certificates.py")).arg(folder.path());
        assert!(command.args(["server", "alice", "mallory"]).status().unwrap().success());
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    /// The certificate as base64 of its DER.
    fn base64(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.file(name)).unwrap();
        let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----").unwrap();
        rest.split("-----END").next().unwrap().split_whitespace().collect()
    }

    /// What tokens are bound to.
    fn thumbprint(&self, name: &str) -> String {
        digest(STANDARD.decode(self.base64(name)).unwrap())
    }
}

fn config(issuer: &str, more: &str) -> String {
    format!(
        "[server]\n{more}\n[[issuers]]\nissuer = \"{issuer}\"\n[[resources]]\nurl = \"{RESOURCE}\"\nallow_any_authenticated = true\n"
    )
}

#[test]
fn a_stolen_token_is_worthless_without_its_certificate_behind_traefik() {
    let router = "    mcp-tls:\n      entryPoints: [web]\n      rule: Host(`mcp.example.com`)\n      priority: 20\n      \
                  middlewares: [own-view, client-certificate, mcp-auth]\n      service: mcp\n      tls: {options: mutual}\n";
    let middleware = "    client-certificate:\n      passTLSClientCert: {pem: true}\n";
    let options = "tls:\n  options:\n    mutual:\n      clientAuth: {clientAuthType: RequestClientCert}\n";
    behind(Kind::Traefik, |name, text, _| match name {
        "dynamic.yml" => {
            assert!(text.contains("  routers:\n") && text.contains("  middlewares:\n"));
            // Without it Traefik tells the service none of the X-Forwarded-… headers, its own included. What clients send
            // under these names ends at the entry point.
            assert!(text.contains("trustForwardHeader: false"));
            let text = text.replace("trustForwardHeader: false", "trustForwardHeader: true");
            let text = text.replacen("  routers:\n", &format!("  routers:\n{router}"), 1);
            text.replacen("  middlewares:\n", &format!("  middlewares:\n{middleware}"), 1) + "\n" + options
        }
        _ => text,
    });
}

#[test]
fn a_stolen_token_is_worthless_without_its_certificate_behind_nginx() {
    behind(Kind::Nginx, |name, text, certificates| match name {
        "nginx.conf" => {
            let server = certificates.file("server").display().to_string();
            let tls = format!(
                "ssl_certificate {server};\n  ssl_certificate_key {server};\n  ssl_verify_client optional_no_ca;\n  \
                 merge_slashes off;"
            );
            let asks = "proxy_set_header X-Original-Method $request_method;";
            assert!(text.contains("merge_slashes off;") && text.contains("0.0.0.0:8080;") && text.contains(asks));
            let told = format!("proxy_set_header {HEADER} $ssl_client_escaped_cert;\n      {asks}");
            let text = text.replacen("0.0.0.0:8080;", "0.0.0.0:8080 ssl;", 1).replacen("merge_slashes off;", &tls, 1);
            text.replacen(asks, &told, 1)
        }
        _ => text,
    });
}

/// Alice's token through a proxy that asks for client certificates, presented in every wrong way.
fn behind(kind: Kind, edit: impl Fn(&str, String, &Certificates) -> String) {
    let certificates = Certificates::make();
    let header = format!("client_certificate_header = \"{HEADER}\"");
    let world = World::start_configured(kind, &|name, text| edit(name, text, &certificates), &|issuer, _| {
        config(issuer, &header) + "also_paths = [\"/echo-request\"]\n"
    });
    let binding = json!({ "x5t#S256": certificates.thumbprint("alice") });
    let token = world.issuer.sign(&world.issuer.token_for(RESOURCE).claim("cnf", binding));
    let plain = world.issuer.sign(&world.issuer.token_for(RESOURCE));
    let ask = |who: Option<&str>, token: &str, forged: Option<String>| -> Response {
        let file = who.map(|name| certificates.file(name));
        let request = Request::get("/echo-request/x").host(HOST).bearer(token);
        let request = forged.iter().fold(request, |request, value| request.header(HEADER, value.as_str()));
        tls::send_as(file.as_deref(), &request, HOST, world.proxy.port)
    };
    let forms = [certificates.base64("alice"), certificates.base64("alice").replace('+', "%2B").replace('/', "%2F")];
    let mut report = Report::new(kind);
    report.row("with its certificate");
    report.equal("status", ask(Some("alice"), &token, None).status, 200);
    report.row("without a certificate");
    report.equal("status", ask(None, &token, None).status, 401);
    report.row("with another certificate");
    report.equal("status", ask(Some("mallory"), &token, None).status, 401);
    for form in forms {
        report.row(format!("without a certificate, with a forged header {form:.20}"));
        report.equal("status", ask(None, &token, Some(form.clone())).status, 401);
        report.row(format!("with another certificate, with a forged header {form:.20}"));
        report.equal("status", ask(Some("mallory"), &token, Some(form)).status, 401);
    }
    report.row("with its certificate again, once the token is in the cache");
    report.equal("status", ask(Some("alice"), &token, None).status, 200);
    report.row("another request in forwarding headers");
    let forged = Request::get("/echo-request/x").host(HOST).bearer(&plain);
    let forged = forged.header("X-Forwarded-Uri", "/nowhere").header("X-Forwarded-Host", "other.example.com");
    let answer = tls::send_as(None, &forged.header("X-Forwarded-Proto", "http"), HOST, world.proxy.port);
    report.equal("status", answer.status, 200);
    report.row("a token that is bound to nothing");
    report.equal("status", ask(None, &plain, None).status, 200);
    report.finish();
}

#[test]
fn one_certificate_in_the_configured_header_counts_and_nothing_else() {
    let certificates = Certificates::make();
    let issuer = TestIssuer::start();
    let alice = certificates.base64("alice");
    let binding = json!({ "x5t#S256": certificates.thumbprint("alice") });
    let token = issuer.sign(&issuer.token_for(RESOURCE).claim("cnf", binding));
    let ask = |service: &Service, headers: &[(&str, &str)]| {
        let plain = question("GET", RESOURCE).bearer(&token);
        headers.iter().fold(plain, |request, (name, value)| request.header(*name, *value)).send(service.port)
    };
    let mut report = Report::new("direct");
    let trusting = Service::start(&config(&issuer.url(), &format!("client_certificate_header = \"{HEADER}\"")));
    report.row("the right one");
    report.equal("status", ask(&trusting, &[(HEADER, &alice)]).status, 200);
    let (twice, mallory) = (format!("{alice},{alice}"), certificates.base64("mallory"));
    for (name, headers) in [
        ("none", vec![]),
        ("an empty header", vec![(HEADER, "")]),
        ("another", vec![(HEADER, &*mallory)]),
        ("two headers", vec![(HEADER, &*alice), (HEADER, &*alice)]),
        ("two in one header", vec![(HEADER, &*twice)]),
        ("cut", vec![(HEADER, alice.get(..alice.len() - 4).unwrap())]),
        ("in a header that is not configured", vec![("X-Forwarded-Client-Cert", &*alice), ("Client-Cert", &*alice)]),
    ] {
        report.row(name);
        is_refused(&ask(&trusting, &headers), REFUSED, &mut report);
    }
    report.row("no header is configured");
    let plain = Service::start(&config(&issuer.url(), ""));
    is_refused(&ask(&plain, &[(HEADER, &alice)]), REFUSED, &mut report);
    report.finish();
}

#[test]
fn a_token_that_is_bound_to_a_key_and_a_certificate_needs_both() {
    let certificates = Certificates::make();
    let (issuer, prover) = (TestIssuer::start(), Prover::new("ES256"));
    let service = Service::start(&config(&issuer.url(), &format!("client_certificate_header = \"{HEADER}\"")));
    let binding = json!({ "x5t#S256": certificates.thumbprint("alice"), "jkt": prover.thumbprint() });
    let token = issuer.sign(&issuer.token_for(RESOURCE).claim("cnf", binding));
    let alice = certificates.base64("alice");
    let status = |scheme: &str, proof: bool, certificate: bool| {
        let mut request = question("GET", RESOURCE).header("Authorization", format!("{scheme} {token}"));
        if proof {
            request = request.header("DPoP", prover.signed("GET", RESOURCE, &token));
        }
        if certificate {
            request = request.header(HEADER, alice.as_str());
        }
        request.send(service.port).status
    };
    assert_eq!(status("DPoP", true, true), 200);
    let wrong = [("DPoP", true, false), ("DPoP", false, true), ("Bearer", true, true), ("Bearer", false, true)];
    assert_eq!(wrong.map(|(scheme, proof, certificate)| status(scheme, proof, certificate)), [401; 4]);
}
