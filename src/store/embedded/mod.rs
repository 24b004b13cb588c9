//! A store in one file, for one process: transactions are atomic and on the disk before they are answered.
//!
//! The engine is redb. Reads see the last committed state and wait for nobody; writes go through one thread.

mod data;
mod file;
mod image;
mod layout;
mod session;
mod writer;

use std::fmt;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use redb::{Error, ReadTransaction, ReadableTableMetadata as _};

use self::data::{Data, Opener};
use self::writer::Writer;
use super::open::{Kind, OpenError};
use super::rules::{self, MAX_KEY};
use super::{Mistake, Outcome, Record, Step, Store, StoreError, Table};
use crate::domain::UnixTime;

/// `file:/data/mcp-forward-auth.redb`
pub(super) const KIND: Kind =
    Kind { scheme: "file", read: read_place, open: |place| Ok(Arc::new(EmbeddedStore::open(Path::new(place))?)) };

/// The path as it is written: nothing in it is decoded.
fn read_place(rest: &str) -> Result<String, Mistake> {
    const FIX: &str = "write the whole path, like \"file:/data/mcp-forward-auth.redb\"";
    let path = match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(_) => return Err(Mistake::new("it names a host; the file must be on this one", FIX)),
        None => rest,
    };
    let rule = if path.is_empty() {
        "it names no file"
    } else if !path.starts_with('/') {
        "the path is relative, so the file would depend on where the service is started"
    } else if path.ends_with('/') {
        "it names a folder"
    } else if path.contains(['?', '#']) || path.contains(char::is_control) {
        "the path must not hold ?, # or control characters"
    } else {
        return Ok(path.to_owned());
    };
    Err(Mistake::new(rule, FIX))
}

/// A store in one file.
pub struct EmbeddedStore {
    // First, so that it is dropped first: what waits is written while the file is still open.
    writer: Writer,
    data: Arc<Data>,
}

impl EmbeddedStore {
    /// Opens the file at `path`, which is made, and its folder with it, if it is not there.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let place = path.display().to_string();
        let path: PathBuf = path.to_owned();
        Self::open_with(place, Box::new(move |may_make| file::open(&path, may_make)))
    }

    fn open_with(place: String, opener: Opener) -> Result<Self, OpenError> {
        let data = Arc::new(Data::open(place.clone(), opener)?);
        let writer = Writer::start(Arc::clone(&data))
            .map_err(|error| OpenError::Inaccessible { place, cause: error.to_string() })?;
        Ok(Self { writer, data })
    }

    /// Reads on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<Result<T, StoreError>, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let data = Arc::clone(&self.data);
        let read = tokio::task::spawn_blocking(move || data.read(work)).await;
        read.unwrap_or_else(|error| Err(StoreError::Unavailable(format!("a read ended early: {error}"))))?
    }
}

/// Records do not belong in logs.
impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EmbeddedStore")
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn get(&self, table: Table, key: &str, now: UnixTime) -> Result<Option<Record>, StoreError> {
        if key.len() > MAX_KEY {
            return Ok(None);
        }
        let key = key.to_owned();
        let found = self.read(move |transaction| {
            let records = transaction.open_table(layout::records(table))?;
            let found = records.get(key.as_str())?;
            Ok(found.map(|found| layout::record(found.value()).ok_or_else(|| unreadable(table))).transpose())
        });
        Ok(found.await?.filter(|record| rules::lives(record.expires_at, now)))
    }

    async fn commit(&self, steps: Vec<Step>, now: UnixTime) -> Result<Outcome, StoreError> {
        rules::refuse_unwritable(&steps)?;
        self.writer.commit(steps, now).await
    }

    async fn list(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        if prefix.len() > MAX_KEY {
            return Ok(Vec::new());
        }
        let listing = Listing { table, prefix: prefix.to_owned(), after: after.map(str::to_owned), limit, now };
        self.read(move |transaction| listing.read(transaction)).await
    }

    async fn count(&self, table: Table) -> Result<u64, StoreError> {
        self.read(move |transaction| Ok(Ok(transaction.open_table(layout::records(table))?.len()?))).await
    }

    async fn purge(&self, now: UnixTime) -> Result<u64, StoreError> {
        self.writer.purge(now).await
    }
}

/// What is to be listed.
struct Listing {
    table: Table,
    prefix: String,
    after: Option<String>,
    limit: usize,
    now: UnixTime,
}

impl Listing {
    fn read(&self, transaction: &ReadTransaction) -> Result<Result<Vec<(String, Record)>, StoreError>, Error> {
        let records = transaction.open_table(layout::records(self.table))?;
        let start = rules::start_of_listing(&self.prefix, self.after.as_deref());
        let mut listed = Vec::new();
        for entry in records.range::<&str>((start, Bound::Unbounded))? {
            let (key, value) = entry?;
            if listed.len() == self.limit || !key.value().starts_with(&self.prefix) {
                break;
            }
            let Some(record) = layout::record(value.value()) else { return Ok(Err(unreadable(self.table))) };
            if rules::lives(record.expires_at, self.now) {
                listed.push((key.value().to_owned(), record));
            }
        }
        Ok(Ok(listed))
    }
}

fn unreadable(table: Table) -> StoreError {
    StoreError::Unreadable { table: table.as_str(), cause: "its first bytes are none that this program writes".into() }
}

#[cfg(test)]
mod tests;
