//! Identity assertions: what they say, how long they are handed out, to whom, and how long they may be.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::support::World;
use super::support::fixtures::{ISSUER, RESOURCE};
use crate::authn::{Identity, TokenFault};
use crate::domain::Secret;
use crate::oauth::signing_keys::Rotation;
use crate::oauth::{IdentityAssertions, SigningAlgorithm};

const ISSUER_OF_TOKENS: &str = "https://idp.example.com";
const YEARS: u64 = 1 << 40;

/// Alice with these claims besides; her token ends so many seconds from now.
fn alice(world: &World, ends_in: u64, more: &Value) -> Identity {
    let mut claims = json!({ "iss": ISSUER_OF_TOKENS, "sub": "alice", "exp": world.now().as_secs() + ends_in });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    Identity::for_test(claims["iss"].as_str().unwrap(), &claims.to_string())
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

struct Stage {
    world: World,
    assertions: IdentityAssertions,
}

impl Stage {
    async fn new() -> Self {
        let world = World::new().await;
        let assertions = IdentityAssertions::new(std::sync::Arc::clone(&world.server));
        Self { world, assertions }
    }

    fn try_about(&self, identity: &Identity, audience: &str) -> Option<String> {
        let made = self.assertions.about(identity, RESOURCE.as_bytes(), audience, self.world.now())?;
        Some(String::from_utf8(made.to_vec()).unwrap())
    }

    fn about(&self, identity: &Identity) -> String {
        self.try_about(identity, RESOURCE).unwrap()
    }
}

#[tokio::test]
async fn an_assertion_says_who_was_proven_and_nothing_that_was_not() {
    let stage = Stage::new().await;
    let now = stage.world.now().as_secs();
    let claims = json!({
        "email": "Alice@Example.com", "email_verified": true, "client_id": "program", "scope": "b a", "aud": "elsewhere",
        "groups": ["staff", "", "R&D, \"west\""], "preferred_username": "boss", "jti": "secret",
    });
    let token = stage.about(&alice(&stage.world, 3600, &claims));
    assert_eq!(part(&token, 0)["typ"], "identity-assertion+jwt");
    assert_eq!(
        part(&token, 1),
        json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "alice", "token_issuer": ISSUER_OF_TOKENS,
            "email": "alice@example.com", "client_id": "program", "scope": "a b",
            "groups": ["staff", "R&D, \"west\""], "iat": now, "exp": now + 300,
        })
    );
    let bare = alice(&stage.world, 3600, &json!({ "email": "alice@example.com" }));
    let told = part(&stage.about(&bare), 1);
    assert!(["email", "scope", "groups", "client_id"].iter().all(|name| told.get(name).is_none()), "{told}");
}

#[tokio::test]
async fn no_assertion_is_an_access_token() {
    let stage = Stage::new().await;
    let assertion = Secret::new(stage.about(&alice(&stage.world, 3600, &json!({}))));
    assert_eq!(stage.world.judge(&assertion).unwrap_err(), TokenFault::NotAccessToken);
}

#[tokio::test]
async fn an_assertion_is_handed_out_until_half_of_its_life_is_over() {
    let stage = Stage::new().await;
    let alice = alice(&stage.world, YEARS, &json!({}));
    let first = stage.about(&alice);
    stage.world.pass(149);
    assert_eq!(stage.about(&alice), first);
    stage.world.pass(1);
    let second = stage.about(&alice);
    assert_eq!(part(&second, 1)["exp"].as_u64(), Some(stage.world.now().as_secs() + 300));
    assert_eq!(stage.about(&alice), second);
}

#[tokio::test]
async fn no_assertion_outlives_the_token_and_what_ends_with_it_is_made_once() {
    let stage = Stage::new().await;
    let alice = alice(&stage.world, 200, &json!({}));
    let end = alice.expires_at().as_secs();
    let first = stage.about(&alice);
    assert_eq!(part(&first, 1)["exp"].as_u64(), Some(end));
    for _ in 0..4 {
        stage.world.pass(60);
        assert_eq!(stage.about(&alice), first);
    }
}

#[tokio::test]
async fn whoever_differs_in_anything_that_is_said_gets_an_assertion_of_their_own() {
    let stage = Stage::new().await;
    let usual = || json!({ "email": "a@example.com", "email_verified": true, "groups": ["a", "b"], "scope": "x" });
    let differing = [
        json!({}),
        json!({ "sub": "bob" }),
        json!({ "iss": "https://other.example.com" }),
        json!({ "email": "b@example.com" }),
        json!({ "email_verified": false }),
        json!({ "groups": ["a"] }),
        json!({ "groups": ["a,b"] }),
        json!({ "groups": ["ab"] }),
        json!({ "scope": "x y" }),
        json!({ "client_id": "program" }),
        json!({ "exp": stage.world.now().as_secs() + 100 }),
    ];
    let mut made = std::collections::HashSet::new();
    for _ in 0..2 {
        for changes in &differing {
            let mut claims = usual();
            claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            let identity = alice(&stage.world, YEARS, &claims);
            let token = stage.about(&identity);
            assert_eq!(part(&token, 1)["sub"], identity.subject(), "{changes}");
            assert_eq!(part(&token, 1)["email"].as_str(), identity.verified_email().map(crate::domain::Email::as_str));
            made.insert(token);
        }
        made.insert(stage.try_about(&alice(&stage.world, YEARS, &usual()), "another audience").unwrap());
    }
    assert_eq!(made.len(), differing.len() + 1, "each of them once, and again the second time");
}

#[tokio::test]
async fn a_rotation_ends_what_older_keys_signed() {
    let stage = Stage::new().await;
    let alice = alice(&stage.world, YEARS, &json!({}));
    let first = stage.about(&alice);
    stage.world.server.keys().rotate(Rotation::AtOnce, stage.world.now()).await.unwrap();
    let second = stage.about(&alice);
    assert_ne!(part(&first, 0)["kid"], part(&second, 0)["kid"]);
    assert_eq!(part(&second, 0)["kid"], stage.world.server.keys().active_id());
}

/// nginx answers 500 to more by default. The longest signature counts.
#[tokio::test]
async fn with_the_other_headers_an_assertion_stays_under_four_kilobytes() {
    let mut plan = super::support::world::Plan::usual();
    plan.settings.signing_algorithm = SigningAlgorithm::Rs256;
    let world = plan.start().await;
    let assertions = IdentityAssertions::new(std::sync::Arc::clone(&world.server));
    let stage = Stage { world, assertions };
    let many = |word: &str| (0..500).map(|number| format!("{word}-{number:03}")).collect::<Vec<_>>();
    let long = |length: usize| "n".repeat(length);
    for (claims, whole) in [
        (json!({}), true),
        (json!({ "groups": many("group"), "scope": many("scope").join(" ") }), true),
        (json!({ "groups": many("\u{1}\"\\"), "scope": many("s\u{e9}").join(" ") }), true),
        (json!({ "groups": many("group"), "sub": long(255), "email": format!("{}@e.example", long(200)) }), true),
        (json!({ "groups": many("group"), "scope": many("scope").join(" "), "client_id": long(255) }), true),
        (
            json!({ "sub": long(255), "client_id": long(320), "preferred_username": long(320), "groups": many("g") }),
            false,
        ),
    ] {
        let identity = alice(&stage.world, YEARS, &claims);
        let headers = identity.headers();
        let singles = [&headers.user, &headers.email, &headers.subject, &headers.issuer, &headers.client];
        let values: usize = singles.into_iter().chain([&headers.groups, &headers.scopes]).map(bytes::Bytes::len).sum();
        let made = stage.try_about(&identity, RESOURCE);
        assert!(made.is_some() || !whole);
        let length = made.as_deref().map_or(0, str::len);
        assert!(values + RESOURCE.len() + length + 380 < 4096, "{values} and {length}");
        let told = made.map(|token| part(&token, 1)["groups"].clone()).unwrap_or_default();
        let told = told.as_array().cloned().unwrap_or_default();
        assert!(told.iter().all(|group| identity.groups().iter().any(|known| group == known)), "no group is cut");
    }
}

#[tokio::test]
async fn names_that_do_not_fit_are_not_cut() {
    let stage = Stage::new().await;
    let long = |letter: &str| letter.repeat(320);
    let identity = alice(
        &stage.world,
        YEARS,
        &json!({
            "sub": "s".repeat(255), "client_id": long("c"), "email_verified": true,
            "email": format!("{}@e.example", "e".repeat(200)),
            "groups": (0..200).map(|number| format!("group-{number}")).collect::<Vec<_>>(),
            "scope": (0..200).map(|number| format!("scope-{number}")).collect::<Vec<_>>().join(" "),
        }),
    );
    assert_eq!(stage.try_about(&identity, &long("a")), None);
}
