//! Certificates behind the proxies that tell of them in headers of their own, Caddy and Envoy, and what clients write into
//! certificates to be told along.

use super::certificates::{self, Certificates, behind, request};
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::world::HOST;
use crate::support::{ports, tls};

const CADDY: &str = "Client-Cert";
const ENVOY: &str = "X-Forwarded-Client-Cert";
/// All that Envoy can tell.
const EVERYTHING: &str =
    "set_current_client_cert_details: {subject: true, cert: true, chain: true, dns: true, uri: true}";

#[test]
fn a_stolen_token_is_worthless_without_its_certificate_behind_caddy() {
    behind(Kind::Caddy, CADDY, |name, text, certificates| match name {
        "Caddyfile" => caddy(&text, certificates),
        _ => text,
    });
}

#[test]
fn a_stolen_token_is_worthless_without_its_certificate_behind_envoy() {
    behind(Kind::Envoy, ENVOY, |name, text, certificates| match name {
        "envoy.yaml" => envoy(&text, "", certificates),
        _ => text,
    });
}

#[test]
fn a_stolen_token_is_worthless_without_its_certificate_behind_an_envoy_that_tells_all_of_it() {
    behind(Kind::Envoy, ENVOY, |name, text, certificates| match name {
        "envoy.yaml" => envoy(&text, EVERYTHING, certificates),
        _ => text,
    });
}

/// Envoy hands on the names of a certificate as they stand in it, unquoted.
#[test]
fn what_stands_in_a_certificate_is_not_read_as_another_certificate() {
    let certificates = Certificates::make();
    let alice = certificates.hex("alice");
    let names = [
        ("parameter", format!("urn:x;Hash={alice}")),
        ("element", format!("urn:x,Hash={alice}")),
        ("quote", format!("urn:x\";Hash={alice};Subject=\"")),
        ("quoted-element", format!("urn:x\",Hash={alice};Subject=\"")),
        ("only-element", format!(",Hash={alice}")),
        ("escape", format!("urn:x\\;Hash={alice}")),
    ];
    let made: Vec<String> = names.iter().map(|(name, inside)| format!("{name}={inside}")).collect();
    certificates.add(&made.iter().map(|name| &**name).collect::<Vec<_>>());
    let world = certificates::start(Kind::Envoy, ENVOY, &certificates, &|name, text, certificates| match name {
        "envoy.yaml" => envoy(&text, EVERYTHING, certificates),
        _ => text,
    });
    let (token, plain) = certificates::tokens(&world, &certificates);
    let status = |who: &str, token: &str| {
        tls::send_as(Some(&certificates.file(who)), &request(token), HOST, world.proxy.port).status
    };
    let mut report = Report::new("names in certificates");
    for (name, inside) in names {
        report.row(inside);
        report.equal("status", status(name, &token), 401);
        report.equal("status with a token that is bound to nothing", status(name, &plain), 200);
    }
    report.row("with its certificate");
    report.equal("status", status("alice", &token), 200);
    report.finish();
}

/// The shipped file with TLS, as its page has it, and the two lines of the table.
fn caddy(text: &str, certificates: &Certificates) -> String {
    let server = certificates.file("server").display().to_string();
    let site = format!(
        "https://{HOST}:8080 {{\n\ttls {server} {server} {{\n\t\tclient_auth {{\n\t\t\tmode request\n\t\t}}\n\t}}\n\
         \trequest_header -{CADDY}\n"
    );
    let told = format!("uri /auth\n\t\t\theader_up {CADDY} {{tls_client_certificate_der_base64}}\n");
    let other_site = format!("http://:{} {{", ports::free());
    let changes =
        [("http://mcp.example.com:8080 {\n", &*site), ("uri /auth\n", &told), ("http://:8080 {", &other_site)];
    changed(text, &changes)
}

/// The shipped file with TLS, as its page has it, and the lines of the table.
fn envoy(text: &str, details: &str, certificates: &Certificates) -> String {
    let server = certificates.file("server").display().to_string();
    let tls = format!(
        "    - transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_certificates:
            - certificate_chain: {{filename: {server}}}
              private_key: {{filename: {server}}}
            validation_context: {{trust_chain_verification: ACCEPT_UNTRUSTED}}
      filters:
"
    );
    let told = format!("stat_prefix: web\n          forward_client_cert_details: SANITIZE_SET\n          {details}\n");
    let allowed =
        "- {exact: x-forwarded-client-cert, ignore_case: true}\n                - {exact: dpop, ignore_case: true}";
    changed(
        text,
        &[("    - filters:\n", &*tls), ("stat_prefix: web\n", &told), ("- {exact: dpop, ignore_case: true}", allowed)],
    )
}

/// Each text must be there, once.
fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (old, new)| {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text.replacen(old, new, 1)
    })
}
