//! Looking at grants and ending them, and clients in their own name.

use super::support::World;
use super::support::fixtures::{
    CLIENT, MACHINE, MACHINE_SECRET, OTHER_CLIENT, OTHER_RESOURCE, RESOURCE, client, error_of, keep_client, machine,
};
use super::support::person;
use super::support::world::Plan;
use crate::oauth::{ClientSource, ErrorCode, GrantFilter, OAuthError, Selection, TokenAnswer};

async fn tokens_of(world: &World, name: &str, client: &str, resource: &str) -> TokenAnswer {
    world.provider.script(|script| script.person = person("test", name));
    let code = world.code(&[("client_id", client), ("resource", resource)]).await;
    world.redeem(&code, &[("client_id", client), ("resource", resource)]).await.unwrap()
}

async fn count(world: &World, selection: Selection<'_>) -> usize {
    let (mut count, mut after) = (0, None);
    loop {
        let page = world.server.grants(selection, after.as_deref(), 2).await.unwrap();
        assert!(page.grants.len() <= 2);
        count += page.grants.len();
        match page.next {
            Some(next) => after = Some(next),
            None => return count,
        }
    }
}

async fn busy_world() -> World {
    let mut plan = Plan::usual();
    plan.policies[0].principals.anyone = true;
    plan.policies[1].principals.anyone = true;
    let world = plan.start().await;
    for name in ["alice", "bob", "carol"] {
        tokens_of(&world, name, CLIENT, RESOURCE).await;
        tokens_of(&world, name, OTHER_CLIENT, OTHER_RESOURCE).await;
    }
    tokens_of(&world, "alice", OTHER_CLIENT, RESOURCE).await;
    world
}

#[tokio::test]
async fn grants_are_found_by_person_client_and_resource_page_by_page() {
    let world = busy_world().await;
    for (selection, expected) in [
        (Selection::All, 7),
        (Selection::Person("test:alice-1"), 3),
        (Selection::Person("test:bob-1"), 2),
        (Selection::Person("test:alice"), 0),
        (Selection::Client(CLIENT), 3),
        (Selection::Client(OTHER_CLIENT), 4),
        (Selection::Client("client"), 0),
        (Selection::Resource(RESOURCE), 4),
        (Selection::Resource(OTHER_RESOURCE), 3),
        (Selection::Resource("https://mcp.example.com/"), 0),
    ] {
        assert_eq!(count(&world, selection).await, expected, "{selection:?}");
    }
}

fn filter(user: Option<&str>, client: Option<&str>, resource: Option<&str>) -> GrantFilter {
    let [user, client, resource] = [user, client, resource].map(|part| part.map(ToOwned::to_owned));
    GrantFilter { user, client, resource }
}

#[tokio::test]
async fn every_part_of_a_filter_counts_whatever_the_size_of_pages() {
    let world = busy_world().await;
    for (filter, expected) in [
        (filter(None, None, None), 7),
        (filter(Some("test:alice-1"), None, None), 3),
        (filter(Some("alice-1"), None, None), 3),
        (filter(Some("Alice@Example.com"), None, None), 3),
        (filter(Some("alice@example.com"), Some(OTHER_CLIENT), None), 2),
        (filter(Some("alice@example.com"), None, Some(RESOURCE)), 2),
        (filter(Some("alice@example.com"), Some(OTHER_CLIENT), Some(RESOURCE)), 1),
        (filter(None, Some(OTHER_CLIENT), Some(OTHER_RESOURCE)), 3),
        (filter(None, Some(CLIENT), Some(OTHER_RESOURCE)), 0),
        (filter(Some(""), None, None), 0),
    ] {
        for limit in [1, 2, 3, 500] {
            let (mut ids, mut after) = (Vec::new(), None);
            loop {
                let page = world.server.grants_of(&filter, after.as_deref(), limit).await.unwrap();
                assert!(page.grants.len() <= limit);
                ids.extend(page.grants.into_iter().map(|grant| grant.id));
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            assert!(ids.is_sorted(), "{filter:?}");
            ids.dedup();
            assert_eq!(ids.len(), expected, "{filter:?}, {limit} per page");
        }
    }
    let of_one = filter(Some("alice@example.com"), Some(OTHER_CLIENT), Some(RESOURCE));
    assert_eq!(world.server.end_grants_of(&of_one).await.unwrap(), 1);
    assert_eq!(count(&world, Selection::All).await, 6);
}

#[tokio::test]
async fn grants_end_by_person_client_and_resource_and_all_at_once() {
    for (selection, ended) in [
        (Selection::Person("test:alice-1"), 3),
        (Selection::Client(OTHER_CLIENT), 4),
        (Selection::Resource(OTHER_RESOURCE), 3),
        (Selection::All, 7),
        (Selection::Person("test:nobody-1"), 0),
    ] {
        let world = busy_world().await;
        assert_eq!(world.server.end_grants(selection).await.unwrap(), ended, "{selection:?}");
        assert_eq!(count(&world, selection).await, 0);
        assert_eq!(count(&world, Selection::All).await, 7 - ended);
        assert_eq!(world.server.revocations().len(), ended);
        assert_eq!(world.server.end_grants(selection).await.unwrap(), 0, "twice is once");
    }
}

#[tokio::test]
async fn one_grant_is_ended_by_its_id() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let grants = world.server.grants(Selection::All, None, 10).await.unwrap().grants;
    assert!(!world.server.end_one_grant("unknown").await.unwrap());
    assert!(world.server.end_one_grant(&grants[0].id).await.unwrap());
    assert!(!world.server.end_one_grant(&grants[0].id).await.unwrap());
    assert!(world.judge(&tokens.access_token).is_err());
}

#[tokio::test]
async fn what_is_shown_of_a_grant_is_up_to_date() {
    let world = World::new().await;
    let since = world.now();
    let tokens = world.tokens().await;
    world.pass(1000);
    world.refresh(&tokens.refresh_token.unwrap(), &[]).await.unwrap();
    let grant = world.server.grants(Selection::All, None, 10).await.unwrap().grants.remove(0);
    assert_eq!((grant.since, grant.last_used), (since, world.now()));
    assert_eq!(grant.until, since.plus(world.server.settings().refresh_token_lifetime));
    assert_eq!((grant.client.as_str(), grant.scopes.to_string().as_str()), (CLIENT, "mcp:read mcp:write"));
    world.pass(world.server.settings().refresh_token_lifetime.as_secs());
    assert_eq!(count(&world, Selection::All).await, 0, "it has ended by itself");
}

async fn credentials(world: &World, changes: &[(&str, &str)]) -> Result<TokenAnswer, OAuthError> {
    let usual = [("grant_type", "client_credentials"), ("client_id", MACHINE), ("client_secret", MACHINE_SECRET)];
    world.token(&usual, changes).await
}

#[tokio::test]
async fn a_configured_client_gets_a_token_in_its_own_name() {
    let world = World::new().await;
    let tokens = credentials(&world, &[("scope", "mcp:read")]).await.unwrap();
    assert!(tokens.refresh_token.is_none());
    let identity = world.judge(&tokens.access_token).unwrap();
    assert_eq!((identity.subject(), identity.client()), (MACHINE, Some(MACHINE)));
    assert_eq!(identity.audiences(), [RESOURCE]);
    assert_eq!(identity.scopes().to_string(), "mcp:read");
    assert_eq!((identity.verified_email(), identity.groups().len()), (None, 0));
    assert_eq!(identity.own_token().unwrap().grant, None);
    let own = super::support::fixtures::form(&[
        ("client_id", MACHINE),
        ("client_secret", MACHINE_SECRET),
        ("token", tokens.access_token.expose()),
    ]);
    world.server.revoke(&own, None).await.unwrap();
    assert!(world.judge(&tokens.access_token).is_err());
}

#[tokio::test]
async fn a_client_that_the_resource_does_not_admit_gets_no_token() {
    let mut plan = Plan::usual();
    plan.policies[0].principals.subjects.clear();
    let world = plan.start().await;
    assert_eq!(error_of(credentials(&world, &[]).await), ErrorCode::UnauthorizedClient);
    let named = world.replica(|plan| plan.policies[0].principals.clients = vec![MACHINE.into()]).await;
    assert!(credentials(&named, &[]).await.is_ok());
}

#[tokio::test]
async fn codes_end_with_the_grants_that_they_could_become() {
    for (selection, ends) in [
        (Selection::Person("test:alice-1"), true),
        (Selection::Client(CLIENT), true),
        (Selection::Resource(RESOURCE), true),
        (Selection::All, true),
        (Selection::Person("test:bob-1"), false),
        (Selection::Client(OTHER_CLIENT), false),
        (Selection::Resource(OTHER_RESOURCE), false),
    ] {
        let world = World::new().await;
        let code = world.code(&[]).await;
        world.pass(5);
        assert_eq!(world.server.end_grants(selection).await.unwrap(), 0, "{selection:?}");
        let redeemed = world.redeem(&code, &[]).await;
        let expected = if ends { Err(ErrorCode::InvalidGrant) } else { Ok(()) };
        assert_eq!(redeemed.map(drop).map_err(|error| error.code), expected, "{selection:?}");
        let later = world.code(&[]).await;
        assert!(world.redeem(&later, &[]).await.is_ok(), "{selection:?}: a code that was issued after it");
    }
}

#[tokio::test]
async fn codes_of_somebody_who_is_cut_off_end_by_any_of_their_names_and_nobody_elses_do() {
    for (user, ends) in [
        ("alice@example.com", true),
        ("ALICE@EXAMPLE.COM", true),
        ("test:alice-1", true),
        ("alice-1", true),
        ("Alice", true),
        ("bob@example.com", false),
        ("ali", false),
        ("", false),
    ] {
        let world = World::new().await;
        let code = world.code(&[]).await;
        let filter = GrantFilter { user: Some(user.to_owned()), ..GrantFilter::default() };
        assert_eq!(world.server.end_grants_of(&filter).await.unwrap(), 0, "{user}");
        assert_eq!(world.redeem(&code, &[]).await.is_err(), ends, "{user}");
    }
}

#[tokio::test]
async fn what_must_fit_client_credentials() {
    let world = World::new().await;
    for (changes, expected) in [
        (&[][..], Ok("mcp:read mcp:write".to_owned())),
        (&[("resource", RESOURCE)], Ok("mcp:read mcp:write".to_owned())),
        (&[("resource", OTHER_RESOURCE)], Err(ErrorCode::InvalidTarget)),
        (&[("resource", "https://evil.example/")], Err(ErrorCode::InvalidTarget)),
        (&[("scope", "mcp:admin")], Err(ErrorCode::InvalidScope)),
        (&[("client_id", CLIENT), ("client_secret", "")], Err(ErrorCode::UnauthorizedClient)),
    ] {
        let actual = credentials(&world, changes).await;
        assert_eq!(actual.map(|tokens| tokens.scope.to_string()).map_err(|error| error.code), expected, "{changes:?}");
    }
    let mut two = machine();
    two.source =
        ClientSource::Configuration { resources: vec![RESOURCE.into(), OTHER_RESOURCE.into()], may_introspect: false };
    keep_client(&*world.store, &two).await;
    assert_eq!(error_of(credentials(&world, &[]).await), ErrorCode::InvalidTarget, "which of the two?");
    assert!(credentials(&world, &[("resource", OTHER_RESOURCE)]).await.is_ok());
    let mut registered = machine();
    registered.source = client(MACHINE).source;
    keep_client(&*world.store, &registered).await;
    assert_eq!(error_of(credentials(&world, &[]).await), ErrorCode::UnauthorizedClient, "not from the configuration");
}
