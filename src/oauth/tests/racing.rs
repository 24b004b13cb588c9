//! Many at once, on one server and on several with one store; and a revocation in the middle of an issuance.

use std::sync::Arc;

use super::support::World;
use super::support::fixtures::{error_of, policies};
use super::support::stores::{Call, TestStore};
use super::support::world::Plan;
use crate::authn::TokenFault;
use crate::domain::Secret;
use crate::oauth::{ErrorCode, OAuthError, Selection, TokenAnswer};
use crate::store::{MemoryStore, Store as _, Table};

/// Two servers on one store that lets others run between any two calls.
async fn replicas(seed: u64) -> (Arc<World>, Arc<World>) {
    let store = Arc::new(TestStore::dawdling(Arc::new(MemoryStore::new()), seed));
    let world = Plan { store, seed, ..Plan::usual() }.start().await;
    let replica = world.replica(|_| ()).await;
    (Arc::new(world), Arc::new(replica))
}

async fn refresh_at_once(worlds: &[&Arc<World>], token: &Secret, times: usize) -> Vec<Result<TokenAnswer, OAuthError>> {
    let mut tasks = Vec::new();
    for number in 0..times {
        let world = Arc::clone(worlds[number % worlds.len()]);
        let token = token.clone();
        tasks.push(tokio::spawn(async move { world.refresh(&token, &[]).await }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

fn refresh_tokens(answers: &[Result<TokenAnswer, OAuthError>]) -> Vec<&str> {
    let tokens = answers.iter().flatten().filter_map(|answer| answer.refresh_token.as_ref());
    let mut tokens: Vec<&str> = tokens.map(Secret::expose).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

#[tokio::test]
async fn parallel_refreshes_end_with_one_family() {
    for seed in 0..10 {
        let (world, replica) = replicas(seed).await;
        let token = world.tokens().await.refresh_token.unwrap();
        let answers = refresh_at_once(&[&world, &replica], &token, 16).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let [successor] = refresh_tokens(&answers)[..] else { panic!("a fork: {answers:?}") };
        for answer in answers.iter().flatten() {
            assert!(world.judge(&answer.access_token).is_ok());
        }
        world.pass(901);
        let next = refresh_at_once(&[&world, &replica], &Secret::new(successor), 8).await;
        assert_eq!(refresh_tokens(&next).len(), 1);
        assert_eq!(world.store.count(Table::RefreshTokens).await.unwrap(), 3, "the first and two successors");
        assert_eq!(world.store.count(Table::Grants).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn parallel_refreshes_ask_a_rotating_provider_once() {
    for seed in 0..10 {
        let (world, _) = replicas(seed).await;
        world.provider.script(|script| {
            script.refresh_token = Some("upstream-0".into());
            script.rotates = true;
        });
        let token = world.tokens().await.refresh_token.unwrap();
        let answers = refresh_at_once(&[&world], &token, 8).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(world.provider.script(|script| script.asked), 1);
    }
}

#[tokio::test]
async fn a_code_redeemed_many_times_at_once_gives_one_grant_which_ends() {
    for seed in 0..10 {
        let (world, replica) = replicas(seed).await;
        let code = world.code(&[]).await;
        let mut tasks = Vec::new();
        for number in 0..8 {
            let (world, code) = (Arc::clone([&world, &replica][number % 2]), code.clone());
            tasks.push(tokio::spawn(async move { world.redeem(&code, &[]).await }));
        }
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        let tokens: Vec<_> = answers.iter().flatten().collect();
        assert_eq!(tokens.len(), 1, "{answers:?}");
        replica.server.revocations().load(&*world.store, world.now()).await.unwrap();
        world.server.revocations().load(&*world.store, world.now()).await.unwrap();
        for world in [&world, &replica] {
            assert_eq!(world.judge(&tokens[0].access_token).unwrap_err(), TokenFault::Revoked);
        }
        assert_eq!(
            error_of(world.refresh(tokens[0].refresh_token.as_ref().unwrap(), &[]).await),
            ErrorCode::InvalidGrant
        );
    }
}

/// Ends every grant just before the commit of whatever is under way.
fn end_all_before_the_commit(world: &World) {
    let server = Arc::clone(&world.server);
    world.store.before(Call::Commit, || async move {
        assert_eq!(server.end_grants(Selection::All).await.unwrap(), 1);
    });
}

#[tokio::test]
async fn no_refresh_in_flight_survives_a_revocation() {
    let world = World::new().await;
    let token = world.tokens().await.refresh_token.unwrap();
    end_all_before_the_commit(&world);
    assert_eq!(error_of(world.refresh(&token, &[]).await), ErrorCode::InvalidGrant);
    assert_eq!(world.store.count(Table::RefreshTokens).await.unwrap(), 1, "no successor was left behind");
}

#[tokio::test]
async fn no_retry_in_flight_survives_a_revocation() {
    let world = World::new().await;
    let token = world.tokens().await.refresh_token.unwrap();
    world.refresh(&token, &[]).await.unwrap();
    end_all_before_the_commit(&world);
    assert_eq!(error_of(world.refresh(&token, &[]).await), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn no_refresh_survives_a_revocation_while_the_provider_is_asked() {
    let world = World::new().await;
    world.provider.script(|script| script.refresh_token = Some("upstream-0".into()));
    let tokens = world.tokens().await;
    let server = Arc::clone(&world.server);
    world.provider.before_answer(|| async move {
        assert_eq!(server.end_grants(Selection::Person("test:alice-1")).await.unwrap(), 1);
    });
    assert_eq!(error_of(world.refresh(&tokens.refresh_token.unwrap(), &[]).await), ErrorCode::InvalidGrant);
    assert_eq!(world.provider.script(|script| script.asked), 1);
    assert_eq!(world.store.count(Table::RefreshTokens).await.unwrap(), 1);
}

#[tokio::test]
async fn a_revocation_wins_however_it_falls_among_refreshes() {
    for seed in 0..40 {
        let (world, replica) = replicas(seed).await;
        let tokens = world.tokens().await;
        let token = tokens.refresh_token.unwrap();
        let revoking = {
            let (world, token) = (Arc::clone(&replica), token.clone());
            tokio::spawn(async move {
                for _ in 0..seed % 7 {
                    tokio::task::yield_now().await;
                }
                world.revoke(&token).await
            })
        };
        let answers = refresh_at_once(&[&world, &replica], &token, 6).await;
        revoking.await.unwrap().unwrap();
        world.server.revocations().load(&*world.store, world.now()).await.unwrap();
        for answer in answers.iter().flatten() {
            assert_eq!(world.judge(&answer.access_token).unwrap_err(), TokenFault::Revoked, "seed {seed}");
            let refresh_token = answer.refresh_token.as_ref().unwrap();
            assert_eq!(error_of(world.refresh(refresh_token, &[]).await), ErrorCode::InvalidGrant);
        }
        assert!(world.server.grants(Selection::All, None, 10).await.unwrap().grants.is_empty());
    }
}

#[tokio::test]
async fn a_revocation_reaches_a_replica_that_looks() {
    let world = World::new().await;
    let replica = world.replica(|_| ()).await;
    let tokens = world.tokens().await;
    let refreshed = world.refresh(tokens.refresh_token.as_ref().unwrap(), &[]).await.unwrap();
    world.revoke(&tokens.access_token).await.unwrap();
    replica.server.revocations().load(&*world.store, world.now()).await.unwrap();
    assert_eq!(replica.judge(&tokens.access_token).unwrap_err(), TokenFault::Revoked);
    assert!(replica.judge(&refreshed.access_token).is_ok());
    world.revoke(&refreshed.refresh_token.unwrap()).await.unwrap();
    assert!(replica.judge(&refreshed.access_token).is_ok());
    replica.server.revocations().load(&*world.store, world.now()).await.unwrap();
    assert_eq!(replica.judge(&refreshed.access_token).unwrap_err(), TokenFault::Revoked);
    assert_eq!(replica.server.revocations().len(), 2);
    let restarted = world.replica(|plan| plan.policies = policies()).await;
    assert_eq!(restarted.judge(&refreshed.access_token).unwrap_err(), TokenFault::Revoked, "a restart remembers");
    world.pass(1000);
    replica.server.revocations().load(&*world.store, world.now()).await.unwrap();
    assert!(replica.server.revocations().is_empty(), "what has expired is forgotten");
}

#[tokio::test]
async fn a_refusal_that_only_means_that_another_replica_was_faster_ends_nothing() {
    let world = World::new().await;
    world.provider.script(|script| {
        script.refresh_token = Some("upstream-0".into());
        script.rotates = true;
    });
    let replica = Arc::new(world.replica(|_| ()).await);
    let token = world.tokens().await.refresh_token.unwrap();
    let (faster, shown) = (Arc::clone(&replica), token.clone());
    world.provider.before_answer(|| async move {
        faster.refresh(&shown, &[]).await.unwrap();
    });
    let answer = world.refresh(&token, &[]).await.unwrap();
    assert!(world.judge(&answer.access_token).is_ok());
    assert_eq!(world.provider.script(|script| script.asked), 2);
}

#[tokio::test]
async fn a_code_that_is_redeemed_in_the_moment_in_which_grants_end_gives_nothing() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let server = Arc::clone(&world.server);
    world.store.before(Call::Commit, || async move {
        assert_eq!(server.end_grants(Selection::Person("test:alice-1")).await.unwrap(), 0, "there is none yet");
    });
    assert_eq!(error_of(world.redeem(&code, &[]).await), ErrorCode::InvalidGrant);
    assert_eq!(world.store.count(Table::Grants).await.unwrap(), 0);
}
