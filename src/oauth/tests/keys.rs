//! Signing keys: made once, published before they sign, and published until nothing they signed is good.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::support::fixtures::{client, keep_client};
use super::support::stores::TestStore;
use super::support::world::Plan;
use super::support::{SeededRandom, World, sealer};
use crate::domain::Secret;
use crate::oauth::signing_keys::{KeySettings, Rotation, SigningKeys};
use crate::oauth::{KeyError, OAuthError, SigningAlgorithm};
use crate::store::MemoryStore;

const LEAD: u64 = 15 * 60;
const AGE: u64 = 90 * 24 * 3600;

fn ids(world: &World) -> Vec<String> {
    let document: Value = serde_json::from_slice(&world.server.jwks()).unwrap();
    document["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn key_of(token: &Secret) -> String {
    use base64::Engine as _;
    let header = token.expose().split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_algorithm_signs_what_decisions_accept() {
    for algorithm in SigningAlgorithm::ALL {
        let mut plan = Plan::usual();
        plan.settings.signing_algorithm = algorithm;
        let world = plan.start().await;
        let tokens = world.tokens().await;
        assert!(world.judge(&tokens.access_token).is_ok(), "{algorithm:?}");
        let document: Value = serde_json::from_slice(&world.server.jwks()).unwrap();
        for key in document["keys"].as_array().unwrap() {
            assert_eq!((&key["alg"], &key["use"]), (&algorithm.as_str().into(), &"sig".into()));
            assert!(["d", "p", "q", "k"].iter().all(|private| key.get(private).is_none()), "{key}");
        }
        let restarted = world.replica(|_| ()).await;
        assert_eq!(ids(&restarted), ids(&world), "a restart reads them again");
        assert!(restarted.judge(&tokens.access_token).is_ok());
    }
}

#[tokio::test]
async fn servers_that_start_at_once_end_with_the_same_keys() {
    for seed in 0..10 {
        let store = Arc::new(TestStore::dawdling(Arc::new(MemoryStore::new()), seed));
        let mut starting = Vec::new();
        for number in 0..4 {
            let (store, settings) = (Arc::clone(&store), settings());
            let random = Arc::new(SeededRandom::new(seed * 10 + number));
            starting.push(tokio::spawn(async move {
                let now = crate::domain::UnixTime::from_secs(1);
                SigningKeys::open(settings, store, sealer('a', &[]), random, now).await.unwrap().jwks()
            }));
        }
        let mut documents = HashSet::new();
        for task in starting {
            documents.insert(task.await.unwrap());
        }
        assert_eq!(documents.len(), 1);
    }
}

fn settings() -> KeySettings {
    KeySettings { algorithm: SigningAlgorithm::Es256, rotation_age: None, overlap: Duration::from_secs(930) }
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_until_nothing_it_signed_is_good() {
    let world = World::new().await;
    let before = ids(&world);
    let old = world.tokens().await.access_token;
    assert_eq!(key_of(&old), before[0]);
    world.pass(LEAD);
    world.server.keys().rotate(Rotation::Orderly, world.now()).await.unwrap();
    let fresh_refresh = world.tokens().await;
    assert_eq!(key_of(&fresh_refresh.access_token), before[1], "known to everybody for a while");
    let after = ids(&world);
    assert_eq!((&after[0], &after[2], after.len()), (&before[1], &before[0], 3));
    world.pass(929);
    world.server.keys().tend(world.now()).await.unwrap();
    assert_eq!(ids(&world).len(), 3);
    world.pass(1);
    world.server.keys().tend(world.now()).await.unwrap();
    assert_eq!(ids(&world), [after[0].clone(), after[1].clone()]);
}

#[tokio::test]
async fn tokens_of_before_a_rotation_stay_good() {
    let world = World::new().await;
    world.pass(LEAD);
    let token = world.tokens().await.access_token;
    world.server.keys().rotate(Rotation::Orderly, world.now()).await.unwrap();
    assert!(world.judge(&token).is_ok());
    // What was signed a moment ago could be signed with a key of another replica that is news here.
    world.pass(10);
    world.server.keys().rotate(Rotation::AtOnce, world.now()).await.unwrap();
    assert!(world.judge(&token).is_err(), "unless the keys are known to somebody");
    assert!(world.judge(&world.tokens().await.access_token).is_ok());
}

#[tokio::test]
async fn a_key_that_nobody_has_seen_yet_takes_over_only_at_once() {
    let world = World::new().await;
    let early = world.server.keys().rotate(Rotation::Orderly, world.now()).await;
    assert!(matches!(early, Err(KeyError::TooSoon(wait)) if wait.as_secs() == LEAD), "{early:?}");
    let before = ids(&world);
    world.server.keys().rotate(Rotation::AtOnce, world.now()).await.unwrap();
    assert!(ids(&world).iter().all(|id| !before.contains(id)));
}

#[tokio::test]
async fn keys_rotate_by_age_once_for_all_replicas() {
    let world = World::new().await;
    let replica = world.replica(|_| ()).await;
    let before = ids(&world);
    world.pass(AGE - 1);
    world.server.keys().tend(world.now()).await.unwrap();
    assert_eq!(ids(&world), before);
    world.pass(1);
    let now = world.now();
    let (one, two) = tokio::join!(world.server.keys().tend(now), replica.server.keys().tend(now));
    one.and(two).unwrap();
    world.server.keys().tend(now).await.unwrap();
    assert_eq!(ids(&world), ids(&replica));
    assert_eq!((&ids(&world)[0], ids(&world).len()), (&before[1], 3));
}

#[tokio::test]
async fn another_algorithm_comes_in_order() {
    let world = World::new().await;
    let token = world.tokens().await.access_token;
    let changed = world.replica(|plan| plan.settings.signing_algorithm = SigningAlgorithm::EdDsa).await;
    changed.server.keys().tend(changed.now()).await.unwrap();
    assert!(changed.judge(&token).is_ok());
    assert_eq!(key_of(&changed.tokens().await.access_token), ids(&world)[0], "the new one is only published yet");
    changed.pass(LEAD);
    changed.server.keys().tend(changed.now()).await.unwrap();
    let document: Value = serde_json::from_slice(&changed.server.jwks()).unwrap();
    assert_eq!(document["keys"][0]["alg"], "EdDSA");
    assert!(changed.judge(&changed.tokens().await.access_token).is_ok());
}

#[tokio::test]
async fn a_replica_learns_a_key_when_a_token_names_it() {
    let world = World::new().await;
    let replica = world.replica(|_| ()).await;
    world.server.keys().rotate(Rotation::AtOnce, world.now()).await.unwrap();
    let tokens = world.tokens().await;
    replica.revoke(&tokens.access_token).await.unwrap();
    assert_eq!(replica.judge(&tokens.access_token).unwrap_err(), crate::authn::TokenFault::Revoked);
}

#[tokio::test]
async fn another_master_key_is_an_error_with_a_name_and_changes_nothing() {
    let world = World::new().await;
    let sealer = sealer('b', &[]);
    let random = Arc::new(SeededRandom::new(9));
    let store = Arc::clone(&world.store);
    let opened = SigningKeys::open(settings(), store, sealer, random, world.now()).await;
    let error = opened.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("master key"), "{error}");
    assert_eq!(OAuthError::from(error).code.status(), 500);
    keep_client(&*world.store, &client("after")).await;
    assert_eq!(ids(&world.replica(|_| ()).await), ids(&world));
}

#[tokio::test]
async fn a_new_master_key_takes_over_and_the_old_one_can_go() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let both = world.replica(|plan| plan.sealer = sealer('b', &['a'])).await;
    both.server.tend().await.unwrap();
    let only_new = world.replica(|plan| plan.sealer = sealer('b', &[])).await;
    assert_eq!(ids(&only_new), ids(&world));
    assert!(world.judge(&only_new.tokens().await.access_token).is_ok());
    assert!(only_new.refresh(&tokens.refresh_token.unwrap(), &[]).await.is_ok());
}
