//! Stores that do to a flow what real ones do on a bad day.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::SeededRandom;
use crate::domain::UnixTime;
use crate::store::{MemoryStore, Outcome, Record, Step, Store, StoreError, Table};

/// A call to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Get(Table),
    Commit,
    List(Table),
    Count,
}

/// Something that happens once, in between.
pub(crate) type Hook = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A store in memory that can be made to fail, to dawdle, or to let something else happen first.
pub(crate) struct TestStore {
    inner: Arc<MemoryStore>,
    calls: AtomicUsize,
    fault: Mutex<Fault>,
    dawdling: Option<SeededRandom>,
    /// Runs once, before the next call of a kind.
    hook: Mutex<Option<(Call, Hook)>>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The call with this number fails and does nothing.
    Before(usize),
    /// The call with this number does its work, and then its answer is lost.
    After(usize),
    /// Every call fails.
    Always,
}

impl fmt::Debug for TestStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TestStore")
    }
}

impl TestStore {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()), None)
    }

    /// One that lets others run for a while, however long `seed` says, before each call.
    pub(crate) fn dawdling(inner: Arc<MemoryStore>, seed: u64) -> Self {
        Self::over(inner, Some(SeededRandom::new(seed)))
    }

    fn over(inner: Arc<MemoryStore>, dawdling: Option<SeededRandom>) -> Self {
        let (calls, fault, hook) = (AtomicUsize::new(0), Mutex::new(Fault::None), Mutex::new(None));
        Self { inner, calls, fault, dawdling, hook }
    }

    /// From now on, calls are counted anew.
    pub(crate) fn break_down(&self, fault: Fault) {
        self.calls.store(0, Ordering::SeqCst);
        *self.fault.lock().unwrap() = fault;
    }

    /// How many calls were made since.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Before the next call of this kind, `happens`.
    pub(crate) fn before<F: Future<Output = ()> + Send + 'static>(
        &self,
        call: Call,
        happens: impl FnOnce() -> F + Send + 'static,
    ) {
        *self.hook.lock().unwrap() = Some((call, Box::new(|| Box::pin(happens()))));
    }

    /// Whether the call may go on; `true` with a fault means that its answer is lost.
    async fn enter(&self, call: Call) -> Result<bool, StoreError> {
        let hook = {
            let mut waiting = self.hook.lock().unwrap();
            if waiting.as_ref().is_some_and(|(wanted, _)| *wanted == call) { waiting.take() } else { None }
        };
        if let Some((_, happens)) = hook {
            happens().await;
        }
        let pauses = self.dawdling.as_ref().map_or(0, |random| random.next() % 4);
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let fault = *self.fault.lock().unwrap();
        match fault {
            Fault::Before(failing) if failing == number => Err(gone()),
            Fault::Always => Err(gone()),
            Fault::After(failing) => Ok(failing == number),
            Fault::None | Fault::Before(_) => Ok(false),
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("as the test wanted".into())
}

fn answer<T>(lost: bool, answer: Result<T, StoreError>) -> Result<T, StoreError> {
    if lost { Err(gone()) } else { answer }
}

#[async_trait]
impl Store for TestStore {
    async fn get(&self, table: Table, key: &str, now: UnixTime) -> Result<Option<Record>, StoreError> {
        let lost = self.enter(Call::Get(table)).await?;
        answer(lost, self.inner.get(table, key, now).await)
    }

    async fn commit(&self, steps: Vec<Step>, now: UnixTime) -> Result<Outcome, StoreError> {
        let lost = self.enter(Call::Commit).await?;
        answer(lost, self.inner.commit(steps, now).await)
    }

    async fn list(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        let lost = self.enter(Call::List(table)).await?;
        answer(lost, self.inner.list(table, prefix, after, limit, now).await)
    }

    async fn count(&self, table: Table) -> Result<u64, StoreError> {
        let lost = self.enter(Call::Count).await?;
        answer(lost, self.inner.count(table).await)
    }

    async fn purge(&self, now: UnixTime) -> Result<u64, StoreError> {
        self.inner.purge(now).await
    }
}
