//! Many transactions share one wait for the disk, and each is still a transaction of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::disk::Disk;
use crate::store::testing::{at, key, put, require, written};
use crate::store::{EmbeddedStore, Outcome, Step, Store as _, StoreError, Table};

type Waiting = tokio::task::JoinHandle<Result<Outcome, StoreError>>;

/// Starts a transaction, and comes back when it waits for the disk.
async fn start(store: &Arc<EmbeddedStore>, steps: Vec<Step>) -> Waiting {
    let store = Arc::clone(store);
    let waiting = tokio::spawn(async move { store.commit(steps, at(1)).await });
    // The runtime has one thread: the task runs until it has to wait.
    tokio::task::yield_now().await;
    waiting
}

#[tokio::test]
async fn what_waits_for_the_disk_goes_into_the_next_write_together() {
    let disk = Disk::new();
    let store = Arc::new(disk.open().unwrap());
    let before = disk.syncs.load(Ordering::SeqCst);
    written(&*store, put(Table::Codes, "one", "x")).await;
    let syncs_of_one = disk.syncs.load(Ordering::SeqCst) - before;
    disk.hold();
    let before = disk.syncs.load(Ordering::SeqCst);
    let mut waiting = Vec::new();
    for number in 0..100 {
        waiting.push(start(&store, vec![put(Table::Codes, &key(number), "x").if_absent()]).await);
    }
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()), "nothing is acknowledged before it is durable");
    disk.release();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().unwrap(), Outcome::Committed);
    }
    let syncs = disk.syncs.load(Ordering::SeqCst) - before;
    assert!(syncs <= 4 * syncs_of_one, "{syncs} for a hundred, {syncs_of_one} for one");
    assert_eq!(store.count(Table::Codes).await.unwrap(), 101);
}

#[tokio::test]
async fn those_that_share_a_write_see_each_other_in_turn() {
    let disk = Disk::new();
    let store = Arc::new(disk.open().unwrap());
    written(&*store, put(Table::Grants, "grant", "x")).await;
    let version = store.get(Table::Grants, "grant", at(1)).await.unwrap().unwrap().version;
    disk.hold();
    let first = start(&store, vec![put(Table::Codes, "in the way", "x")]).await;
    let raced = |name: &str| vec![put(Table::Codes, "raced for", name).if_absent(), put(Table::Sessions, name, "x")];
    let winner = start(&store, raced("winner")).await;
    let loser = start(&store, raced("loser")).await;
    let revocation = start(&store, vec![put(Table::Grants, "grant", "revoked").if_version(version)]).await;
    let late = start(&store, vec![require(Table::Grants, "grant", version), put(Table::Codes, "late", "x")]).await;
    let unwritable = start(&store, vec![put(Table::Codes, "a", "x"), put(Table::Codes, "a", "y")]).await;
    disk.release();
    let expected = [
        (first, Outcome::Committed),
        (winner, Outcome::Committed),
        (loser, Outcome::Conflict),
        (revocation, Outcome::Committed),
        (late, Outcome::Conflict),
    ];
    for (place, (waiting, outcome)) in expected.into_iter().enumerate() {
        assert_eq!(waiting.await.unwrap().unwrap(), outcome, "number {place}");
    }
    assert!(unwritable.await.unwrap().is_err());
    assert_eq!(store.get(Table::Codes, "raced for", at(1)).await.unwrap().unwrap().value, b"winner");
    assert_eq!(store.count(Table::Sessions).await.unwrap(), 1);
    assert!(store.get(Table::Codes, "late", at(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_transaction_whose_caller_went_away_is_done_whole() {
    let disk = Disk::new();
    let store = Arc::new(disk.open().unwrap());
    disk.hold();
    let steps = || [Table::Codes, Table::Grants].map(|table| put(table, "a", "x")).into();
    let abandoned = [start(&store, steps()).await, start(&store, steps()).await];
    for waiting in abandoned {
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
    }
    disk.release();
    drop(store);
    let store = disk.open().unwrap();
    assert_eq!((store.count(Table::Codes).await.unwrap(), store.count(Table::Grants).await.unwrap()), (1, 1));
}
