//! When keys were used last. Requests note it in memory; it is written in batches, from time to time.

use std::collections::HashMap;

use super::record::Record;
use super::{Registry, Used};
use crate::domain::UnixTime;
use crate::store::{self, MAX_STEPS, Store, StoreError, Transaction};

impl Registry {
    /// Writes what has changed since it was written last. What a crash loses is no more than was noted since then.
    pub async fn write_last_uses(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let (store, now) = (&*self.parts.store, self.now());
        let mut noted = self.known.last_uses();
        let written = read(store, now).await?;
        noted.retain(|(id, at)| written.get(id).is_none_or(|written| written < at));
        for batch in noted.chunks(MAX_STEPS / 2) {
            let mut changes = Transaction::new();
            for (id, at) in batch {
                // It is forgotten with the key that it is about.
                let Some(key) = store::read::<Record>(store, &Record::key(id), now).await? else { continue };
                changes = changes.replace(&Used::key(id), &Used { at: *at }, key.expires_at);
            }
            let _ = changes.commit(store, now).await?;
        }
        Ok(())
    }
}

/// What was written, by key.
pub(super) async fn read(store: &dyn Store, now: UnixTime) -> Result<HashMap<String, UnixTime>, StoreError> {
    let mut found = HashMap::new();
    let mut after: Option<String> = None;
    loop {
        let page = store::list::<Used>(store, Used::PREFIX, after.as_deref(), Registry::PAGE, now).await?;
        let Some((last, _)) = page.last() else { return Ok(found) };
        after = Some(last.clone());
        let id = |key: String| key.strip_prefix(Used::PREFIX).unwrap_or(&key).to_owned();
        found.extend(page.into_iter().map(|(key, used)| (id(key), used.value.at)));
    }
}
