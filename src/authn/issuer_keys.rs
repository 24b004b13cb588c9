//! The keys of one issuer, kept fresh in the background. Requests read what is there and never wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;

use super::key_set::KeySet;
use crate::domain::UnixTime;

/// The present key set and the wish for a newer one.
#[derive(Debug, Default)]
pub struct IssuerKeys {
    current: ArcSwapOption<LoadedKeys>,
    generation: AtomicU64,
    refresh_wanted: Notify,
    refreshes: AtomicU64,
    failures: AtomicU64,
}

/// A key set and when it was asked for.
#[derive(Debug)]
pub struct LoadedKeys {
    /// The keys.
    pub set: KeySet,
    /// Counts the sets that differed from the one before.
    pub generation: u64,
    /// When the fetch that brought them began: keys published later may be missing.
    pub fetched_at: UnixTime,
}

/// What an operator wants to know about the keys of one issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFigures {
    /// Usable keys; 0 when none were ever had.
    pub keys: usize,
    /// Time since the last successful fetch.
    pub age: Option<Duration>,
    /// Successful fetches.
    pub refreshes: u64,
    /// Failed fetches.
    pub failures: u64,
}

impl KeyFigures {
    /// Of an issuer whose keys are fetched for two uses: the worse state, and all fetches.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            keys: self.keys.min(other.keys),
            age: self.age.zip(other.age).map(|(age, other)| age.max(other)),
            refreshes: self.refreshes.saturating_add(other.refreshes),
            failures: self.failures.saturating_add(other.failures),
        }
    }
}

impl IssuerKeys {
    /// The present set; `None` when none was ever had.
    pub fn current(&self) -> Option<Arc<LoadedKeys>> {
        self.current.load_full()
    }

    /// The number of the present set; 0 before the first.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Asks for a refresh. However often it is called, the background task fetches once per cool-down.
    pub fn ask_for_refresh(&self) {
        self.refresh_wanted.notify_one();
    }

    /// Waits until somebody asks.
    pub async fn refresh_asked(&self) {
        self.refresh_wanted.notified().await;
    }

    /// Takes over a fetched set. Tokens proven by another set are verified again.
    pub fn replace(&self, set: KeySet, fetched_at: UnixTime) {
        let generation = match self.current() {
            Some(loaded) if loaded.set.same_as(&set) => loaded.generation,
            _ => self.generation() + 1,
        };
        self.current.store(Some(Arc::new(LoadedKeys { set, generation, fetched_at })));
        self.generation.store(generation, Ordering::Release);
        self.refreshes.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a failed fetch; the last good set stays.
    pub fn note_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Figures for metrics and readiness.
    pub fn figures(&self, now: UnixTime) -> KeyFigures {
        let loaded = self.current();
        KeyFigures {
            keys: loaded.as_ref().map_or(0, |loaded| loaded.set.len()),
            age: loaded.map(|loaded| now.since(loaded.fetched_at)),
            refreshes: self.refreshes.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }
}
