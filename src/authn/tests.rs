//! What a token proves, at which moment, with which keys. Time and keys are handed in, so nothing waits.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::key_set::KeySet;
use super::testing::TestKey;
use super::*;
use crate::domain::{Issuer, Occurrence, UnixTime};

const ISSUER: &str = "https://idp.example.com";
const NOW: UnixTime = UnixTime::from_secs(1_000_000);

/// A good access token with some claims replaced.
fn token(key: &TestKey, changes: &Value) -> String {
    key.sign(&json!({ "alg": "ES256", "kid": key.kid(), "typ": "at+jwt" }), &claims(changes))
}

/// A good claim set with some members replaced; `null` takes one away.
fn claims(changes: &Value) -> Value {
    let now = NOW.as_secs();
    let mut claims = json!({ "iss": ISSUER, "sub": "alice", "aud": "https://mcp.example.com/mcp", "exp": now + 60, "iat": now - 60 });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn key_set(keys: &[&TestKey]) -> KeySet {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), &Algorithm::ALL).unwrap()
}

/// An authenticator without keys yet, and where its keys go.
fn authenticator() -> (Authenticator, Arc<IssuerKeys>) {
    let keys = Arc::new(IssuerKeys::default());
    let settings = IssuerSettings {
        issuer: Issuer::parse(ISSUER).unwrap(),
        algorithms: vec![Algorithm::Es256, Algorithm::Rs256],
        groups_claims: Vec::new(),
        assume_email_verified: false,
        keys: Arc::clone(&keys),
    };
    (Authenticator::new(vec![settings], Duration::from_secs(30), 1 << 20), keys)
}

/// The outcome as a word.
fn outcome(authenticator: &Authenticator, token: &str, now: UnixTime) -> String {
    let header = format!("Bearer {token}");
    let credential = Credential::from_authorization(Occurrence::Once(header.as_bytes()));
    match authenticator.authenticate(credential, now) {
        Authentication::Verified(identity) => format!("verified {}", identity.subject()),
        Authentication::Rejected(fault) => format!("{fault:?}"),
        Authentication::Undecidable { .. } | Authentication::NotIntrospected { .. } => "undecidable".into(),
        Authentication::Anonymous => "anonymous".into(),
    }
}

#[test]
fn every_claim_rule() {
    let key = TestKey::new("k");
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&key]), NOW);
    let now = NOW.as_secs();
    for (changes, expected) in [
        (json!({}), "verified alice"),
        (json!({ "exp": now - 29 }), "verified alice"),
        (json!({ "exp": now - 30 }), "Expired"),
        (json!({ "exp": null }), "BadClaims"),
        (json!({ "nbf": now + 30 }), "verified alice"),
        (json!({ "nbf": now + 31 }), "NotYetValid"),
        (json!({ "iat": now + 31 }), "NotYetValid"),
        (json!({ "iat": null }), "verified alice"),
        (json!({ "sub": null }), "BadClaims"),
        (json!({ "sub": "" }), "BadClaims"),
        (json!({ "sub": "a\r\nb" }), "BadClaims"),
        (json!({ "sub": "s".repeat(256) }), "BadClaims"),
        (json!({ "iss": "https://other.example.com" }), "UnknownIssuer"),
        (json!({ "iss": format!("{ISSUER}/") }), "UnknownIssuer"),
        (json!({ "cnf": { "jkt": "x" } }), "SenderConstrained"),
        (json!({ "at_hash": "x", "typ": "ID" }), "NotAccessToken"),
    ] {
        assert_eq!(outcome(&authenticator, &token(&key, &changes), NOW), expected, "{changes}");
    }
}

#[test]
fn every_header_rule() {
    let key = TestKey::new("k");
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&key]), NOW);
    for (header, expected) in [
        (json!({ "alg": "ES256", "kid": "k" }), "verified alice"),
        (json!({ "alg": "ES256" }), "verified alice"),
        (json!({ "alg": "ES256", "kid": "k", "typ": "application/AT+JWT" }), "verified alice"),
        (json!({ "alg": "ES256", "kid": "other" }), "UnknownKey"),
        (json!({ "alg": "RS256", "kid": "k" }), "UnknownKey"),
        (json!({ "alg": "none", "kid": "k" }), "AlgorithmNotAllowed"),
        (json!({ "alg": "HS256", "kid": "k" }), "AlgorithmNotAllowed"),
        (json!({ "alg": "es256", "kid": "k" }), "AlgorithmNotAllowed"),
        (json!({ "alg": "EdDSA", "kid": "k" }), "AlgorithmNotAllowed"),
        (json!({ "alg": "ES256", "kid": "k", "crit": ["exp"] }), "ForbiddenHeader"),
        (json!({ "alg": "ES256", "kid": "k", "jku": "https://evil.example" }), "ForbiddenHeader"),
        (json!({ "alg": "ES256", "kid": "k", "jwk": key.jwk() }), "ForbiddenHeader"),
        (json!({ "alg": "ES256", "kid": "k", "x5u": "https://evil.example" }), "ForbiddenHeader"),
        (json!({ "alg": "ES256", "kid": "k", "typ": "dpop+jwt" }), "NotAccessToken"),
        (json!({ "alg": "ES256", "kid": "k", "typ": "logout+jwt" }), "NotAccessToken"),
        (json!({ "kid": "k" }), "NotJwt"),
    ] {
        let token = key.sign(&header, &claims(&json!({})));
        assert_eq!(outcome(&authenticator, &token, NOW), expected, "{header}");
    }
}

#[test]
fn a_cached_identity_dies_at_its_expiry() {
    let key = TestKey::new("k");
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&key]), NOW);
    let token = token(&key, &json!({}));
    assert_eq!(outcome(&authenticator, &token, NOW), "verified alice");
    assert_eq!(outcome(&authenticator, &token, NOW.plus(Duration::from_secs(89))), "verified alice");
    assert_eq!(outcome(&authenticator, &token, NOW.plus(Duration::from_secs(90))), "Expired");
    assert_eq!(authenticator.cache_figures().hits, 1);
}

#[test]
fn a_cached_identity_dies_with_the_key_that_proved_it() {
    let (old, new) = (TestKey::new("old"), TestKey::new("new"));
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&old]), NOW);
    let token = token(&old, &json!({}));
    assert_eq!(outcome(&authenticator, &token, NOW), "verified alice");
    keys.replace(key_set(&[&old, &new]), NOW);
    assert_eq!(outcome(&authenticator, &token, NOW), "verified alice");
    keys.replace(key_set(&[&new]), NOW);
    assert_eq!(outcome(&authenticator, &token, NOW), "UnknownKey");
}

#[test]
fn the_same_key_set_again_costs_no_verification() {
    let key = TestKey::new("k");
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&key]), NOW);
    let token = token(&key, &json!({}));
    outcome(&authenticator, &token, NOW);
    keys.replace(key_set(&[&key]), NOW.plus(Duration::from_secs(300)));
    outcome(&authenticator, &token, NOW);
    assert_eq!(authenticator.cache_figures().hits, 1);
}

#[test]
fn a_forgery_is_refused_again_but_a_replaced_key_of_the_same_name_is_tried() {
    let (key, successor) = (TestKey::new("k"), TestKey::new("k"));
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&key]), NOW);
    let token = token(&successor, &json!({}));
    assert_eq!(outcome(&authenticator, &token, NOW), "BadSignature");
    assert_eq!(outcome(&authenticator, &token, NOW), "BadSignature");
    keys.replace(key_set(&[&successor]), NOW);
    assert_eq!(outcome(&authenticator, &token, NOW), "verified alice");
}

#[test]
fn an_unknown_key_is_refused_unless_the_token_is_newer_than_our_keys() {
    let (known, unknown) = (TestKey::new("known"), TestKey::new("unknown"));
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&known]), NOW);
    let now = NOW.as_secs();
    assert_eq!(outcome(&authenticator, &token(&unknown, &json!({ "iat": now - 6 })), NOW), "UnknownKey");
    assert_eq!(outcome(&authenticator, &token(&unknown, &json!({ "iat": null })), NOW), "UnknownKey");
    let fresh = token(&unknown, &json!({ "iat": now }));
    assert_eq!(outcome(&authenticator, &fresh, NOW), "undecidable");
    keys.replace(key_set(&[&known]), NOW.plus(Duration::from_secs(10)));
    assert_eq!(outcome(&authenticator, &fresh, NOW), "UnknownKey", "fetched since, and still unknown");
}

#[test]
fn without_keys_nothing_can_be_told_but_nonsense_is_refused_all_the_same() {
    let key = TestKey::new("k");
    let (authenticator, _) = authenticator();
    assert_eq!(outcome(&authenticator, &token(&key, &json!({})), NOW), "undecidable");
    assert_eq!(outcome(&authenticator, "garbage", NOW), "NotJwt");
    assert_eq!(outcome(&authenticator, "one,Bearer two", NOW), "MalformedCredential");
    assert_eq!(outcome(&authenticator, &token(&key, &json!({ "exp": 1 })), NOW), "Expired");
}

#[test]
fn a_token_without_kid_needs_a_single_fitting_key() {
    let (one, other) = (TestKey::new("one"), TestKey::new("other"));
    let (authenticator, keys) = authenticator();
    let token = one.sign(&json!({ "alg": "ES256" }), &claims(&json!({})));
    keys.replace(key_set(&[&one, &other]), NOW);
    assert_eq!(outcome(&authenticator, &token, NOW), "UnknownKey");
    keys.replace(key_set(&[&one]), NOW);
    assert_eq!(outcome(&authenticator, &token, NOW), "verified alice");
}

#[test]
fn any_change_to_a_cached_token_is_another_token() {
    let key = TestKey::new("k");
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&key]), NOW);
    let token = token(&key, &json!({}));
    assert_eq!(outcome(&authenticator, &token, NOW), "verified alice");
    for place in (0..token.len()).step_by(7) {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_ne!(outcome(&authenticator, &changed, NOW), "verified alice", "byte {place}");
    }
}

/// What was taken back, as a test says it.
#[derive(Debug, Default)]
struct TakenBack(std::sync::Mutex<Vec<String>>);

impl RevokedTokens for TakenBack {
    fn is_revoked(&self, ids: &TokenIds) -> bool {
        let taken = self.0.lock().unwrap();
        [&ids.grant, &ids.jti].into_iter().flatten().any(|id| taken.iter().any(|taken| **taken == **id))
    }
}

#[test]
fn an_own_token_counts_until_it_or_its_grant_is_taken_back() {
    let key = TestKey::new("k");
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&key]), NOW);
    let taken = Arc::new(TakenBack::default());
    let own = authenticator.with_revocation(&Issuer::parse(ISSUER).unwrap(), Arc::clone(&taken));
    let first = token(&key, &json!({ "jti": "one", "grant": "g" }));
    let second = token(&key, &json!({ "jti": "two", "grant": "g" }));
    for token in [&first, &second] {
        assert_eq!(outcome(&own, token, NOW), "verified alice");
    }
    taken.0.lock().unwrap().push("one".into());
    assert_eq!(outcome(&own, &first, NOW), "Revoked", "although it was in the cache");
    assert_eq!(outcome(&own, &second, NOW), "verified alice");
    taken.0.lock().unwrap().push("g".into());
    assert_eq!(outcome(&own, &second, NOW), "Revoked");
    assert_eq!(
        outcome(&own, &token(&key, &json!({ "jti": "three", "grant": "g" })), NOW),
        "Revoked",
        "and never cached"
    );
    assert_eq!(outcome(&own, &token(&key, &json!({ "jti": "four", "grant": "h" })), NOW), "verified alice");
}

#[test]
fn tokens_of_other_issuers_cannot_be_taken_back_here_and_may_say_what_they_like() {
    let key = TestKey::new("k");
    let (authenticator, keys) = authenticator();
    keys.replace(key_set(&[&key]), NOW);
    let taken = Arc::new(TakenBack(std::sync::Mutex::new(vec!["one".into()])));
    let other = authenticator.with_revocation(&Issuer::parse("https://other.example.com").unwrap(), taken);
    for changes in [json!({ "jti": "one" }), json!({ "jti": 7, "grant": { "a": [1] } }), json!({ "grant": null })] {
        assert_eq!(outcome(&other, &token(&key, &changes), NOW), "verified alice", "{changes}");
    }
}
