//! The way back from the identity provider, and everything that can be wrong with it.

use super::support::fixtures::{form, query, redirect_of};
use super::support::{Flow, TestProvider, World};
use crate::idp::IdpError;
use crate::oauth::{Browser, Next, ProblemKind};
use crate::store::{Store as _, Table};

fn problem(next: Next) -> ProblemKind {
    match next {
        Next::Page(problem) => problem.kind,
        other => panic!("{other:?}"),
    }
}

async fn error_at_client(world: &World, flow: &Flow, parameters: &[(&str, &str)]) -> String {
    let url = redirect_of(world.server.callback(&form(parameters), flow.browser()).await.next);
    assert!(query(&url, "iss").is_some() && query(&url, "code").is_none());
    assert_eq!(query(&url, "state").as_deref(), Some("state-of-the-client"));
    query(&url, "error").unwrap()
}

#[tokio::test]
async fn a_state_counts_only_in_the_browser_that_began() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    let victim = world.begin(&[]).await;
    for browser in [victim.browser(), Browser::default()] {
        let answer = world.server.callback(&form(&[("state", &state), ("code", TestProvider::CODE)]), browser).await;
        assert!(answer.session.is_none());
        assert_eq!(problem(answer.next), ProblemKind::OtherBrowser);
    }
    assert_eq!(world.provider.script(|script| script.redeemed), 0, "the provider's code was not touched");
    assert!(query(&redirect_of(world.return_with(&flow, &state).await.next), "code").is_some());
}

#[tokio::test]
async fn a_state_must_be_the_whole_one_of_a_flow_that_waits_for_it() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let early = format!("{}.secret", flow.request);
    assert_eq!(problem(world.return_with(&flow, &early).await.next), ProblemKind::Expired, "nobody approved yet");
    let state = world.approve(&flow).await;
    for (state, kind) in [
        (format!("{state}x"), ProblemKind::Expired),
        (format!("{}.", flow.request), ProblemKind::Expired),
        (flow.request.clone(), ProblemKind::BadLink),
        (".".into(), ProblemKind::Expired),
        (format!("other.{state}"), ProblemKind::Expired),
        (String::new(), ProblemKind::BadLink),
    ] {
        assert_eq!(problem(world.return_with(&flow, &state).await.next), kind, "{state}");
    }
    assert!(query(&redirect_of(world.return_with(&flow, &state).await.next), "code").is_some());
}

#[tokio::test]
async fn an_answer_counts_once_and_there_is_never_a_second_code() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    let again = || world.return_with(&flow, &state);
    let answers = [again().await, again().await, again().await];
    let codes = answers.into_iter().filter(|answer| matches!(answer.next, Next::Redirect(_))).count();
    assert_eq!((codes, world.store.count(Table::Codes).await.unwrap()), (1, 1));
    assert_eq!(problem(again().await.next), ProblemKind::AnsweredAlready);
    assert_eq!(world.provider.script(|script| script.redeemed), 1);
}

#[tokio::test]
async fn two_answers_at_once_are_one() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    let (first, second) = tokio::join!(world.return_with(&flow, &state), world.return_with(&flow, &state));
    let codes = [first, second].into_iter().filter(|answer| matches!(answer.next, Next::Redirect(_))).count();
    assert_eq!((codes, world.provider.script(|script| script.redeemed)), (1, 1));
}

#[tokio::test]
async fn what_the_provider_says_instead_of_yes_is_told_to_the_client() {
    for (error, told) in [
        ("access_denied", "access_denied"),
        ("login_required", "access_denied"),
        ("\u{1F4A9}\r\nLocation: https://evil.example", "access_denied"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("server_error", "temporarily_unavailable"),
    ] {
        let world = World::new().await;
        let flow = world.begin(&[]).await;
        let state = world.approve(&flow).await;
        let parameters: &[(&str, &str)] = &[("state", &state), ("error", error), ("error_description", "<script>")];
        assert_eq!(error_at_client(&world, &flow, parameters).await, told);
        assert_eq!(world.provider.script(|script| script.redeemed), 0);
        assert_eq!(problem(world.return_with(&flow, &state).await.next), ProblemKind::AnsweredAlready);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_believed_gives_no_code() {
    for (error, told) in [
        (IdpError::Untrustworthy("another nonce".into()), "server_error"),
        (IdpError::Untrustworthy("another aud".into()), "server_error"),
        (IdpError::Refused("invalid_grant".into()), "access_denied"),
        (IdpError::Unavailable("timeout".into()), "temporarily_unavailable"),
    ] {
        let world = World::new().await;
        world.provider.script(|script| script.fails_to_redeem = Some(error.clone()));
        let flow = world.begin(&[]).await;
        let state = world.approve(&flow).await;
        let parameters: &[(&str, &str)] = &[("state", &state), ("code", TestProvider::CODE)];
        assert_eq!(error_at_client(&world, &flow, parameters).await, told, "{error}");
        assert_eq!(world.store.count(Table::Codes).await.unwrap(), 0);
        assert_eq!(world.store.count(Table::Sessions).await.unwrap(), 0);
    }
    for subject in ["s".repeat(255), "a\r\nb".into()] {
        let world = World::new().await;
        world.provider.script(|script| script.person.subject = subject);
        let flow = world.begin(&[]).await;
        let state = world.approve(&flow).await;
        let parameters: &[(&str, &str)] = &[("state", &state), ("code", TestProvider::CODE)];
        assert_eq!(error_at_client(&world, &flow, parameters).await, "server_error", "no token could name them");
    }
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    assert_eq!(error_at_client(&world, &flow, &[("state", &state)]).await, "server_error", "neither code nor error");
}

#[tokio::test]
async fn a_no_during_the_answer_wins() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    let (server, denying) = (std::sync::Arc::clone(&world.server), flow.clone());
    // After the answer was claimed and before the code is written.
    world.store.before(super::support::stores::Call::Commit, {
        let store = std::sync::Arc::clone(&world.store);
        move || async move {
            store.before(super::support::stores::Call::Commit, move || async move {
                let csrf = denying.browser().form_token(&denying.request).unwrap();
                let fields = form(&[("request", &*denying.request), ("csrf", &csrf), ("decision", "deny")]);
                let denied = server.consent(&fields, denying.browser()).await;
                assert!(matches!(denied, Next::Redirect(_)), "{denied:?}");
            });
        }
    });
    assert_eq!(problem(world.return_with(&flow, &state).await.next), ProblemKind::AnsweredAlready);
    assert_eq!(world.store.count(Table::Codes).await.unwrap(), 0);
}

#[tokio::test]
async fn a_sign_in_to_our_own_pages_that_fails_says_so_on_a_page() {
    for (error, kind) in [
        (IdpError::Unavailable("timeout".into()), ProblemKind::ProviderUnavailable),
        (IdpError::Refused("no".into()), ProblemKind::NotSignedIn),
    ] {
        let world = World::new().await;
        world.provider.script(|script| script.fails_to_redeem = Some(error));
        let started = world.server.sign_in(Some("test"), false, Browser::default()).await;
        let state = query(&redirect_of(started.next), "state").unwrap();
        let cookie = started.browser.unwrap();
        let browser = Browser { cookie: Some(cookie.expose()), session: None };
        let answer = world.server.callback(&form(&[("state", &state), ("code", TestProvider::CODE)]), browser).await;
        assert_eq!(problem(answer.next), kind);
        assert!(answer.session.is_none());
    }
}
