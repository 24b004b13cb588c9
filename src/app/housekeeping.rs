//! What the authorization server does from time to time: forgets what has expired, renews its signing keys.

use std::sync::Arc;
use std::time::Duration;

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

    /// A purge removes a bounded number of records, so that nobody waits long for it.
    async fn clear_up(&self) {
        loop {
            match self.store.purge(self.clock.now()).await {
                Ok(0) => return,
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => return tracing::warn!(%error, "what has expired could not be removed"),
            }
        }
    }

    /// Does the chores, for ever. A failure is told and tried again: nothing depends on any one round.
    pub(super) async fn keep_house(self) {
        loop {
            tokio::time::sleep(Self::INTERVAL).await;
            self.clear_up().await;
            if let Err(error) = self.server.tend().await {
                tracing::warn!(%error, "signing keys and revocations could not be looked after");
            }
        }
    }
}
