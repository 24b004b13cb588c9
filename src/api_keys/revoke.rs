//! Taking a key back: from the next request on it is refused.

use super::record::{Named, Record};
use super::{ApiKeyError, Registry};
use crate::domain::{PresentedKey, UnixTime};
use crate::store::{self, Outcome, StoreError, Transaction};

impl Registry {
    /// Revokes a living key by its name, its id, or itself, as somebody found it, and says which it was: id and name.
    pub async fn revoke(&self, which: &str) -> Result<(String, String), ApiKeyError> {
        let _writing = self.writing.lock().await;
        let (store, now) = (&*self.parts.store, self.now());
        let id = self.id_of(which, now).await?;
        let found = store::read::<Record>(store, &Record::key(&id), now).await?;
        let living = found.filter(|found| found.value.end().is_none_or(|end| now < end));
        let Some(living) = living else { return Err(ApiKeyError::Unknown(unknown(which))) };
        let record = Record { revoked_at: Some(now), ..living.value };
        let outcome = Transaction::new()
            .update(&Record::key(&id), living.version, &record, record.forgotten_at())
            .delete::<Named>(&Named::key(&record.name))
            .commit(store, now)
            .await?;
        if outcome == Outcome::Conflict {
            let cause = "somebody else changed this key at the same time; try again".to_owned();
            return Err(StoreError::Unavailable(cause).into());
        }
        let name = record.name.clone();
        self.known.put(record.into_facts(id.clone(), None));
        Ok((id, name))
    }

    /// Ids start with a capital letter, names with another, and keys are longer and
    /// have a checksum: one is never taken for the other.
    async fn id_of(&self, which: &str, now: UnixTime) -> Result<String, StoreError> {
        if let Some(key) = PresentedKey::parse(which.as_bytes()) {
            return Ok(self.known.id_of(&key.hash()).unwrap_or_default());
        }
        let named = store::read::<Named>(&*self.parts.store, &Named::key(which), now).await?;
        Ok(named.map_or_else(|| which.to_owned(), |named| named.value.id))
    }
}

/// What may be a key is not said back.
fn unknown(which: &str) -> String {
    if PresentedKey::is_meant(which.as_bytes()) {
        return "this is no living key of this service".to_owned();
    }
    format!("no living key has the name or id {which}")
}
