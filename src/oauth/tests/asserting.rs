//! What an assertion of a company must say (ID-JAG §3.1), to the second and to the letter.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::World;
use super::support::fixtures::{CLIENT, ISSUER, RESOURCE, client};
use super::support::world::Plan;
use crate::authn::key_set::KeySet;
use crate::authn::testing::TestKey;
use crate::authn::{Algorithm, IssuerKeys, IssuerSettings};
use crate::domain::{Issuer, UnixTime};
use crate::oauth::assertion::Assertion;
use crate::oauth::{AssertionIssuer, ErrorCode, OAuthError};

const COMPANY: &str = "https://idp.example.com";

struct Stage {
    world: World,
    key: TestKey,
    keys: Arc<IssuerKeys>,
}

impl Stage {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// One whose company is trusted otherwise than usually.
    async fn with(change: impl FnOnce(&mut AssertionIssuer)) -> Self {
        let (key, keys, mut plan) = (TestKey::new("k"), Arc::new(IssuerKeys::default()), Plan::usual());
        let trust = IssuerSettings {
            issuer: Issuer::parse(COMPANY).unwrap(),
            algorithms: vec![Algorithm::Es256],
            groups_claims: Vec::new(),
            assume_email_verified: false,
            keys: Arc::clone(&keys),
        };
        let mut company = AssertionIssuer { name: "company".into(), clients: Vec::new(), trust };
        change(&mut company);
        plan.settings.assertion_issuers = vec![company];
        let stage = Self { world: plan.start().await, key, keys };
        stage.publish(stage.world.now());
        stage
    }

    fn publish(&self, fetched_at: UnixTime) {
        let set = json!({ "keys": [self.key.jwk()] }).to_string();
        self.keys.replace(KeySet::parse(set.as_bytes(), &[Algorithm::Es256]).unwrap(), fetched_at);
    }

    fn now(&self) -> u64 {
        self.world.now().as_secs()
    }

    /// A good assertion with some claims replaced; `null` takes one away.
    fn signed(&self, changes: &Value) -> String {
        let now = self.now();
        let mut claims = json!({
            "iss": COMPANY, "sub": "alice", "aud": ISSUER, "client_id": CLIENT, "jti": "one", "iat": now,
            "exp": now + 300, "resource": RESOURCE,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.key.sign(&json!({ "typ": "oauth-id-jag+jwt", "alg": "ES256", "kid": "k" }), &claims)
    }

    fn read(&self, changes: &Value) -> Result<Assertion, OAuthError> {
        self.read_text(&self.signed(changes))
    }

    fn read_text(&self, token: &str) -> Result<Assertion, OAuthError> {
        self.world.server.read_assertion(token, &client(CLIENT), self.world.now())
    }

    /// The description of the refusal, which is `invalid_grant`; empty where there is none.
    fn refusal(&self, changes: &Value) -> String {
        self.read(changes).err().map(told).unwrap_or_default()
    }
}

fn told(error: OAuthError) -> String {
    assert_eq!(error.code, ErrorCode::InvalidGrant);
    error.description.into_owned()
}

#[tokio::test]
async fn every_claim_counts_to_the_second_and_to_the_letter() {
    let stage = Stage::new().await;
    let now = stage.now();
    let subject = |length: usize| "s".repeat(length - "company:".len());
    for (changes, why) in [
        (json!({}), ""),
        (json!({ "iat": now - 300, "exp": now + 300 }), ""),
        (json!({ "iat": now - 300, "exp": now + 301 }), "the assertion lives too long"),
        (json!({ "iat": now - 300, "exp": now - 29 }), ""),
        (json!({ "iat": now - 300, "exp": now - 30 }), "the assertion has expired"),
        (json!({ "iat": now + 30, "exp": now + 630 }), ""),
        (json!({ "iat": now + 31, "exp": now + 60 }), "the assertion is not valid yet"),
        (json!({ "nbf": now + 30 }), ""),
        (json!({ "nbf": now + 31 }), "the assertion is not valid yet"),
        (json!({ "nbf": now - 600, "iat": now + 31, "exp": now + 60 }), "the assertion is not valid yet"),
        (json!({ "jti": "j".repeat(256) }), ""),
        (json!({ "jti": "j".repeat(257) }), "jti of the assertion is empty or too long"),
        (json!({ "jti": "" }), "jti of the assertion is empty or too long"),
        (json!({ "sub": subject(255) }), ""),
        (json!({ "sub": subject(256) }), "sub of the assertion is empty"),
        (json!({ "sub": "" }), "sub of the assertion is empty"),
        (json!({ "sub": "a\u{7}" }), "sub of the assertion is empty"),
        (json!({ "aud": [ISSUER] }), ""),
        (json!({ "aud": [ISSUER, "https://other.example.com"] }), "aud of the assertion"),
        (json!({ "aud": [] }), "aud of the assertion"),
        (json!({ "aud": RESOURCE }), "aud of the assertion"),
        (json!({ "client_id": "client-two" }), "the assertion was issued for another client"),
        (json!({ "cnf": { "jkt": "x" } }), "the assertion is bound to a key"),
        (json!({ "resource": [RESOURCE] }), ""),
        (json!({ "resource": null }), ""),
        (json!({ "resource": [] }), "resource of the assertion must be one"),
        (json!({ "resource": [RESOURCE, RESOURCE] }), "resource of the assertion must be one"),
        (json!({ "iss": "https://other.example.com" }), "the assertion comes from nobody"),
    ] {
        let said = stage.refusal(&changes);
        assert!(if why.is_empty() { said.is_empty() } else { said.starts_with(why) }, "{changes}: {said}");
    }
}

#[tokio::test]
async fn an_assertion_of_sixteen_kilobytes_is_read_and_no_longer_one() {
    let stage = Stage::new().await;
    let padded = |pad: usize| stage.signed(&json!({ "pad": "x".repeat(pad) }));
    let near = 1000 + (16_384 - padded(1000).len()) * 3 / 4;
    let of_length = |wanted: std::ops::RangeInclusive<usize>| {
        (near - 8..near + 8).map(padded).find(|token| wanted.contains(&token.len())).unwrap()
    };
    // Base64 has no text of every length; two neighbours are near enough to tell the bound.
    assert!(stage.read_text(&of_length(16_383..=16_384)).is_ok());
    assert_eq!(stage.read_text(&of_length(16_385..=16_386)).err().map(told).unwrap(), "the assertion is too long");
}

#[tokio::test]
async fn what_is_said_of_a_person_is_taken_over_where_it_is_sound() {
    let stage = Stage::new().await;
    let (long, longest) = ("g".repeat(256), "g".repeat(255));
    let now = stage.now();
    let said = json!({
        "email": "alice@example.com", "email_verified": true, "preferred_username": "alice", "name": "Al\nice",
        "groups": ["staff", "", "a\nb", long, longest], "auth_time": now - 50, "scope": "mcp:read",
    });
    let assertion = stage.read(&said).ok().unwrap();
    let person = &assertion.person;
    assert_eq!((person.subject_claim().as_str(), person.verified_email().is_some()), ("company:alice", true));
    assert_eq!((person.user_name.as_deref(), person.name.as_deref()), (Some("alice"), None));
    assert_eq!(person.groups, ["staff".to_owned(), longest]);
    assert_eq!((assertion.issuer.as_str(), assertion.id.as_str()), (COMPANY, "https://idp.example.com\none"));
    assert_eq!((assertion.issued_at.as_secs(), assertion.signed_in_at.as_secs()), (now, now - 50));
    assert_eq!(assertion.usable_until.as_secs(), now + 330);
    assert_eq!(
        (assertion.resource.as_deref(), assertion.scopes.unwrap().to_string()),
        (Some(RESOURCE), "mcp:read".into())
    );
    let groups: Vec<String> = (0..513).map(|number| format!("group-{number}")).collect();
    let later = stage.read(&json!({ "groups": groups, "auth_time": now + 50, "iat": now - 7 })).ok().unwrap();
    assert_eq!((later.person.groups.len(), later.signed_in_at.as_secs()), (512, now), "nobody signs in tomorrow");
    let bare = stage.read(&json!({ "email": "alice@example.com", "iat": now - 7 })).ok().unwrap();
    assert!(bare.person.verified_email().is_none() && bare.scopes.is_none());
    assert_eq!(bare.signed_in_at.as_secs(), now - 7);
}

#[tokio::test]
async fn a_company_is_trusted_as_far_as_the_operator_says() {
    let speaks_for = |id: &'static str| move |company: &mut AssertionIssuer| company.clients = vec![id.to_owned()];
    assert_eq!(Stage::with(speaks_for(CLIENT)).await.refusal(&json!({})), "");
    let refused = Stage::with(speaks_for("client-two")).await.refusal(&json!({}));
    assert_eq!(refused, "its issuer may not speak for this client");
    let assuming = Stage::with(|company| {
        company.trust.assume_email_verified = true;
        company.trust.groups_claims = vec!["roles".to_owned()];
    })
    .await;
    let said = json!({ "email": "alice@example.com", "groups": ["ignored"], "roles": ["admin"] });
    let person = assuming.read(&said).ok().unwrap().person;
    assert!(person.verified_email().is_some());
    assert_eq!(person.groups, ["admin"]);
}

/// Keys that are missing, or may have been published a moment ago, are our trouble; the client may try again.
#[tokio::test]
async fn an_unknown_key_is_refused_only_where_ours_are_newer() {
    let mut stage = Stage::new().await;
    stage.key = TestKey::new("another");
    let judged = |iat: u64| {
        let kid = json!({ "typ": "oauth-id-jag+jwt", "alg": "ES256", "kid": "another" });
        let claims = json!({
            "iss": COMPANY, "sub": "alice", "aud": ISSUER, "client_id": CLIENT, "jti": "one", "iat": iat,
            "exp": iat + 300, "resource": RESOURCE,
        });
        stage.read_text(&stage.key.sign(&kid, &claims)).err().unwrap().code
    };
    let fetched = stage.now();
    assert_eq!(judged(fetched - 61), ErrorCode::InvalidGrant);
    assert_eq!(judged(fetched - 60), ErrorCode::TemporarilyUnavailable);
    let keyless = Stage::with(|company| company.trust.keys = Arc::new(IssuerKeys::default())).await;
    assert_eq!(keyless.read(&json!({})).err().unwrap().code, ErrorCode::TemporarilyUnavailable);
}

/// What was used, and what was ended, is remembered for as long as an assertion can come.
#[tokio::test]
async fn assertions_wait_for_ten_minutes_at_most_and_not_at_all_where_there_are_none() {
    assert_eq!(Stage::new().await.world.server.longest_assertion(), Duration::from_secs(600));
    assert_eq!(World::new().await.server.longest_assertion(), Duration::ZERO);
}
