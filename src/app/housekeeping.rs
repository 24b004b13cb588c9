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

    /// Does the chores, for ever. A failure is told and tried again: nothing depends on any one round.
    pub(super) async fn keep_house(self) {
        loop {
            tokio::time::sleep(Self::INTERVAL).await;
            let now = self.clock.now();
            if let Err(error) = self.store.purge(now).await {
                tracing::warn!(%error, "what has expired could not be removed");
            }
            if let Err(error) = self.server.keys().tend(now).await {
                tracing::warn!(%error, "the signing keys could not be looked after");
            }
        }
    }
}
