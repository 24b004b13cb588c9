//! Browsers that sign in to a resource: what a session is worth, for how long, and to whom.

use super::support::fixtures::{CLIENT, OTHER_RESOURCE, RESOURCE, form, policies, query, redirect_of, request};
use super::support::world::Plan;
use super::support::{Flow, World, person};
use crate::authn::Sessions as _;
use crate::authz::BrowserSessions;
use crate::domain::Secret;
use crate::idp::IdpError;
use crate::oauth::{Authorize, BROWSER, Begin, Browser, Next, Problem, ProblemKind, Selection, SessionCookie, Visit};

const HOST: &[u8] = b"mcp.example.com";
const PAGE: &str = "/mcp/notes?page=1&x=/..%2f";

async fn world() -> World {
    let mut plan = Plan::usual();
    plan.policies[0].sessions = BrowserSessions::Here;
    plan.start().await
}

fn visit(world: &World) -> Visit {
    world.server.visit(HOST, PAGE).unwrap()
}

/// Begins a sign-in: where the browser is sent, and its proof key.
async fn begin(world: &World, session: Option<&str>, nonce: Option<&str>) -> (String, String) {
    match world.server.begin_visit(&visit(world), session, nonce).await {
        Begin::SignIn { url, nonce } => (query(&url, "start").unwrap(), nonce.expose().to_owned()),
        other => panic!("{other:?}"),
    }
}

/// From the issuer's host to the address on the protected host at which the browser comes back.
async fn sign_in(world: &World, sealed: &str) -> Next {
    let start = world.server.start_of_visit(sealed).unwrap();
    let answer = world.server.continue_visit(sealed, &start, None, Browser::default()).await;
    let cookie = answer.browser.unwrap().expose().to_owned();
    let state = query(&redirect_of(answer.next), "state").unwrap();
    let flow = Flow { request: String::new(), cookie };
    world.return_with(&flow, &state).await.next
}

async fn come_back(world: &World, url: &str, nonce: Option<&str>) -> Result<SessionCookie, Problem> {
    let parameter = |name: &str| query(url, name).unwrap_or_default();
    let start = world.server.start_of_visit(&parameter("state"))?;
    let visit = world.server.visit_of(&start, HOST).unwrap();
    let parameters = form(&[("code", &parameter("code")), ("error", &parameter("error"))]);
    world.server.finish_visit(&visit, &start, &parameters, nonce, None).await
}

/// A whole sign-in.
async fn session(world: &World) -> String {
    let (sealed, nonce) = begin(world, None, None).await;
    let url = redirect_of(sign_in(world, &sealed).await);
    come_back(world, &url, Some(&nonce)).await.unwrap().value.expose().to_owned()
}

async fn kind(world: &World, url: &str, nonce: Option<&str>) -> ProblemKind {
    come_back(world, url, nonce).await.unwrap_err().kind
}

fn token(world: &World, session: &str) -> Option<Secret> {
    world.server.token_behind(RESOURCE, session)
}

#[tokio::test]
async fn a_browser_comes_back_with_a_session_that_holds_a_token_for_the_resource_alone() {
    let world = world().await;
    let (sealed, nonce) = begin(&world, None, None).await;
    let url = redirect_of(sign_in(&world, &sealed).await);
    assert!(url.starts_with("https://mcp.example.com/sign-in/return?code=mfo_"), "{url}");
    let cookie = come_back(&world, &url, Some(&nonce)).await.unwrap();
    assert_eq!(cookie.lifetime, world.server.settings().session_lifetime);
    let identity = world.judge(&token(&world, cookie.value.expose()).unwrap()).unwrap();
    assert_eq!((identity.subject(), identity.client()), ("test:alice-1", Some(BROWSER)));
    assert_eq!(
        (identity.audiences(), identity.scopes().to_string()),
        (&[RESOURCE.to_owned()][..], "mcp:read mcp:write".into())
    );
    assert!(world.server.token_behind(OTHER_RESOURCE, cookie.value.expose()).is_none(), "for another resource");
    let damaged = cookie.value.expose().replace('a', "b");
    assert!(token(&world, &damaged).is_none() && token(&world, "").is_none());
    let grants = world.server.grants(Selection::Person("test:alice-1"), None, 10).await.unwrap().grants;
    assert_eq!(
        grants.iter().map(|grant| (&*grant.client, grant.client_name.as_deref())).collect::<Vec<_>>(),
        [("browser", Some("Browser"))]
    );
}

#[tokio::test]
async fn the_way_back_works_only_in_the_browser_that_began_and_once() {
    let world = world().await;
    let (sealed, nonce) = begin(&world, None, None).await;
    let url = redirect_of(sign_in(&world, &sealed).await);
    let (_, other) = begin(&world, None, None).await;
    assert_eq!(kind(&world, &url, None).await, ProblemKind::OtherBrowser);
    assert_eq!(kind(&world, &url, Some(&other)).await, ProblemKind::OtherBrowser);
    let first = come_back(&world, &url, Some(&nonce)).await.unwrap();
    assert_eq!(kind(&world, &url, Some(&nonce)).await, ProblemKind::AnsweredAlready);
    assert!(
        world.judge(&token(&world, first.value.expose()).unwrap()).is_err(),
        "a code that is used twice ends its grant"
    );
}

/// The state of one flow with the code of another: whoever made the code is not whoever sits there.
#[tokio::test]
async fn a_code_fits_only_the_proof_key_of_its_own_flow() {
    let world = world().await;
    let (stranger, _) = begin(&world, None, None).await;
    let theirs = redirect_of(sign_in(&world, &stranger).await);
    let (own, nonce) = begin(&world, None, None).await;
    let mixed = format!("https://mcp.example.com/sign-in/return?state={own}&code={}", query(&theirs, "code").unwrap());
    assert_eq!(kind(&world, &mixed, Some(&nonce)).await, ProblemKind::AnsweredAlready);
}

#[tokio::test]
async fn two_tabs_of_one_browser_both_arrive() {
    let world = world().await;
    let (first, nonce) = begin(&world, None, None).await;
    let (second, same) = begin(&world, None, Some(&nonce)).await;
    assert_eq!(same, nonce);
    for sealed in [second, first] {
        let url = redirect_of(sign_in(&world, &sealed).await);
        come_back(&world, &url, Some(&nonce)).await.unwrap();
    }
    for odd in ["", "short", &"a".repeat(44), &"ä".repeat(22)] {
        assert_ne!(begin(&world, None, Some(odd)).await.1, odd, "a proof key that we never make");
    }
}

#[tokio::test]
async fn a_session_is_renewed_without_a_person_until_its_end() {
    let world = world().await;
    let first = session(&world).await;
    let began = world.now();
    let visit = visit(&world);
    let good = world.server.begin_visit(&visit, Some(&first), None).await;
    assert!(matches!(good, Begin::Back(None)), "as it is: {good:?}");
    let mut current = first.clone();
    while world.now() < began.plus(world.server.settings().session_lifetime) {
        match world.server.begin_visit(&visit, Some(&current), None).await {
            Begin::Back(Some(cookie)) => {
                assert!(world.now().plus(cookie.lifetime) <= began.plus(world.server.settings().session_lifetime));
                current = cookie.value.expose().to_owned();
            }
            Begin::Back(None) => {}
            other => panic!("{other:?}"),
        }
        world.judge(&token(&world, &current).unwrap()).unwrap();
        world.pass(1200);
    }
    world.pass(1200);
    begin(&world, Some(&current), None).await;
    begin(&world, Some(&first), None).await;
}

#[tokio::test]
async fn a_session_that_was_withdrawn_or_whose_person_may_no_more_is_not_renewed() {
    let world = world().await;
    let withdrawn = session(&world).await;
    world.server.end_grants(Selection::Person("test:alice-1")).await.unwrap();
    assert!(world.judge(&token(&world, &withdrawn).unwrap()).is_err(), "at once");
    begin(&world, Some(&withdrawn), None).await;

    let disowned = session(&world).await;
    world.pass(1200);
    let strict = world.replica(|plan| {
        plan.policies[0].sessions = BrowserSessions::Here;
        plan.policies[0].principals.emails.clear();
    });
    begin(&strict.await, Some(&disowned), None).await;

    let signed_out = session(&world).await;
    world.server.end_session(OTHER_RESOURCE, &signed_out).await.unwrap();
    world.judge(&token(&world, &signed_out).unwrap()).unwrap();
    world.server.end_session(RESOURCE, &signed_out).await.unwrap();
    assert!(world.judge(&token(&world, &signed_out).unwrap()).is_err());
    begin(&world, Some(&signed_out), None).await;
}

#[tokio::test]
async fn while_the_provider_is_away_nobody_is_sent_in_circles() {
    let world = world().await;
    world.provider.script(|script| script.refresh_token = Some("upstream".into()));
    let session = session(&world).await;
    world.pass(1200);
    world.provider.script(|script| script.fails_again = Some(IdpError::Unavailable("away".into())));
    let answer = world.server.begin_visit(&visit(&world), Some(&session), None).await;
    assert!(matches!(&answer, Begin::Page(problem) if problem.kind == ProblemKind::Unavailable), "{answer:?}");
    world.provider.script(|script| script.fails_again = None);
    let answer = world.server.begin_visit(&visit(&world), Some(&session), None).await;
    assert!(matches!(answer, Begin::Back(Some(_))), "{answer:?}");
}

#[tokio::test]
async fn somebody_who_may_not_gets_a_page_and_no_session() {
    let world = world().await;
    world.provider.script(|script| script.person = person("test", "bob"));
    let (sealed, nonce) = begin(&world, None, None).await;
    let next = sign_in(&world, &sealed).await;
    assert!(matches!(next, Next::NotAllowed(_)), "{next:?}");
    let refused = format!("https://mcp.example.com/sign-in/return?error=access_denied&state={sealed}");
    assert_eq!(kind(&world, &refused, Some(&nonce)).await, ProblemKind::Declined);
}

#[tokio::test]
async fn what_is_carried_from_host_to_host_ends_and_is_bound() {
    let world = world().await;
    let (sealed, nonce) = begin(&world, None, None).await;
    let url = redirect_of(sign_in(&world, &sealed).await);
    let start = world.server.start_of_visit(&sealed).unwrap();
    assert!(world.server.visit_of(&start, b"other.example.com").is_none(), "another host");
    for odd in ["", "x", sealed.get(1..).unwrap(), &format!("{sealed}A"), &session(&world).await] {
        assert_eq!(world.server.start_of_visit(odd).unwrap_err().kind, ProblemKind::BadLink, "{odd}");
    }
    let replica = world.replica(|plan| plan.policies = policies()).await;
    let gone = replica.server.continue_visit(&sealed, &start, None, Browser::default()).await;
    assert!(matches!(&gone.next, Next::Page(problem) if problem.kind == ProblemKind::NoLongerOffered), "{gone:?}");
    assert!(replica.server.visit_of(&start, HOST).is_none(), "the option is off");
    world.pass(660);
    assert_eq!(kind(&world, &url, Some(&nonce)).await, ProblemKind::Expired);
}

#[tokio::test]
async fn only_a_page_of_the_host_itself_is_one_to_come_back_to() {
    let world = world().await;
    for target in [
        "//evil.example/mcp",
        "/\\evil.example/mcp",
        "https://evil.example/mcp",
        "/mcp/../../x",
        "/mcp//x",
        "/mcp#x",
        "/mcp?x#y",
        "/mcp?x\r\nSet-Cookie:a=b",
        "/mcp?ä",
        "/mcp x",
        "mcp",
        "",
        "/elsewhere",
        &format!("/mcp?{}", "x".repeat(2048)),
    ] {
        assert_eq!(world.server.visit(HOST, target), None, "{target}");
    }
    for host in
        [&b"other.example.com"[..], b"evil.example", b"mcp.example.com@evil.example", b"", b"mcp.example.com:444"]
    {
        assert_eq!(world.server.visit(host, PAGE), None, "{}", String::from_utf8_lossy(host));
    }
    assert_eq!(world.server.visit(b"MCP.example.com:443", PAGE).unwrap().url, format!("https://mcp.example.com{PAGE}"));
}

/// The name is known to this process alone: no endpoint takes it.
#[tokio::test]
async fn nobody_else_is_the_browser() {
    let world = world().await;
    let asked = request(&[("client_id", BROWSER), ("redirect_uri", "https://mcp.example.com/sign-in/return")]);
    let answer = world.server.authorize(&asked, None, Browser::default()).await;
    assert!(matches!(&answer, Authorize::Page(problem) if problem.kind == ProblemKind::UnknownClient), "{answer:?}");
    let refused = world.redeem("mfc_x", &[("client_id", BROWSER)]).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "invalid_client");
    let (sealed, nonce) = begin(&world, None, None).await;
    let url = redirect_of(sign_in(&world, &sealed).await);
    let code = query(&url, "code").unwrap();
    let stolen = world.redeem(&code, &[("client_id", CLIENT), ("code_verifier", &nonce)]).await.unwrap_err();
    assert_eq!(stolen.code.as_str(), "invalid_grant");
}
