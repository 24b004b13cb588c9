//! One at a time per name, in this process. What must hold across processes is a transaction; this only spares them:
//! an identity provider that rotates its refresh tokens must not be asked twice with the same one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Who waits for what.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: Mutex<HashMap<Box<str>, Arc<tokio::sync::Mutex<()>>>>,
}

impl Turns {
    /// From this many names on, those that nobody waits for are forgotten.
    const MANY: usize = 1024;

    /// Waits until nobody else has the turn for `name`; it ends when the guard is dropped.
    pub(super) async fn take(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = Arc::clone(self.named(name).entry(name.into()).or_default());
        turn.lock_owned().await
    }

    fn named(&self, name: &str) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Arc<tokio::sync::Mutex<()>>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= Self::MANY && !waiting.contains_key(name) {
            waiting.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        waiting
    }
}
