//! Tokens that are bound to keys which prove nothing: too short, too long, of another kind than the proof says, or no keys.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Bench, Prover, RESOURCE, digest, is_refused};
use crate::support::issuer::{Token, encode};
use crate::support::report::Report;
use crate::support::tools;

const REFUSED: (&str, &str, &str) = ("DPoP", "invalid_dpop_proof", "invalid_dpop_proof");

impl Bench {
    /// A token that is bound to `jwk`, and an unsigned proof that shows this key.
    fn bound_to(&self, jwk: &Value, algorithm: &str) -> (String, Token) {
        let names: &[&str] = match jwk["kty"].as_str().unwrap() {
            "EC" => &["crv", "kty", "x", "y"],
            "RSA" => &["e", "kty", "n"],
            _ => &["crv", "kty", "x"],
        };
        let members: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), jwk[*name].clone())).collect();
        let binding = json!({ "jkt": digest(Value::Object(members).to_string()) });
        let token = self.issuer.sign(&self.issuer.token_for(RESOURCE).claim("cnf", binding));
        let proof = self.prover.proof("POST", RESOURCE, &token).parameter("jwk", jwk.clone());
        (token, proof.parameter("alg", algorithm))
    }

    /// It is the key that is found wanting, not the signature.
    fn refuses_key(&self, token: &str, proof: &str, report: &mut Report) {
        let answer = self.ask(&format!("DPoP {token}"), &[proof]);
        is_refused(&answer, REFUSED, report);
        report.holds(answer.text().contains("a key that is not accepted"), || answer.text());
    }
}

#[test]
fn a_key_that_fits_no_algorithm_proves_nothing() {
    let bench = Bench::start();
    let [p256, p384, rsa, edwards] = ["ES256", "ES384", "RS256", "EdDSA"].map(Prover::new);
    let with = |prover: &Prover, name: &str, value: Value| {
        let mut jwk = prover.jwk();
        jwk[name] = value;
        jwk
    };
    let coordinate = p256.jwk()["x"].clone();
    let rows = [
        ("a P-384 key for ES256", "ES256", p384.jwk(), &p384),
        ("a P-256 key for ES384", "ES384", p256.jwk(), &p256),
        ("a P-384 key that says P-256", "ES256", with(&p384, "crv", json!("P-256")), &p384),
        ("a P-256 key for RS256", "RS256", p256.jwk(), &p256),
        ("a P-256 key for EdDSA", "EdDSA", p256.jwk(), &p256),
        ("an Ed25519 key for ES256", "ES256", edwards.jwk(), &edwards),
        ("an Ed25519 key that says Ed448", "EdDSA", with(&edwards, "crv", json!("Ed448")), &edwards),
        ("an Ed25519 key that says X25519", "EdDSA", with(&edwards, "crv", json!("X25519")), &edwards),
        ("an RSA key for ES256", "ES256", rsa.jwk(), &rsa),
        ("an RSA key that says PS256", "RS256", with(&rsa, "alg", json!("PS256")), &rsa),
        ("an RSA key for encryption", "RS256", with(&rsa, "alg", json!("RSA-OAEP")), &rsa),
        ("an RSA key that may not verify", "RS256", with(&rsa, "key_ops", json!(["sign"])), &rsa),
        ("a point beside the curve", "ES256", with(&p256, "y", coordinate), &p256),
        ("the point at infinity", "ES256", json!({ "kty": "EC", "crv": "P-256", "x": "", "y": "" }), &p256),
        ("half a point", "ES256", with(&p256, "y", json!("")), &p256),
    ];
    let mut report = Report::new("keys");
    for (name, algorithm, jwk, prover) in rows {
        report.row(name);
        let (token, proof) = bench.bound_to(&jwk, algorithm);
        bench.refuses_key(&token, &proof.signed_by(&prover.key), &mut report);
    }
    report.row("the good proof, afterwards");
    report.equal("status", bench.present(&bench.good_proof()).status, 200);
    report.finish();
}

#[test]
fn an_rsa_key_of_odd_numbers_proves_nothing() {
    let bench = Bench::start();
    let rsa = Prover::new("RS256");
    let with = |name: &str, value: Value| {
        let mut jwk = rsa.jwk();
        jwk[name] = value;
        jwk
    };
    let modulus = rsa.jwk()["n"].clone();
    let mut report = Report::new("numbers");
    for (name, jwk) in [
        ("8200 bits", with("n", json!(encode([0xff; 1025])))),
        ("32000 bits", with("n", json!(encode([0xff; 4000])))),
        ("no bits", with("n", json!(""))),
        ("zero", with("n", json!(encode([0; 256])))),
        ("no exponent", with("e", json!(""))),
        ("an even exponent", with("e", json!("BA"))),
        ("an exponent as long as the modulus", with("e", modulus)),
    ] {
        report.row(name);
        let (token, proof) = bench.bound_to(&jwk, "RS256");
        is_refused(&bench.ask(&format!("DPoP {token}"), &[&proof.signed_by(&rsa.key)]), REFUSED, &mut report);
    }
    report.row("an exponent of 1, signed as anybody can");
    let (token, proof) = bench.bound_to(&with("e", json!("AQ")), "RS256");
    let padded = padded(&proof.signing_input());
    is_refused(&bench.ask(&format!("DPoP {token}"), &[&proof.with_signature(&padded)]), REFUSED, &mut report);
    report.finish();
}

/// What a signature of 2048 bits is raised from (RFC 8017 §9.2): with an exponent of 1 it is the signature.
fn padded(message: &str) -> Vec<u8> {
    const SHA256: [u8; 19] = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message.as_bytes());
    let filling = vec![0xff; 256 - 3 - SHA256.len() - hash.as_ref().len()];
    [&[0, 1][..], &filling, &[0], &SHA256, hash.as_ref()].concat()
}

#[test]
fn a_short_rsa_key_proves_nothing_however_well_it_signs() {
    let bench = Bench::start();
    let mut command = Command::new(tools::tool("python"));
    command.arg(tools::project().join("tests/issuer/weak_key.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut signer = command.spawn().unwrap();
    let mut said = BufReader::new(signer.stdout.take().unwrap()).lines();
    let jwk: Value = serde_json::from_str(&said.next().unwrap().unwrap()).unwrap();
    let (token, proof) = bench.bound_to(&jwk, "RS256");
    let mut asks = signer.stdin.take().unwrap();
    writeln!(asks, "{}", proof.signing_input()).unwrap();
    let signature = said.next().unwrap().unwrap();
    drop(asks);
    assert!(signer.wait().unwrap().success());
    let mut report = Report::new("RSA of 1024 bits");
    report.row("a proof of that key");
    let proof = format!("{}.{signature}", proof.signing_input());
    is_refused(&bench.ask(&format!("DPoP {token}"), &[&proof]), REFUSED, &mut report);
    report.finish();
}
