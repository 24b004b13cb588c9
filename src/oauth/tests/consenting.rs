//! The consent page and its form: double clicks, several tabs, the back button, and what is remembered.

use std::time::Duration;

use super::support::fixtures::{
    CLIENT, OTHER_CLIENT, RESOURCE, client, form, keep_client, policies, query, redirect_of, request,
};
use super::support::world::Plan;
use super::support::{Flow, TestProvider, World, person};
use crate::domain::Secret;
use crate::idp::IdpError;
use crate::oauth::{Authorize, Browser, ConsentPage, Next, ProblemKind, RedirectUri};

fn problem(next: Next) -> ProblemKind {
    match next {
        Next::Page(problem) => problem.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_second_click_leads_to_the_same_sign_in() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let first = redirect_of(world.decide(&flow, "approve").await);
    assert_eq!(redirect_of(world.decide(&flow, "approve").await), first);
    assert_eq!(world.question(&flow).await.request, flow.request, "the back button shows the question again");
    assert_eq!(redirect_of(world.decide(&flow, "approve").await), first);
    let state = query(&first, "state").unwrap();
    assert!(query(&redirect_of(world.return_with(&flow, &state).await.next), "code").is_some());
    assert_eq!(problem(world.decide(&flow, "approve").await), ProblemKind::AnsweredAlready);
    assert_eq!(problem(world.decide(&flow, "deny").await), ProblemKind::AnsweredAlready);
}

#[tokio::test]
async fn saying_no_is_told_to_the_client_as_often_as_it_is_said() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    world.approve(&flow).await;
    for _ in 0..2 {
        let url = redirect_of(world.decide(&flow, "deny").await);
        assert_eq!(query(&url, "error").as_deref(), Some("access_denied"));
        assert_eq!(query(&url, "state").as_deref(), Some("state-of-the-client"));
        assert!(query(&url, "iss").is_some());
    }
    assert_eq!(problem(world.decide(&flow, "approve").await), ProblemKind::AnsweredAlready);
    let page = world.server.consent_page(&flow.request, flow.browser()).await;
    assert!(matches!(page, ConsentPage::Page(problem) if problem.kind == ProblemKind::AnsweredAlready));
}

#[tokio::test]
async fn only_our_form_in_the_same_browser_counts() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let other = world.begin(&[]).await;
    let post = |flow: &Flow, csrf: String, cookie: Option<String>| {
        let (server, request) = (std::sync::Arc::clone(&world.server), flow.request.clone());
        async move {
            let fields = form(&[("request", &request), ("csrf", &csrf), ("decision", "approve")]);
            problem(server.consent(&fields, Browser { cookie: cookie.as_deref(), session: None }).await)
        }
    };
    let csrf = flow.browser().form_token(&flow.request).unwrap();
    let cookie = || Some(flow.cookie.clone());
    assert_eq!(post(&flow, String::new(), cookie()).await, ProblemKind::ForeignForm);
    assert_eq!(post(&flow, "guessed".into(), cookie()).await, ProblemKind::ForeignForm);
    let of_other = other.browser().form_token(&other.request).unwrap();
    assert_eq!(post(&flow, of_other, cookie()).await, ProblemKind::ForeignForm);
    assert_eq!(post(&flow, csrf.clone(), Some(other.cookie.clone())).await, ProblemKind::OtherBrowser);
    assert_eq!(post(&flow, csrf.clone(), None).await, ProblemKind::OtherBrowser);
    assert_eq!(post(&Flow { request: "x".repeat(9999), ..flow.clone() }, csrf, cookie()).await, ProblemKind::Expired);
    let nonsense = form(&[("request", &*flow.request), ("decision", "maybe")]);
    assert_eq!(problem(world.server.consent(&nonsense, flow.browser()).await), ProblemKind::BadLink);
    world.approve(&flow).await;
}

#[tokio::test]
async fn a_flow_ends_after_ten_minutes_however_much_happens_in_it() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    world.pass(599);
    let state = world.approve(&flow).await;
    world.pass(1);
    assert_eq!(problem(world.decide(&flow, "approve").await), ProblemKind::Expired);
    assert_eq!(problem(world.return_with(&flow, &state).await.next), ProblemKind::Expired);
}

#[tokio::test]
async fn a_provider_that_is_away_changes_nothing() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    world.provider.script(|script| script.fails_to_start = Some(IdpError::Unavailable("down".into())));
    assert_eq!(problem(world.decide(&flow, "approve").await), ProblemKind::ProviderUnavailable);
    world.provider.script(|script| script.fails_to_start = None);
    world.approve(&flow).await;
}

#[tokio::test]
async fn of_several_providers_one_must_be_chosen_and_another_may_be() {
    let mut plan = Plan::usual();
    plan.providers.push(std::sync::Arc::new(TestProvider::new("second")));
    let world = plan.start().await;
    let flow = world.begin(&[]).await;
    let names: Vec<String> = world.question(&flow).await.providers.into_iter().map(|choice| choice.name).collect();
    assert_eq!(names, ["test", "second"]);
    assert!(matches!(world.decide(&flow, "approve").await, Next::Ask { .. }));
    let csrf = flow.browser().form_token(&flow.request).unwrap();
    let choose = |provider: &'static str| {
        let fields =
            form(&[("request", &*flow.request), ("csrf", &csrf), ("decision", "approve"), ("provider", provider)]);
        let (server, flow) = (std::sync::Arc::clone(&world.server), flow.clone());
        async move { query(&redirect_of(server.consent(&fields, flow.browser()).await), "state").unwrap() }
    };
    let first = choose("test").await;
    let second = choose("second").await;
    assert_ne!(first, second);
    assert_eq!(problem(world.return_with(&flow, &first).await.next), ProblemKind::Expired, "it was started over");
    let back = redirect_of(world.return_with(&flow, &second).await.next);
    let tokens = world.redeem(&query(&back, "code").unwrap(), &[]).await.unwrap();
    assert_eq!(world.judge(&tokens.access_token).unwrap().subject(), "second:alice-1");
}

#[tokio::test]
async fn what_changed_since_the_link_counts() {
    let world = World::new().await;
    let flow = world.begin(&[]).await;
    let without = world.replica(|plan| plan.policies = policies().into_iter().skip(1).collect()).await;
    assert_eq!(problem(without.decide(&flow, "approve").await), ProblemKind::NoLongerOffered);
    let mut moved = client(CLIENT);
    moved.redirect_uris = vec![serde_json::from_str::<RedirectUri>("\"https://client.example/new\"").unwrap()];
    keep_client(&*world.store, &moved).await;
    assert_eq!(problem(world.decide(&flow, "approve").await), ProblemKind::UnknownRedirectUri);
}

/// A browser in which somebody signed in, with what is remembered.
struct SignedIn {
    cookie: String,
    session: Secret,
}

impl SignedIn {
    fn browser(&self) -> Browser<'_> {
        Browser { cookie: Some(&self.cookie), session: Some(self.session.expose()) }
    }

    /// What the next `/authorize` leads to.
    async fn next(&self, world: &World, changes: &[(&str, &str)]) -> ConsentPage {
        match world.server.authorize(&request(changes), None, self.browser()).await {
            Authorize::Consent { request, .. } => world.server.consent_page(&request, self.browser()).await,
            other => panic!("{other:?}"),
        }
    }
}

async fn remembering(remember: bool) -> (World, SignedIn) {
    let mut plan = Plan::usual();
    plan.settings.remember_consent = remember.then_some(Duration::from_secs(3600));
    plan.settings.session_lifetime = Duration::from_secs(7200);
    let world = plan.start().await;
    let flow = world.begin(&[("scope", "mcp:read")]).await;
    let state = world.approve(&flow).await;
    let session = world.return_with(&flow, &state).await.session.unwrap();
    (world, SignedIn { cookie: flow.cookie, session })
}

#[tokio::test]
async fn nobody_is_asked_where_the_client_says_so_and_nothing_is_given_either() {
    let silent = async |world: &World, who: &SignedIn, scope: &str| {
        let asked = request(&[("scope", scope), ("prompt", "none")]);
        match world.server.authorize(&asked, None, who.browser()).await {
            Authorize::Redirect(url) => query(&url, "error").unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let (world, alice) = remembering(true).await;
    assert_eq!(silent(&world, &alice, "mcp:read").await, "login_required", "the provider would have to be asked");
    assert_eq!(silent(&world, &alice, "mcp:read mcp:write").await, "consent_required");
    let stranger = SignedIn { cookie: alice.cookie.clone(), session: Secret::new("mfs_x") };
    assert_eq!(silent(&world, &stranger, "mcp:read mcp:write").await, "login_required");
    let (forgetful, alice) = remembering(false).await;
    assert_eq!(silent(&forgetful, &alice, "mcp:read").await, "consent_required");
}

#[tokio::test]
async fn what_the_client_wants_of_the_sign_in_is_passed_on() {
    let world = World::new().await;
    for (prompt, hint, anew) in [("login", "", true), ("consent", "alice@example.com", false), ("", "", false)] {
        let flow = world.begin(&[("prompt", prompt), ("login_hint", hint)]).await;
        let first = redirect_of(world.decide(&flow, "approve").await);
        let again = redirect_of(world.decide(&flow, "approve").await);
        for url in [first, again] {
            assert_eq!(query(&url, "anew").is_some(), anew, "{prompt}: {url}");
            assert_eq!(query(&url, "login_hint").unwrap_or_default(), hint, "{prompt}: {url}");
        }
    }
}

#[tokio::test]
async fn what_was_approved_is_not_asked_again_where_the_operator_allows_it() {
    let (world, alice) = remembering(true).await;
    let same: &[(&str, &str)] = &[("scope", "mcp:read")];
    let url = match alice.next(&world, same).await {
        ConsentPage::Redirect(url) => url,
        other => panic!("{other:?}"),
    };
    let parameters = form(&[("state", &query(&url, "state").unwrap()), ("code", TestProvider::CODE)]);
    let answer = world.server.callback(&parameters, alice.browser()).await;
    assert!(query(&redirect_of(answer.next), "code").is_some());

    assert!(world.server.signed_in(alice.browser()).await.unwrap().is_none(), "the session before has ended");
    let alice = SignedIn { session: answer.session.unwrap(), ..alice };
    assert!(world.server.signed_in(alice.browser()).await.unwrap().is_some());
    let asked = |page: ConsentPage| matches!(page, ConsentPage::Ask(_));
    assert!(asked(alice.next(&world, &[("scope", "mcp:read mcp:write")]).await), "more than was approved");
    assert!(asked(alice.next(&world, &[("client_id", OTHER_CLIENT), ("scope", "mcp:read")]).await));
    assert!(asked(alice.next(&world, &[("scope", "mcp:read"), ("prompt", "consent")]).await), "the client wants it");
    let stranger = SignedIn { cookie: alice.cookie.clone(), session: Secret::new("mfl_x") };
    assert!(asked(stranger.next(&world, same).await), "nobody is signed in");
    let mut renamed = client(CLIENT);
    renamed.name = Some("Your bank".into());
    keep_client(&*world.store, &renamed).await;
    assert!(asked(alice.next(&world, same).await), "it calls itself something else");
    keep_client(&*world.store, &client(CLIENT)).await;
    assert!(!asked(alice.next(&world, same).await));
    world.pass(3601);
    assert!(asked(alice.next(&world, same).await), "it was long ago");

    let (forgetful, alice) = remembering(false).await;
    assert!(asked(alice.next(&forgetful, same).await));
}

#[tokio::test]
async fn an_approval_of_one_person_is_not_anothers() {
    let (world, alice) = remembering(true).await;
    let ConsentPage::Redirect(url) = alice.next(&world, &[("scope", "mcp:read")]).await else { panic!() };
    world.provider.script(|script| script.person = person("test", "bob"));
    let parameters = form(&[("state", &query(&url, "state").unwrap()), ("code", TestProvider::CODE)]);
    let answer = world.server.callback(&parameters, alice.browser()).await;
    let Next::Ask { request } = answer.next else { panic!("{answer:?}") };
    assert!(answer.session.is_none());
    let page = world.server.consent_page(&request, alice.browser()).await;
    assert!(matches!(page, ConsentPage::Ask(_)), "{page:?}");
}

#[tokio::test]
async fn an_approval_for_a_program_on_this_machine_is_never_remembered() {
    let (world, alice) = remembering(true).await;
    let mut local = client("local");
    local.redirect_uris = vec![serde_json::from_str::<RedirectUri>("\"http://127.0.0.1:3000/cb\"").unwrap()];
    keep_client(&*world.store, &local).await;
    let changes = &[("client_id", "local"), ("redirect_uri", "http://127.0.0.1:3000/cb")];
    for _ in 0..2 {
        let ConsentPage::Ask(question) = alice.next(&world, changes).await else { panic!() };
        assert_eq!(question.resource, RESOURCE);
        let fields = form(&[("request", &*question.request), ("csrf", &question.csrf), ("decision", "approve")]);
        let url = redirect_of(world.server.consent(&fields, alice.browser()).await);
        let parameters = form(&[("state", &query(&url, "state").unwrap()), ("code", TestProvider::CODE)]);
        let flow = Flow { request: question.request, cookie: alice.cookie.clone() };
        let answer = world.server.callback(&parameters, flow.browser()).await;
        assert!(redirect_of(answer.next).starts_with("http://127.0.0.1:3000/cb?code="));
    }
}

#[tokio::test]
async fn ending_a_grant_forgets_what_was_approved() {
    let (world, alice) = remembering(true).await;
    let flow = Flow { request: String::new(), cookie: alice.cookie.clone() };
    let ConsentPage::Redirect(url) = alice.next(&world, &[("scope", "mcp:read")]).await else { panic!() };
    let back = redirect_of(world.return_with(&flow, &query(&url, "state").unwrap()).await.next);
    let tokens = world.redeem(&query(&back, "code").unwrap(), &[]).await.unwrap();
    world.revoke(tokens.refresh_token.as_ref().unwrap()).await.unwrap();
    assert!(matches!(alice.next(&world, &[("scope", "mcp:read")]).await, ConsentPage::Ask(_)));
}
