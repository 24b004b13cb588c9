//! What is true of a store at any time, whatever happened to it.

use super::World;
use super::fixtures::RESOURCE;
use crate::oauth::code::Code;
use crate::oauth::grant::{Grant, GrantIndex, GrantState};
use crate::oauth::refresh_token::{RefreshState, RefreshToken};
use crate::store;

/// Every record of the store agrees with every other.
pub(crate) async fn check(world: &World, when: &str) {
    let store = &*world.store;
    let now = world.now();
    let grants = store::list::<Grant>(store, "", None, 100, now).await.unwrap();
    let index: Vec<String> =
        store::list::<GrantIndex>(store, "", None, 1000, now).await.unwrap().into_iter().map(|(key, _)| key).collect();
    let mut expected = Vec::new();
    for (id, grant) in &grants {
        if grant.value.state == GrantState::Active {
            expected.push(format!("{}{id}", GrantIndex::of_person("test:alice-1")));
            expected.push(format!("{}{id}", GrantIndex::of_client(&grant.value.client)));
            expected.push(format!("{}{id}", GrantIndex::of_resource(RESOURCE)));
        } else {
            expected.push(format!("{}{id}", GrantIndex::REVOKED));
        }
    }
    expected.sort_unstable();
    assert_eq!(index, expected, "{when}: the index is that of the grants");
    let tokens = store::list::<RefreshToken>(store, "", None, 1000, now).await.unwrap();
    for (id, _) in &grants {
        let live = tokens
            .iter()
            .filter(|(_, token)| token.value.grant == *id && matches!(token.value.state, RefreshState::Live));
        assert_eq!(live.count(), 1, "{when}: one end per chain");
    }
    assert!(tokens.iter().all(|(_, token)| grants.iter().any(|(id, _)| *id == token.value.grant)), "{when}");
    for (_, code) in store::list::<Code>(store, "", None, 100, now).await.unwrap() {
        if let Code::Redeemed { grant } = code.value {
            assert!(grants.iter().any(|(id, _)| *id == grant), "{when}: a used code has its grant");
        }
    }
}
