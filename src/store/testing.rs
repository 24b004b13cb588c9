//! Short words for the tests of stores.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Change, EmbeddedStore, Expectation, MemoryStore, Outcome, Step, Store, Table};
use crate::domain::UnixTime;

/// A store under test, with the folder that it needs.
pub(super) struct Subject {
    store: Arc<dyn Store>,
    _folder: Option<Folder>,
}

impl Subject {
    pub(super) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }
}

pub(super) fn memory() -> Subject {
    Subject { store: Arc::new(MemoryStore::new()), _folder: None }
}

pub(super) fn embedded() -> Subject {
    let folder = Folder::new();
    let store = EmbeddedStore::open(&folder.path().join("state.redb")).unwrap();
    Subject { store: Arc::new(store), _folder: Some(folder) }
}

/// A folder that is removed when the test ends.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mcp-forward-auth-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds)
}

/// Keys whose order is that of their numbers.
pub(super) fn key(number: impl std::fmt::Display) -> String {
    format!("{number:06}")
}

fn step(table: Table, key: &str, expectation: Expectation, change: Change) -> Step {
    Step { table, key: key.to_owned(), expectation, change }
}

pub(super) fn put(table: Table, key: &str, value: &str) -> Step {
    step(table, key, Expectation::Anything, Change::Put { value: value.as_bytes().to_vec(), expires_at: None })
}

pub(super) fn delete(table: Table, key: &str) -> Step {
    step(table, key, Expectation::Anything, Change::Delete)
}

pub(super) fn require(table: Table, key: &str, version: u64) -> Step {
    step(table, key, Expectation::Version(version), Change::Keep)
}

impl Step {
    pub(super) fn ends(mut self, end: UnixTime) -> Self {
        if let Change::Put { expires_at, .. } = &mut self.change {
            *expires_at = Some(end);
        }
        self
    }

    pub(super) fn if_absent(mut self) -> Self {
        self.expectation = Expectation::Absent;
        self
    }

    pub(super) fn if_version(mut self, version: u64) -> Self {
        self.expectation = Expectation::Version(version);
        self
    }
}

pub(super) async fn run(store: &dyn Store, steps: impl IntoIterator<Item = Step>, now: UnixTime) -> Outcome {
    store.commit(steps.into_iter().collect(), now).await.unwrap()
}

/// Commits one step at the time 0, at which everything with an end still lives.
pub(super) async fn written(store: &dyn Store, step: Step) {
    assert_eq!(run(store, [step], at(0)).await, Outcome::Committed);
}

pub(super) async fn keys(store: &dyn Store, table: Table, prefix: &str, now: UnixTime) -> Vec<String> {
    let listed = store.list(table, prefix, None, 1000, now).await.unwrap();
    listed.into_iter().map(|(key, _)| key).collect()
}
