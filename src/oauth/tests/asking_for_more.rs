//! A client wants more than it has: what the person is shown as known, and every way in which it might not be theirs.

use std::time::Duration;

use super::support::fixtures::{
    CLIENT, ISSUER, OTHER_CLIENT, OTHER_RESOURCE, client, form, keep_client, policies, policy, query, redirect_of,
    request,
};
use super::support::world::Plan;
use super::support::{TestProvider, World, person};
use crate::authn::TokenFault;
use crate::domain::{Email, Secret};
use crate::oauth::{Authorize, Browser, ConsentPage, Next, ProblemKind, Question, RedirectUri, TokenAnswer};

/// A browser with a session on our pages.
#[derive(Clone)]
struct Signed {
    cookie: String,
    session: Secret,
}

const LITTLE: (&str, &str) = ("scope", "mcp:read");
const ALL: (&str, &str) = ("scope", "mcp:read mcp:write");

impl Signed {
    fn browser(&self) -> Browser<'_> {
        Browser { cookie: Some(&self.cookie), session: Some(self.session.expose()) }
    }

    async fn page(&self, world: &World, changes: &[(&str, &str)]) -> Question {
        let request = match world.server.authorize(&request(changes), None, self.browser()).await {
            Authorize::Consent { request, .. } => request,
            other => panic!("{other:?}"),
        };
        match world.server.consent_page(&request, self.browser()).await {
            ConsentPage::Ask(question) => *question,
            other => panic!("{other:?}"),
        }
    }

    /// What the page says was allowed before.
    async fn known(&self, world: &World, changes: &[(&str, &str)]) -> String {
        self.page(world, changes).await.known.to_string()
    }

    /// Answers the page.
    async fn answer(&self, world: &World, question: &Question, decision: &str) -> Next {
        let fields = [("request", &*question.request), ("csrf", &*question.csrf), ("decision", decision)];
        world.server.consent(&form(&fields), self.browser()).await
    }

    /// Comes back from the provider.
    async fn come_back(&self, world: &World, to_provider: &str) -> Next {
        let parameters = form(&[("state", &query(to_provider, "state").unwrap()), ("code", TestProvider::CODE)]);
        world.server.callback(&parameters, self.browser()).await.next
    }
}

/// From now on it is Bob at the provider, who may use the resource too.
fn bob_signs_in(world: &World) {
    world.provider.script(|script| {
        script.person = person("test", "bob");
        script.person.email = Email::parse("bob@corp.example");
        script.person.email_verified = true;
    });
}

/// Alice, who is signed in and let the client read, with the client's tokens.
async fn alice_of(world: &World) -> (Signed, TokenAnswer) {
    let flow = world.begin(&[LITTLE]).await;
    let state = world.approve(&flow).await;
    let answer = world.return_with(&flow, &state).await;
    let code = query(&redirect_of(answer.next), "code").unwrap();
    let tokens = world.redeem(&code, &[]).await.unwrap();
    (Signed { cookie: flow.cookie, session: answer.session.unwrap() }, tokens)
}

async fn signed_in() -> (World, Signed, TokenAnswer) {
    let world = World::new().await;
    let (alice, tokens) = alice_of(&world).await;
    (world, alice, tokens)
}

#[tokio::test]
async fn what_the_person_let_the_client_do_before_is_known_and_everything_is_granted() {
    let (world, alice, _) = signed_in().await;
    let question = alice.page(&world, &[ALL]).await;
    assert_eq!((question.known.to_string(), question.scopes.to_string()), ("mcp:read".into(), ALL.1.into()));
    assert_eq!(question.person.as_ref().unwrap().subject, "alice-1");
    let to_provider = redirect_of(alice.answer(&world, &question, "approve").await);
    let again = redirect_of(alice.answer(&world, &question, "approve").await);
    assert_eq!(again, to_provider, "a second click");
    let back = redirect_of(alice.come_back(&world, &to_provider).await);
    let tokens = world.redeem(&query(&back, "code").unwrap(), &[]).await.unwrap();
    assert_eq!(tokens.scope.to_string(), ALL.1);
}

#[tokio::test]
async fn nothing_is_known_that_this_person_did_not_grant_to_this_client_for_this_resource() {
    let (world, alice, _) = signed_in().await;
    let stranger = Signed { session: Secret::new("mfl_x"), ..alice.clone() };
    assert_eq!(stranger.known(&world, &[ALL]).await, "", "nobody is signed in");
    assert_eq!(alice.known(&world, &[LITTLE]).await, "", "nothing is new, so it is all asked again");
    assert_eq!(alice.known(&world, &[("scope", "mcp:write")]).await, "", "what is not asked for is not shown either");
    assert_eq!(alice.known(&world, &[("client_id", OTHER_CLIENT), ALL]).await, "", "another client");
    let mut namesake = client("namesake");
    namesake.name = client(CLIENT).name;
    keep_client(&*world.store, &namesake).await;
    assert_eq!(alice.known(&world, &[("client_id", "namesake"), ALL]).await, "", "another client of the same name");
    let mut renamed = client(CLIENT);
    renamed.name = Some("Your bank".into());
    keep_client(&*world.store, &renamed).await;
    assert_eq!(alice.known(&world, &[ALL]).await, "", "it calls itself something else");
    let mut moved = client(CLIENT);
    moved.redirect_uris = vec![serde_json::from_str::<RedirectUri>("\"https://elsewhere.example/cb\"").unwrap()];
    keep_client(&*world.store, &moved).await;
    let elsewhere = [("redirect_uri", "https://elsewhere.example/cb"), ALL];
    assert_eq!(alice.known(&world, &elsewhere).await, "", "the answer goes elsewhere");
    keep_client(&*world.store, &client(CLIENT)).await;
    assert_eq!(alice.known(&world, &[ALL]).await, "mcp:read", "and it is known otherwise");
}

#[tokio::test]
async fn another_resource_knows_nothing() {
    let (world, alice, _) = signed_in().await;
    let with_scopes = |plan: &mut Plan| {
        plan.policies = policies();
        plan.policies[1] = policy(OTHER_RESOURCE, ISSUER, &["alice@example.com"], "mcp:read mcp:write");
    };
    let world = world.replica(with_scopes).await;
    assert_eq!(alice.known(&world, &[("resource", OTHER_RESOURCE), ALL]).await, "");
    assert_eq!(alice.known(&world, &[ALL]).await, "mcp:read");
}

#[tokio::test]
async fn what_is_over_is_not_known() {
    let (world, alice, tokens) = signed_in().await;
    world.revoke(tokens.refresh_token.as_ref().unwrap()).await.unwrap();
    assert_eq!(alice.known(&world, &[ALL]).await, "", "revoked");

    let mut plan = Plan::usual();
    plan.settings.refresh_token_lifetime = Duration::from_secs(600);
    plan.settings.session_lifetime = Duration::from_secs(7200);
    let world = plan.start().await;
    let (alice, _) = alice_of(&world).await;
    assert_eq!(alice.known(&world, &[ALL]).await, "mcp:read");
    world.pass(600);
    assert_eq!(alice.known(&world, &[ALL]).await, "", "expired");

    let (world, alice, _) = signed_in().await;
    assert_eq!(world.server.end_grants_of_deleted(CLIENT).await.unwrap(), 1);
    assert_eq!(alice.known(&world, &[ALL]).await, "", "the client was deleted and came again");
}

#[tokio::test]
async fn a_program_on_the_device_is_asked_about_as_if_for_the_first_time() {
    let (world, alice, _) = signed_in().await;
    for address in ["http://127.0.0.1:3000/cb", "cursor://anysphere.cursor-mcp/oauth/callback"] {
        let mut local = client("local");
        local.redirect_uris = vec![serde_json::from_str::<RedirectUri>(&format!("{address:?}")).unwrap()];
        keep_client(&*world.store, &local).await;
        let of_local = [("client_id", "local"), ("redirect_uri", address)];
        let code = world.code(&[of_local[0], of_local[1], LITTLE]).await;
        world.redeem(&code, &of_local).await.unwrap();
        assert_eq!(alice.known(&world, &[of_local[0], of_local[1], ALL]).await, "", "{address}");
    }
}

#[tokio::test]
async fn what_was_remembered_is_known_too() {
    let mut plan = Plan::usual();
    plan.settings.remember_consent = Some(Duration::from_secs(3600));
    let world = plan.start().await;
    let flow = world.begin(&[LITTLE]).await;
    let state = world.approve(&flow).await;
    // The code is never redeemed, so there is no grant.
    let session = world.return_with(&flow, &state).await.session.unwrap();
    let alice = Signed { cookie: flow.cookie, session };
    assert_eq!(alice.known(&world, &[ALL]).await, "mcp:read");
    world.pass(3600);
    assert_eq!(alice.known(&world, &[ALL]).await, "", "it was long ago");
}

/// Alice's browser is open, and Bob signs in: he has not seen what she allowed before as something that is asked.
#[tokio::test]
async fn another_person_in_the_same_browser_is_asked_for_everything() {
    let (world, alice, _) = signed_in().await;
    let question = alice.page(&world, &[ALL]).await;
    let to_provider = redirect_of(alice.answer(&world, &question, "approve").await);
    bob_signs_in(&world);
    let Next::Ask { request } = alice.come_back(&world, &to_provider).await else { panic!("Bob was let in") };
    let whole = match world.server.consent_page(&request, alice.browser()).await {
        ConsentPage::Ask(question) => *question,
        other => panic!("{other:?}"),
    };
    assert_eq!((whole.known.to_string(), whole.scopes.to_string()), (String::new(), ALL.1.into()));
    let stale = alice.answer(&world, &question, "approve").await;
    assert!(matches!(stale, Next::Page(ref problem) if problem.kind == ProblemKind::ForeignForm), "{stale:?}");
    let to_provider = redirect_of(alice.answer(&world, &whole, "approve").await);
    let back = redirect_of(alice.come_back(&world, &to_provider).await);
    let tokens = world.redeem(&query(&back, "code").unwrap(), &[]).await.unwrap();
    assert_eq!(world.judge(&tokens.access_token).unwrap().subject(), "test:bob-1");
}

/// The approval was hers: whoever takes her place after she was turned away has given none.
#[tokio::test]
async fn who_takes_the_place_of_somebody_who_may_no_more_is_asked_for_everything() {
    for remember in [false, true] {
        let mut plan = Plan::usual();
        plan.settings.remember_consent = remember.then_some(Duration::from_secs(3600));
        let world = plan.start().await;
        let (alice, _) = alice_of(&world).await;
        let only_corp = |plan: &mut Plan| {
            plan.settings.remember_consent = remember.then_some(Duration::from_secs(3600));
            plan.policies = policies();
            plan.policies[0] = policy(super::support::RESOURCE, ISSUER, &["*@corp.example"], ALL.1);
        };
        let world = world.replica(only_corp).await;
        let to_provider = if remember {
            // The page is skipped for what she approved.
            let Authorize::Consent { request, .. } =
                world.server.authorize(&request(&[LITTLE]), None, alice.browser()).await
            else {
                panic!()
            };
            match world.server.consent_page(&request, alice.browser()).await {
                ConsentPage::Redirect(url) => url,
                other => panic!("{other:?}"),
            }
        } else {
            let question = alice.page(&world, &[ALL]).await;
            assert_eq!(question.known.to_string(), "mcp:read");
            redirect_of(alice.answer(&world, &question, "approve").await)
        };
        let Next::NotAllowed(page) = alice.come_back(&world, &to_provider).await else { panic!() };
        let fields = form(&[("request", &*page.request), ("csrf", &page.csrf), ("decision", "another_account")]);
        let to_provider = redirect_of(world.server.consent(&fields, alice.browser()).await);
        bob_signs_in(&world);
        let next = alice.come_back(&world, &to_provider).await;
        assert!(matches!(next, Next::Ask { .. }), "remembered: {remember}: {next:?}");
    }
}

/// An answer counts for the page that was shown: not for what another page would have shown.
#[tokio::test]
async fn an_answer_counts_only_for_what_the_page_showed() {
    let foreign = |next: Next| matches!(next, Next::Page(problem) if problem.kind == ProblemKind::ForeignForm);
    let (world, alice, tokens) = signed_in().await;
    let question = alice.page(&world, &[ALL]).await;
    let signed_out = Signed { session: Secret::new("mfl_x"), ..alice.clone() };
    assert!(foreign(signed_out.answer(&world, &question, "approve").await), "Alice signed out meanwhile");
    world.revoke(tokens.refresh_token.as_ref().unwrap()).await.unwrap();
    assert!(foreign(alice.answer(&world, &question, "approve").await), "Alice took it back meanwhile");
    let fresh = alice.page(&world, &[ALL]).await;
    assert_eq!(fresh.known.to_string(), "");
    assert!(!foreign(alice.answer(&world, &fresh, "approve").await));
}

/// The client has a grant more than before, and people have one connection: withdrawn, all of it is over.
#[tokio::test]
async fn stepping_up_makes_no_second_connection_and_withdrawing_ends_all_of_it() {
    let (world, alice, first) = signed_in().await;
    let code = world.code(&[ALL]).await;
    let second = world.redeem(&code, &[]).await.unwrap();
    let elsewhere = world.code(&[("client_id", OTHER_CLIENT)]).await;
    let others = world.redeem(&elsewhere, &[("client_id", OTHER_CLIENT)]).await.unwrap();
    let connections = world.server.connections(alice.browser(), None).await.unwrap().unwrap();
    let [one, two] = connections.page.grants.as_slice() else { panic!("{connections:?}") };
    let stepped_up = if one.client == CLIENT { one } else { two };
    assert_eq!(stepped_up.scopes.to_string(), ALL.1);
    assert!(world.judge(&first.access_token).is_ok(), "what the client has goes on");
    world.server.disconnect(alice.browser(), &connections.csrf, &stepped_up.id).await.unwrap();
    for tokens in [&first, &second] {
        assert_eq!(world.judge(&tokens.access_token).unwrap_err(), TokenFault::Revoked);
        assert!(world.refresh(tokens.refresh_token.as_ref().unwrap(), &[]).await.is_err());
    }
    assert!(world.judge(&others.access_token).is_ok(), "another client's is left alone");
}
