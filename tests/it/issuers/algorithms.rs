//! Every algorithm with a good and a bad signature, and which key is taken for which token.

use serde_json::{Value, json};

use super::{RESOURCE, ask, config, outcome, table};
use crate::support::issuer::{KEY_SET, SigningKey, TestIssuer, Token};
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::web::Answer;

const ALGORITHMS: [&str; 10] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

fn key(algorithm: &'static str) -> SigningKey {
    SigningKey::generate(&format!("key-{algorithm}"), algorithm)
}

/// Alice's token with the header that `key` asks for.
fn token(issuer: &TestIssuer, key: &SigningKey) -> Token {
    issuer.token_for(RESOURCE).parameter("alg", key.algorithm).parameter("kid", key.kid.clone())
}

fn without_kid(mut token: Token) -> Token {
    token.header.as_object_mut().unwrap().remove("kid");
    token
}

#[test]
fn each_algorithm_takes_good_signatures_and_refuses_wrong_ones() {
    let issuer = TestIssuer::with_keys(ALGORITHMS.map(key).into());
    let service = Service::start(&config("", &table(&issuer)));
    let mut report = Report::new("algorithms");
    for (index, key) in issuer.keys.iter().enumerate() {
        let token = token(&issuer, key);
        let signature = key.sign(token.signing_input().as_bytes());
        let mut flipped = signature.clone();
        flipped[signature.len() / 2] ^= 1;
        let stranger = SigningKey::generate(&key.kid, key.algorithm);
        let other = &issuer.keys[(index + 1) % issuer.keys.len()];
        let moved = token.clone().claim("sub", "mallory");
        let rows = [
            ("good", token.with_signature(&signature), "200"),
            ("one bit flipped", token.with_signature(&flipped), "401 invalid_token"),
            ("a byte short", token.with_signature(&signature[1..]), "401 invalid_token"),
            ("a byte long", token.with_signature(&[&signature[..], &[0]].concat()), "401 invalid_token"),
            ("empty", token.with_signature(b""), "401 invalid_token"),
            ("all zero", token.with_signature(&vec![0; signature.len()]), "401 invalid_token"),
            ("of other claims", moved.with_signature(&signature), "401 invalid_token"),
            ("by a stranger's key", token.signed_by(&stranger), "401 invalid_token"),
            ("by the next key", token.signed_by(other), "401 invalid_token"),
        ];
        for (what, token, expected) in rows {
            report.row(format!("{} {what}", key.algorithm));
            report.equal("the outcome", outcome(&ask(&service, &token)), expected.to_owned());
        }
    }
    report.finish();
}

#[test]
fn a_key_verifies_its_own_algorithm_only() {
    let keys = ALGORITHMS.map(key);
    let issuer = TestIssuer::with_keys(keys.into());
    let service = Service::start(&config("", &table(&issuer)));
    let mut report = Report::new("header and key disagree");
    for key in &issuer.keys {
        for claimed in ALGORITHMS.into_iter().filter(|claimed| *claimed != key.algorithm).chain(["none", "HS256"]) {
            report.row(format!("{} signs, the header says {claimed}", key.algorithm));
            let token = token(&issuer, key).parameter("alg", claimed).signed_by(key);
            report.equal("the outcome", outcome(&ask(&service, &token)), "401 invalid_token".to_owned());
        }
    }
    report.finish();
}

/// Publishes `jwks` and starts a service that knows them.
fn publish(issuer: &TestIssuer, jwks: &[Value]) -> Service {
    issuer.web.answer(KEY_SET, Answer::Json(json!({ "keys": jwks }).to_string()));
    Service::start(&config("", &table(issuer)))
}

fn changed(key: &SigningKey, member: &str, value: Value) -> Value {
    let mut jwk = key.jwk();
    if value.is_null() {
        jwk.as_object_mut().unwrap().remove(member);
    } else {
        jwk[member] = value;
    }
    jwk
}

#[test]
fn a_key_without_alg_takes_every_algorithm_of_its_type() {
    let rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    // One pair of primes for six algorithms: only the padding and the digest differ.
    let key = SigningKey::generate("rsa", "RS256");
    let curve = SigningKey::generate("p384", "ES384");
    let issuer = TestIssuer::start();
    let service = publish(&issuer, &[changed(&key, "alg", Value::Null), changed(&curve, "alg", Value::Null)]);
    let mut report = Report::new("no alg");
    for algorithm in rsa {
        report.row(algorithm);
        let token = token(&issuer, &key).parameter("alg", algorithm);
        let signature = key.sign_as(algorithm, token.signing_input().as_bytes());
        report.equal("the outcome", outcome(&ask(&service, &token.with_signature(&signature))), "200".to_owned());
    }
    for (algorithm, expected) in [("ES384", "200"), ("ES256", "401 invalid_token"), ("ES512", "401 invalid_token")] {
        report.row(algorithm);
        let token = token(&issuer, &curve).parameter("alg", algorithm).signed_by(&curve);
        report.equal("the outcome", outcome(&ask(&service, &token)), expected.to_owned());
    }
    report.finish();
}

#[test]
fn keys_that_are_not_for_verifying_are_left_out() {
    let issuer = TestIssuer::start();
    let rows = [
        ("use: enc", "use", json!("enc")),
        ("key_ops: sign", "key_ops", json!(["sign"])),
        ("alg of encryption", "alg", json!("ECDH-ES")),
        ("alg of another curve", "alg", json!("ES384")),
        ("a curve that is not its own", "crv", json!("P-384")),
        ("a point off the curve", "x", json!(crate::support::issuer::encode([1; 32]))),
        ("another type", "kty", json!("OKP")),
        ("a type nobody knows", "kty", json!("PQ")),
    ];
    let bad: Vec<SigningKey> =
        (0..rows.len()).map(|index| SigningKey::generate(&format!("bad-{index}"), "ES256")).collect();
    let mut jwks: Vec<Value> =
        rows.iter().zip(&bad).map(|((_, member, value), key)| changed(key, member, value.clone())).collect();
    jwks.push(issuer.keys[0].jwk());
    let service = publish(&issuer, &jwks);
    let mut report = Report::new("unusable keys");
    for ((name, _, _), key) in rows.iter().zip(&bad) {
        report.row(*name);
        let token = token(&issuer, key).signed_by(key);
        report.equal("the outcome", outcome(&ask(&service, &token)), "401 invalid_token".to_owned());
    }
    report.row("the good key among them");
    report.equal("the outcome", outcome(&ask(&service, &issuer.sign(&issuer.token_for(RESOURCE)))), "200".to_owned());
    report.equal("the keys counted", service.admin("/readyz").json()["issuers"][0]["keys"].as_u64(), Some(1));
    report.finish();
}

#[test]
fn key_ids_that_two_types_share_and_tokens_without_one() {
    let (curve, rsa, second) = (
        SigningKey::generate("shared", "ES256"),
        SigningKey::generate("shared", "RS256"),
        SigningKey::generate("second", "ES256"),
    );
    let issuer = TestIssuer::start();
    let mut report = Report::new("key ids");
    let mut check = |service: &Service, name: &str, token: String, expected: &str| {
        report.row(name);
        report.equal("the outcome", outcome(&ask(service, &token)), expected.to_owned());
    };

    let service = publish(&issuer, &[curve.jwk(), rsa.jwk()]);
    check(&service, "shared kid, ES256", token(&issuer, &curve).signed_by(&curve), "200");
    check(&service, "shared kid, RS256", token(&issuer, &rsa).signed_by(&rsa), "200");
    check(&service, "no kid, one key of that algorithm", without_kid(token(&issuer, &rsa)).signed_by(&rsa), "200");
    check(&service, "an unknown kid", token(&issuer, &second).signed_by(&second), "401 invalid_token");
    let renamed = token(&issuer, &curve).parameter("kid", "other").signed_by(&curve);
    check(&service, "a known key under an unknown kid", renamed, "401 invalid_token");

    let service = publish(&issuer, &[curve.jwk(), second.jwk()]);
    let nameless = without_kid(token(&issuer, &second)).signed_by(&second);
    check(&service, "no kid, several keys", nameless.clone(), "401 invalid_token");

    let service = publish(&issuer, &[changed(&second, "kid", Value::Null)]);
    check(&service, "no kid, one key without kid", nameless, "200");
    let named = token(&issuer, &second).signed_by(&second);
    check(&service, "a kid, one key without kid", named, "401 invalid_token");
    report.finish();
}

#[test]
fn an_algorithm_that_the_issuer_may_not_use_is_refused() {
    let issuer = TestIssuer::with_keys(vec![key("ES256"), key("RS256"), key("EdDSA")]);
    let only = format!("{}\nalgorithms = [\"ES256\", \"Ed25519\"]", table(&issuer));
    let service = Service::start(&config("", &only));
    let mut report = Report::new("algorithms of the issuer");
    for (key, expected) in issuer.keys.iter().zip(["200", "401 invalid_token", "200"]) {
        report.row(key.algorithm);
        report.equal("the outcome", outcome(&ask(&service, &token(&issuer, key).signed_by(key))), expected.to_owned());
    }
    report.finish();
}
