//! Records by their types, and transactions of them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Change, Expectation, Outcome, Record, Step, Store, StoreError, Table};
use crate::domain::UnixTime;

/// A type of record. Stored as JSON, so that a newer version reads what an older one wrote.
pub trait Stored: Serialize + DeserializeOwned {
    /// Where it lives.
    const TABLE: Table;
}

/// A record that was read, with the version that a later commit compares.
#[derive(Debug, Clone)]
pub struct Versioned<T> {
    /// The record.
    pub value: T,
    /// Its version.
    pub version: u64,
    /// When it ceases to exist.
    pub expires_at: Option<UnixTime>,
}

/// Reads the `T` at `key`.
pub async fn read<T: Stored>(store: &dyn Store, key: &str, now: UnixTime) -> Result<Option<Versioned<T>>, StoreError> {
    store.get(T::TABLE, key, now).await?.as_ref().map(decode).transpose()
}

/// Reads the `T`s whose keys start with `prefix`.
pub async fn list<T: Stored>(
    store: &dyn Store,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
    now: UnixTime,
) -> Result<Vec<(String, Versioned<T>)>, StoreError> {
    let records = store.list(T::TABLE, prefix, after, limit, now).await?;
    records.into_iter().map(|(key, record)| Ok((key, decode(&record)?))).collect()
}

fn decode<T: Stored>(record: &Record) -> Result<Versioned<T>, StoreError> {
    let value = serde_json::from_slice(&record.value)
        .map_err(|error| StoreError::Unreadable { table: T::TABLE.as_str(), cause: error.to_string() })?;
    Ok(Versioned { value, version: record.version, expires_at: record.expires_at })
}

/// Steps that happen together or not at all.
#[derive(Debug, Default)]
#[must_use]
pub struct Transaction {
    steps: Vec<Step>,
    unwritable: Option<StoreError>,
}

impl Transaction {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a record where there is none.
    pub fn create<T: Stored>(self, key: &str, value: &T, expires_at: Option<UnixTime>) -> Self {
        self.put(key, Expectation::Absent, value, expires_at)
    }

    /// Writes a record over the one that was read as `version`.
    pub fn update<T: Stored>(self, key: &str, version: u64, value: &T, expires_at: Option<UnixTime>) -> Self {
        self.put(key, Expectation::Version(version), value, expires_at)
    }

    /// Writes a record, whatever was there.
    pub fn replace<T: Stored>(self, key: &str, value: &T, expires_at: Option<UnixTime>) -> Self {
        self.put(key, Expectation::Anything, value, expires_at)
    }

    /// Removes a record, whatever it says; one that does not exist stays so.
    pub fn delete<T: Stored>(self, key: &str) -> Self {
        self.step(T::TABLE, key, Expectation::Anything, Change::Delete)
    }

    /// Happens only if the record is still the one that was read as `version`.
    pub fn require<T: Stored>(self, key: &str, version: u64) -> Self {
        self.step(T::TABLE, key, Expectation::Version(version), Change::Keep)
    }

    /// Happens only if there is no such record.
    pub fn require_absent<T: Stored>(self, key: &str) -> Self {
        self.step(T::TABLE, key, Expectation::Absent, Change::Keep)
    }

    /// Does all of it, or nothing.
    pub async fn commit(self, store: &dyn Store, now: UnixTime) -> Result<Outcome, StoreError> {
        match self.unwritable {
            Some(error) => Err(error),
            None => store.commit(self.steps, now).await,
        }
    }

    fn put<T: Stored>(mut self, key: &str, expectation: Expectation, value: &T, expires_at: Option<UnixTime>) -> Self {
        match serde_json::to_vec(value) {
            Ok(value) => self.step(T::TABLE, key, expectation, Change::Put { value, expires_at }),
            Err(error) => {
                let cause = error.to_string();
                self.unwritable = Some(StoreError::Unwritable { table: T::TABLE.as_str(), cause });
                self
            }
        }
    }

    fn step(mut self, table: Table, key: &str, expectation: Expectation, change: Change) -> Self {
        self.steps.push(Step { table, key: key.to_owned(), expectation, change });
        self
    }
}
