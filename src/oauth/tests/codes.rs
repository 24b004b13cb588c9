//! Codes: good once, for one client, with its verifier, for one resource.

use super::support::World;
use super::support::fixtures::{FOREIGN_RESOURCE, OTHER_CLIENT, OTHER_RESOURCE, RESOURCE, error_of, keep_client};
use crate::authn::TokenFault;
use crate::oauth::{ErrorCode, GrantType};

#[tokio::test]
async fn a_code_that_is_used_twice_ends_the_grant() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let tokens = world.redeem(&code, &[]).await.unwrap();
    assert_eq!(error_of(world.redeem(&code, &[]).await), ErrorCode::InvalidGrant);
    assert_eq!(world.judge(&tokens.access_token).unwrap_err(), TokenFault::Revoked);
    assert_eq!(error_of(world.refresh(&tokens.refresh_token.unwrap(), &[]).await), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_used_code_in_anybodys_hands_ends_the_grant() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let tokens = world.redeem(&code, &[]).await.unwrap();
    world.pass(300);
    let stolen = world.redeem(&code, &[("client_id", OTHER_CLIENT), ("code_verifier", "")]).await;
    assert_eq!(error_of(stolen), ErrorCode::InvalidGrant);
    assert_eq!(world.judge(&tokens.access_token).unwrap_err(), TokenFault::Revoked);
}

#[tokio::test]
async fn a_code_in_the_hands_of_another_client_is_dead() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    assert_eq!(error_of(world.redeem(&code, &[("client_id", OTHER_CLIENT)]).await), ErrorCode::InvalidGrant);
    assert_eq!(error_of(world.redeem(&code, &[]).await), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn what_must_fit_a_code() {
    let world = World::new().await;
    let rows: &[(&[(&str, &str)], Result<(), ErrorCode>)] = &[
        (&[], Ok(())),
        (&[("redirect_uri", "")], Ok(())),
        (&[("resource", "")], Ok(())),
        (&[("scope", "anything at all")], Ok(())),
        (&[("code", "")], Err(ErrorCode::InvalidRequest)),
        (&[("code", "mfo_unknown")], Err(ErrorCode::InvalidGrant)),
        (&[("code_verifier", "")], Err(ErrorCode::InvalidRequest)),
        (&[("code_verifier", "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong")], Err(ErrorCode::InvalidGrant)),
        (&[("code_verifier", super::support::fixtures::CHALLENGE)], Err(ErrorCode::InvalidGrant)),
        (&[("redirect_uri", "https://client.example/other")], Err(ErrorCode::InvalidGrant)),
        (&[("resource", OTHER_RESOURCE)], Err(ErrorCode::InvalidTarget)),
        (&[("resource", FOREIGN_RESOURCE)], Err(ErrorCode::InvalidTarget)),
        (&[("grant_type", "")], Err(ErrorCode::InvalidRequest)),
        (&[("grant_type", "password")], Err(ErrorCode::UnsupportedGrantType)),
        (&[("grant_type", "client_credentials")], Err(ErrorCode::UnauthorizedClient)),
    ];
    for (changes, expected) in rows {
        let code = world.code(&[]).await;
        let actual = world.redeem(&code, changes).await.map(|_| ()).map_err(|error| error.code);
        assert_eq!(actual, *expected, "{changes:?}");
        if actual.is_err() {
            assert!(world.redeem(&code, &[]).await.is_ok(), "a mistake does not cost the code: {changes:?}");
        }
    }
}

#[tokio::test]
async fn two_resources_for_one_token_are_one_too_many() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let twice = [("resource", RESOURCE), ("resource", "https://mcp.example.com/mcp/")];
    assert!(world.redeem(&code, &twice).await.is_ok(), "the same one, said twice");
    let code = world.code(&[]).await;
    let two = [("resource", RESOURCE), ("resource", OTHER_RESOURCE)];
    assert_eq!(error_of(world.redeem(&code, &two).await), ErrorCode::InvalidTarget);
}

#[tokio::test]
async fn a_code_lives_a_minute() {
    let world = World::new().await;
    let (first, second) = (world.code(&[]).await, world.code(&[]).await);
    world.pass(59);
    assert!(world.redeem(&first, &[]).await.is_ok());
    world.pass(1);
    assert_eq!(error_of(world.redeem(&second, &[]).await), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_client_that_may_not_refresh_gets_nothing_to_refresh_with() {
    let world = World::new().await;
    let mut once = super::support::fixtures::client("once");
    once.grant_types = vec![GrantType::AuthorizationCode];
    keep_client(&*world.store, &once).await;
    let code = world.code(&[("client_id", "once")]).await;
    let tokens = world.redeem(&code, &[("client_id", "once")]).await.unwrap();
    assert!(tokens.refresh_token.is_none());
    assert!(tokens.to_json().get("refresh_token").is_none());
    assert!(world.judge(&tokens.access_token).is_ok());
}
