//! The open database, and how it comes back after the disk failed.

use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{Database, Error, ReadTransaction, ReadableDatabase as _, WriteTransaction};

use crate::store::{OpenError, StoreError};

/// Opens the database; told whether it may be made.
pub(super) type Opener = Box<dyn Fn(bool) -> Result<Database, OpenError> + Send + Sync>;

/// The database. After an input or output error the engine refuses all work until it is opened again, which happens here:
/// a disk that was full for a minute must not need a restart.
pub(super) struct Data {
    place: String,
    opener: Opener,
    state: RwLock<State>,
}

struct State {
    /// `None` while it cannot be opened again.
    database: Option<Database>,
    /// How often it was tried to open it.
    openings: u64,
}

/// What a write transaction came to.
pub(super) struct Written<T> {
    pub(super) result: T,
    /// Whether there is anything to commit.
    pub(super) changed: bool,
}

impl Data {
    pub(super) fn open(place: String, opener: Opener) -> Result<Self, OpenError> {
        let state = RwLock::new(State { database: Some(opener(true)?), openings: 0 });
        Ok(Self { place, opener, state })
    }

    /// Reads from one consistent state.
    pub(super) fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, Error>) -> Result<T, StoreError> {
        let state = self.state();
        let Some(database) = &state.database else { return Err(self.unavailable(&"it could not be opened again")) };
        let result = database.begin_read().map_err(Error::from).and_then(|transaction| work(&transaction));
        let openings = state.openings;
        drop(state);
        result.map_err(|error| self.failed(&error, openings))
    }

    /// Does all of `work` and makes it durable, or does nothing.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<Written<T>, Error>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        if state.database.is_none() {
            let openings = state.openings;
            drop(state);
            self.open_again(openings);
            state = self.state();
        }
        let Some(database) = &state.database else { return Err(self.unavailable(&"it could not be opened again")) };
        let result = write(database, work);
        let openings = state.openings;
        drop(state);
        result.map_err(|error| self.failed(&error, openings))
    }

    fn failed(&self, error: &Error, openings: u64) -> StoreError {
        if matches!(error, Error::Io(_) | Error::PreviousIo | Error::LockPoisoned(_) | Error::DatabaseClosed) {
            self.open_again(openings);
        }
        self.unavailable(error)
    }

    /// Unless another thread did so meanwhile.
    fn open_again(&self, openings: u64) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.openings == openings {
            state.openings += 1;
            // Its lock on the file goes first.
            drop(state.database.take());
            match (self.opener)(false) {
                Ok(database) => state.database = Some(database),
                Err(error) => tracing::error!(%error, "the store cannot be opened again"),
            }
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, cause: &dyn fmt::Display) -> StoreError {
        StoreError::Unavailable(format!("{}: {cause}", self.place))
    }
}

fn write<T>(
    database: &Database,
    work: impl FnOnce(&WriteTransaction) -> Result<Written<T>, Error>,
) -> Result<T, Error> {
    let mut transaction = database.begin_write()?;
    // Two waits for the disk instead of one: then no cunning choice of contents can make half a transaction look whole
    // after a crash (the checksums are not cryptographic), and a large file is open again at once.
    transaction.set_quick_repair(true);
    let written = work(&transaction)?;
    if written.changed {
        // Immediate durability is the default: this returns when the disk has it.
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(written.result)
}
