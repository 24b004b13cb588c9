//! What happens inside one write transaction of the engine: steps are judged and applied, expired records removed.

use redb::{Error, ReadableTable as _, WriteTransaction};

use super::layout::{self, EXPIRIES, Head, META, VERSION_KEY};
use crate::domain::UnixTime;
use crate::store::rules::{self, PURGE_BATCH};
use crate::store::{Change, Outcome, Step, StoreError, Table};

/// A write transaction of the engine, which may carry several of ours: each sees what those before it did.
pub(super) struct Session<'t> {
    transaction: &'t WriteTransaction,
    /// The version of our latest transaction.
    version: u64,
    changed: bool,
}

/// Our own trouble with one transaction is inside; the engine's, which spoils all that came with it, outside.
pub(super) type Judged<T> = Result<Result<T, StoreError>, Error>;

impl<'t> Session<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction) -> Result<Self, Error> {
        let version = transaction.open_table(META)?.get(VERSION_KEY)?.map_or(0, |version| version.value());
        Ok(Self { transaction, version, changed: false })
    }

    /// Writes down the latest version. Says whether there is anything to commit.
    pub(super) fn finish(self) -> Result<bool, Error> {
        if self.changed {
            self.transaction.open_table(META)?.insert(VERSION_KEY, self.version)?;
        }
        Ok(self.changed)
    }

    pub(super) fn commit(&mut self, steps: &[Step], now: UnixTime) -> Judged<Outcome> {
        for step in steps {
            match self.living_version(step, now)? {
                Err(error) => return Ok(Err(error)),
                Ok(version) if step.expectation.holds(version) => {}
                Ok(_) => return Ok(Ok(Outcome::Conflict)),
            }
        }
        self.version += 1;
        for step in steps {
            match &step.change {
                Change::Put { value, expires_at } => self.put(step.table, &step.key, value, *expires_at)?,
                Change::Delete => self.remove(step.table, &step.key)?,
                Change::Keep => {}
            }
        }
        Ok(Ok(Outcome::Committed))
    }

    fn living_version(&self, step: &Step, now: UnixTime) -> Judged<Option<u64>> {
        let records = self.transaction.open_table(layout::records(step.table))?;
        let Some(found) = records.get(step.key.as_str())? else { return Ok(Ok(None)) };
        let Some((head, _)) = layout::decode(found.value()) else { return Ok(Err(super::unreadable(step.table))) };
        Ok(Ok(rules::lives(head.expires_at, now).then_some(head.version)))
    }

    fn put(&mut self, table: Table, key: &str, value: &[u8], expires_at: Option<UnixTime>) -> Result<(), Error> {
        self.changed = true;
        let bytes = layout::encode(Head { version: self.version, expires_at }, value);
        let mut records = self.transaction.open_table(layout::records(table))?;
        let before = records.insert(key, bytes.as_slice())?.and_then(|old| end_of(old.value()));
        if before == expires_at {
            return Ok(());
        }
        self.forget_end(before, table, key)?;
        if let Some(end) = expires_at {
            self.transaction.open_table(EXPIRIES)?.insert(layout::expiry(end, table, key).as_slice(), ())?;
        }
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &str) -> Result<(), Error> {
        let mut records = self.transaction.open_table(layout::records(table))?;
        let Some(removed) = records.remove(key)? else { return Ok(()) };
        self.changed = true;
        self.forget_end(end_of(removed.value()), table, key)
    }

    fn forget_end(&self, end: Option<UnixTime>, table: Table, key: &str) -> Result<(), Error> {
        if let Some(end) = end {
            self.transaction.open_table(EXPIRIES)?.remove(layout::expiry(end, table, key).as_slice())?;
        }
        Ok(())
    }

    /// Removes the records that ended first, a bounded number of them.
    pub(super) fn purge(&mut self, now: UnixTime) -> Result<u64, Error> {
        let mut removed = 0;
        for entry in self.ended(now)? {
            self.transaction.open_table(EXPIRIES)?.remove(entry.as_slice())?;
            self.changed = true;
            if let Some((table, key)) = layout::expiring(&entry) {
                self.transaction.open_table(layout::records(table))?.remove(key)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn ended(&self, now: UnixTime) -> Result<Vec<Vec<u8>>, Error> {
        let expiries = self.transaction.open_table(EXPIRIES)?;
        let entries = match layout::first_that_lives(now) {
            Some(end) => expiries.range(..end.as_slice())?,
            None => expiries.range::<&[u8]>(..)?,
        };
        let keys = entries.take(PURGE_BATCH).map(|entry| Ok(entry?.0.value().to_vec()));
        keys.collect()
    }
}

fn end_of(record: &[u8]) -> Option<UnixTime> {
    layout::decode(record).and_then(|(head, _)| head.expires_at)
}
