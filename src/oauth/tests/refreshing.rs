//! Refreshing: rotation, its retry window, and the end.

use super::support::World;
use super::support::fixtures::{OTHER_CLIENT, OTHER_RESOURCE, RESOURCE, error_of};
use crate::authn::TokenFault;
use crate::oauth::ErrorCode;

#[tokio::test]
async fn a_retry_within_the_window_gets_the_same_successor() {
    let world = World::new().await;
    let old = world.tokens().await.refresh_token.unwrap();
    let first = world.refresh(&old, &[]).await.unwrap();
    world.pass(29);
    let retried = world.refresh(&old, &[]).await.unwrap();
    assert_eq!(retried.refresh_token.as_ref().unwrap().expose(), first.refresh_token.as_ref().unwrap().expose());
    assert!(world.judge(&retried.access_token).is_ok() && world.judge(&first.access_token).is_ok());
    let next = world.refresh(&first.refresh_token.unwrap(), &[]).await.unwrap();
    assert!(world.judge(&next.access_token).is_ok());
}

#[tokio::test]
async fn a_retry_does_not_move_the_window() {
    let world = World::new().await;
    let old = world.tokens().await.refresh_token.unwrap();
    let first = world.refresh(&old, &[]).await.unwrap();
    world.pass(20);
    world.refresh(&old, &[]).await.unwrap();
    world.pass(10);
    assert_eq!(error_of(world.refresh(&old, &[]).await), ErrorCode::InvalidGrant);
    assert_eq!(world.judge(&first.access_token).unwrap_err(), TokenFault::Revoked, "the grant is over");
    assert_eq!(error_of(world.refresh(&first.refresh_token.unwrap(), &[]).await), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_retry_gets_the_end_of_the_chain_and_not_a_token_that_is_used_already() {
    let world = World::new().await;
    let first = world.tokens().await.refresh_token.unwrap();
    let second = world.refresh(&first, &[]).await.unwrap().refresh_token.unwrap();
    world.pass(10);
    let third = world.refresh(&second, &[]).await.unwrap().refresh_token.unwrap();
    world.pass(10);
    let retried = world.refresh(&first, &[]).await.unwrap().refresh_token.unwrap();
    assert_eq!(retried.expose(), third.expose());
    world.pass(901);
    world.refresh(&retried, &[]).await.unwrap();
}

#[tokio::test]
async fn refreshing_does_not_extend_the_sign_in() {
    let world = World::new().await;
    let mut refresh_token = world.tokens().await.refresh_token.unwrap();
    let start = world.now();
    let lifetime = world.server.settings().refresh_token_lifetime.as_secs();
    for _ in 0..9 {
        world.pass(lifetime / 10);
        refresh_token = world.refresh(&refresh_token, &[]).await.unwrap().refresh_token.unwrap();
    }
    let left = lifetime - world.now().since(start).as_secs();
    world.pass(left - 60);
    let last = world.refresh(&refresh_token, &[]).await.unwrap();
    assert_eq!(last.expires_in, 60, "no token outlives its grant");
    world.pass(60);
    assert_eq!(error_of(world.refresh(&last.refresh_token.unwrap(), &[]).await), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn what_must_fit_a_refresh() {
    let world = World::new().await;
    let rows: &[(&[(&str, &str)], Result<&str, ErrorCode>)] = &[
        (&[], Ok("mcp:read mcp:write")),
        (&[("resource", RESOURCE)], Ok("mcp:read mcp:write")),
        (&[("resource", "https://mcp.example.com/mcp/")], Ok("mcp:read mcp:write")),
        (&[("scope", "mcp:read")], Ok("mcp:read")),
        (&[("scope", "mcp:read openid offline_access")], Ok("mcp:read")),
        (&[("scope", "mcp:admin")], Err(ErrorCode::InvalidScope)),
        (&[("resource", OTHER_RESOURCE)], Err(ErrorCode::InvalidTarget)),
        (&[("refresh_token", "")], Err(ErrorCode::InvalidRequest)),
        (&[("refresh_token", "mfr_unknown")], Err(ErrorCode::InvalidGrant)),
        (&[("client_id", OTHER_CLIENT)], Err(ErrorCode::InvalidGrant)),
    ];
    for (changes, expected) in rows {
        let refresh_token = world.tokens().await.refresh_token.unwrap();
        let actual = world.refresh(&refresh_token, changes).await;
        let actual = actual.map(|tokens| tokens.scope.to_string()).map_err(|error| error.code);
        assert_eq!(actual.as_deref().map_err(|code| *code), *expected, "{changes:?}");
        if actual.is_err() {
            assert!(world.refresh(&refresh_token, &[]).await.is_ok(), "nothing was consumed: {changes:?}");
        }
    }
}

#[tokio::test]
async fn a_scope_that_is_offered_no_more_is_in_no_new_token() {
    let world = World::new().await;
    let refresh_token = world.tokens().await.refresh_token.unwrap();
    let less = crate::domain::ScopeSet::from_claim("mcp:read");
    let narrow = world.replica(|plan| plan.policies[0].scopes_in_challenge = less).await;
    let tokens = narrow.refresh(&refresh_token, &[]).await.unwrap();
    assert_eq!(tokens.scope.to_string(), "mcp:read");
    let tokens = world.refresh(&tokens.refresh_token.unwrap(), &[]).await.unwrap();
    assert_eq!(tokens.scope.to_string(), "mcp:read mcp:write", "the grant still holds it");
}
