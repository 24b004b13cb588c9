//! What the authorization server does from time to time: forgets what has expired, renews its signing keys.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::clock::Clock;
use crate::oauth::AuthorizationServer;
use crate::store::Store;

/// The authorization server's chores.
pub(super) struct Housekeeping {
    pub(super) server: Arc<AuthorizationServer>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Housekeeping {
    /// A key is published for longer than this before it signs.
    const INTERVAL: Duration = Duration::from_secs(30);
    /// At most one look at the keys in this time, however many tokens name unknown ones.
    const COOL_DOWN: Duration = Duration::from_secs(1);

    /// Does the chores, for ever. A failure is told and tried again: nothing depends on any one round. A token of ours that
    /// names an unknown key is answered with 503 until the keys have been looked at, so that is done at once.
    pub(super) async fn keep_house(self) {
        let keys = self.server.as_issuer().keys;
        let mut chores = tokio::time::interval(Self::INTERVAL);
        chores.set_missed_tick_behavior(MissedTickBehavior::Delay);
        chores.tick().await; // the first one is at once, and everything has just been read
        loop {
            let done = tokio::select! {
                _ = chores.tick() => {
                    clear_up(&*self.store, &*self.clock).await;
                    self.server.tend().await
                }
                () = keys.refresh_asked() => self.server.keys().tend(self.clock.now()).await,
            };
            if let Err(error) = done {
                tracing::warn!(%error, "signing keys and revocations could not be looked after");
            }
            tokio::time::sleep(Self::COOL_DOWN).await;
        }
    }
}

/// A purge removes a bounded number of records, so that nobody waits long for it.
pub(super) async fn clear_up(store: &dyn Store, clock: &dyn Clock) {
    loop {
        match store.purge(clock.now()).await {
            Ok(0) => return,
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => return tracing::warn!(%error, "what has expired could not be removed"),
        }
    }
}
