//! Ends, by the time that is handed in.

use std::sync::Arc;

use crate::store::rules::PURGE_BATCH;
use crate::store::testing::{at, key, keys, put, require, run, written};
use crate::store::{Outcome, Store, Table};

const CODES: Table = Table::Codes;
const GRANTS: Table = Table::Grants;

pub(super) async fn a_record_exists_until_its_end_and_not_at_it(store: Arc<dyn Store>) {
    written(&*store, put(CODES, "a", "one").ends(at(100))).await;
    let version = store.get(CODES, "a", at(99)).await.unwrap().unwrap().version;
    assert_eq!(store.get(CODES, "a", at(100)).await.unwrap(), None);
    assert_eq!(store.get(CODES, "a", at(u64::MAX)).await.unwrap(), None);
    let unchanged = require(CODES, "a", version);
    assert_eq!(run(&*store, [unchanged.clone()], at(99)).await, Outcome::Committed);
    assert_eq!(run(&*store, [unchanged], at(100)).await, Outcome::Conflict);
    written(&*store, put(CODES, "born dead", "x").ends(at(0))).await;
    assert_eq!(store.get(CODES, "born dead", at(0)).await.unwrap(), None);
    written(&*store, put(CODES, "for ever", "x").ends(at(u64::MAX))).await;
    assert!(store.get(CODES, "for ever", at(u64::MAX - 1)).await.unwrap().is_some());
}

pub(super) async fn an_end_can_be_moved_and_taken_away(store: Arc<dyn Store>) {
    for (name, end) in [("later", Some(at(200))), ("sooner", Some(at(50))), ("never", None)] {
        written(&*store, put(CODES, name, "one").ends(at(100))).await;
        let step = put(CODES, name, "two");
        written(&*store, if let Some(end) = end { step.ends(end) } else { step }).await;
    }
    assert_eq!(store.purge(at(150)).await.unwrap(), 1);
    assert_eq!(keys(&*store, CODES, "", at(0)).await, ["later", "never"]);
    assert_eq!(store.purge(at(u64::MAX)).await.unwrap(), 1);
    assert_eq!(keys(&*store, CODES, "", at(0)).await, ["never"]);
}

pub(super) async fn creating_needs_absence_and_an_expired_record_is_absent(store: Arc<dyn Store>) {
    let create = |value| put(CODES, "a", value).if_absent();
    assert_eq!(run(&*store, [create("one").ends(at(100))], at(1)).await, Outcome::Committed);
    assert_eq!(run(&*store, [create("two")], at(99)).await, Outcome::Conflict);
    assert_eq!(run(&*store, [create("three")], at(100)).await, Outcome::Committed);
    assert_eq!(store.get(CODES, "a", at(100)).await.unwrap().unwrap().value, b"three");
    assert_eq!(store.purge(at(1000)).await.unwrap(), 0, "the end of the first one ended with it");
    assert_eq!(store.get(CODES, "a", at(1000)).await.unwrap().unwrap().value, b"three");
}

pub(super) async fn a_purge_removes_what_has_expired_a_bounded_number_at_a_time(store: Arc<dyn Store>) {
    let expiring = u64::try_from(PURGE_BATCH).unwrap() + 200;
    for batch in 0..expiring.div_ceil(600) {
        let numbers = (batch * 600)..((batch + 1) * 600).min(expiring);
        let steps = numbers.map(|number| put(CODES, &key(number), "x").ends(at(number)));
        assert_eq!(run(&*store, steps, at(0)).await, Outcome::Committed);
    }
    written(&*store, put(GRANTS, "ends", "x").ends(at(2))).await;
    written(&*store, put(GRANTS, "stays", "x")).await;
    assert_eq!(store.purge(at(0)).await.unwrap(), 1, "a record with the end 0 has ended at 0");
    assert_eq!(store.purge(at(0)).await.unwrap(), 0);
    let all = at(expiring);
    assert_eq!(store.purge(all).await.unwrap(), expiring - 200);
    assert_eq!(keys(&*store, GRANTS, "", at(0)).await, ["stays"], "the oldest go first, whatever table");
    assert_eq!(store.purge(all).await.unwrap(), 200);
    assert_eq!(store.purge(all).await.unwrap(), 0);
    assert_eq!(store.count(CODES).await.unwrap(), 0);
}
