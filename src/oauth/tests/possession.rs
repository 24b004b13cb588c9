//! Tokens that are bound to a key of the client, with proofs at the token endpoint and a clock of our own.

use serde_json::{Value, json};

use super::support::fixtures::{
    CLIENT, MACHINE, MACHINE_SECRET, REDIRECT, VERIFIER, client, form, keep_client, machine,
};
use super::support::{RESOURCE, World};
use crate::authn::Thumbprint;
use crate::authn::testing::TestKey;
use crate::domain::{Occurrence, Secret};
use crate::oauth::{Client, ErrorCode, OAuthError, TokenAnswer};

/// A key that makes proofs for the token endpoint.
struct Prover {
    key: TestKey,
}

impl Prover {
    fn new() -> Self {
        Self { key: TestKey::new("client") }
    }

    fn jwk(&self) -> Value {
        let mut jwk = self.key.jwk();
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    }

    /// RFC 7638: members in order of their names, without spaces, as they are written here.
    fn thumbprint(&self) -> String {
        Thumbprint::of(self.jwk().to_string().as_bytes()).to_string()
    }

    fn proof(&self, world: &World, id: &str, changes: &Value) -> String {
        let url = format!("{}/token", world.server.settings().issuer);
        let mut claims = json!({ "jti": id, "htm": "POST", "htu": url, "iat": world.now().as_secs() });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.key.sign(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() }), &claims)
    }
}

async fn redeem(world: &World, code: &str, proof: Option<&str>) -> Result<TokenAnswer, OAuthError> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", REDIRECT),
        ("resource", RESOURCE),
    ];
    world.server.token(&form(&fields), None, occurrence(proof)).await
}

async fn refresh(world: &World, token: &Secret, proof: Option<&str>) -> Result<TokenAnswer, OAuthError> {
    let fields = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", token.expose())];
    world.server.token(&form(&fields), None, occurrence(proof)).await
}

fn occurrence(proof: Option<&str>) -> Occurrence<'_> {
    proof.map_or(Occurrence::Absent, |proof| Occurrence::Once(proof.as_bytes()))
}

fn code_of<T: std::fmt::Debug>(answer: Result<T, OAuthError>) -> ErrorCode {
    answer.unwrap_err().code
}

#[tokio::test]
async fn a_client_that_proves_a_key_gets_tokens_that_are_bound_to_it() {
    let (world, prover) = (World::new().await, Prover::new());
    let code = world.code(&[]).await;
    let proof = prover.proof(&world, "1", &json!({}));
    let tokens = redeem(&world, &code, Some(&proof)).await.unwrap();
    assert_eq!(tokens.to_json()["token_type"], "DPoP");
    let bound = world.judge(&tokens.access_token).unwrap().confirmation().key.unwrap();
    assert_eq!(bound.to_string(), prover.thumbprint());

    let first = tokens.refresh_token.unwrap();
    assert_eq!(code_of(refresh(&world, &first, None).await), ErrorCode::InvalidDpopProof);
    let thief = Prover::new();
    let proof = thief.proof(&world, "1", &json!({}));
    assert_eq!(code_of(refresh(&world, &first, Some(&proof)).await), ErrorCode::InvalidGrant);
    let again = refresh(&world, &first, Some(&prover.proof(&world, "2", &json!({})))).await.unwrap();
    assert_eq!(again.to_json()["token_type"], "DPoP");
    assert_eq!(world.judge(&again.access_token).unwrap().confirmation().key, Some(bound));
    let second = again.refresh_token.unwrap();
    assert_eq!(code_of(refresh(&world, &second, None).await), ErrorCode::InvalidDpopProof);
    assert!(refresh(&world, &second, Some(&prover.proof(&world, "3", &json!({})))).await.is_ok());
}

#[tokio::test]
async fn proofs_count_once_and_for_the_token_endpoint_only() {
    let (world, prover) = (World::new().await, Prover::new());
    for changes in [
        json!({ "htm": "GET" }),
        json!({ "htu": RESOURCE }),
        json!({ "htu": format!("{}/register", world.server.settings().issuer) }),
        json!({ "iat": 1 }),
        json!({ "jti": "" }),
    ] {
        let code = world.code(&[]).await;
        let proof = prover.proof(&world, "0", &changes);
        let refused = redeem(&world, &code, Some(&proof)).await;
        assert_eq!(code_of(refused), ErrorCode::InvalidDpopProof, "{changes}");
        // A refused proof takes nothing away.
        assert!(redeem(&world, &code, None).await.is_ok(), "{changes}");
    }
    let proof = prover.proof(&world, "1", &json!({}));
    let code = world.code(&[]).await;
    assert!(redeem(&world, &code, Some(&proof)).await.is_ok());
    let code = world.code(&[]).await;
    assert_eq!(code_of(redeem(&world, &code, Some(&proof)).await), ErrorCode::InvalidDpopProof);
    let fields = form(&[("grant_type", "x"), ("client_id", CLIENT)]);
    let two = world.server.token(&fields, None, Occurrence::Repeated).await;
    assert_eq!(code_of(two), ErrorCode::InvalidDpopProof);
}

#[tokio::test]
async fn a_code_can_be_bound_to_a_key_from_the_start() {
    let (world, prover) = (World::new().await, Prover::new());
    let code = world.code(&[("dpop_jkt", &prover.thumbprint())]).await;
    assert_eq!(code_of(redeem(&world, &code, None).await), ErrorCode::InvalidDpopProof);
    let thief = Prover::new().proof(&world, "1", &json!({}));
    assert_eq!(code_of(redeem(&world, &code, Some(&thief)).await), ErrorCode::InvalidGrant);
    let proof = prover.proof(&world, "1", &json!({}));
    assert!(redeem(&world, &code, Some(&proof)).await.unwrap().bound);
}

/// RFC 9449 §5.2. What was refused was not used up.
#[tokio::test]
async fn a_client_that_always_proves_a_key_gets_nothing_without_one() {
    let (world, prover) = (World::new().await, Prover::new());
    let promised = Client { dpop_bound: true, ..client(CLIENT) };
    let (code, earlier) = (world.code(&[]).await, world.tokens().await.refresh_token.unwrap());
    keep_client(&*world.store, &promised).await;
    assert_eq!(code_of(redeem(&world, &code, None).await), ErrorCode::InvalidDpopProof);
    let tokens = redeem(&world, &code, Some(&prover.proof(&world, "1", &json!({})))).await.unwrap();
    assert!(tokens.bound);
    // Refresh tokens from before its promise included.
    for (token, id) in [(tokens.refresh_token.unwrap(), "2"), (earlier, "3")] {
        assert_eq!(code_of(refresh(&world, &token, None).await), ErrorCode::InvalidDpopProof);
        assert!(refresh(&world, &token, Some(&prover.proof(&world, id, &json!({})))).await.unwrap().bound);
    }
    keep_client(&*world.store, &Client { dpop_bound: true, ..machine() }).await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", MACHINE),
        ("client_secret", MACHINE_SECRET),
        ("resource", RESOURCE),
    ];
    let ask = async |proof| world.server.token(&form(&fields), None, occurrence(proof)).await;
    assert_eq!(code_of(ask(None).await), ErrorCode::InvalidDpopProof);
    let proof = prover.proof(&world, "4", &json!({}));
    assert!(ask(Some(&proof)).await.unwrap().bound);
}

#[tokio::test]
async fn without_a_proof_everything_is_as_before() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    assert_eq!(tokens.to_json()["token_type"], "Bearer");
    assert!(!world.judge(&tokens.access_token).unwrap().confirmation().is_bound());
    let refreshed = world.refresh(&tokens.refresh_token.unwrap(), &[]).await.unwrap();
    assert_eq!(refreshed.to_json()["token_type"], "Bearer");
}
