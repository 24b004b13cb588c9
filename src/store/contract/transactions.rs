//! All steps or none.

use std::sync::Arc;

use crate::store::testing::{at, delete, key, put, require, run, written};
use crate::store::{Change, Expectation, MAX_KEY, MAX_STEPS, MAX_VALUE, Outcome, Store, StoreError, Table};

const CODES: Table = Table::Codes;
const GRANTS: Table = Table::Grants;

pub(super) async fn one_failing_expectation_means_that_nothing_is_written(store: Arc<dyn Store>) {
    written(&*store, put(CODES, "there", "old")).await;
    let version = store.get(CODES, "there", at(1)).await.unwrap().unwrap().version;
    let failing = [
        put(CODES, "there", "x").if_absent(),
        put(CODES, "there", "x").if_version(version + 1),
        put(CODES, "not there", "x").if_version(version),
        require(CODES, "not there", 0),
        require(GRANTS, "there", version),
    ];
    for step in failing {
        for place in 0..3 {
            let mut steps = vec![put(GRANTS, "new", "x"), delete(CODES, "there")];
            steps.retain(|other| (other.table, &other.key) != (step.table, &step.key));
            steps.insert(place.min(steps.len()), step.clone());
            assert_eq!(store.commit(steps, at(1)).await.unwrap(), Outcome::Conflict, "{step:?}");
        }
    }
    assert_eq!(store.get(GRANTS, "new", at(1)).await.unwrap(), None);
    let record = store.get(CODES, "there", at(1)).await.unwrap().unwrap();
    assert_eq!((record.value.as_slice(), record.version), (b"old".as_slice(), version));
}

pub(super) async fn expectations_are_judged_before_any_change(store: Arc<dyn Store>) {
    written(&*store, put(CODES, "a", "one")).await;
    let version = store.get(CODES, "a", at(1)).await.unwrap().unwrap().version;
    // Were the deletion done first, or its version given out, the second step could tell.
    let steps = [delete(CODES, "a"), put(GRANTS, "g", "x").if_absent(), put(GRANTS, "h", "x").if_version(version)];
    assert_eq!(run(&*store, steps, at(1)).await, Outcome::Conflict);
    assert!(store.get(CODES, "a", at(1)).await.unwrap().is_some());
    let steps = [put(CODES, "a", "two").if_version(version), put(GRANTS, "g", "x").if_absent()];
    assert_eq!(run(&*store, steps, at(1)).await, Outcome::Committed);
    assert_eq!(run(&*store, [], at(1)).await, Outcome::Committed);
}

pub(super) async fn an_expectation_of_anything_always_holds(store: Arc<dyn Store>) {
    let mut step = put(CODES, "a", "x");
    step.change = Change::Keep;
    step.expectation = Expectation::Anything;
    written(&*store, step).await;
    assert_eq!(store.count(CODES).await.unwrap(), 0);
}

pub(super) async fn what_is_too_large_or_contradicts_itself_is_refused_whole(store: Arc<dyn Store>) {
    let long = "k".repeat(MAX_KEY);
    let large = "v".repeat(MAX_VALUE);
    written(&*store, put(CODES, &long, &large)).await;
    assert_eq!(store.get(CODES, &long, at(1)).await.unwrap().unwrap().value.len(), MAX_VALUE);
    let too_many = (0..=MAX_STEPS).map(|number| put(CODES, &key(number), "x")).collect();
    let refused = [
        vec![put(GRANTS, "a", "x"), put(CODES, &format!("{long}k"), "x")],
        vec![put(GRANTS, "a", "x"), put(CODES, "b", &format!("{large}v"))],
        vec![put(GRANTS, "a", "x"), put(CODES, "b", "x"), delete(CODES, "b")],
        too_many,
    ];
    for steps in refused {
        let error = store.commit(steps, at(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unwritable { .. }), "{error}");
    }
    assert_eq!(store.get(GRANTS, "a", at(1)).await.unwrap(), None);
    // What clients send is looked up as it is; nothing so long can be there.
    assert_eq!(store.get(CODES, &"k".repeat(1 << 20), at(1)).await.unwrap(), None);
    assert_eq!(store.list(CODES, &"k".repeat(1 << 20), None, 9, at(1)).await.unwrap(), []);
}
