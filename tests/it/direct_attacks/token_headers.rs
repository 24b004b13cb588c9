//! JOSE headers that ask for another algorithm, another key, or another way of reading.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::{Bench, RESOURCE};
use crate::support::issuer::{SigningKey, Token, encode};

#[test]
fn algorithms_outside_the_list_are_refused() {
    let bench = Bench::start();
    let names = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        " ",
        "HS256",
        "HS384",
        "HS512",
        "hs256",
        "es256",
        "Es256",
        "ES256 ",
        " ES256",
        "ES256\u{0}",
        "ES256K",
        "ES521",
        "RS1",
        "Ed448",
        "RSA-OAEP",
        "dir",
        "A128KW",
        "PBES2-HS256+A128KW",
        "\u{ff25}S256",
    ];
    let mut tokens = Vec::new();
    for name in names {
        let token = bench.token().parameter("alg", name);
        tokens.push((format!("alg {name:?}, without signature"), token.with_signature(b"")));
        tokens.push((format!("alg {name:?}, signed by the issuer"), bench.sign(&token)));
    }
    for (shown, value) in
        [("null", Value::Null), ("a number", json!(1)), ("a list", json!(["ES256"])), ("true", json!(true))]
    {
        tokens.push((format!("alg is {shown}"), bench.sign(&bench.token().parameter("alg", value))));
    }
    let mut without = bench.token();
    without.header.as_object_mut().unwrap().remove("alg");
    tokens.push(("no alg".to_owned(), bench.sign(&without)));
    bench.refuses("invalid_token", tokens);
}

/// What is public about a key is no secret to sign with.
#[test]
fn public_keys_are_no_shared_secrets() {
    let bench = Bench::start();
    let mut tokens = Vec::new();
    for key in &bench.issuer.keys {
        let jwk = key.jwk();
        let set = json!({ "keys": [&jwk] });
        let mut secrets: Vec<(String, Vec<u8>)> = vec![
            ("the point or modulus".into(), key.public_bytes()),
            ("the JWK".into(), jwk.to_string().into_bytes()),
            ("the key set".into(), set.to_string().into_bytes()),
            ("nothing".into(), Vec::new()),
        ];
        for member in ["x", "y", "n", "e", "kid"] {
            if let Some(text) = jwk[member].as_str() {
                secrets.push((format!("the member {member}"), text.as_bytes().to_vec()));
            }
        }
        for (algorithm, name) in
            [(hmac::HMAC_SHA256, "HS256"), (hmac::HMAC_SHA384, "HS384"), (hmac::HMAC_SHA512, "HS512")]
        {
            for (shown, secret) in &secrets {
                let token = bench.token().parameter("alg", name).parameter("kid", &*key.kid);
                let tag = hmac::sign(&hmac::Key::new(algorithm, secret), token.signing_input().as_bytes());
                tokens.push((format!("{name} with {shown} of {}", key.kid), token.with_signature(tag.as_ref())));
            }
        }
    }
    bench.refuses("invalid_token", tokens);
}

/// The key that `kid` names decides, together with the algorithm: neither may be lent to the other.
#[test]
fn keys_serve_their_own_algorithm_only() {
    let bench = Bench::start();
    let mut tokens = Vec::new();
    for signing in &bench.issuer.keys {
        for named in &bench.issuer.keys {
            for algorithm in ["ES256", "ES384", "ES512", "RS256", "RS512", "PS256", "EdDSA"] {
                let token = bench.token().parameter("alg", algorithm).parameter("kid", &*named.kid);
                let right = signing.kid == named.kid && signing.algorithm == algorithm;
                if !right {
                    let shown = format!("{algorithm} with kid {}, signed by {}", named.kid, signing.kid);
                    tokens.push((shown, token.signed_by(signing)));
                }
            }
        }
    }
    bench.refuses("invalid_token", tokens);
    let right =
        |key: &SigningKey| bench.token().parameter("alg", key.algorithm).parameter("kid", &*key.kid).signed_by(key);
    bench.accepts(bench.issuer.keys.iter().map(|key| (key.algorithm, right(key))).collect());
}

#[test]
fn key_ids_are_names_and_nothing_else() {
    let bench = Bench::start();
    let ids = [
        json!("key-0"),
        json!(""),
        json!(" key-1"),
        json!("key-1 "),
        json!("KEY-1"),
        json!("key-1\u{0}"),
        json!("key-1\n"),
        json!("../../../../dev/null"),
        json!("/dev/null"),
        json!("file:///dev/null"),
        json!("' OR '1'='1"),
        json!("key-*"),
        json!("key-1' UNION SELECT 'x"),
        json!("| sleep 10"),
        json!("$(id)"),
        json!("%s%s%n"),
        json!("${jndi:ldap://x}"),
        json!(bench.attacker.url() + "/jwks"),
        json!("k".repeat(8_000)),
        json!("\u{1f511}".repeat(1_000)),
        json!(1),
        json!(true),
        json!(["key-1"]),
        json!({ "kid": "key-1" }),
    ];
    let signers = [&bench.issuer.keys[0], &bench.attacker.keys[0]];
    let tokens = ids.into_iter().flat_map(|id| {
        signers.map(|key| {
            (format!("kid {}", shorten(&id.to_string())), bench.token().parameter("kid", id.clone()).signed_by(key))
        })
    });
    bench.refuses("invalid_token", tokens.collect());
}

/// The attacker's key comes along, or is pointed at; nobody looks there.
#[test]
fn keys_inside_or_named_by_the_token_are_not_used() {
    let bench = Bench::start();
    let key = &bench.attacker.keys[0];
    let url = format!("{}/jwks", bench.attacker.url());
    let certificate = encode([0x30, 0x82, 0x01, 0x0a]);
    let parameters = [
        ("jwk", key.jwk()),
        ("jwk", json!({})),
        ("jwk", json!({ "kty": "oct", "k": "AA" })),
        ("jku", json!(url)),
        ("jku", json!("")),
        ("x5u", json!(url)),
        ("x5c", json!([certificate])),
        ("x5t", json!(certificate)),
        ("x5t#S256", json!(certificate)),
        ("jwks", json!({ "keys": [key.jwk()] })),
        ("jwks_uri", json!(url)),
        ("iss", json!(bench.attacker.url())),
    ];
    let with = |(name, value): &(&str, Value)| bench.token().parameter(name, value.clone());
    let mut tokens: Vec<(String, String)> = Vec::new();
    for parameter in &parameters {
        tokens.push((format!("{} {}", parameter.0, shorten(&parameter.1.to_string())), with(parameter).signed_by(key)));
    }
    // These are refused even where the issuer itself has signed them.
    for parameter in parameters.iter().filter(|(name, _)| ["jwk", "jku", "x5u"].contains(name)) {
        tokens.push((format!("{}, signed by the issuer", parameter.0), bench.sign(&with(parameter))));
    }
    bench.refuses("invalid_token", tokens);
}

/// Parameters that change what is signed or how it is read.
#[test]
fn extensions_are_refused() {
    let bench = Bench::start();
    let token = || bench.token();
    let rows: [(&str, Token); 12] = [
        ("crit of a known name", token().parameter("crit", json!(["exp"])).parameter("exp", 9_999_999_999_u64)),
        ("crit of an unknown name", token().parameter("crit", json!(["x"])).parameter("x", 1)),
        ("crit without names", token().parameter("crit", json!([]))),
        ("crit that is no list", token().parameter("crit", "b64")),
        ("crit that is null", token().parameter("crit", Value::Null)),
        ("b64 with crit", token().parameter("b64", false).parameter("crit", json!(["b64"]))),
        ("typ of an ID token", token().parameter("typ", "id_token+jwt")),
        ("typ of a DPoP proof", token().parameter("typ", "dpop+jwt")),
        ("typ of a logout token", token().parameter("typ", "logout+jwt")),
        ("typ of a client's assertion", token().parameter("typ", "client-authentication+jwt")),
        ("typ with a parameter", token().parameter("typ", "at+jwt; charset=utf-8")),
        ("typ that is no text", token().parameter("typ", json!(["at+jwt"]))),
    ];
    bench.refuses("invalid_token", rows.iter().map(|(name, token)| (*name, bench.sign(token))).collect());
    let forms = ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt"];
    bench.accepts(forms.iter().map(|typ| (*typ, bench.sign(&token().parameter("typ", *typ)))).collect());
}

/// Headers that two JSON readers take differently, each signed by the issuer's key.
#[test]
fn headers_with_two_readings_are_refused() {
    let bench = Bench::start();
    let claims = bench.token().claims.to_string();
    let rows: [(&str, Vec<u8>); 16] = [
        ("alg twice", br#"{"alg":"ES256","kid":"key-1","alg":"none"}"#.to_vec()),
        ("alg twice, none first", br#"{"alg":"none","kid":"key-1","alg":"ES256"}"#.to_vec()),
        ("alg twice, once escaped", br#"{"alg":"ES256","kid":"key-1","\u0061lg":"none"}"#.to_vec()),
        ("kid twice", br#"{"alg":"ES256","kid":"key-1","kid":"key-2"}"#.to_vec()),
        ("typ twice", br#"{"alg":"ES256","kid":"key-1","typ":"JWT","typ":"dpop+jwt"}"#.to_vec()),
        ("alg in capitals", br#"{"ALG":"ES256","kid":"key-1"}"#.to_vec()),
        ("a list", br#"["ES256","key-1","at+jwt",null,null,null,null]"#.to_vec()),
        ("a text", br#""ES256""#.to_vec()),
        ("null", b"null".to_vec()),
        ("nothing", Vec::new()),
        ("a byte order mark", b"\xef\xbb\xbf{\"alg\":\"ES256\",\"kid\":\"key-1\"}".to_vec()),
        ("more behind it", br#"{"alg":"ES256","kid":"key-1"}{}"#.to_vec()),
        ("a NUL behind it", b"{\"alg\":\"ES256\",\"kid\":\"key-1\"}\0".to_vec()),
        ("a comment", br#"{"alg":"ES256",/**/"kid":"key-1"}"#.to_vec()),
        ("no UTF-8", b"{\"alg\":\"ES256\",\"kid\":\"key-1\",\"x\":\"\xff\"}".to_vec()),
        ("deep nesting", format!("{{\"alg\":\"ES256\",\"kid\":\"key-1\",\"x\":{}", "[".repeat(3_000)).into_bytes()),
    ];
    bench.refuses(
        "invalid_token",
        rows.iter().map(|(name, header)| (*name, bench.signed_text(header, &claims))).collect(),
    );
    let plain = r#" {"kid" : "key-1", "x": {"alg": "none"}, "alg":"ES256"} "#;
    bench.accepts(vec![("spaces, order, unknown members", bench.signed_text(plain, claims))]);
    assert!(claims_name_resource(&bench), "the claims are those of a good token");
}

fn claims_name_resource(bench: &Bench) -> bool {
    bench.token().claims["aud"] == RESOURCE
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}
