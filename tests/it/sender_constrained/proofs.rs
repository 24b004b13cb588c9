//! Proofs that are altered, stolen, reused, or none: each is refused, and the good one next to it counts.

use serde_json::{Value, json};

use super::{Bench, Prover, RESOURCE, fresh_id, is_refused, question};
use crate::support::issuer::{Token, encode, now};
use crate::support::report::Report;

const REFUSED: (&str, &str, &str) = ("DPoP", "invalid_dpop_proof", "invalid_dpop_proof");

#[test]
fn a_proof_counts_with_every_algorithm_that_is_offered() {
    let mut report = Report::new("algorithms");
    for algorithm in ["ES256", "ES384", "EdDSA", "RS256", "PS256"] {
        let bench = Bench::start_with(algorithm);
        report.row(algorithm);
        let answer = bench.present(&bench.good_proof());
        report.equal("status", answer.status, 200);
        report.equal("subject", answer.header("x-auth-subject"), Some("alice-subject"));
        is_refused(
            &bench.present(&Prover::new(algorithm).signed("POST", RESOURCE, &bench.token)),
            REFUSED,
            &mut report,
        );
    }
    report.finish();
}

#[test]
fn a_proof_with_anything_altered_is_refused() {
    let bench = Bench::start();
    let good = || bench.proof();
    let url = |url: &str| good().claim("htu", url);
    let with_jwk = |name: &str, value: Value| {
        let mut jwk = bench.prover.jwk();
        jwk[name] = value;
        good().parameter("jwk", jwk)
    };
    let rows: Vec<(&str, Token)> = vec![
        ("typ of a plain JWT", good().parameter("typ", "JWT")),
        ("typ of an access token", good().parameter("typ", "at+jwt")),
        ("no typ", Token { header: without(good().header, "typ"), ..good() }),
        ("alg none", good().parameter("alg", "none")),
        ("alg HS256", good().parameter("alg", "HS256")),
        ("an algorithm that is not offered", good().parameter("alg", "ES512")),
        ("an algorithm of another curve", good().parameter("alg", "ES384")),
        ("an algorithm of another kind of key", good().parameter("alg", "RS256")),
        ("no jwk", Token { header: without(good().header, "jwk"), ..good() }),
        ("an empty jwk", good().parameter("jwk", json!({}))),
        ("a private jwk", with_jwk("d", json!("AAAA"))),
        ("a shared secret as jwk", good().parameter("jwk", json!({ "kty": "oct", "k": "AAAA" }))),
        ("a jwk of another curve", with_jwk("crv", json!("P-384"))),
        ("a key that may only encrypt", with_jwk("use", json!("enc"))),
        ("the key of somebody else", good().parameter("jwk", Prover::new("ES256").jwk())),
        ("critical extensions", good().parameter("crit", json!(["b64"]))),
        ("a URL of keys", good().parameter("jku", "https://evil.example/keys")),
        ("another method", good().claim("htm", "GET")),
        ("the method in another case", good().claim("htm", "post")),
        ("no method", good().without("htm")),
        ("another path", url("https://mcp.example.com/other")),
        ("a path below", url("https://mcp.example.com/mcp/x")),
        ("the host alone", url("https://mcp.example.com")),
        ("another host", url("https://evil.example/mcp")),
        ("a host that ends alike", url("https://mcp.example.com.evil.example/mcp")),
        ("http for https", url("http://mcp.example.com/mcp")),
        ("another port", url("https://mcp.example.com:8443/mcp")),
        ("the path alone", url("/mcp")),
        ("the address of the decision", url("http://127.0.0.1/auth")),
        ("no URL", good().without("htu")),
        ("a list of URLs", good().claim("htu", json!([RESOURCE]))),
        ("an old proof", good().claim("iat", now() - 120)),
        ("a proof of the future", good().claim("iat", now() + 120)),
        ("no time", good().without("iat")),
        ("a time in words", good().claim("iat", "now")),
        ("a proof that has ended", good().claim("exp", now() - 1)),
        ("no jti", good().without("jti")),
        ("an empty jti", good().claim("jti", "")),
        ("a long jti", good().claim("jti", "x".repeat(300))),
        ("no ath", good().without("ath")),
        ("the ath of another token", good().claim("ath", super::digest("another"))),
        ("the token itself as ath", good().claim("ath", bench.token.as_str())),
    ];
    let mut report = Report::new("altered");
    report.row("the good proof, before");
    report.equal("status", bench.present(&bench.good_proof()).status, 200);
    for (name, proof) in rows {
        report.row(name);
        is_refused(&bench.present(&proof.signed_by(&bench.prover.key)), REFUSED, &mut report);
    }
    report.row("the good proof, afterwards");
    report.equal("status", bench.present(&bench.good_proof()).status, 200);
    report.finish();
}

#[test]
fn what_is_no_sound_proof_at_all_is_refused() {
    let bench = Bench::start();
    let good = bench.good_proof();
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let other = bench.good_proof();
    let other_signature = other.rsplit_once('.').unwrap().1;
    let text = |header: &str, claims: &str| {
        let input = format!("{}.{}", encode(header), encode(claims));
        format!("{input}.{}", encode(bench.prover.key.sign(input.as_bytes())))
    };
    let (plain_header, plain_claims) = (bench.proof().header.to_string(), bench.proof().claims.to_string());
    let doubled = plain_claims.replacen('{', "{\"htm\":\"POST\",", 1);
    let long = bench.proof().claim("padding", "x".repeat(9000)).signed_by(&bench.prover.key);
    let rows = [
        ("empty", String::new()),
        ("a word", "x".into()),
        ("unsigned", format!("{header}.{claims}.")),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.x")),
        ("the signature of another", format!("{header}.{claims}.{other_signature}")),
        ("padded", format!("{good}=")),
        ("quoted", format!("\"{good}\"")),
        ("two in one header", format!("{good}, {other}")),
        ("with the scheme", format!("DPoP {good}")),
        ("the token", bench.token.clone()),
        ("a JSON array", text("[]", "[]")),
        ("the claims twice", text(&plain_header, &doubled)),
        ("not JSON", text(&plain_header, "x")),
        ("longer than 8 KB", long),
        ("JSON serialization", json!({ "protected": header, "payload": claims, "signature": signature }).to_string()),
    ];
    let mut report = Report::new("unsound");
    for (name, proof) in rows {
        report.row(name);
        is_refused(&bench.present(&proof), REFUSED, &mut report);
    }
    report.row("none");
    is_refused(&bench.ask(&format!("DPoP {}", bench.token), &[]), REFUSED, &mut report);
    report.row("two headers");
    is_refused(&bench.ask(&format!("DPoP {}", bench.token), &[&good, &other]), REFUSED, &mut report);
    report.row("the same header twice");
    is_refused(&bench.ask(&format!("DPoP {}", bench.token), &[&good, &good]), REFUSED, &mut report);
    report.row("none of these used the good proof up");
    report.equal("status", bench.present(&good).status, 200);
    report.finish();
}

#[test]
fn a_proof_counts_once() {
    let bench = Bench::start();
    let proof = bench.good_proof();
    let mut report = Report::new("replayed");
    report.row("at first");
    report.equal("status", bench.present(&proof).status, 200);
    for time in ["again", "and again"] {
        report.row(time);
        let answer = bench.present(&proof);
        is_refused(&answer, REFUSED, &mut report);
        report.holds(answer.text().contains("was used before"), || answer.text());
    }
    report.row("signed anew with the same jti");
    let id = fresh_id();
    let same_id = || bench.proof().claim("jti", id.as_str()).signed_by(&bench.prover.key);
    report.equal("status", bench.present(&same_id()).status, 200);
    is_refused(&bench.present(&same_id()), REFUSED, &mut report);
    report.row("the jti of another client");
    let other = Prover::new("ES256");
    let token = bench.issuer.sign(&other.bind(bench.issuer.token_for(RESOURCE)));
    let proof = other.proof("POST", RESOURCE, &token).claim("jti", id.as_str()).signed_by(&other.key);
    report.equal("status", bench.ask(&format!("DPoP {token}"), &[&proof]).status, 200);
    report.finish();
}

#[test]
fn a_proof_may_spell_the_url_in_another_way() {
    let bench = Bench::start();
    let mut report = Report::new("spellings");
    for url in [
        "HTTPS://MCP.example.COM/mcp",
        "https://mcp.example.com:443/mcp",
        "https://mcp.example.com/mcp?session=1",
        "https://mcp.example.com/mcp#part",
    ] {
        report.row(url);
        let proof = bench.prover.signed("POST", url, &bench.token);
        report.equal("status", bench.present(&proof).status, 200);
    }
    report.row("a request with a query, which the proof leaves out");
    let asked =
        question("POST", &format!("{RESOURCE}?session=1")).header("Authorization", format!("dpop {}", bench.token));
    report.equal("status", asked.header("dpop", bench.good_proof()).send(bench.service.port).status, 200);
    report.finish();
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}
