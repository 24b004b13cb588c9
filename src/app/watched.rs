//! What the authorization server leans on, each wrapped so that its failures are counted.

use std::sync::Arc;

use super::{StartError, authorization_server, identity_provider};
use crate::config::AuthorizationServerConfig;
use crate::domain::Tally;
use crate::idp::{IdentityProvider, Surroundings, WatchedProvider};
use crate::oauth::{AuthorizationServer, Happenings};
use crate::outbound::resolver::SystemResolver;
use crate::outbound::{Guarded, WatchedFetch};
use crate::store::{Store, WatchedStore};
use crate::telemetry::metrics::Tallies;

/// What is counted where it happens.
pub(super) struct Watched {
    pub(super) store: Arc<WatchedStore>,
    pub(super) fetch: Arc<WatchedFetch>,
    pub(super) provider_requests: Arc<Tally<3>>,
}

impl Watched {
    pub(super) fn new(store: Arc<dyn Store>, own: &AuthorizationServerConfig) -> Result<Self, StartError> {
        let guarded = Guarded::new(authorization_server::documents(own).guard(), Arc::new(SystemResolver))?;
        Ok(Self {
            store: Arc::new(WatchedStore::new(store)),
            fetch: Arc::new(WatchedFetch::new(Arc::new(guarded))),
            provider_requests: WatchedProvider::tally(own.providers.iter().map(|provider| &*provider.name)),
        })
    }

    pub(super) fn providers(
        &self,
        own: &AuthorizationServerConfig,
        surroundings: &Surroundings,
    ) -> Result<Vec<Arc<dyn IdentityProvider>>, StartError> {
        let build = |one| -> Result<Arc<dyn IdentityProvider>, StartError> {
            let provider = identity_provider::build(one, surroundings)?;
            Ok(Arc::new(WatchedProvider::new(provider, Arc::clone(&self.provider_requests))))
        };
        own.providers.iter().map(build).collect()
    }

    pub(super) fn tallies(&self, server: &AuthorizationServer) -> Tallies {
        let Happenings { sign_ins, tokens, registrations, grants_ended } = server.happenings().clone();
        Tallies {
            sign_ins,
            tokens,
            registrations,
            grants_ended,
            store_failures: Arc::clone(self.store.failures()),
            provider_requests: Arc::clone(&self.provider_requests),
            document_fetches: Arc::clone(self.fetch.outcomes()),
        }
    }
}
