//! The operator's view of clients: which there are, and removing one.

use super::{Client, ClientSource, Clients, OAuthError};
use crate::domain::UnixTime;
use crate::store::{self, Outcome, Transaction, Versioned};

/// Where clients come from; each kind is listed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// The operator's configuration.
    Configured,
    /// Dynamic registration.
    Registered,
    /// Metadata documents that are kept.
    Document,
}

/// A client, as it is shown. No secret, nor the hash of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientView {
    /// `client_id`
    pub id: String,
    /// The name that it gives itself.
    pub name: Option<String>,
    /// How it proves itself at the token endpoint.
    pub authentication: &'static str,
    /// Where answers may go.
    pub redirect_uris: Vec<String>,
    /// When it was registered, if it was.
    pub since: Option<UnixTime>,
    /// Whether anybody ever signed in through it, where that is noted.
    pub used: Option<bool>,
    /// When it is forgotten unless it is used.
    pub until: Option<UnixTime>,
}

/// Some clients, and where to go on.
#[derive(Debug, Clone, Default)]
pub struct ClientPage {
    /// The clients, in the order of their ids.
    pub clients: Vec<ClientView>,
    /// Ask for the page after this one; absent after the last.
    pub next: Option<String>,
}

/// What removing a client came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Its registration is gone: it has to register again.
    Registration,
    /// Its document was forgotten. It is fetched again when the client comes back.
    Document,
    /// It stands in the configuration, so it was left alone.
    Configured,
    /// Nobody is known by this id.
    Unknown,
}

impl Clients {
    /// Clients of one kind.
    pub async fn page(
        &self,
        kind: ClientKind,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<ClientPage, OAuthError> {
        let found = match kind {
            ClientKind::Configured => self.configured_after(after.unwrap_or_default(), limit),
            ClientKind::Registered => store::list::<Client>(&*self.store, "", after, limit, now).await?,
            ClientKind::Document => self.documents.kept(after, limit, now).await?,
        };
        let next = if found.len() == limit { found.last().map(|(id, _)| id.clone()) } else { None };
        Ok(ClientPage { clients: found.into_iter().map(|(_, client)| ClientView::new(client)).collect(), next })
    }

    fn configured_after(&self, after: &str, limit: usize) -> Vec<(String, Versioned<Client>)> {
        let mut ids: Vec<&String> = self.configured.keys().filter(|id| id.as_str() > after).collect();
        ids.sort();
        let client = |id: &String| {
            let value = self.configured.get(id)?.clone();
            Some((id.clone(), Versioned { value, version: 0, expires_at: None }))
        };
        ids.into_iter().take(limit).filter_map(client).collect()
    }

    /// Removes the client `id`, wherever it comes from. The grants that people gave to it are for the caller to end.
    pub(super) async fn remove(&self, id: &str, now: UnixTime) -> Result<Removal, OAuthError> {
        if self.configured.contains_key(id) {
            return Ok(Removal::Configured);
        }
        if self.documents.is_named_by(id) {
            return Ok(if self.documents.forget_known(id, now).await? { Removal::Document } else { Removal::Unknown });
        }
        if self.registered(id, now).await?.is_none() {
            return Ok(Removal::Unknown);
        }
        // Whatever the version: the operator wants it gone. A deletion without expectation has no conflict.
        let (Outcome::Committed | Outcome::Conflict) =
            Transaction::new().delete::<Client>(id).commit(&*self.store, now).await?;
        Ok(Removal::Registration)
    }
}

impl ClientView {
    fn new(found: Versioned<Client>) -> Self {
        let client = found.value;
        let used = match client.source {
            ClientSource::Registration { used, .. } => Some(used),
            ClientSource::Configuration { .. } | ClientSource::Document => None,
        };
        Self {
            since: client.issued_at(),
            used,
            authentication: client.authentication.method(),
            redirect_uris: client.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
            until: found.expires_at,
            id: client.id,
            name: client.name,
        }
    }
}
