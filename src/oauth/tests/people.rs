//! Who may: at sign-in, and again at every refresh.

use super::support::fixtures::{RESOURCE, error_of, form, policies, query, redirect_of};
use super::support::world::Plan;
use super::support::{World, alice, person};
use crate::domain::Email;
use crate::idp::IdpError;
use crate::oauth::{ConsentPage, ErrorCode, Next};

#[tokio::test]
async fn somebody_who_may_not_is_told_so_and_may_try_another_account() {
    let world = World::new().await;
    world.provider.script(|script| script.person = person("test", "bob"));
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    let answer = world.return_with(&flow, &state).await;
    assert!(answer.session.is_none());
    let Next::NotAllowed(page) = answer.next else { panic!("{answer:?}") };
    assert_eq!((page.person.as_str(), page.email_not_verified), ("bob@example.com", false));
    assert_eq!((page.resource.as_str(), page.client_name.as_deref()), (RESOURCE, Some("The client-one")));
    let shown_again = world.server.consent_page(&flow.request, flow.browser()).await;
    assert!(matches!(shown_again, ConsentPage::NotAllowed(_)), "{shown_again:?}");

    let fields = form(&[("request", &*page.request), ("csrf", &page.csrf), ("decision", "another_account")]);
    let url = redirect_of(world.server.consent(&fields, flow.browser()).await);
    assert_eq!(query(&url, "prompt").as_deref(), Some("select_account"));
    world.provider.script(|script| script.person = alice());
    let back = redirect_of(world.return_with(&flow, &query(&url, "state").unwrap()).await.next);
    assert!(query(&back, "code").is_some());
}

#[tokio::test]
async fn somebody_who_may_not_can_go_back_to_the_client() {
    let world = World::new().await;
    world.provider.script(|script| script.person = person("test", "bob"));
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    assert!(matches!(world.return_with(&flow, &state).await.next, Next::NotAllowed(_)));
    let url = redirect_of(world.decide(&flow, "return").await);
    assert_eq!(query(&url, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn an_address_counts_only_when_the_provider_vouches_for_it() {
    let world = World::new().await;
    world.provider.script(|script| script.person.email_verified = false);
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    let Next::NotAllowed(page) = world.return_with(&flow, &state).await.next else { panic!() };
    assert!(page.email_not_verified);
}

#[tokio::test]
async fn who_may_is_asked_again_when_a_code_is_redeemed() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let strict = world.replica(|plan| plan.policies[0].principals.emails.clear()).await;
    assert_eq!(error_of(strict.redeem(&code, &[]).await), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn whoever_is_taken_off_the_list_gets_no_new_token_and_loses_the_old_one() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let refresh_token = tokens.refresh_token.unwrap();
    let strict = world.replica(|plan| drop(plan.policies[0].principals.emails.remove(0))).await;
    assert!(strict.judge(&tokens.access_token).is_ok(), "policy is asked apart from the token");
    assert_eq!(error_of(strict.refresh(&refresh_token, &[]).await), ErrorCode::InvalidGrant);
    assert!(strict.judge(&tokens.access_token).is_err());
    // And putting her back on the list does not bring the grant back.
    assert_eq!(error_of(world.refresh(&refresh_token, &[]).await), ErrorCode::InvalidGrant);
}

async fn with_upstream() -> World {
    let world = World::new().await;
    world.provider.script(|script| script.refresh_token = Some("upstream-0".into()));
    world
}

#[tokio::test]
async fn the_provider_is_asked_at_each_refresh_and_its_newest_word_counts() {
    let world = with_upstream().await;
    let first = world.tokens().await;
    world.provider.script(|script| {
        script.person.email = Email::parse("alice@corp.example");
        script.person.groups = vec!["staff".into()];
    });
    let second = world.refresh(&first.refresh_token.unwrap(), &[]).await.unwrap();
    assert_eq!(world.provider.script(|script| script.asked), 1);
    let identity = world.judge(&second.access_token).unwrap();
    assert_eq!(identity.verified_email().unwrap().as_str(), "alice@corp.example");
    assert_eq!(identity.groups(), ["staff"]);
    world.provider.script(|script| script.person.email_verified = false);
    let third = world.refresh(&second.refresh_token.unwrap(), &[]).await;
    assert_eq!(error_of(third), ErrorCode::InvalidGrant, "the address is not vouched for any more");
    assert!(world.judge(&second.access_token).is_err());
}

#[tokio::test]
async fn an_address_that_is_on_no_list_any_more_ends_the_grant() {
    for email in ["alice@elsewhere.example", ""] {
        let world = with_upstream().await;
        let tokens = world.tokens().await;
        world.provider.script(|script| script.person.email = Email::parse(email));
        assert_eq!(error_of(world.refresh(&tokens.refresh_token.unwrap(), &[]).await), ErrorCode::InvalidGrant);
        assert!(world.judge(&tokens.access_token).is_err(), "{email}");
    }
}

#[tokio::test]
async fn a_provider_that_refuses_ends_the_grant() {
    let world = with_upstream().await;
    let tokens = world.tokens().await;
    world.provider.script(|script| script.fails_again = Some(IdpError::Refused("account disabled".into())));
    let refused = world.refresh(tokens.refresh_token.as_ref().unwrap(), &[]).await;
    assert_eq!(error_of(refused), ErrorCode::InvalidGrant);
    assert!(world.judge(&tokens.access_token).is_err());
    world.provider.script(|script| script.fails_again = None);
    assert_eq!(error_of(world.refresh(&tokens.refresh_token.unwrap(), &[]).await), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_provider_that_is_away_or_talks_nonsense_consumes_nothing() {
    for (error, code) in [
        (IdpError::Unavailable("timeout".into()), ErrorCode::TemporarilyUnavailable),
        (IdpError::Untrustworthy("bad signature".into()), ErrorCode::ServerError),
    ] {
        let world = with_upstream().await;
        let tokens = world.tokens().await;
        let refresh_token = tokens.refresh_token.unwrap();
        world.provider.script(|script| script.fails_again = Some(error.clone()));
        for _ in 0..2 {
            assert_eq!(error_of(world.refresh(&refresh_token, &[]).await), code);
            world.pass(60);
        }
        assert!(world.judge(&tokens.access_token).is_ok());
        world.provider.script(|script| script.fails_again = None);
        world.refresh(&refresh_token, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_provider_that_speaks_of_somebody_else_ends_the_grant() {
    let world = with_upstream().await;
    let tokens = world.tokens().await;
    world.provider.script(|script| {
        script.person.subject = "bob-1".into();
    });
    assert_eq!(error_of(world.refresh(&tokens.refresh_token.unwrap(), &[]).await), ErrorCode::InvalidGrant);
    assert!(world.judge(&tokens.access_token).is_err());
}

#[tokio::test]
async fn a_provider_that_rotates_its_tokens_is_always_asked_with_the_newest() {
    let world = with_upstream().await;
    world.provider.script(|script| script.rotates = true);
    let mut refresh_token = world.tokens().await.refresh_token.unwrap();
    for round in 1..=5 {
        world.pass(901);
        refresh_token = world.refresh(&refresh_token, &[]).await.unwrap().refresh_token.unwrap();
        assert_eq!(world.provider.script(|script| script.asked), round);
    }
}

#[tokio::test]
async fn people_of_a_provider_that_is_used_no_more_wait_for_it_in_vain() {
    let world = World::new().await;
    let refresh_token = world.tokens().await.refresh_token.unwrap();
    let other = std::sync::Arc::new(super::support::TestProvider::new("other"));
    let without = world.replica(|plan| plan.providers = vec![other]).await;
    assert_eq!(error_of(without.refresh(&refresh_token, &[]).await), ErrorCode::InvalidGrant);
    world.refresh(&refresh_token, &[]).await.unwrap();
}

#[tokio::test]
async fn a_resource_that_is_protected_no_more_gets_no_tokens_but_keeps_its_grants() {
    let world = World::new().await;
    let refresh_token = world.tokens().await.refresh_token.unwrap();
    let code = world.code(&[]).await;
    let without = world.replica(|plan| plan.policies = policies().into_iter().skip(1).collect()).await;
    assert_eq!(error_of(without.refresh(&refresh_token, &[]).await), ErrorCode::InvalidTarget);
    assert_eq!(error_of(without.redeem(&code, &[("resource", "")]).await), ErrorCode::InvalidTarget);
    world.refresh(&refresh_token, &[]).await.unwrap();
    world.redeem(&code, &[]).await.unwrap();
}

#[tokio::test]
async fn groups_let_people_in_and_stand_in_their_tokens() {
    let mut plan = Plan::usual();
    plan.policies[0].principals.emails.clear();
    plan.policies[0].principals.groups = vec!["staff".into()];
    let world = plan.start().await;
    world.provider.script(|script| script.person.groups = vec!["others".into(), "staff".into()]);
    let tokens = world.tokens().await;
    assert_eq!(world.judge(&tokens.access_token).unwrap().groups(), ["staff", "others"]);
}
