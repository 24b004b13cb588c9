//! What a key may be at most, and what its owner is told of it.

use std::time::Duration;

use super::tests::{DAY, RESOURCE, World, wanted};
use super::{Lifetime, Wanted, in_words};

fn hosts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("https://t{number}.tenants.example.com/mcp")).collect()
}

fn many(word: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{word}{number}")).collect()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table has as many rows as there are cases")]
async fn as_much_as_is_allowed_is_taken_and_one_more_is_refused() {
    let world = World::start().await;
    let long = |length: usize| vec!["x".repeat(length)];
    let living = |seconds| Lifetime::For(Duration::from_secs(seconds));
    for (name, good, bad, why) in [
        (
            "resources",
            Wanted { resources: hosts(50), ..wanted("resources") },
            Wanted { resources: hosts(51), ..wanted("resources") },
            "name 1 to 50 resources",
        ),
        (
            "scopes",
            Wanted { scopes: many("scope", 50), ..wanted("scopes") },
            Wanted { scopes: many("scope", 51), ..wanted("scopes") },
            "a key has 50 scopes at most",
        ),
        (
            "scope",
            Wanted { scopes: long(200), ..wanted("scope") },
            Wanted { scopes: long(201), ..wanted("scope") },
            "\"xxx",
        ),
        (
            "groups",
            Wanted { groups: many("group", 50), ..wanted("groups") },
            Wanted { groups: many("group", 51), ..wanted("groups") },
            "a key has 50 groups at most",
        ),
        (
            "group",
            Wanted { groups: long(200), ..wanted("group") },
            Wanted { groups: long(201), ..wanted("group") },
            "\"xxx",
        ),
        (
            "lifetime",
            Wanted { lifetime: living(365 * DAY), ..wanted("lifetime") },
            Wanted { lifetime: living(365 * DAY + 1), ..wanted("lifetime") },
            "a key may live 365d at most",
        ),
    ] {
        let said = world.refused(bad).await;
        assert!(said.starts_with(why), "{name}: {said}");
        assert!(said.len() < 300, "what is said back is cut: {said}");
        let made = world.keys.create(good).await;
        assert!(made.is_ok(), "{name}: {made:?}");
    }
}

#[tokio::test]
async fn a_key_is_for_every_resource_that_was_named_and_for_each_once() {
    let world = World::start().await;
    let other = "https://mcp.example.com/other";
    let resources = [RESOURCE, other, RESOURCE].map(str::to_owned).into();
    let key = world.keys.create(Wanted { resources, ..wanted("both") }).await.unwrap();
    assert_eq!(world.ask(&key).unwrap().audiences(), [RESOURCE, other]);
}

/// Documents are found by a host alone where only one resource is there; a key is not made for what was not named.
#[tokio::test]
async fn a_host_alone_names_no_resource() {
    let world = World::start().await;
    let resources = vec!["https://one.tenants.example.com".to_owned()];
    let said = world.refused(Wanted { resources, ..wanted("host") }).await;
    assert_eq!(said, "\"https://one.tenants.example.com\" is no resource of this service");
}

#[tokio::test]
async fn a_key_lives_ninety_days_where_nothing_else_is_said_or_allowed() {
    for longest in [None, Some(Duration::from_secs(365 * DAY)), Some(Duration::from_secs(90 * DAY))] {
        let world = World::with_longest(longest).await;
        let ends = world.now().plus(Duration::from_secs(90 * DAY));
        assert_eq!(world.make("usual").await.expires_at, Some(ends), "{longest:?}");
    }
}

#[tokio::test]
async fn a_warning_names_the_scopes_that_are_lacking_and_no_others() {
    let world = World::start().await;
    let strict = "https://mcp.example.com/strict";
    let refuses = |scopes: &str| format!("{strict} requires the scope {scopes}, so it will refuse this key");
    for (number, (scopes, warnings)) in [
        (vec![], vec![refuses("mcp:read and mcp:write")]),
        (vec!["mcp:read"], vec![refuses("mcp:write")]),
        (vec!["mcp:write", "mcp:other"], vec![refuses("mcp:read")]),
        (vec!["mcp:read", "mcp:write"], vec![]),
        (vec!["mcp:admin"], vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let named = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let wanted = Wanted { resources: vec![strict.into()], scopes: named, ..wanted(&format!("key{number}")) };
        assert_eq!(world.keys.create(wanted).await.unwrap().warnings, warnings, "{scopes:?}");
    }
}

#[test]
fn times_are_told_as_the_operator_writes_them() {
    for (seconds, words) in [
        (90 * DAY, "90d"),
        (DAY, "1d"),
        (DAY + 3600, "25h"),
        (3600, "1h"),
        (3660, "61m"),
        (60, "1m"),
        (61, "61s"),
        (1, "1s"),
    ] {
        assert_eq!(in_words(Duration::from_secs(seconds)), words);
    }
}
