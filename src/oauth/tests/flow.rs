//! The whole flow, as it should go.

use super::support::fixtures::{CLIENT, ISSUER, REDIRECT, form, query, redirect_of};
use super::support::{RESOURCE, World};
use crate::authn::TokenFault;
use crate::oauth::Next;

#[tokio::test]
async fn from_the_request_to_the_end_of_the_grant() {
    let world = World::new().await;
    let flow = world.begin(&[("scope", "mcp:read offline_access")]).await;

    let question = world.question(&flow).await;
    assert_eq!(question.client_name.as_deref(), Some("The client-one"));
    assert_eq!(question.redirect_uri, REDIRECT);
    assert_eq!((question.resource.as_str(), question.resource_name.as_deref()), (RESOURCE, Some("Notes")));
    assert_eq!(question.scopes.to_string(), "mcp:read");
    assert_eq!(question.person, None);

    let to_provider = redirect_of(world.decide(&flow, "approve").await);
    assert_eq!(query(&to_provider, "redirect_uri").as_deref(), Some("https://auth.example.com/callback"));
    let state = query(&to_provider, "state").unwrap();
    let answer = world.return_with(&flow, &state).await;
    assert!(answer.session.is_some());
    let back = redirect_of(answer.next);
    assert!(back.starts_with(REDIRECT));
    assert_eq!(query(&back, "state").as_deref(), Some("state-of-the-client"));
    assert_eq!(query(&back, "iss").as_deref(), Some(ISSUER));

    let tokens = world.redeem(&query(&back, "code").unwrap(), &[]).await.unwrap();
    assert_eq!((tokens.expires_in, tokens.scope.to_string().as_str()), (900, "mcp:read"));
    let identity = world.judge(&tokens.access_token).unwrap();
    assert_eq!(identity.subject(), "test:alice-1");
    assert_eq!(identity.client(), Some(CLIENT));
    assert_eq!(identity.audiences(), [RESOURCE]);
    assert_eq!(identity.verified_email().unwrap().as_str(), "alice@example.com");
    assert_eq!(identity.user_name(), Some("alice"));
    assert_eq!(identity.scopes().to_string(), "mcp:read");

    world.pass(901);
    let refreshed = world.refresh(tokens.refresh_token.as_ref().unwrap(), &[]).await.unwrap();
    let later = world.judge(&refreshed.access_token).unwrap();
    assert_eq!(later.own_token().unwrap().grant, identity.own_token().unwrap().grant);
    assert_ne!(later.own_token().unwrap().jti, identity.own_token().unwrap().jti);

    world.revoke(refreshed.refresh_token.as_ref().unwrap()).await.unwrap();
    assert_eq!(world.judge(&refreshed.access_token).unwrap_err(), TokenFault::Revoked);
    assert!(world.refresh(refreshed.refresh_token.as_ref().unwrap(), &[]).await.is_err());
}

#[tokio::test]
async fn a_token_is_a_jwt_of_rfc_9068_and_says_what_was_agreed() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let (header, claims) = read(tokens.access_token.expose());
    assert_eq!((&header["typ"], &header["alg"]), (&"at+jwt".into(), &"ES256".into()));
    let now = world.now().as_secs();
    for (name, value) in [
        ("iss", ISSUER.into()),
        ("sub", "test:alice-1".into()),
        ("aud", RESOURCE.into()),
        ("client_id", CLIENT.into()),
        ("scope", "mcp:read mcp:write".into()),
        ("iat", now.into()),
        ("exp", (now + 900).into()),
        ("auth_time", now.into()),
        ("email", "alice@example.com".into()),
        ("email_verified", true.into()),
        ("preferred_username", "alice".into()),
    ] as [(&str, serde_json::Value); 11]
    {
        assert_eq!(claims[name], value, "{name}");
    }
    assert!(claims["jti"].is_string() && claims["grant"].is_string());
    assert_eq!(claims.as_object().unwrap().len(), 13, "and nothing else: {claims}");
    let body = tokens.to_json();
    assert_eq!(body["token_type"], "Bearer");
    assert!(body.as_object().unwrap().values().all(|value| !value.is_null()));
}

#[tokio::test]
async fn a_person_can_sign_in_to_see_and_end_their_connections() {
    use crate::oauth::{Browser, Disconnected};
    let world = World::new().await;
    let tokens = world.tokens().await;
    let started = world.server.sign_in(None, true, Browser::default()).await;
    let to_provider = redirect_of(started.next);
    assert_eq!(query(&to_provider, "prompt").as_deref(), Some("select_account"));
    let cookie = started.browser.unwrap();
    let state = query(&to_provider, "state").unwrap();
    let returned = form(&[("state", &state), ("code", super::support::TestProvider::CODE)]);
    let answer = world.server.callback(&returned, Browser { cookie: Some(cookie.expose()), session: None }).await;
    assert!(matches!(answer.next, Next::SignedIn), "{answer:?}");
    let session = answer.session.unwrap();
    let browser = Browser { cookie: Some(cookie.expose()), session: Some(session.expose()) };

    let connections = world.server.connections(browser, None).await.unwrap().unwrap();
    assert_eq!(connections.person.subject, "alice-1");
    let [connection] = connections.page.grants.as_slice() else { panic!("{connections:?}") };
    assert_eq!(connection.client_name.as_deref(), Some("The client-one"));
    assert_eq!((connection.resource.as_str(), connection.since), (RESOURCE, world.now()));

    let foreign = world.server.disconnect(browser, "wrong", &connection.id).await.unwrap();
    assert_eq!(foreign, Disconnected::ForeignForm);
    assert!(world.judge(&tokens.access_token).is_ok());
    let done = world.server.disconnect(browser, &connections.csrf, &connection.id).await.unwrap();
    assert_eq!(done, Disconnected::Done);
    assert!(world.judge(&tokens.access_token).is_err());
    let (second, third) = (world.tokens().await, world.tokens().await);
    let forged = world.server.disconnect_all(browser, "wrong").await.unwrap();
    assert_eq!(forged, Disconnected::ForeignForm);
    let done = world.server.disconnect_all(browser, &connections.csrf).await.unwrap();
    assert_eq!(done, Disconnected::Done);
    assert!([second, third].iter().all(|tokens| world.judge(&tokens.access_token).is_err()));

    let elsewhere = Browser { cookie: None, session: Some(session.expose()) };
    assert!(world.server.connections(elsewhere, None).await.unwrap().is_none(), "a session counts in its browser only");
    assert_eq!(world.server.sign_out(browser, "wrong").await.unwrap(), Disconnected::ForeignForm);
    assert!(world.server.connections(browser, None).await.unwrap().is_some());
    assert_eq!(world.server.sign_out(browser, &connections.csrf).await.unwrap(), Disconnected::Done);
    assert!(world.server.connections(browser, None).await.unwrap().is_none());
}

/// Header and claims of a token.
fn read(token: &str) -> (serde_json::Value, serde_json::Value) {
    use base64::Engine as _;
    let part = |index: usize| {
        let text = token.split('.').nth(index).unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(0), part(1))
}
