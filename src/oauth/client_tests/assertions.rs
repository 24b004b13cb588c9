//! `private_key_jwt` (RFC 7523).

use super::*;
use crate::authn::testing::TestKey;

const JWKS: &str = "https://keys.example/jwks.json";
const TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

fn key_set(keys: &[&TestKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

fn by_value(id: &str, keys: &[&TestKey]) -> ConfiguredClient {
    let jwks = Some(key_set(keys).to_string());
    configured(id, ClientAuthentication::PrivateKeyJwt { jwks, jwks_uri: None })
}

fn by_reference(id: &str) -> ConfiguredClient {
    configured(id, ClientAuthentication::PrivateKeyJwt { jwks: None, jwks_uri: Some(JWKS.to_owned()) })
}

fn claims(changes: &Value) -> Value {
    let now = NOW.as_secs();
    let good = json!({ "iss": "job", "sub": "job", "aud": ISSUER, "exp": now + 60, "iat": now, "jti": "one" });
    changed(&good, changes)
}

fn assertion(key: &TestKey, changes: &Value) -> String {
    key.sign(&json!({ "alg": "ES256", "kid": key.kid(), "typ": "JWT" }), &claims(changes))
}

async fn send(world: &World, assertion: &str) -> Result<String, ErrorCode> {
    world.authenticate(&format!("client_assertion={assertion}&client_assertion_type={TYPE}"), None).await
}

fn world_with(key: &TestKey) -> World {
    World::new(|settings| settings.configured = vec![by_value("job", &[key])])
}

#[tokio::test]
async fn an_assertion_alone_proves_the_client_that_it_names() {
    let key = TestKey::new("k");
    for changes in [
        json!({}),
        json!({ "aud": TOKEN_ENDPOINT }),
        json!({ "aud": [ISSUER] }),
        json!({ "aud": [ISSUER, TOKEN_ENDPOINT] }),
        json!({ "iat": null }),
        json!({ "nbf": NOW.as_secs() + 30 }),
        json!({ "exp": NOW.as_secs() + 300 }),
        json!({ "exp": NOW.as_secs() - 29 }),
    ] {
        assert_eq!(send(&world_with(&key), &assertion(&key, &changes)).await.as_deref(), Ok("job"), "{changes}");
    }
    let with_id =
        format!("client_id=job&client_assertion={}&client_assertion_type={TYPE}", assertion(&key, &json!({})));
    assert!(world_with(&key).authenticate(&with_id, None).await.is_ok());
}

#[tokio::test]
async fn claims_that_are_not_for_us_now_are_refused() {
    let (key, now) = (TestKey::new("k"), NOW.as_secs());
    let world = world_with(&key);
    for changes in [
        json!({ "iss": "other" }),
        json!({ "sub": "other" }),
        json!({ "iss": "other", "sub": "other" }),
        json!({ "iss": "", "sub": "" }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "aud": "https://auth.example.com/" }),
        json!({ "aud": "https://other.example.com" }),
        // Whoever else is meant could replay it here.
        json!({ "aud": [ISSUER, "https://other.example.com"] }),
        json!({ "aud": { "x": ISSUER } }),
        json!({ "exp": null }),
        json!({ "exp": now - 30 }),
        json!({ "exp": now + 331 }),
        json!({ "exp": 1e18 }),
        json!({ "exp": "soon" }),
        json!({ "nbf": now + 31 }),
        json!({ "iat": now + 31 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": 7 }),
        json!({ "jti": "x".repeat(257) }),
    ] {
        assert_eq!(send(&world, &assertion(&key, &changes)).await, Err(ErrorCode::InvalidClient), "{changes}");
    }
    assert!(send(&world, &assertion(&key, &json!({}))).await.is_ok());
}

#[tokio::test]
async fn signatures_that_the_client_did_not_make_are_refused() {
    let (key, other) = (TestKey::new("k"), TestKey::new("k"));
    let world = world_with(&key);
    let good = assertion(&key, &json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let header = |header: Value| key.sign(&header, &claims(&json!({})));
    for token in [
        assertion(&other, &json!({})),
        assertion(&TestKey::new("another"), &json!({})),
        signed.to_owned(),
        format!("{signed}."),
        format!("{signed}.{signature}A"),
        format!("{}.{signature}", signed.replace('e', "f")),
        header(json!({ "alg": "none" })),
        header(json!({ "alg": "HS256", "kid": "k" })),
        header(json!({ "alg": "RS256", "kid": "k" })),
        header(json!({ "alg": "ES384", "kid": "k" })),
        header(json!({ "alg": "ES256", "kid": "k", "crit": ["exp"] })),
        header(json!({ "alg": "ES256", "kid": "k", "jwk": other.jwk() })),
        header(json!({ "alg": "ES256", "kid": "k", "jku": JWKS })),
        "x".to_owned(),
        "a.b.c".to_owned(),
        "x".repeat(17 * 1024),
    ] {
        assert_eq!(send(&world, &token).await, Err(ErrorCode::InvalidClient), "{token:.80}");
    }
    // None of them used up the id of the good one.
    assert!(send(&world, &good).await.is_ok());
}

#[tokio::test]
async fn an_assertion_is_used_once_by_its_own_client() {
    let key = TestKey::new("k");
    let world = World::new(|settings| settings.configured = vec![by_value("job", &[&key]), by_value("other", &[&key])]);
    let first = assertion(&key, &json!({}));
    assert!(send(&world, &first).await.is_ok());
    assert_eq!(send(&world, &first).await, Err(ErrorCode::InvalidClient));
    let same_id = assertion(&key, &json!({ "exp": NOW.as_secs() + 120 }));
    assert_eq!(send(&world, &same_id).await, Err(ErrorCode::InvalidClient));
    assert!(send(&world, &assertion(&key, &json!({ "jti": "two" }))).await.is_ok());
    // Two clients may use the same id.
    assert!(send(&world, &assertion(&key, &json!({ "iss": "other", "sub": "other" }))).await.is_ok());
    // The memory ends with the assertion, not before.
    let end = later(60 + 30);
    let kept = world.store.list(Table::UsedAssertions, "", None, 9, later(89)).await.unwrap();
    assert!(kept.iter().any(|(_, record)| record.expires_at == Some(end)));
}

#[tokio::test]
async fn one_assertion_sent_twice_at_the_same_moment_counts_once() {
    let key = TestKey::new("k");
    let (world, token) = (world_with(&key), assertion(&key, &json!({})));
    let both = tokio::join!(send(&world, &token), send(&world, &token));
    assert_eq!(usize::from(both.0.is_ok()) + usize::from(both.1.is_ok()), 1);
}

#[tokio::test]
async fn the_method_of_another_kind_of_client_is_refused() {
    let key = TestKey::new("k");
    let public = configured("public", ClientAuthentication::None);
    let world = World::new(|settings| settings.configured = vec![by_value("job", &[&key]), with_secret("s"), public]);
    for id in ["s", "public", "unknown"] {
        let token = assertion(&key, &json!({ "iss": id, "sub": id }));
        assert_eq!(send(&world, &token).await, Err(ErrorCode::InvalidClient), "{id}");
    }
    assert_eq!(world.authenticate("client_id=job", None).await, Err(ErrorCode::InvalidClient));
    assert_eq!(world.authenticate("client_id=job&client_secret=x", None).await, Err(ErrorCode::InvalidClient));
    let other = format!("client_id=s&client_assertion={}&client_assertion_type={TYPE}", assertion(&key, &json!({})));
    assert_eq!(world.authenticate(&other, None).await, Err(ErrorCode::InvalidRequest));
}

#[tokio::test]
async fn keys_by_reference_are_fetched_once_and_again_when_the_client_changes_them() {
    let (old, new) = (TestKey::new("old"), TestKey::new("new"));
    let world = World::new(|settings| settings.configured = vec![by_reference("job")]);
    world.internet.put(JWKS, &key_set(&[&old]));
    let at = async |key: &TestKey, seconds: u64| {
        let changes = json!({ "exp": later(seconds + 60).as_secs(), "iat": null, "jti": seconds.to_string() });
        let form = format!("client_assertion={}&client_assertion_type={TYPE}", assertion(key, &changes));
        let form = Parameters::parse(form.as_bytes()).unwrap();
        world.clients.authenticate(&form, None, later(seconds)).await.map_err(|error| code(&error)).map(|_| ())
    };
    assert_eq!((at(&old, 0).await, at(&old, 1).await, world.internet.fetches()), (Ok(()), Ok(()), 1));
    world.internet.put(JWKS, &key_set(&[&new]));
    // Within the cool-down nobody makes us fetch again.
    assert_eq!((at(&new, 2).await, world.internet.fetches()), (Err(ErrorCode::InvalidClient), 1));
    assert_eq!((at(&new, 40).await, at(&new, 41).await, world.internet.fetches()), (Ok(()), Ok(()), 2));
    assert_eq!(at(&old, 42).await, Err(ErrorCode::InvalidClient));
    // When the host goes down, its keys are used for a day more, and then the trouble is ours.
    world.internet.take_down(JWKS);
    assert_eq!(at(&new, 2 * 3600).await, Ok(()));
    assert_eq!(at(&new, 20 * 3600).await, Ok(()));
    assert_eq!(at(&new, 26 * 3600).await, Err(ErrorCode::TemporarilyUnavailable));
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_never_invalid_client_and_failures_are_no_flood() {
    let key = TestKey::new("k");
    let world = World::new(|settings| settings.configured = vec![by_reference("job")]);
    for answer in [
        Err(FetchFailure::TimedOut),
        Err(FetchFailure::ForbiddenAddress("10.0.0.1".parse().unwrap())),
        Err(FetchFailure::Status(404)),
        Ok(Fetched { body: b"{}".to_vec(), fresh_for: None }),
        Ok(Fetched { body: vec![b' '; 33 * 1024], fresh_for: None }),
    ] {
        let fresh = world.restarted(|settings| settings.configured = vec![by_reference("job")]);
        fresh.internet.answer(JWKS, answer.clone());
        let before = fresh.internet.fetches();
        for _ in 0..3 {
            assert_eq!(
                send(&fresh, &assertion(&key, &json!({}))).await,
                Err(ErrorCode::TemporarilyUnavailable),
                "{answer:?}"
            );
        }
        assert_eq!(fresh.internet.fetches(), before + 1);
    }
}

#[tokio::test]
async fn claims_are_judged_before_anything_is_fetched() {
    let key = TestKey::new("k");
    let world = World::new(|settings| settings.configured = vec![by_reference("job")]);
    for changes in [json!({ "aud": "x" }), json!({ "exp": 1 }), json!({ "jti": null })] {
        assert_eq!(send(&world, &assertion(&key, &changes)).await, Err(ErrorCode::InvalidClient));
    }
    assert_eq!(world.internet.fetches(), 0);
}
