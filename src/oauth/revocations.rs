//! What was revoked and has not expired yet, in memory, so that a decision can ask without waiting for a store.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};

use crate::authn::{RevokedTokens, TokenIds};
use crate::domain::UnixTime;
use crate::store::{self, Store, StoreError, Stored, Table};

use super::grant::GrantIndex;

/// Revoked grants and revoked single tokens, each until the last token concerned has expired.
#[derive(Debug, Default)]
pub struct Revocations {
    /// So that nothing else is looked at while nothing is revoked.
    count: AtomicUsize,
    current: ArcSwap<Revoked>,
    /// Serialises writers; readers never see it.
    writing: Mutex<()>,
}

#[derive(Debug, Default, Clone)]
struct Revoked {
    grants: Until,
    tokens: Until,
}

type Until = HashMap<Box<str>, UnixTime, foldhash::quality::RandomState>;

/// An access token that was revoked alone, by its `jti`; exists until the token expires.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RevokedAccessToken {
    pub(super) client: String,
}

impl Stored for RevokedAccessToken {
    const TABLE: Table = Table::RevokedAccessTokens;
}

impl Revocations {
    const PAGE: usize = 1000;

    /// Adds what the store knows and forgets what is over. Called at start, and again wherever other replicas revoke.
    pub async fn load(&self, store: &dyn Store, now: UnixTime) -> Result<(), StoreError> {
        let grants = list::<GrantIndex>(store, GrantIndex::REVOKED, now).await?;
        let tokens = list::<RevokedAccessToken>(store, "", now).await?;
        self.change(|revoked| {
            revoked.grants.extend(grants);
            revoked.tokens.extend(tokens);
            revoked.grants.retain(|_, until| now < *until);
            revoked.tokens.retain(|_, until| now < *until);
        });
        Ok(())
    }

    /// Whether the grant `grant` or the token `jti` was revoked.
    pub fn is_revoked(&self, grant: Option<&str>, jti: Option<&str>) -> bool {
        if self.count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let revoked = self.current.load();
        grant.is_some_and(|grant| revoked.grants.contains_key(grant))
            || jti.is_some_and(|jti| revoked.tokens.contains_key(jti))
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tokens of `grants` are refused from now on.
    pub(super) fn note_grants(&self, grants: impl IntoIterator<Item = (Box<str>, UnixTime)>) {
        self.change(|revoked| revoked.grants.extend(grants));
    }

    /// The token `jti` is refused from now on.
    pub(super) fn note_token(&self, jti: &str, until: UnixTime) {
        self.change(|revoked| {
            revoked.tokens.insert(jti.into(), until);
        });
    }

    fn change(&self, step: impl FnOnce(&mut Revoked)) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut revoked = Revoked::clone(&self.current.load());
        step(&mut revoked);
        let count = revoked.grants.len() + revoked.tokens.len();
        self.current.store(std::sync::Arc::new(revoked));
        self.count.store(count, Ordering::Relaxed);
    }
}

impl RevokedTokens for Revocations {
    fn is_revoked(&self, ids: &TokenIds) -> bool {
        Self::is_revoked(self, ids.grant.as_deref(), ids.jti.as_deref())
    }
}

/// Everything under `prefix`, by the rest of its key. A record without end never leaves the memory either.
async fn list<T: Stored>(
    store: &dyn Store,
    prefix: &str,
    now: UnixTime,
) -> Result<Vec<(Box<str>, UnixTime)>, StoreError> {
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store::list::<T>(store, prefix, after.as_deref(), Revocations::PAGE, now).await?;
        let Some((last, _)) = page.last() else { return Ok(found) };
        after = Some(last.clone());
        found.extend(page.iter().map(|(key, record)| {
            let until = record.expires_at.unwrap_or(UnixTime::from_secs(u64::MAX));
            (key.strip_prefix(prefix).unwrap_or(key).into(), until)
        }));
    }
}
