//! A store in memory: for trying things out and for tests. A restart forgets everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::open::Kind;
use super::rules::{self, PURGE_BATCH};
use super::{Change, Mistake, Outcome, Record, Step, Store, StoreError, Table};
use crate::domain::UnixTime;

/// `memory:`
pub(super) const KIND: Kind = Kind {
    scheme: "memory",
    read: |rest| match rest {
        "" => Ok(String::new()),
        _ => Err(Mistake::new("nothing stands behind memory:", "write \"memory:\"")),
    },
    open: |_| Ok(Arc::new(MemoryStore::new())),
};

/// Records in maps behind one lock, which is held for a moment and never across an await.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tables: BTreeMap<Table, BTreeMap<String, Record>>,
    /// Every record that ends, by its end: a purge looks at nothing else.
    expiries: BTreeSet<(UnixTime, Table, String)>,
    /// The version of the latest transaction; never goes back.
    version: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic while the lock was held leaves nothing half done that a later reader could not live with.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records do not belong in logs.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MemoryStore")
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, table: Table, key: &str, now: UnixTime) -> Result<Option<Record>, StoreError> {
        Ok(self.state().living(table, key, now).cloned())
    }

    async fn commit(&self, steps: Vec<Step>, now: UnixTime) -> Result<Outcome, StoreError> {
        rules::refuse_unwritable(&steps)?;
        Ok(self.state().commit(steps, now))
    }

    async fn list(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        let state = self.state();
        let Some(records) = state.tables.get(&table) else { return Ok(Vec::new()) };
        let found = records
            .range::<str, _>((rules::start_of_listing(prefix, after), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(_, record)| rules::lives(record.expires_at, now));
        Ok(found.take(limit).map(|(key, record)| (key.clone(), record.clone())).collect())
    }

    async fn count(&self, table: Table) -> Result<u64, StoreError> {
        let count = self.state().tables.get(&table).map_or(0, BTreeMap::len);
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn purge(&self, now: UnixTime) -> Result<u64, StoreError> {
        Ok(self.state().purge(now))
    }
}

impl State {
    fn living(&self, table: Table, key: &str, now: UnixTime) -> Option<&Record> {
        self.tables.get(&table)?.get(key).filter(|record| rules::lives(record.expires_at, now))
    }

    fn commit(&mut self, steps: Vec<Step>, now: UnixTime) -> Outcome {
        let version_of = |step: &Step| self.living(step.table, &step.key, now).map(|record| record.version);
        if !steps.iter().all(|step| step.expectation.holds(version_of(step))) {
            return Outcome::Conflict;
        }
        self.version += 1;
        for step in steps {
            match step.change {
                Change::Put { value, expires_at } => self.put(step.table, step.key, value, expires_at),
                Change::Delete => self.remove(step.table, &step.key),
                Change::Keep => {}
            }
        }
        Outcome::Committed
    }

    fn put(&mut self, table: Table, key: String, value: Vec<u8>, expires_at: Option<UnixTime>) {
        self.remove(table, &key);
        if let Some(end) = expires_at {
            self.expiries.insert((end, table, key.clone()));
        }
        let record = Record { value, version: self.version, expires_at };
        self.tables.entry(table).or_default().insert(key, record);
    }

    fn remove(&mut self, table: Table, key: &str) {
        let removed = self.tables.get_mut(&table).and_then(|records| records.remove(key));
        if let Some(end) = removed.and_then(|record| record.expires_at) {
            self.expiries.remove(&(end, table, key.to_owned()));
        }
    }

    fn purge(&mut self, now: UnixTime) -> u64 {
        let mut removed = 0;
        while removed < PURGE_BATCH
            && let Some((end, table, key)) = self.expiries.first().cloned()
            && !rules::lives(Some(end), now)
        {
            self.remove(table, &key);
            removed += 1;
        }
        u64::try_from(removed).unwrap_or(u64::MAX)
    }
}
