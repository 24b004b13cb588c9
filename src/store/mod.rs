//! State with a lifetime: clients, grants, codes, refresh tokens, keys. One small contract that every store keeps, and
//! that one suite of tests runs on each.
//!
//! Everything that must be atomic is one [`Transaction`]: records are read with their version, a pure function says what
//! they become, and the commit happens only if none of them changed meanwhile. So a code cannot be used twice and a
//! refresh family cannot fork, whatever else runs or dies at that moment.

mod embedded;
mod master_key;
mod memory;
mod mistake;
mod new_file;
mod open;
mod rules;
mod seal;
mod table;
mod typed;
mod watched;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod testing;

use async_trait::async_trait;

use crate::domain::UnixTime;

pub use embedded::EmbeddedStore;
pub use master_key::MasterKey;
pub use memory::MemoryStore;
pub use mistake::Mistake;
pub use open::{OpenError, StoreUrl, open};
pub use rules::{MAX_KEY, MAX_STEPS, MAX_VALUE};
pub use seal::{SealError, Sealer};
pub use table::Table;
pub use typed::{Stored, Transaction, Versioned, list, read};
pub use watched::WatchedStore;

/// A record as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it says.
    pub value: Vec<u8>,
    /// That of the transaction that wrote it: it grows with every transaction of the store, over deletion and re-creation as
    /// well, so that of two records the later one can be told.
    pub version: u64,
    /// From this moment on it does not exist any more.
    pub expires_at: Option<UnixTime>,
}

/// What must be true of a record for a transaction to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing.
    Anything,
    /// There is none (an expired one is none).
    Absent,
    /// It is unchanged since it was read.
    Version(u64),
}

/// What a transaction does to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Writes it.
    Put {
        /// What it says.
        value: Vec<u8>,
        /// When it ceases to exist.
        expires_at: Option<UnixTime>,
    },
    /// Removes it.
    Delete,
    /// Only the expectation counts.
    Keep,
}

/// One step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub table: Table,
    /// Which.
    pub key: String,
    /// What must be true.
    pub expectation: Expectation,
    /// What becomes of it.
    pub change: Change,
}

/// Whether a transaction happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// All of it, durably.
    Committed,
    /// None of it: an expectation did not hold.
    Conflict,
}

/// Why a store could not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is full, or failed. A transaction that was under way happened as a whole or not at all;
    /// which of the two is not known.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A record cannot be read: written by a newer version, or damaged.
    #[error("a record in {table} cannot be read: {cause}")]
    Unreadable {
        /// Where.
        table: &'static str,
        /// Why.
        cause: String,
    },
    /// A transaction is larger than any store takes, or contradicts itself: a mistake of ours, nothing was written.
    #[error("a record cannot be written to {table}: {cause}")]
    Unwritable {
        /// Where.
        table: &'static str,
        /// Why.
        cause: String,
    },
}

/// Where state lives. Not found is `Ok(None)`; time is handed in, and what has expired by then does not exist.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// One record.
    async fn get(&self, table: Table, key: &str, now: UnixTime) -> Result<Option<Record>, StoreError>;

    /// All steps or none. A step's expectation is judged before any change; a key appears at most once.
    async fn commit(&self, steps: Vec<Step>, now: UnixTime) -> Result<Outcome, StoreError>;

    /// Records whose key starts with `prefix`, in ascending order of keys, after the key `after`, at most `limit`.
    async fn list(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<(String, Record)>, StoreError>;

    /// How many records a table holds; may count expired ones that were not purged yet.
    async fn count(&self, table: Table) -> Result<u64, StoreError>;

    /// Removes what has expired, the oldest first; called from time to time. Says how many it removed: a bounded number
    /// per call, so that nobody waits long behind it. Call again until it says 0.
    async fn purge(&self, now: UnixTime) -> Result<u64, StoreError>;
}
