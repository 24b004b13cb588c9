//! Mistakes that authorization servers have made, each kept out by a test.

use super::support::fixtures::{
    CLIENT, FOREIGN_RESOURCE, ISSUER, MACHINE, MACHINE_SECRET, RESOURCE, error_of, form, query, request,
};
use super::support::stores::Fault;
use super::support::{Flow, World, person};
use crate::authn::TokenFault;
use crate::oauth::{Authorize, Browser, ErrorCode, Next, Parameters};

#[tokio::test]
async fn narrowing_a_scope_once_does_not_shrink_the_grant() {
    let world = World::new().await;
    let first = world.tokens().await.refresh_token.unwrap();
    let narrow = world.refresh(&first, &[("scope", "mcp:read")]).await.unwrap();
    assert_eq!(world.judge(&narrow.access_token).unwrap().scopes().to_string(), "mcp:read");
    let whole = world.refresh(&narrow.refresh_token.unwrap(), &[]).await.unwrap();
    assert_eq!(world.judge(&whole.access_token).unwrap().scopes().to_string(), "mcp:read mcp:write");
    let named = world.refresh(&whole.refresh_token.unwrap(), &[("resource", RESOURCE)]).await.unwrap();
    assert_eq!(named.scope.to_string(), "mcp:read mcp:write");
}

#[tokio::test]
async fn an_access_token_revoked_within_the_retry_window_leaves_the_refresh_token_alone() {
    let world = World::new().await;
    let old = world.tokens().await.refresh_token.unwrap();
    let first = world.refresh(&old, &[]).await.unwrap();
    world.revoke(&first.access_token).await.unwrap();
    assert_eq!(world.judge(&first.access_token).unwrap_err(), TokenFault::Revoked);
    let retried = world.refresh(&old, &[]).await.unwrap();
    assert!(world.judge(&retried.access_token).is_ok());
    let next = world.refresh(&first.refresh_token.unwrap(), &[]).await.unwrap();
    assert!(world.judge(&next.access_token).is_ok());
}

#[test]
fn repeated_parameters_are_refused_before_anything_is_read_from_them() {
    for text in ["client_id=a&client_id=a", "code=a&code=b", "state=a&state=", "scope=a&scope=b"] {
        assert_eq!(Parameters::parse(text.as_bytes()).unwrap_err().code, ErrorCode::InvalidRequest, "{text}");
    }
    assert!(Parameters::parse(b"resource=a&resource=b").is_ok());
}

#[tokio::test]
async fn an_outage_never_sounds_like_a_bad_client_or_a_bad_grant() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let code = world.code(&[]).await;
    world.store.break_down(Fault::Always);
    let refresh_token = tokens.refresh_token.unwrap();
    assert_eq!(error_of(world.redeem(&code, &[]).await), ErrorCode::TemporarilyUnavailable);
    assert_eq!(error_of(world.refresh(&refresh_token, &[]).await), ErrorCode::TemporarilyUnavailable);
    assert_eq!(error_of(world.revoke(&refresh_token).await), ErrorCode::TemporarilyUnavailable);
    assert!(world.judge(&tokens.access_token).is_ok(), "decisions go on");
    world.store.break_down(Fault::None);
    world.redeem(&code, &[]).await.unwrap();
    world.refresh(&refresh_token, &[]).await.unwrap();
}

#[tokio::test]
async fn who_asks_for_no_scope_gets_what_the_resource_offers() {
    let world = World::new().await;
    for scope in ["", "offline_access"] {
        let flow = world.begin(&[("scope", scope)]).await;
        assert_eq!(world.question(&flow).await.scopes.to_string(), "mcp:read mcp:write");
    }
}

#[tokio::test]
async fn a_trailing_slash_in_resource_is_forgiven_everywhere() {
    let world = World::new().await;
    let slashed = "https://mcp.example.com/mcp/";
    let code = world.code(&[("resource", slashed)]).await;
    let tokens = world.redeem(&code, &[("resource", slashed)]).await.unwrap();
    assert_eq!(world.judge(&tokens.access_token).unwrap().audiences(), [RESOURCE]);
    world.refresh(&tokens.refresh_token.unwrap(), &[("resource", slashed)]).await.unwrap();
}

#[tokio::test]
async fn the_token_endpoint_compares_redirect_uri_only_when_it_is_sent() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let other = [("redirect_uri", "https://client.example/other")];
    assert_eq!(error_of(world.redeem(&code, &other).await), ErrorCode::InvalidGrant);
    world.redeem(&code, &[("redirect_uri", "")]).await.unwrap();
}

#[tokio::test]
async fn somebody_who_may_no_longer_can_still_revoke() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let strict = world.replica(|plan| plan.policies[0].principals.emails.clear()).await;
    strict.revoke(&tokens.refresh_token.unwrap()).await.unwrap();
    assert_eq!(strict.judge(&tokens.access_token).unwrap_err(), TokenFault::Revoked);
}

#[tokio::test]
async fn every_answer_to_the_client_names_the_issuer() {
    let world = World::new().await;
    let names_us = |url: &str| assert_eq!(query(url, "iss").as_deref(), Some(ISSUER), "{url}");
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    let Next::Redirect(success) = world.return_with(&flow, &state).await.next else { panic!() };
    names_us(&success);
    let bad = request(&[("resource", FOREIGN_RESOURCE)]);
    let Authorize::Redirect(refused) = world.server.authorize(&bad, None, Browser::default()).await else { panic!() };
    names_us(&refused);
    let flow = world.begin(&[]).await;
    let Next::Redirect(denied) = world.decide(&flow, "deny").await else { panic!() };
    names_us(&denied);
    let flow = world.begin(&[]).await;
    let state = world.approve(&flow).await;
    let failed = form(&[("state", &state), ("error", "access_denied")]);
    let Next::Redirect(failed) = world.server.callback(&failed, flow.browser()).await.next else { panic!() };
    names_us(&failed);
}

#[tokio::test]
async fn a_token_of_somebody_else_is_left_alone_and_that_is_not_said() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    for token in [&tokens.access_token, tokens.refresh_token.as_ref().unwrap()] {
        let by_other = form(&[
            ("client_id", MACHINE),
            ("client_secret", MACHINE_SECRET),
            ("token", token.expose()),
            ("token_type_hint", "nonsense"),
        ]);
        world.server.revoke(&by_other, None).await.unwrap();
    }
    assert!(world.judge(&tokens.access_token).is_ok());
    world.refresh(&tokens.refresh_token.unwrap(), &[]).await.unwrap();
    for unknown in ["", "mfr_unknown", "garbage", "a.b.c", &"x".repeat(20_000)] {
        let unknown = form(&[("client_id", CLIENT), ("token", unknown)]);
        let outcome = world.server.revoke(&unknown, None).await.map_err(|error| error.code);
        let missing = unknown.optional("token").is_none();
        assert_eq!(outcome, if missing { Err(ErrorCode::InvalidRequest) } else { Ok(()) });
    }
}

#[tokio::test]
async fn an_expired_token_can_be_revoked_without_a_word() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    world.pass(100_000);
    world.revoke(&tokens.access_token).await.unwrap();
    assert!(world.refresh(&tokens.refresh_token.unwrap(), &[]).await.is_ok());
}

#[tokio::test]
async fn nothing_but_parking_is_written_because_somebody_followed_links() {
    use crate::store::{Store as _, Table};
    let world = World::new().await;
    let counts = |world: &World| {
        let store = std::sync::Arc::clone(&world.store);
        async move {
            let mut counts = Vec::new();
            for table in Table::ALL.into_iter().filter(|table| *table != Table::PendingAuthorizations) {
                counts.push(store.count(table).await.unwrap());
            }
            counts
        }
    };
    let before = counts(&world).await;
    let flow = world.begin(&[]).await;
    world.question(&flow).await;
    world.server.consent_page(&flow.request, Browser::default()).await;
    world.return_with(&flow, "x.y").await;
    world.return_with(&Flow { cookie: "mfb_x".into(), ..flow.clone() }, &format!("{}.y", flow.request)).await;
    assert_eq!(counts(&world).await, before);
    let state = world.approve(&flow).await;
    world.provider.script(|script| script.person = person("test", "bob"));
    assert!(matches!(world.return_with(&flow, &state).await.next, Next::NotAllowed(_)));
    assert_eq!(counts(&world).await, before, "nor for somebody who may not");
}
