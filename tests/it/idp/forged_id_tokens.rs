//! ID tokens that must not be believed, one row per reason, and next to each the good one that differs in nothing else.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::fake::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, Fake, outcome};
use crate::support::issuer::{SigningKey, Token, encode, now};
use crate::support::report::Report;

/// Signs with the first key whatever the header says.
fn signed(fake: &Fake, token: &Token) -> String {
    token.signed_by(&fake.keys[0])
}

fn hs256(token: Token, key: &[u8]) -> String {
    let token = token.parameter("alg", "HS256");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), token.signing_input().as_bytes());
    token.with_signature(tag.as_ref())
}

/// The left half of the access token's hash.
fn at_hash(hash: &'static aws_lc_rs::digest::Algorithm, token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(hash, token.as_bytes());
    encode(&digest.as_ref()[..digest.as_ref().len() / 2])
}

#[test]
fn claims_that_do_not_fit_are_not_believed() {
    let others = json!([CLIENT_ID, "other-client"]);
    let rows: Vec<(&str, Value, &str)> = vec![
        ("another nonce", json!({ "nonce": "nonce-value-of-another-sign-in" }), "another nonce"),
        ("no nonce", json!({ "nonce": null }), "another nonce"),
        ("an empty nonce", json!({ "nonce": "" }), "another nonce"),
        ("another audience", json!({ "aud": "other-client" }), "for another client"),
        ("no audience", json!({ "aud": null }), "required claim"),
        ("an empty list of audiences", json!({ "aud": [] }), "for another client"),
        ("part of the audience", json!({ "aud": format!("{CLIENT_ID}-2") }), "for another client"),
        ("several audiences", json!({ "aud": others }), "several clients"),
        ("made for another client", json!({ "azp": "other-client" }), "made for another client"),
        ("several, another party", json!({ "aud": others, "azp": "other-client" }), "made for another client"),
        ("another issuer", json!({ "iss": "https://evil.example.com" }), "another issuer"),
        ("the issuer with a slash", json!({ "iss": "SLASH" }), "another issuer"),
        ("several issuers", json!({ "iss": ["SELF"] }), "required claim"),
        ("no issuer", json!({ "iss": null }), "required claim"),
        ("no subject", json!({ "sub": null }), "required claim"),
        ("an empty subject", json!({ "sub": "" }), "malformed sub"),
        ("a subject of two lines", json!({ "sub": "alice\nbob" }), "malformed sub"),
        ("a subject that is too long", json!({ "sub": "a".repeat(256) }), "malformed sub"),
        ("a subject that is a number", json!({ "sub": 7 }), "required claim"),
        ("expired", json!({ "exp": now() - 31 }), "expired"),
        ("no expiry", json!({ "exp": null }), "required claim"),
        ("issued in the future", json!({ "iat": now() + 120 }), "not valid yet"),
        ("never issued", json!({ "iat": null }), "required claim"),
        ("not valid yet", json!({ "nbf": now() + 120 }), "not valid yet"),
        ("another access token", json!({ "at_hash": at_hash(&aws_lc_rs::digest::SHA256, "x") }), "another access"),
        ("a hash that is none", json!({ "at_hash": ACCESS_TOKEN.len().to_string() }), "another access"),
    ];
    let mut report = Report::new("claims");
    let fake = Fake::start();
    let client = fake.client();
    for (name, changes, reason) in rows {
        report.row(name);
        let mut token = fake.id_token();
        super::fake::change(&mut token.claims, &changes);
        if token.claims["iss"] == "SLASH" {
            token.claims["iss"] = json!(format!("{}/", fake.url()));
        }
        fake.gives(&token);
        let (kind, text) = outcome(&client.redeem());
        report.equal("outcome", kind, "untrustworthy");
        report.holds(text.contains(reason), || format!("the reason is {text:?}, not {reason:?}"));
    }
    report.finish();
}

#[test]
fn claims_that_fit_in_unusual_forms_are_believed() {
    let rows = [
        ("as it stands", json!({})),
        ("expired within the leeway", json!({ "exp": now() - 15 })),
        ("issued within the leeway", json!({ "iat": now() + 15 })),
        ("a list of one audience", json!({ "aud": [CLIENT_ID] })),
        ("several audiences, made for us", json!({ "aud": ["other-client", CLIENT_ID], "azp": CLIENT_ID })),
        ("times with fractions", json!({ "exp": now() as f64 + 300.5, "iat": now() as f64 - 0.5 })),
        ("our access token", json!({ "at_hash": at_hash(&aws_lc_rs::digest::SHA256, ACCESS_TOKEN) })),
        ("the longest subject", json!({ "sub": "a".repeat(255) })),
    ];
    let mut report = Report::new("good claims");
    let fake = Fake::start();
    let client = fake.client();
    for (name, changes) in rows {
        report.row(name);
        let mut token = fake.id_token();
        super::fake::change(&mut token.claims, &changes);
        fake.gives(&token);
        report.equal("outcome", outcome(&client.redeem()), ("accepted", String::new()));
    }
    report.finish();
}

#[test]
fn signatures_of_nobody_and_of_others_are_not_believed() {
    let fake = Fake::start();
    let stranger = SigningKey::generate("key-1", "ES256");
    let rsa = SigningKey::generate("key-1", "RS256");
    let good = || fake.id_token();
    let tampered = {
        let token = signed(&fake, &good());
        let bob = encode(good().claim("sub", "bob-subject").claims.to_string());
        let parts: Vec<&str> = token.split('.').collect();
        format!("{}.{bob}.{}", parts[0], parts[2])
    };
    let twice = {
        let claims = good().claims.to_string().replacen('{', "{\"sub\":\"bob-subject\",", 1);
        let input = format!("{}.{}", encode(good().header.to_string()), encode(claims));
        format!("{input}.{}", encode(fake.keys[0].sign(input.as_bytes())))
    };
    let rows = [
        ("alg none", good().parameter("alg", "none").with_signature(b"")),
        ("alg none, signed", signed(&fake, &good().parameter("alg", "none"))),
        ("HS256 with the client secret", hs256(good(), CLIENT_SECRET.as_bytes())),
        ("HS256 with the public key", hs256(good(), &fake.keys[0].public_bytes())),
        ("a stranger's key of the same name", good().signed_by(&stranger)),
        ("an algorithm that the metadata does not name", good().parameter("alg", "RS256").signed_by(&rsa)),
        ("other claims under the signature", tampered),
        ("a subject given twice", twice),
        ("no signature", good().with_signature(b"")),
        ("crit", signed(&fake, &good().parameter("crit", json!(["exp"])))),
        ("the attacker's key in the header", {
            good().parameter("jwk", stranger.jwk()).parameter("kid", "key-2").signed_by(&stranger)
        }),
        ("a key set of the attacker's", signed(&fake, &good().parameter("jku", "https://evil.example.com/jwks"))),
        ("not a token", "abc".to_owned()),
        ("five parts", format!("{}.a.b", signed(&fake, &good()))),
        ("nothing", String::new()),
    ];
    let client = fake.client();
    let mut report = Report::new("signatures");
    for (name, token) in rows {
        report.row(name);
        fake.gives_tokens(&json!({ "id_token": token }));
        let (kind, text) = outcome(&client.redeem());
        report.equal(&text, kind, "untrustworthy");
    }
    report.row("no ID token at all");
    fake.gives_tokens(&json!({}));
    report.equal("outcome", outcome(&client.redeem()).0, "untrustworthy");
    report.row("the same, good");
    fake.gives(&fake.id_token());
    report.equal("outcome", outcome(&client.redeem()).0, "accepted");
    report.finish();
}

#[test]
fn every_asymmetric_algorithm_is_believed_with_the_hash_that_goes_with_it() {
    use aws_lc_rs::digest::{SHA256, SHA384, SHA512};
    let rows = [
        ("ES256", &SHA256),
        ("ES384", &SHA384),
        ("ES512", &SHA512),
        ("RS256", &SHA256),
        ("RS512", &SHA512),
        ("PS384", &SHA384),
        ("EdDSA", &SHA512),
    ];
    let mut report = Report::new("algorithms");
    for (algorithm, hash) in rows {
        report.row(algorithm);
        let fake = Fake::with_key(algorithm);
        fake.gives(&fake.id_token().claim("at_hash", at_hash(hash, ACCESS_TOKEN)));
        report.equal("outcome", outcome(&fake.client().redeem()), ("accepted", String::new()));
    }
    report.finish();
}

/// Every provider must know RS256, so that is what silence means (OIDC Core §15.1); a provider that names shared secrets
/// only is of no use.
#[test]
fn algorithms_come_from_the_metadata_as_far_as_they_are_asymmetric() {
    let named = |names: &[&str]| json!({ "id_token_signing_alg_values_supported": names });
    let rows = [
        ("RS256", json!({ "id_token_signing_alg_values_supported": null }), "accepted"),
        ("ES256", json!({ "id_token_signing_alg_values_supported": null }), "untrustworthy"),
        ("ES256", named(&["HS256", "none", "ES256", "X999"]), "accepted"),
        ("ES256", named(&["HS256", "none"]), "untrustworthy"),
        ("ES256", named(&[]), "untrustworthy"),
    ];
    let mut report = Report::new("metadata");
    for (algorithm, metadata, expected) in rows {
        report.row(format!("{algorithm} with {metadata}"));
        let fake = Fake::with_key(algorithm);
        fake.publish_with(&metadata);
        fake.gives(&fake.id_token());
        report.equal("outcome", outcome(&fake.client().redeem()).0, expected);
    }
    report.finish();
}
