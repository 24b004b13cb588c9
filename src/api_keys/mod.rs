//! API keys at rest: making, listing and revoking them, for the operator. Decisions never come here: they ask the list in
//! memory ([`crate::authn::ApiKeys`]), which is changed in step with the store.

mod create;
mod last_use;
mod listing;
mod record;
mod revoke;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::authn::ApiKeys;
use crate::authz::PolicySet;
use crate::clock::Clock;
use crate::domain::{Issuer, UnixTime};
use crate::random::{NoRandomness, Random};
use crate::store::{self, Store, StoreError};

pub use create::{Created, Lifetime, Wanted, in_words};
pub use listing::{KeyPage, KeyState, KeyView};
use record::{Record, Used};

/// Everything that the keys lean on.
pub struct Parts {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The source of keys.
    pub random: Arc<dyn Random>,
    /// What is protected.
    pub policies: PolicySet,
    /// How long a key may live; for ever when absent.
    pub max_lifetime: Option<Duration>,
    /// Whose name identities of keys bear.
    pub issuer: Issuer,
}

/// The keys of this service.
pub struct Registry {
    parts: Parts,
    known: Arc<ApiKeys>,
    /// Held from before a change of the store until after that of the memory: what was read before a revocation must not
    /// be put into memory after it.
    writing: Mutex<()>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Registry({:?})", self.known)
    }
}

/// Why a command about keys was not followed.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// What was asked for cannot be.
    #[error("{0}")]
    Refused(String),
    /// A living key has the name.
    #[error("a living key is called {0}; revoke it, or choose another name")]
    NameTaken(String),
    /// Nothing fits.
    #[error("{0}")]
    Unknown(String),
    /// The bound is reached.
    #[error("{0} keys are remembered, dead ones included, and no more are; revoke some, and wait 7 days")]
    TooMany(usize),
    /// It may or may not have happened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing secret can be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl Registry {
    /// Most keys in memory, dead ones included.
    pub const MOST_KEYS: usize = 10_000;
    /// For so long a key is remembered after its end: a refusal says then why.
    const REMEMBERED_FOR: Duration = Duration::from_secs(7 * 86_400);
    const PAGE: usize = 500;

    /// Reads the keys that there are.
    pub async fn open(parts: Parts) -> Result<Self, StoreError> {
        let known = Arc::new(ApiKeys::new(parts.issuer.clone()));
        let registry = Self { parts, known, writing: Mutex::default() };
        registry.load().await?;
        Ok(registry)
    }

    /// The list that decisions ask.
    pub const fn known(&self) -> &Arc<ApiKeys> {
        &self.known
    }

    /// Takes over what the store says, and forgets what it has forgotten.
    pub async fn load(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let now = self.now();
        let mut noted = last_use::read(&*self.parts.store, now).await?;
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.page(after.as_deref(), Self::PAGE, now).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            all.extend(page.into_iter().map(|(id, record)| {
                let last_used = noted.remove(&id);
                record.into_facts(id, last_used)
            }));
        }
        self.known.replace(all);
        Ok(())
    }

    fn now(&self) -> UnixTime {
        self.parts.clock.now()
    }

    /// Keys as stored, in the order of their ids.
    async fn page(
        &self,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        let after = after.map(Record::key);
        let found = store::list::<Record>(&*self.parts.store, Record::PREFIX, after.as_deref(), limit, now).await?;
        let id = |key: String| key.strip_prefix(Record::PREFIX).unwrap_or(&key).to_owned();
        Ok(found.into_iter().map(|(key, record)| (id(key), record.value)).collect())
    }
}

#[cfg(test)]
mod create_tests;
#[cfg(test)]
mod tests;
