//! Tokens that are bound to a client certificate, behind proxies that end TLS and tell of it, and without one.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
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

pub(super) const HEADER: &str = "X-Forwarded-Tls-Client-Cert";
/// What no MCP server is to see.
const FORGED: &str = "forged-certificate";
const REFUSED: (&str, &str, &str) = ("Bearer", "invalid_token", "invalid_token");

/// Certificates with their keys, made for one test.
pub(super) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub(super) fn make() -> Self {
        let made = Self { folder: TempDir::new() };
        made.add(&["server", "alice", "mallory"]);
        made
    }

    /// Certificates of these names, each with another name behind `=` if need be.
    pub(super) fn add(&self, names: &[&str]) {
        let mut command = Command::new(tools::tool("python"));
        command.arg(tools::project().join("tests/issuer/client_certificates.py")).arg(self.folder.path());
        assert!(command.args(names).status().unwrap().success());
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    /// The certificate as base64 of its DER.
    pub(super) fn base64(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.file(name)).unwrap();
        let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----").unwrap();
        rest.split("-----END").next().unwrap().split_whitespace().collect()
    }

    /// What tokens are bound to.
    pub(super) fn thumbprint(&self, name: &str) -> String {
        digest(STANDARD.decode(self.base64(name)).unwrap())
    }

    /// The same in hexadecimal digits, as Envoy tells it.
    pub(super) fn hex(&self, name: &str) -> String {
        let digest = URL_SAFE_NO_PAD.decode(self.thumbprint(name)).unwrap();
        digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    /// The certificate in the words of every proxy.
    fn told(&self, name: &str) -> [String; 6] {
        let (base64, hex) = (self.base64(name), self.hex(name));
        let encoded = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let pem = format!("-----BEGIN%20CERTIFICATE-----%0A{encoded}%0A-----END%20CERTIFICATE-----%0A");
        let element = format!("Hash={hex};Cert=\"{pem}\"");
        [format!("Hash={hex}"), element, format!(":{base64}:"), base64, encoded, pem]
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
    behind(Kind::Traefik, HEADER, |name, text, _| match name {
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
    behind(Kind::Nginx, HEADER, |name, text, certificates| match name {
        "nginx.conf" => {
            let server = certificates.file("server").display().to_string();
            let tls = format!(
                "ssl_certificate {server};\n  ssl_certificate_key {server};\n  ssl_verify_client optional_no_ca;\n  \
                 merge_slashes off;"
            );
            let asks = "proxy_set_header X-Original-Method $request_method;";
            assert!(text.contains("merge_slashes off;") && text.contains("0.0.0.0:8080;") && text.contains(asks));
            let told = format!("proxy_set_header {HEADER} $ssl_client_escaped_cert;\n      {asks}");
            let hides = "proxy_set_header X-Original-Uri         \"\";";
            assert!(text.contains(hides));
            let text = text.replacen(hides, &format!("proxy_set_header {HEADER} \"\";\n      {hides}"), 1);
            let text = text.replacen("0.0.0.0:8080;", "0.0.0.0:8080 ssl;", 1).replacen("merge_slashes off;", &tls, 1);
            text.replacen(asks, &told, 1)
        }
        _ => text,
    });
}

/// The service behind a proxy that ends TLS, as `edit` has it, and tells of certificates in `header`.
pub(super) fn start(kind: Kind, header: &str, certificates: &Certificates, edit: Change<'_>) -> World {
    let setting = format!("client_certificate_header = \"{header}\"");
    World::start_configured(kind, &|name, text| edit(name, text, certificates), &|issuer, _| {
        config(issuer, &setting) + "also_paths = [\"/echo-request\"]\n"
    })
}

/// A change to a shipped file: its name, its text, and where certificates are.
pub(super) type Change<'a> = &'a dyn Fn(&str, String, &Certificates) -> String;

/// Alice's token, which is bound to her certificate, and one that is bound to nothing.
pub(super) fn tokens(world: &World, certificates: &Certificates) -> (String, String) {
    let token = || world.issuer.token_for(RESOURCE);
    let binding = json!({ "x5t#S256": certificates.thumbprint("alice") });
    (world.issuer.sign(&token().claim("cnf", binding)), world.issuer.sign(&token()))
}

/// A request that the MCP server answers with what it was sent.
pub(super) fn request(token: &str) -> Request {
    Request::get("/echo-request/x").host(HOST).bearer(token)
}

/// Alice's token through a proxy that asks for client certificates, presented in every wrong way.
pub(super) fn behind(kind: Kind, header: &str, edit: impl Fn(&str, String, &Certificates) -> String) {
    let certificates = Certificates::make();
    let world = start(kind, header, &certificates, &edit);
    let (token, plain) = tokens(&world, &certificates);
    let send = |who: Option<&str>, request: &Request| -> Response {
        tls::send_as(who.map(|name| certificates.file(name)).as_deref(), request, HOST, world.proxy.port)
    };
    let mut report = Report::new((kind, header));
    let mut expect = |row: String, status: u16, who: Option<&str>, request: &Request| {
        report.row(row);
        let answer = send(who, request);
        report.equal("status", answer.status, status);
        report.holds(!answer.text().contains(FORGED), || format!("the MCP server was told: {}", answer.text()));
    };
    let bound = || request(&token);
    expect("with its certificate".into(), 200, Some("alice"), &bound());
    expect("without a certificate".into(), 401, None, &bound());
    expect("with another certificate".into(), 401, Some("mallory"), &bound());
    let misspelt = header.replace('-', "_");
    for form in certificates.told("alice") {
        for who in [None, Some("mallory")] {
            let forged = |name: &str| bound().header(name, &*form);
            expect(format!("as {who:?}, forged: {form:.30}"), 401, who, &forged(header));
            expect(format!("as {who:?}, forged twice: {form:.30}"), 401, who, &forged(header).header(header, &*form));
            expect(format!("as {who:?}, misspelt: {form:.30}"), 401, who, &forged(&misspelt));
            let hidden = forged(header).header("Connection", format!("close, {header}"));
            expect(format!("as {who:?}, to be dropped on the way: {form:.30}"), 401, who, &hidden);
        }
    }
    for form in certificates.told("mallory") {
        expect(
            format!("with a header against itself: {form:.30}"),
            200,
            Some("alice"),
            &bound().header(header, &*form),
        );
    }
    expect("with its certificate again, once the token is in the cache".into(), 200, Some("alice"), &bound());
    let forged = request(&plain).header("X-Forwarded-Uri", "/nowhere").header("X-Forwarded-Host", "other.example.com");
    expect("another request in forwarding headers".into(), 200, None, &forged.header("X-Forwarded-Proto", "http"));
    for who in [None, Some("alice"), Some("mallory")] {
        expect(format!("a token that is bound to nothing, as {who:?}"), 200, who, &request(&plain));
        let forged = request(&plain).header(header, FORGED).header(header, FORGED).header(&*misspelt, FORGED);
        expect(format!("the same, forged, as {who:?}"), 200, who, &forged);
    }
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
