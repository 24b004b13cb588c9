//! A store whose failures are counted.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Outcome, Record, Step, Store, StoreError, Table};
use crate::domain::{Tally, UnixTime};

/// Any store, watched.
#[derive(Debug)]
pub struct WatchedStore {
    store: Arc<dyn Store>,
    failures: Arc<Tally<1>>,
}

impl WatchedStore {
    /// What a store does.
    const OPERATIONS: [&str; 5] = ["read", "write", "list", "count", "purge"];

    /// Watches `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, failures: Arc::new(Tally::of(&Self::OPERATIONS)) }
    }

    /// Operations that failed, by kind.
    pub const fn failures(&self) -> &Arc<Tally<1>> {
        &self.failures
    }

    fn noted<T>(&self, operation: &str, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.failures.add([operation]);
        }
        result
    }
}

#[async_trait]
impl Store for WatchedStore {
    async fn get(&self, table: Table, key: &str, now: UnixTime) -> Result<Option<Record>, StoreError> {
        self.noted("read", self.store.get(table, key, now).await)
    }

    async fn commit(&self, steps: Vec<Step>, now: UnixTime) -> Result<Outcome, StoreError> {
        self.noted("write", self.store.commit(steps, now).await)
    }

    async fn list(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.noted("list", self.store.list(table, prefix, after, limit, now).await)
    }

    async fn count(&self, table: Table) -> Result<u64, StoreError> {
        self.noted("count", self.store.count(table).await)
    }

    async fn purge(&self, now: UnixTime) -> Result<u64, StoreError> {
        self.noted("purge", self.store.purge(now).await)
    }
}
