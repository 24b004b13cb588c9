//! Rotating the signing keys: in order nothing breaks, at once everything does that was signed before.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp_forward_auth::domain::UnixTime;
use mcp_forward_auth::store::{Change, EmbeddedStore, Expectation, Outcome, Step, Store as _, Table};
use serde_json::Value;

use super::stage::Stage;
use crate::support::issuer::now;
use crate::support::process::eventually;

/// In seconds, when a token is compared with the age of keys.
const CLOCKS_DIFFER_BY: u64 = 5;

fn part(token: &str, index: usize) -> Value {
    let part = URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

fn key_of(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

fn issued_at(token: &str) -> u64 {
    part(token, 1)["iat"].as_u64().unwrap()
}

/// The ids of the keys in this state.
fn keys(stage: &Stage, which: &str) -> Vec<String> {
    let keys = stage.operator_json(&["keys", "list"])["keys"].take();
    let found = keys.as_array().unwrap().iter().filter(|key| key["state"] == which);
    found.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// As if the next key had been published long ago: verifiers need time to learn of it.
fn age_the_next_key(store: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (store, now) = (EmbeddedStore::open(store).unwrap(), UnixTime::from_secs(1));
        let record = store.get(Table::SigningKeys, "ring", now).await.unwrap().unwrap();
        let mut ring: Value = serde_json::from_slice(&record.value).unwrap();
        let published = ring["next"]["published_at"].as_u64().unwrap();
        ring["next"]["published_at"] = (published - 3600).into();
        let step = Step {
            table: Table::SigningKeys,
            key: "ring".into(),
            expectation: Expectation::Version(record.version),
            change: Change::Put { value: ring.to_string().into_bytes(), expires_at: None },
        };
        assert_eq!(store.commit(vec![step], now).await.unwrap(), Outcome::Committed);
    });
}

#[test]
fn rotated_in_order_old_tokens_stay_good_and_at_once_they_die() {
    let mut stage = Stage::start();
    let client = stage.register("One");
    let old = stage.let_in("alice@example.com", &client, "/mcp");
    let (active, next) = (keys(&stage, "active"), keys(&stage, "next"));
    assert_eq!((active.as_slice(), next.len()), ([key_of(&old.token)].as_slice(), 1));

    let said = stage.operator(&["keys", "rotate"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.complaint.starts_with("mcp-forward-auth: the next key was published only a moment ago"), "{said:?}");
    assert_eq!(keys(&stage, "active"), active);

    stage.restart_after(age_the_next_key);
    assert_eq!(stage.operator(&["keys", "rotate"]).code, 0);
    assert_eq!((keys(&stage, "active"), keys(&stage, "retired")), (next, active));
    assert!(stage.is_good(&old), "what the retired key signed");
    let new = stage.refreshed(&old);
    assert_eq!([key_of(&new.token)].as_slice(), keys(&stage, "active"));
    assert!(stage.is_good(&new) && stage.is_good(&old));

    // A token that is as new as the keys might be signed by keys that are newer still, for all that is known: 503.
    eventually("tokens older than the next keys", || now() > issued_at(&new.token) + CLOCKS_DIFFER_BY);
    let said = stage.operator(&["keys", "rotate", "--at-once"]);
    assert_eq!((said.code, said.text.lines().count()), (0, 3), "{said:?}");
    assert!(keys(&stage, "retired").is_empty());
    assert!(!stage.is_good(&old) && !stage.is_good(&new), "both were signed before");
    let newest = stage.refreshed(&new);
    assert!(stage.is_good(&newest), "the grant stands, so its client gets a token of the new key");
    let published = stage.request("GET", "/jwks").send(stage.port).text();
    assert!(published.contains(&key_of(&newest.token)) && !published.contains(&key_of(&new.token)), "{published}");
}

#[test]
fn only_what_is_public_is_told_of_keys() {
    let stage = Stage::start();
    let listed = stage.operator_json(&["keys", "list"]);
    for key in listed["keys"].as_array().unwrap() {
        let mut members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "kid", "since", "state"], "{key}");
    }
    let table = stage.operator(&["keys", "list"]).text;
    assert!(table.starts_with("STATE   ALGORITHM  SINCE"), "{table}");
}
