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
mod watched;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod testing;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::UnixTime;

pub use embedded::EmbeddedStore;
pub use master_key::MasterKey;
pub use memory::MemoryStore;
pub use mistake::Mistake;
pub use open::{OpenError, StoreUrl, open};
pub use rules::{MAX_KEY, MAX_STEPS, MAX_VALUE};
pub use seal::{SealError, Sealer};
pub use watched::WatchedStore;

/// Kinds of records; each has its own key space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Registered clients, by client id.
    Clients,
    /// Fetched client metadata documents, by URL.
    ClientDocuments,
    /// What waits between `/authorize` and the code, by id.
    PendingAuthorizations,
    /// Authorization codes, by hash.
    Codes,
    /// Grants, by id.
    Grants,
    /// `person/…`, `client/…` and `resource/…` to grant ids: look-ups without a scan.
    GrantIndex,
    /// Refresh tokens, by hash.
    RefreshTokens,
    /// Access tokens that were revoked one by one, by `jti`.
    RevokedAccessTokens,
    /// What a person approved for good, by person and client.
    RememberedConsents,
    /// Browser sessions, by hash.
    Sessions,
    /// Assertions that were used, by issuer and `jti`.
    UsedAssertions,
    /// Signing keys, by key id.
    SigningKeys,
    /// API keys: `key/…` by id, `name/…` to ids, `used/…` by id.
    ApiKeys,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 13] = [
        Self::Clients,
        Self::ClientDocuments,
        Self::PendingAuthorizations,
        Self::Codes,
        Self::Grants,
        Self::GrantIndex,
        Self::RefreshTokens,
        Self::RevokedAccessTokens,
        Self::RememberedConsents,
        Self::Sessions,
        Self::UsedAssertions,
        Self::SigningKeys,
        Self::ApiKeys,
    ];

    /// The name under which a store keeps it; never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::ClientDocuments => "client_documents",
            Self::PendingAuthorizations => "pending_authorizations",
            Self::Codes => "codes",
            Self::Grants => "grants",
            Self::GrantIndex => "grant_index",
            Self::RefreshTokens => "refresh_tokens",
            Self::RevokedAccessTokens => "revoked_access_tokens",
            Self::RememberedConsents => "remembered_consents",
            Self::Sessions => "sessions",
            Self::UsedAssertions => "used_assertions",
            Self::SigningKeys => "signing_keys",
            Self::ApiKeys => "api_keys",
        }
    }
}

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
