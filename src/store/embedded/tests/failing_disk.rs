//! A disk that fails for a while: said clearly, nothing lost, and no restart needed afterwards.

use super::disk::Disk;
use crate::store::testing::{at, put, run, written};
use crate::store::{OpenError, Outcome, Store as _, StoreError, Table};

#[tokio::test]
async fn a_full_disk_is_told_and_forgotten_once_there_is_space() {
    let disk = Disk::new();
    let store = disk.open().unwrap();
    written(&store, put(Table::Codes, "before", "x")).await;
    for round in 0..3 {
        disk.set_full(true);
        for _ in 0..3 {
            let error = store.commit(vec![put(Table::Codes, "lost", "x").if_absent()], at(1)).await.unwrap_err();
            assert!(matches!(&error, StoreError::Unavailable(_)), "{error}");
            assert!(error.to_string().starts_with("the store is not available: disk: "), "{error}");
        }
        disk.set_full(false);
        assert_eq!(run(&store, [put(Table::Grants, &format!("after {round}"), "x")], at(1)).await, Outcome::Committed);
        assert!(store.get(Table::Codes, "before", at(1)).await.unwrap().is_some());
        assert!(store.get(Table::Codes, "lost", at(1)).await.unwrap().is_none());
    }
    assert_eq!(store.count(Table::Grants).await.unwrap(), 3);
}

#[test]
fn a_disk_that_is_full_at_the_start_is_told() {
    let disk = Disk::new();
    disk.set_full(true);
    let error = disk.open().unwrap_err();
    assert!(matches!(&error, OpenError::Inaccessible { .. }), "{error}");
    assert!(error.to_string().contains("that there is space"), "{error}");
}
