//! What `/authorize` takes, and where it says no.

use super::support::World;
use super::support::fixtures::{
    CHALLENGE, FOREIGN_RESOURCE, ISSUER, OTHER_RESOURCE, RESOURCE, client, keep_client, policies, query, redirect_of,
    request,
};
use super::support::world::{Flow, Plan};
use crate::domain::{Authority, Scheme, ScopeSet};
use crate::oauth::{Authorize, Browser, ConsentPage, GrantType, ProblemKind, RedirectUri};

async fn outcome(world: &World, changes: &[(&str, &str)]) -> String {
    match world.server.authorize(&request(changes), None, Browser::default()).await {
        Authorize::Consent { .. } => "consent".into(),
        Authorize::Page(problem) => format!("page {:?}", problem.kind),
        Authorize::Redirect(url) => {
            assert_eq!(query(&url, "iss").as_deref(), Some(ISSUER), "{url}");
            assert!(query(&url, "error_description").is_some() && url.starts_with("https://client.example/callback?"));
            let state = query(&url, "state");
            let expected = changes.iter().find(|(name, _)| *name == "state").map_or("state-of-the-client", |(_, v)| v);
            assert_eq!(state.unwrap_or_default(), expected);
            query(&url, "error").unwrap()
        }
    }
}

#[tokio::test]
async fn every_request_is_parked_refused_on_a_page_or_refused_at_the_client() {
    let world = World::new().await;
    let long = "s".repeat(5000);
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[], "consent"),
        // Nobody may be told: an open redirector and a thief of codes would live on it.
        (&[("client_id", "")], "page UnknownClient"),
        (&[("client_id", "nobody")], "page UnknownClient"),
        (&[("redirect_uri", "https://client.example/callback/")], "page UnknownRedirectUri"),
        (&[("redirect_uri", "https://evil.example/callback")], "page UnknownRedirectUri"),
        (&[("redirect_uri", "https://client.example/callback#x")], "page UnknownRedirectUri"),
        (&[("redirect_uri", "https://client.example/callback?x\r\nSet-Cookie: a")], "page UnknownRedirectUri"),
        (&[("state", &long)], "page BadLink"),
        // The only one that the client has, and no state: both lawful.
        (&[("redirect_uri", ""), ("state", "")], "consent"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code token"), ("state", "")], "unsupported_response_type"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("response_mode", "query")], "consent"),
        (&[("request", "eyJ.e30.")], "invalid_request"),
        (&[("request_uri", "https://evil.example/")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("resource", FOREIGN_RESOURCE)], "invalid_target"),
        (&[("resource", "https://mcp.example.com")], "invalid_target"),
        (&[("resource", "https://mcp.example.com/mcp/deeper")], "invalid_target"),
        (&[("resource", "https://evil.example/mcp")], "invalid_target"),
        (&[("resource", "not a url")], "invalid_target"),
        (&[("resource", "")], "invalid_target"),
        (&[("resource", OTHER_RESOURCE)], "consent"),
        (&[("scope", "mcp:read")], "consent"),
        (&[("scope", "mcp:read mcp:nonsense")], "consent"),
        (&[("scope", "offline_access")], "consent"),
        (&[("scope", "mcp:admin")], "invalid_scope"),
        (&[("scope", "\u{e9}")], "invalid_scope"),
        (&[("scope", "mcp:admin"), ("resource", OTHER_RESOURCE)], "consent"),
        // Nobody is signed in here, and nobody may be asked to (OpenID Connect Core §3.1.2.6).
        (&[("prompt", "none")], "login_required"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "none"), ("scope", "mcp:admin")], "invalid_scope"),
        (&[("prompt", "none"), ("redirect_uri", "https://evil.example/callback")], "page UnknownRedirectUri"),
        (&[("prompt", "login consent select_account create")], "consent"),
    ];
    let mut failing = Vec::new();
    for (changes, expected) in rows {
        let actual = outcome(&world, changes).await;
        if actual != *expected {
            failing.push(format!("{changes:?}: {actual}, not {expected}"));
        }
    }
    assert!(failing.is_empty(), "{failing:#?}");
}

#[tokio::test]
async fn a_client_is_held_to_what_it_may_do() {
    let world = World::new().await;
    let mut narrow = client("narrow");
    narrow.scopes = Some(ScopeSet::from_claim("mcp:read mcp:other"));
    keep_client(&*world.store, &narrow).await;
    let flow = world.begin(&[("client_id", "narrow")]).await;
    assert_eq!(world.question(&flow).await.scopes.to_string(), "mcp:read");
    assert_eq!(outcome(&world, &[("client_id", "narrow"), ("scope", "mcp:write")]).await, "invalid_scope");

    let mut machine = client("no-codes");
    machine.grant_types = vec![GrantType::ClientCredentials];
    keep_client(&*world.store, &machine).await;
    assert_eq!(outcome(&world, &[("client_id", "no-codes")]).await, "unauthorized_client");

    let mut several = client("several");
    several.redirect_uris.push(serde_json::from_str::<RedirectUri>("\"https://client.example/second\"").unwrap());
    keep_client(&*world.store, &several).await;
    let unsaid = [("client_id", "several"), ("redirect_uri", "")];
    assert_eq!(outcome(&world, &unsaid).await, "page UnknownRedirectUri", "which of the two is meant?");
}

#[tokio::test]
async fn a_request_without_resource_means_the_one_of_its_host_or_the_only_one() {
    let world = World::new().await;
    let unsaid = request(&[("resource", "")]);
    let resource = |world: &World, host: &'static str| {
        let (server, request) = (std::sync::Arc::clone(&world.server), unsaid.clone());
        async move {
            let host = Authority::parse(host.as_bytes(), Scheme::Https).unwrap();
            match server.authorize(&request, Some(&host), Browser::default()).await {
                Authorize::Consent { request, browser } => {
                    let cookie = browser.unwrap();
                    let browser = Browser { cookie: Some(cookie.expose()), session: None };
                    match server.consent_page(&request, browser).await {
                        ConsentPage::Ask(question) => question.resource,
                        other => panic!("{other:?}"),
                    }
                }
                Authorize::Redirect(url) => query(&url, "error").unwrap(),
                other => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(resource(&world, "mcp.example.com").await, RESOURCE);
    assert_eq!(resource(&world, "OTHER.example.com:443").await, OTHER_RESOURCE);
    assert_eq!(resource(&world, "auth.example.com").await, "invalid_target", "there are two of ours");
    assert_eq!(resource(&world, "foreign.example.com").await, "invalid_target", "not ours");
    let alone = world.replica(|plan| plan.policies = policies().into_iter().take(1).collect()).await;
    assert_eq!(resource(&alone, "auth.example.com").await, RESOURCE);
}

#[tokio::test]
async fn a_trailing_slash_is_forgiven_and_the_configured_form_is_what_tokens_name() {
    let world = World::new().await;
    for (asked, granted) in [
        ("https://mcp.example.com/mcp/", RESOURCE),
        ("HTTPS://MCP.example.com:443/mcp", RESOURCE),
        ("https://other.example.com/notes", OTHER_RESOURCE),
    ] {
        let code = world.code(&[("resource", asked)]).await;
        let tokens = world.redeem(&code, &[("resource", asked)]).await.unwrap();
        assert_eq!(world.judge(&tokens.access_token).unwrap().audiences(), [granted], "{asked}");
    }
}

#[tokio::test]
async fn a_browser_keeps_its_cookie_and_gets_one_only_when_it_has_none_of_ours() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let cookie_given = |cookie: String| {
        let server = std::sync::Arc::clone(&world.server);
        async move {
            let browser = Browser { cookie: Some(&cookie), session: None };
            match server.authorize(&request(&[]), None, browser).await {
                Authorize::Consent { browser, .. } => browser.is_some(),
                other => panic!("{other:?}"),
            }
        }
    };
    assert!(!cookie_given(flow.cookie.clone()).await);
    for foreign in ["", "x", "mfb_short", &"a".repeat(47), &format!("mfb_{}", "=".repeat(43))] {
        assert!(cookie_given(foreign.to_owned()).await, "{foreign}");
    }
}

/// Two tabs that came for the first time at the same moment got a cookie each.
#[tokio::test]
async fn a_browser_with_several_cookies_goes_on_with_what_it_began_under_any_of_them() {
    let world = World::new().await;
    let (one, two) = (world.begin(&[]).await, world.begin(&[]).await);
    assert_ne!(one.cookie, two.cookie);
    let both = format!("{} {}", one.cookie, two.cookie);
    for flow in [&one, &two] {
        let flow = Flow { cookie: both.clone(), ..flow.clone() };
        let state = world.approve(&flow).await;
        assert!(query(&redirect_of(world.return_with(&flow, &state).await.next), "code").is_some());
    }
    let stranger = world.begin(&[]).await;
    let stranger = Flow { cookie: format!("{} mfb_x", stranger.cookie), ..one };
    let page = world.server.consent_page(&stranger.request, stranger.browser()).await;
    assert!(matches!(page, ConsentPage::Page(problem) if problem.kind == ProblemKind::OtherBrowser));
}

#[tokio::test]
async fn what_waits_is_bounded() {
    let mut plan = Plan::usual();
    plan.settings.max_pending = 3;
    let world = plan.start().await;
    for _ in 0..3 {
        world.begin(&[]).await;
    }
    assert_eq!(outcome(&world, &[]).await, "temporarily_unavailable");
    world.pass(601);
    crate::store::Store::purge(&*world.store, world.now()).await.unwrap();
    assert_eq!(outcome(&world, &[]).await, "consent");
}

#[tokio::test]
async fn a_client_that_cannot_be_looked_up_is_not_called_unknown() {
    let world = World::new().await;
    world.store.break_down(super::support::stores::Fault::Always);
    match world.server.authorize(&request(&[("code_challenge", CHALLENGE)]), None, Browser::default()).await {
        Authorize::Page(problem) => assert_eq!(problem.kind, ProblemKind::Unavailable),
        other => panic!("{other:?}"),
    }
}
