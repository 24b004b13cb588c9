//! Rows with a token that is no good: 401 with a challenge, so that the client gets a better one.

use aws_lc_rs::hmac;
use serde_json::json;

use super::case::{Case, Expected, Refusal, ask, ask_with};
use crate::support::http::Request;
use crate::support::issuer::{SigningKey, TestIssuer, Token, now};
use crate::support::proxies::Kind;
use crate::support::world::World;

pub fn cases(world: &World) -> Vec<Case> {
    // First, before the other rows make the service fetch the keys anew.
    let mut cases = vec![of_a_young_key(world)];
    cases.extend(without_token(world));
    cases.extend(badly_presented(world));
    let token = || world.issuer.token_for(&world.resource());
    let signed = |token: &Token| world.issuer.sign(token);
    for (name, token, reason, description) in [
        ("garbage token", "garbage".into(), "invalid_token", "the token is not a signed JWT"),
        ("garbage with dots", "a.b.c".into(), "invalid_token", "the token is not a signed JWT"),
        ("expired", signed(&token().claim("exp", now() - 60)), "expired_token", "the token has expired"),
        (
            "not valid before tomorrow",
            signed(&token().claim("nbf", now() + 86_400)),
            "invalid_token",
            "the token is not valid yet",
        ),
        (
            "issued tomorrow",
            signed(&token().claim("iat", now() + 86_400)),
            "invalid_token",
            "the token is not valid yet",
        ),
        (
            "without exp",
            signed(&token().without("exp")),
            "invalid_token",
            "the token lacks a required claim or holds a malformed one",
        ),
        (
            "of an issuer that is not configured",
            of_another_issuer(world),
            "unknown_issuer",
            "the token comes from an unknown issuer",
        ),
        (
            "for another server",
            signed(&world.issuer.token_for("https://elsewhere.example.com/mcp")),
            "wrong_audience",
            "the token was issued for another resource",
        ),
        (
            "for the other resource of this host",
            signed(&world.issuer.token_for(&world.resource_at("/other"))),
            "wrong_audience",
            "the token was issued for another resource",
        ),
        ("without aud", signed(&token().without("aud")), "wrong_audience", "the token was issued for another resource"),
    ] {
        cases.push(bad(world, name, &token, reason, description));
    }
    cases.extend(badly_signed(world));
    cases.extend(of_another_kind(world));
    cases
}

fn bad(world: &World, name: &'static str, token: &str, reason: &'static str, description: &'static str) -> Case {
    let refusal = Refusal::bad_token(world, "invalid_token", reason, description);
    Case::new(name, ask(world).bearer(token), Expected::Refused(refusal))
}

fn of_another_issuer(world: &World) -> String {
    let other = TestIssuer::start();
    other.sign(&other.token_for(&world.resource()))
}

fn without_token(world: &World) -> Vec<Case> {
    let good = world.issuer.sign(&world.issuer.token_for(&world.resource()));
    let refused = |name, request: Request| Case::new(name, request, Expected::Refused(Refusal::missing_token(world)));
    vec![
        refused("no token", ask(world)),
        refused("no token, and no browser", Request::get("/mcp").host(&world.authority())),
        refused("no token, the path of the resource itself", ask_with(world, "GET", "/mcp")),
        refused("no token, a further path", ask_with(world, "GET", "/sse")),
        refused("no token, HEAD", ask_with(world, "HEAD", "/mcp")),
        refused("no token, DELETE", ask_with(world, "DELETE", "/mcp")),
        refused("no token, OPTIONS that is no preflight", ask_with(world, "OPTIONS", "/mcp")),
        refused("no token, POST", ask_with(world, "POST", "/mcp").body("application/json", r#"{"jsonrpc":"2.0"}"#)),
        refused("another scheme than Bearer", ask(world).header("Authorization", "Basic YWxpY2U6YQ==")),
        refused(
            "the token in the query",
            ask_with(world, "GET", &format!("/echo-request/row?access_token={good}&x=1")),
        ),
        refused(
            "the token in a form",
            ask_with(world, "POST", "/echo-request/row")
                .body("application/x-www-form-urlencoded", format!("access_token={good}")),
        ),
    ]
}

fn badly_presented(world: &World) -> Vec<Case> {
    let good = world.issuer.sign(&world.issuer.token_for(&world.resource()));
    let refusal = || {
        let description = "the request must carry exactly one bearer token";
        Expected::Refused(Refusal::bad_token(world, "invalid_request", "invalid_token", description))
    };
    // nginx takes two of them for a broken request; Envoy makes one of them, with a comma.
    let two = if world.proxy.kind == Kind::Nginx { Expected::RefusedByProxy(400) } else { refusal() };
    vec![
        Case::new("two Authorization headers, both right", ask(world).bearer(&good).bearer(&good), two),
        Case::new("two tokens in one header", ask(world).bearer(&format!("{good},Bearer {good}")), refusal()),
        Case::new("Bearer without a token", ask(world).header("Authorization", "Bearer"), refusal()),
    ]
}

fn badly_signed(world: &World) -> Vec<Case> {
    let token = || world.issuer.token_for(&world.resource());
    let key = &world.issuer.keys[0];
    let stranger = SigningKey::generate(&key.kid, key.algorithm);
    let newcomer = SigningKey::generate("key-2", key.algorithm);
    let under_new_kid = |token: Token| token.parameter("kid", "key-2").signed_by(&newcomer);
    let cut = world.issuer.sign(&token());
    let cut = cut.rsplit_once('.').unwrap().0;
    let invalid = |name, token: &str, description| bad(world, name, token, "invalid_token", description);
    let algorithm = "the token is signed with an algorithm that is not accepted";
    let mut cases = vec![
        invalid(
            "signed by a stranger under the same kid",
            &token().signed_by(&stranger),
            "the token signature is not valid",
        ),
        invalid("without its signature", &format!("{cut}."), "the token signature is not valid"),
        invalid(
            "of a key that the issuer does not have",
            &under_new_kid(token()),
            "the token is signed with an unknown key",
        ),
        invalid("alg none", &token().parameter("alg", "none").with_signature(b""), algorithm),
        invalid(
            "alg none with the signature of another",
            &token().parameter("alg", "none").with_signature(&key.sign(b"x")),
            algorithm,
        ),
    ];
    let jwk = key.jwk().to_string();
    let set = json!({ "keys": [key.jwk()] }).to_string();
    for (name, secret) in [
        ("HS256 with the public point as secret", key.public_bytes()),
        ("HS256 with the public JWK as secret", jwk.into_bytes()),
        ("HS256 with the published key set as secret", set.into_bytes()),
    ] {
        let forged = token().parameter("alg", "HS256");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), forged.signing_input().as_bytes());
        cases.push(invalid(name, &forged.with_signature(tag.as_ref()), algorithm));
    }
    cases
}

/// Younger than the service's keys (by a clock that runs ahead): the key may exist. 503, or the client would throw a
/// good token away.
fn of_a_young_key(world: &World) -> Case {
    let newcomer = SigningKey::generate("key-2", world.issuer.keys[0].algorithm);
    let young = world.issuer.token_for(&world.resource()).parameter("kid", "key-2").claim("iat", now() + 20);
    let undecided = Refusal {
        status: 503,
        challenge: None,
        error: "temporarily_unavailable",
        description: "the keys to check the token with are not at hand",
        reason: "keys_unavailable",
    };
    let request = ask(world).bearer(&young.signed_by(&newcomer));
    Case::new("of a key that may be new", request, Expected::Refused(undecided))
}

/// Rightly signed by the right issuer for the right audience, but no bearer access token.
fn of_another_kind(world: &World) -> Vec<Case> {
    let token = || world.issuer.token_for(&world.resource());
    let plain = || token().parameter("typ", "JWT");
    let not_access = "the token is not an access token";
    [
        ("an ID token: nonce and no scope", plain().claim("nonce", "n-1").without("scope"), not_access),
        ("an ID token: at_hash", plain().claim("at_hash", "MTIzNDU2Nzg5MDEyMzQ1Ng"), not_access),
        ("an ID token: c_hash", plain().claim("c_hash", "MTIzNDU2Nzg5MDEyMzQ1Ng"), not_access),
        ("an ID token: typ ID in the claims", token().claim("typ", "ID"), not_access),
        ("a refresh token", token().claim("typ", "Refresh"), not_access),
        ("a logout token", token().parameter("typ", "logout+jwt"), not_access),
    ]
    .into_iter()
    .map(|(name, token, description)| bad(world, name, &world.issuer.sign(&token), "invalid_token", description))
    .chain([bound(world)])
    .collect()
}

/// The client is told what would prove the key.
fn bound(world: &World) -> Case {
    let binding = json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" });
    let token = world.issuer.token_for(&world.resource()).claim("cnf", binding);
    let description = "the token is bound to a key and may not be used as a bearer token";
    let mut refusal = Refusal::bad_token(world, "invalid_token", "invalid_token", description);
    let algorithms = ", algs=\"ES256 ES384 EdDSA RS256 PS256\"";
    refusal.challenge = refusal.challenge.map(|challenge| challenge.replacen("Bearer", "DPoP", 1) + algorithms);
    let request = ask(world).bearer(&world.issuer.sign(&token));
    Case::new("bound to a key of the client", request, Expected::Refused(refusal))
}
