//! Reading, writing, versions, counts.

use std::sync::Arc;

use crate::store::testing::{at, delete, key, put, require, run, written};
use crate::store::{Change, Outcome, Store, Table};

const CODES: Table = Table::Codes;
const GRANTS: Table = Table::Grants;

pub(super) async fn what_is_put_can_be_read_and_deleted(store: Arc<dyn Store>) {
    assert_eq!(store.get(CODES, "a", at(1)).await.unwrap(), None);
    written(&*store, put(CODES, "a", "one")).await;
    let record = store.get(CODES, "a", at(1)).await.unwrap().unwrap();
    assert_eq!((record.value.as_slice(), record.expires_at), (b"one".as_slice(), None));
    assert_eq!(store.get(GRANTS, "a", at(1)).await.unwrap(), None, "tables are apart");
    written(&*store, put(CODES, "a", "two").ends(at(9))).await;
    let record = store.get(CODES, "a", at(1)).await.unwrap().unwrap();
    assert_eq!((record.value.as_slice(), record.expires_at), (b"two".as_slice(), Some(at(9))));
    written(&*store, delete(CODES, "a")).await;
    assert_eq!(store.get(CODES, "a", at(1)).await.unwrap(), None);
    written(&*store, delete(CODES, "a")).await;
}

pub(super) async fn values_are_any_bytes(store: Arc<dyn Store>) {
    let every_byte: Vec<u8> = (0..=255).collect();
    for value in [Vec::new(), every_byte, vec![0xff; 5000], vec![0; 5000]] {
        let mut step = put(CODES, "a", "");
        step.change = Change::Put { value: value.clone(), expires_at: None };
        written(&*store, step).await;
        assert_eq!(store.get(CODES, "a", at(1)).await.unwrap().unwrap().value, value);
    }
}

pub(super) async fn versions_differ_after_every_change_even_over_deletion(store: Arc<dyn Store>) {
    let mut seen = Vec::new();
    for round in 0..5 {
        written(&*store, put(CODES, "a", "same")).await;
        seen.push(store.get(CODES, "a", at(1)).await.unwrap().unwrap().version);
        if round % 2 == 0 {
            written(&*store, delete(CODES, "a")).await;
        }
    }
    written(&*store, put(CODES, "a", "same").ends(at(5))).await;
    seen.push(store.get(CODES, "a", at(1)).await.unwrap().unwrap().version);
    store.purge(at(9)).await.unwrap();
    written(&*store, put(CODES, "a", "same")).await;
    seen.push(store.get(CODES, "a", at(1)).await.unwrap().unwrap().version);
    assert!(seen.is_sorted_by(|earlier, later| earlier < later), "{seen:?}");
    let last = seen.pop().unwrap();
    for version in seen {
        assert_eq!(run(&*store, [put(CODES, "a", "x").if_version(version)], at(9)).await, Outcome::Conflict);
    }
    assert_eq!(run(&*store, [put(CODES, "a", "x").if_version(last)], at(9)).await, Outcome::Committed);
}

pub(super) async fn versions_grow_from_record_to_record_and_from_table_to_table(store: Arc<dyn Store>) {
    let mut seen = Vec::new();
    for (table, name) in [(CODES, "a"), (GRANTS, "a"), (CODES, "b"), (GRANTS, "a"), (CODES, "a")] {
        written(&*store, put(table, name, "x")).await;
        seen.push(store.get(table, name, at(1)).await.unwrap().unwrap().version);
    }
    assert!(seen.is_sorted_by(|earlier, later| earlier < later), "{seen:?}");
}

pub(super) async fn versions_stay_when_others_change(store: Arc<dyn Store>) {
    written(&*store, put(CODES, "a", "one")).await;
    let version = store.get(CODES, "a", at(1)).await.unwrap().unwrap().version;
    written(&*store, put(CODES, "b", "two")).await;
    written(&*store, put(GRANTS, "a", "two")).await;
    assert_eq!(run(&*store, [require(CODES, "a", version)], at(1)).await, Outcome::Committed);
    assert_eq!(store.get(CODES, "a", at(1)).await.unwrap().unwrap().version, version, "Keep changes nothing");
}

pub(super) async fn counts_are_by_table_and_follow_changes(store: Arc<dyn Store>) {
    for table in Table::ALL {
        assert_eq!(store.count(table).await.unwrap(), 0);
    }
    for number in 0..5 {
        written(&*store, put(CODES, &key(number), "x").ends(at(100 + number))).await;
    }
    written(&*store, put(CODES, &key(4), "y").ends(at(104))).await;
    written(&*store, put(GRANTS, "g", "x")).await;
    assert_eq!((store.count(CODES).await.unwrap(), store.count(GRANTS).await.unwrap()), (5, 1));
    written(&*store, delete(CODES, &key(0))).await;
    store.purge(at(102)).await.unwrap();
    assert_eq!((store.count(CODES).await.unwrap(), store.count(GRANTS).await.unwrap()), (2, 1));
}
