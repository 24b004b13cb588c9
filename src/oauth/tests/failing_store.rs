//! The store fails, at every single call: nothing is ever half done, and nobody is told a lie.

use super::support::consistency::check;
use super::support::fixtures::{form, query};
use super::support::stores::Fault;
use super::support::world::Plan;
use super::support::{TestProvider, World};
use crate::domain::{Secret, SecretHash};
use crate::oauth::code::Code;
use crate::oauth::{Authorize, Browser, ConsentPage, ErrorCode, Next, ProblemKind, Selection};
use crate::store;

/// More calls than any step makes.
const MANY: usize = 60;

#[derive(Debug, Clone, Copy)]
enum Failure {
    Before,
    After,
}

impl Failure {
    const fn at(self, call: usize) -> Fault {
        match self {
            Self::Before => Fault::Before(call),
            Self::After => Fault::After(call),
        }
    }
}

/// What a browser gets when the store failed: our trouble on a page, or `temporarily_unavailable` at the client.
fn is_our_trouble(next: &Next) -> bool {
    match next {
        Next::Page(problem) => problem.kind == ProblemKind::Unavailable,
        Next::Redirect(url) => query(url, "error").as_deref() == Some("temporarily_unavailable"),
        Next::Ask { .. } | Next::NotAllowed(_) | Next::SignedIn => false,
    }
}

async fn world() -> World {
    let mut plan = Plan::usual();
    plan.settings.remember_consent = Some(std::time::Duration::from_secs(3600));
    let world = plan.start().await;
    world.provider.script(|script| script.refresh_token = Some("upstream-0".into()));
    world
}

#[tokio::test]
async fn the_way_to_a_code_is_taken_as_a_whole_or_not_at_all() {
    for failure in [Failure::Before, Failure::After] {
        for call in 0..MANY {
            let world = world().await;
            world.store.break_down(failure.at(call));
            let reached = walk(&world).await;
            let failed = world.store.calls() > call;
            world.store.break_down(Fault::None);
            check(&world, &format!("{failure:?} call {call}")).await;
            let codes = store::list::<Code>(&*world.store, "", None, 100, world.now()).await.unwrap().len();
            match reached {
                Ok(code) => {
                    assert_eq!(codes, 1);
                    assert!(world.redeem(&code, &[]).await.is_ok());
                }
                // The answer to the commit was lost: a code that nobody knows expires within the minute.
                Err(()) => assert!(codes == 0 || matches!(failure, Failure::After), "{failure:?} call {call}"),
            }
            // And a new attempt works in any case.
            assert!(walk(&world).await.is_ok());
            if !failed {
                break;
            }
            assert!(call + 1 < MANY);
        }
    }
}

/// From `/authorize` to the code, as far as it goes; what does not go on is our own trouble.
async fn walk(world: &World) -> Result<String, ()> {
    let request = super::support::fixtures::request(&[]);
    let (id, cookie) = match world.server.authorize(&request, None, Browser::default()).await {
        Authorize::Consent { request, browser } => (request, browser.unwrap().expose().to_owned()),
        Authorize::Page(problem) => return trouble(&Next::Page(problem)),
        Authorize::Redirect(url) => return trouble(&Next::Redirect(url)),
    };
    let browser = Browser { cookie: Some(&cookie), session: None };
    let question = match world.server.consent_page(&id, browser).await {
        ConsentPage::Ask(question) => question,
        ConsentPage::Page(problem) => return trouble(&Next::Page(problem)),
        other => panic!("{other:?}"),
    };
    let fields = form(&[("request", &*id), ("csrf", &question.csrf), ("decision", "approve")]);
    let state = match world.server.consent(&fields, browser).await {
        Next::Redirect(url) => query(&url, "state").unwrap(),
        other => return trouble(&other),
    };
    let returned = form(&[("state", &state), ("code", TestProvider::CODE)]);
    let next = world.server.callback(&returned, browser).await.next;
    match &next {
        Next::Redirect(url) => query(url, "code").map_or_else(|| trouble(&next), Ok),
        other => trouble(other),
    }
}

fn trouble(next: &Next) -> Result<String, ()> {
    assert!(is_our_trouble(next), "{next:?}");
    Err(())
}

#[tokio::test]
async fn a_code_is_redeemed_as_a_whole_or_not_at_all() {
    for call in 0..MANY {
        let world = world().await;
        let code = world.code(&[]).await;
        world.store.break_down(Fault::Before(call));
        let answer = world.redeem(&code, &[]).await;
        let failed = world.store.calls() > call;
        world.store.break_down(Fault::None);
        check(&world, &format!("call {call}")).await;
        match answer {
            Err(error) => {
                assert_eq!(error.code, ErrorCode::TemporarilyUnavailable);
                assert!(world.redeem(&code, &[]).await.is_ok(), "the code is as good as before: call {call}");
            }
            Ok(tokens) => assert!(world.judge(&tokens.access_token).is_ok()),
        }
        if !failed {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn a_refresh_happens_as_a_whole_or_not_at_all_and_a_lost_answer_can_be_had_again() {
    for failure in [Failure::Before, Failure::After] {
        for call in 0..MANY {
            let world = world().await;
            let tokens = world.tokens().await;
            let old = tokens.refresh_token.unwrap();
            world.store.break_down(failure.at(call));
            let answer = world.refresh(&old, &[]).await;
            let failed = world.store.calls() > call;
            world.store.break_down(Fault::None);
            let when = format!("{failure:?} call {call}");
            check(&world, &when).await;
            if let Err(error) = &answer {
                assert_eq!(error.code, ErrorCode::TemporarilyUnavailable, "{when}");
            }
            let again = world.refresh(&old, &[]).await.unwrap_or_else(|error| panic!("{when}: {error}"));
            let next = world.refresh(&again.refresh_token.unwrap(), &[]).await;
            assert!(next.is_ok(), "{when}");
            if !failed {
                break;
            }
            assert!(call + 1 < MANY);
        }
    }
}

#[tokio::test]
async fn a_revocation_happens_as_a_whole_or_not_at_all() {
    for failure in [Failure::Before, Failure::After] {
        for call in 0..MANY {
            let world = world().await;
            let tokens = world.tokens().await;
            let refresh_token: Secret = tokens.refresh_token.unwrap();
            world.store.break_down(failure.at(call));
            let answer = world.revoke(&refresh_token).await;
            let failed = world.store.calls() > call;
            world.store.break_down(Fault::None);
            let when = format!("{failure:?} call {call}");
            check(&world, &when).await;
            if answer.is_err() {
                world.revoke(&refresh_token).await.unwrap();
            }
            assert!(world.judge(&tokens.access_token).is_err(), "{when}");
            assert!(world.server.grants(Selection::All, None, 10).await.unwrap().grants.is_empty());
            if !failed {
                break;
            }
            assert!(call + 1 < MANY);
        }
    }
}

#[tokio::test]
async fn the_end_of_a_grant_after_a_replay_is_not_lost_with_the_store() {
    for call in 0..MANY {
        let world = world().await;
        let code = world.code(&[]).await;
        let tokens = world.redeem(&code, &[]).await.unwrap();
        world.store.break_down(Fault::Before(call));
        let replay = world.redeem(&code, &[]).await.unwrap_err();
        let failed = world.store.calls() > call;
        world.store.break_down(Fault::None);
        check(&world, &format!("call {call}")).await;
        assert_eq!(replay.code, if failed { ErrorCode::TemporarilyUnavailable } else { ErrorCode::InvalidGrant });
        assert_eq!(world.redeem(&code, &[]).await.unwrap_err().code, ErrorCode::InvalidGrant);
        assert!(world.judge(&tokens.access_token).is_err(), "call {call}");
        if !failed {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn the_store_holds_no_secret_that_could_be_used() {
    use crate::store::{Store as _, Table};
    let world = world().await;
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    let answer = world.return_with(&flow, &state).await;
    let Next::Redirect(url) = answer.next else { panic!() };
    let code = query(&url, "code").unwrap();
    let tokens = world.redeem(&code, &[]).await.unwrap();
    let rotated = world.refresh(tokens.refresh_token.as_ref().unwrap(), &[]).await.unwrap();
    let (first, second) = (tokens.refresh_token.unwrap(), rotated.refresh_token.unwrap());
    let session = answer.session.unwrap();
    let secrets = [
        &code,
        first.expose(),
        second.expose(),
        session.expose(),
        &flow.cookie,
        &state,
        tokens.access_token.expose(),
        "upstream-0",
    ];
    for table in Table::ALL {
        for (key, record) in world.store.list(table, "", None, 1000, world.now()).await.unwrap() {
            let text = format!("{key} {}", String::from_utf8(record.value).unwrap());
            for secret in secrets {
                assert!(!text.contains(secret), "{table:?} holds a secret: {text}");
            }
        }
    }
    assert!(!SecretHash::of(&code).as_str().is_empty());
}
