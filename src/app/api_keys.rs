//! Wires API keys, with or without an authorization server, and what is done about them from time to time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::StartError;
use super::housekeeping::clear_up;
use crate::api_keys::{Parts, Registry};
use crate::authn::Authenticator;
use crate::authz::PolicySet;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Issuer;
use crate::oauth::AuthorizationServer;
use crate::random::SystemRandom;
use crate::store::Store;

/// The keys, and what their chores need.
pub(super) struct ApiKeyWork {
    pub(super) keys: Arc<Registry>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl ApiKeyWork {
    /// What a crash may lose of the moments at which keys were used.
    const INTERVAL: Duration = Duration::from_secs(10);

    /// Reads the keys, if they are turned on.
    pub(super) fn open(
        config: &Config,
        store: Option<&Arc<dyn Store>>,
        policies: &PolicySet,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, StartError> {
        let (Some(settings), Some(store)) = (config.api_keys, store) else { return Ok(None) };
        let own = config.authorization_server.as_ref().map(|own| own.issuer.clone());
        let parts = Parts {
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            random: Arc::new(SystemRandom),
            policies: policies.clone(),
            max_lifetime: settings.max_lifetime,
            issuer: own.unwrap_or_else(Issuer::of_api_keys),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let keys = runtime.block_on(Registry::open(parts));
        let keys = keys.map_err(|error| StartError::Unusable(format!("store.url: {error}")))?;
        Ok(Some(Self { keys: Arc::new(keys), store: Arc::clone(store), clock: Arc::clone(clock) }))
    }

    /// Decisions ask these keys from now on.
    pub(super) fn known_to(&self, authenticator: Authenticator) -> Authenticator {
        authenticator.with_api_keys(Arc::clone(self.keys.known()))
    }

    /// The authorization server describes these keys from now on.
    pub(super) fn described_by(&self, server: AuthorizationServer) -> AuthorizationServer {
        server.with_api_keys(Arc::clone(self.keys.known()))
    }

    /// Does the chores, for ever. A failure is told and tried again.
    pub(super) async fn keep_house(self) {
        let mut chores = tokio::time::interval(Self::INTERVAL);
        chores.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            chores.tick().await;
            clear_up(&*self.store, &*self.clock).await;
            let written = self.keys.write_last_uses().await;
            if let Err(error) = written.and(self.keys.load().await) {
                tracing::warn!(%error, "API keys could not be looked after");
            }
        }
    }
}

/// What was noted since the last round; a crash loses it.
pub(super) async fn write_at_the_end(keys: Option<&Arc<Registry>>) {
    if let Some(keys) = keys
        && let Err(error) = keys.write_last_uses().await
    {
        tracing::warn!(%error, "when API keys were used last could not be written");
    }
}
