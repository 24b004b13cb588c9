//! Opaque tokens that are bound to a client certificate (RFC 8705 §3.2), told of by a proxy that is trusted to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Asked, RESOURCE, changed, config, outcome, presented};
use crate::sender_constrained::{Prover, digest};
use crate::support::report::Report;
use crate::support::service::Service;

const HEADER: &str = "X-Forwarded-Tls-Client-Cert";
/// Any bytes do: nothing here looks into a certificate.
const CERTIFICATE: &[u8] = b"the DER of a public certificate";

fn start(asked: &Asked, server: &str) -> Service {
    Service::start(&format!("[server]\n{server}\n{}", config(&asked.table("algorithms = []"))))
}

#[test]
fn a_token_that_is_bound_to_a_certificate_counts_with_that_certificate_only() {
    let asked = Asked::start();
    let trusting = start(&asked, &format!("client_certificate_header = \"{HEADER}\""));
    let blind = start(&asked, "");
    let (right, other) = (STANDARD.encode(CERTIFICATE), STANDARD.encode(b"another"));
    let twice = format!("{right},{right}");
    let refused = "401 invalid_token";
    let answer = changed(&json!({ "cnf": { "x5t#S256": digest(CERTIFICATE) } }));
    let mut report = Report::new("certificates");
    for (index, (name, service, headers, expected)) in [
        ("the right one", &trusting, vec![(HEADER, &right)], "200"),
        ("none", &trusting, vec![], refused),
        ("another", &trusting, vec![(HEADER, &other)], refused),
        ("two headers", &trusting, vec![(HEADER, &right), (HEADER, &right)], refused),
        ("two in one header", &trusting, vec![(HEADER, &twice)], refused),
        ("in a header that is not configured", &trusting, vec![("Client-Cert", &right)], refused),
        ("where no header is configured", &blind, vec![(HEADER, &right)], refused),
    ]
    .into_iter()
    .enumerate()
    {
        let token = format!("certified-{index}");
        asked.knows(&token, &answer);
        let ask = |authorization: String| {
            let request = presented(RESOURCE, &authorization, &[]);
            headers
                .iter()
                .fold(request, |request, (name, value)| request.header(*name, value.as_str()))
                .send(service.port)
        };
        for round in ["asked", "known"] {
            report.row(format!("{name}, {round}"));
            report.equal("as a bearer token", outcome(&ask(format!("Bearer {token}"))), expected);
            report.equal("as DPoP", outcome(&ask(format!("DPoP {token}"))), refused);
        }
    }
    report.finish();
    assert_eq!(asked.questions(), 7, "each token was asked about once");
}

#[test]
fn a_token_that_is_bound_to_a_key_and_a_certificate_needs_both_when_it_is_opaque_too() {
    let (asked, prover) = (Asked::start(), Prover::new("ES256"));
    let service = start(&asked, &format!("client_certificate_header = \"{HEADER}\""));
    let cnf = json!({ "jkt": prover.thumbprint(), "x5t#S256": digest(CERTIFICATE) });
    asked.knows("both", &changed(&json!({ "token_type": "DPoP", "cnf": cnf })));
    let ask = |scheme: &str, proof: bool, certificate: bool| {
        let proof = proof.then(|| prover.signed("POST", RESOURCE, "both"));
        let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
        let mut request = presented(RESOURCE, &format!("{scheme} both"), &proofs);
        if certificate {
            request = request.header(HEADER, STANDARD.encode(CERTIFICATE));
        }
        outcome(&request.send(service.port))
    };
    for _ in 0..2 {
        assert_eq!(ask("DPoP", true, true), "200");
        assert_eq!(ask("DPoP", true, false), "401 invalid_token");
        assert_eq!(ask("DPoP", false, true), "401 invalid_dpop_proof");
        assert_eq!(ask("Bearer", true, true), "401 invalid_token");
        assert_eq!(ask("Bearer", false, true), "401 invalid_token");
    }
}
