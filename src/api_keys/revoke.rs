//! Taking a key back: from the next request on it is refused.

use super::record::{Named, Record};
use super::{ApiKeyError, Registry};
use crate::domain::UnixTime;
use crate::store::{self, Outcome, StoreError, Transaction};

impl Registry {
    /// Revokes the living key that has this name, or else this id, and says which it was: id and name.
    pub async fn revoke(&self, name_or_id: &str) -> Result<(String, String), ApiKeyError> {
        let _writing = self.writing.lock().await;
        let (store, now) = (&*self.parts.store, self.now());
        let id = self.id_of(name_or_id, now).await?;
        let found = store::read::<Record>(store, &Record::key(&id), now).await?;
        let living = found.filter(|found| found.value.end().is_none_or(|end| now < end));
        let Some(living) = living else { return Err(ApiKeyError::Unknown(name_or_id.to_owned())) };
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

    /// Ids start with a capital letter and names do not, so one is never taken for the other.
    async fn id_of(&self, name_or_id: &str, now: UnixTime) -> Result<String, StoreError> {
        let named = store::read::<Named>(&*self.parts.store, &Named::key(name_or_id), now).await?;
        Ok(named.map_or_else(|| name_or_id.to_owned(), |named| named.value.id))
    }
}
