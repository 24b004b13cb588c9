//! Whether the authorization server can work: asked by whoever watches the service.

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::AuthorizationServer;
use crate::authn::issuer_keys::KeyFigures;
use crate::domain::UnixTime;
use crate::store::{self, StoreError, Stored, Table, Transaction};

/// What the store said last, and when.
#[derive(Debug, Default)]
pub(super) struct LastProbe(Mutex<Option<(UnixTime, Result<(), StoreError>)>>);

/// A small record beside the hashes of sessions, where nothing else has its name.
#[derive(Serialize, Deserialize)]
struct Probe {
    at: UnixTime,
}

impl Stored for Probe {
    const TABLE: Table = Table::Sessions;
}

impl Probe {
    const KEY: &'static str = "probe";
    /// It is not asked more often than this, however often somebody wants to know: each time is a write to a disk.
    const EVERY_SECONDS: u64 = 5;
    const KEPT_SECONDS: u64 = 60;
}

impl AuthorizationServer {
    /// Whether the store takes a record and gives it back: nothing less shows that a disk is full.
    pub async fn probe_store(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut last = self.last_probe.0.lock().await;
        if let Some((at, result)) = &*last
            && now.since(*at).as_secs() < Probe::EVERY_SECONDS
        {
            return result.clone();
        }
        let result = self.write_and_read(now).await;
        *last = Some((now, result.clone()));
        result
    }

    /// The keys of those whose assertions about people are taken.
    pub fn assertion_keys(&self, now: UnixTime) -> Vec<(String, KeyFigures)> {
        let issuers = self.settings.assertion_issuers.iter().map(|known| &known.trust);
        issuers.map(|trust| (trust.issuer.to_string(), trust.keys.figures(now))).collect()
    }

    async fn write_and_read(&self, now: UnixTime) -> Result<(), StoreError> {
        let end = Some(UnixTime::from_secs(now.as_secs().saturating_add(Probe::KEPT_SECONDS)));
        let _ = Transaction::new().replace(Probe::KEY, &Probe { at: now }, end).commit(&*self.store, now).await?;
        match store::read::<Probe>(&*self.store, Probe::KEY, now).await? {
            Some(found) if found.value.at >= now => Ok(()),
            Some(_) | None => Err(StoreError::Unavailable("what was just written is not there".into())),
        }
    }
}
