//! Finding a client by its id, wherever it comes from: the configuration, then registrations, then documents.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::client_document::ClientDocuments;
use super::client_keys::ClientKeys;
use super::{Client, ClientSettings, ClientSource, OAuthError, RedirectUri};
use crate::domain::UnixTime;
use crate::outbound::Fetch;
use crate::random::Random;
use crate::store::{Store, Versioned, read};

/// Every client there is: from the configuration, registered, or described by a metadata document.
pub struct Clients {
    pub(super) settings: ClientSettings,
    pub(super) store: Arc<dyn Store>,
    pub(super) random: Arc<dyn Random>,
    pub(super) keys: ClientKeys,
    pub(super) configured: HashMap<String, Client>,
    pub(super) documents: ClientDocuments,
}

impl fmt::Debug for Clients {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clients").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Clients {
    /// Longest id that anybody's client has.
    const MAX_ID: usize = 1024;

    /// Clients as `settings` say; `fetch` is the guard for documents and keys.
    pub fn new(
        mut settings: ClientSettings,
        store: Arc<dyn Store>,
        random: Arc<dyn Random>,
        fetch: Arc<dyn Fetch>,
    ) -> Self {
        let configured = std::mem::take(&mut settings.configured).into_iter();
        Self {
            configured: configured.map(|client| (client.id.clone(), client.into())).collect(),
            documents: ClientDocuments::new(&settings, Arc::clone(&store), Arc::clone(&fetch)),
            keys: ClientKeys::new(fetch, settings.documents.allow_loopback),
            settings,
            store,
            random,
        }
    }

    /// The client `id`, if there is one. A metadata document that cannot be had is our trouble, not an unknown client:
    /// `temporarily_unavailable`, or the client would throw a good id away.
    pub async fn find(&self, id: &str, now: UnixTime) -> Result<Option<Client>, OAuthError> {
        if let Some(client) = self.configured.get(id) {
            return Ok(Some(client.clone()));
        }
        if self.documents.is_named_by(id) {
            return Ok(self.documents.find(id, now).await?.map(|client| self.as_allowed_now(client)));
        }
        Ok(self.registered(id, now).await?.map(|found| self.as_allowed_now(found.value)))
    }

    /// The client again, for an authorization that names a redirect URI that it does not have: its document may list other
    /// ones by now. `None` when there is nothing newer.
    pub async fn find_again(&self, client: &Client, now: UnixTime) -> Result<Option<Client>, OAuthError> {
        if client.source != ClientSource::Document {
            return Ok(None);
        }
        Ok(self.documents.find_again(&client.id, now).await?.map(|client| self.as_allowed_now(client)))
    }

    /// The registered client `id`.
    pub(super) async fn registered(&self, id: &str, now: UnixTime) -> Result<Option<Versioned<Client>>, OAuthError> {
        if id.is_empty()
            || id.len() > Self::MAX_ID
            || self.configured.contains_key(id)
            || self.documents.is_named_by(id)
        {
            return Ok(None);
        }
        Ok(read::<Client>(&*self.store, id, now).await?)
    }

    /// Clients of `store` and nothing else, for tests of what uses them.
    #[cfg(test)]
    pub(crate) fn for_test(store: Arc<dyn Store>) -> Self {
        super::client_tests::clients_of(store)
    }

    /// Leaves out redirect URIs that the operator has stopped allowing since they were registered.
    fn as_allowed_now(&self, mut client: Client) -> Client {
        let allowed = |uri: &RedirectUri| RedirectUri::parse(uri.as_str(), &self.settings.custom_schemes).is_ok();
        client.redirect_uris.retain(allowed);
        client
    }
}
