//! Client metadata documents: a client id that is an https URL, where the client describes itself
//! (draft-ietf-oauth-client-id-metadata-document).
//!
//! What cannot be fetched is our trouble (`temporarily_unavailable`), so that no client throws its id away over a lost
//! packet; what was fetched and is wrong is `invalid_client`, with a sentence that says which rule it breaks. Failures are
//! remembered for seconds only; a document that was good is used for a day more while its host is down.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::client_authentication::refused;
use super::client_metadata::{ClientMetadata, MetadataFault, fetchable};
use super::client_settings::DocumentSettings;
use super::{Client, ClientAuthentication, ClientSettings, ClientSource, CustomSchemes, ErrorCode, OAuthError};
use crate::domain::UnixTime;
use crate::domain::issuer::is_loopback;
use crate::outbound::{Fetch, FetchFailure, Fetched};
use crate::store::{Outcome, Store, StoreError, Stored, Table, Transaction, Versioned, list, read};

/// Clients that are described by documents.
#[derive(Debug)]
pub(super) struct ClientDocuments {
    fetch: Arc<dyn Fetch>,
    store: Arc<dyn Store>,
    settings: DocumentSettings,
    schemes: CustomSchemes,
    failed: Cache<String, (UnixTime, OAuthError)>,
}

/// A document that was good when it was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptDocument {
    client: Client,
    fresh_until: UnixTime,
    #[serde(default = "KeptDocument::long_ago")]
    read_at: UnixTime,
}

impl KeptDocument {
    const fn long_ago() -> UnixTime {
        UnixTime::from_secs(0)
    }
}

impl Stored for KeptDocument {
    const TABLE: Table = Table::ClientDocuments;
}

impl ClientDocuments {
    /// Largest document, in bytes.
    const MAX_BODY: usize = 5 * 1024;
    const SHORTEST: Duration = Duration::from_secs(5 * 60);
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    /// When the server says nothing about keeping.
    const USUAL: Duration = Duration::from_secs(60 * 60);
    /// How long a document outlives its time while its host is down.
    const STALE: Duration = Duration::from_secs(24 * 60 * 60);
    /// How long a failure is remembered, so that a page reloaded in anger is no flood.
    const FAILURE: Duration = Duration::from_secs(15);
    /// How soon a document is read again for a redirect URI that it did not list: browsers of strangers ask for that.
    const AGAIN: Duration = Duration::from_secs(15);
    const MAX_FAILURES: u64 = 1_000;
    const OUT_OF_REACH: &str = "the client metadata document cannot be fetched now; try again";

    pub(super) fn new(settings: &ClientSettings, store: Arc<dyn Store>, fetch: Arc<dyn Fetch>) -> Self {
        Self {
            fetch,
            store,
            settings: settings.documents.clone(),
            schemes: settings.custom_schemes.clone(),
            failed: Cache::new(Self::MAX_FAILURES),
        }
    }

    /// Whether this is the trouble that a document cannot be had.
    pub(super) fn is_out_of_reach(error: &OAuthError) -> bool {
        error.description == Self::OUT_OF_REACH
    }

    /// Whether `id` is a URL, and so names a document or nothing.
    pub(super) fn is_named_by(&self, id: &str) -> bool {
        id.starts_with("https://") || (self.settings.allow_loopback && id.starts_with("http://"))
    }

    /// The client that the document at `id` describes.
    pub(super) async fn find(&self, id: &str, now: UnixTime) -> Result<Option<Client>, OAuthError> {
        if !self.settings.enabled {
            return Ok(None);
        }
        let url = self.url(id)?;
        let kept = read::<KeptDocument>(&*self.store, id, now).await?.map(|kept| kept.value);
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.fresh_until) {
            return Ok(Some(kept.client.clone()));
        }
        self.renew(id, &url, kept, now).await
    }

    /// The client `id` whose document is kept, read anew although it is fresh: it may have changed since. `None` when that
    /// was done a moment ago.
    pub(super) async fn find_again(&self, id: &str, now: UnixTime) -> Result<Option<Client>, OAuthError> {
        let url = self.url(id)?;
        match read::<KeptDocument>(&*self.store, id, now).await?.map(|kept| kept.value) {
            Some(kept) if now.since(kept.read_at) >= Self::AGAIN => self.renew(id, &url, Some(kept), now).await,
            _ => Ok(None),
        }
    }

    /// Reads a document; while its host is down, what is kept goes on.
    async fn renew(
        &self,
        id: &str,
        url: &Url,
        kept: Option<KeptDocument>,
        now: UnixTime,
    ) -> Result<Option<Client>, OAuthError> {
        match self.read_anew(id, url, now).await {
            Ok((client, fresh_for)) => {
                self.keep(&client, fresh_for, kept.is_some(), now).await?;
                Ok(Some(client))
            }
            // What is still in the store is old, and good for as long as the store keeps it.
            Err(error) if error.code == ErrorCode::TemporarilyUnavailable => {
                kept.map_or(Err(error), |kept| Ok(Some(kept.client)))
            }
            Err(error) => {
                self.forget(id, now).await?;
                Err(error)
            }
        }
    }

    /// The rules for a client id that is a URL.
    fn url(&self, id: &str) -> Result<Url, OAuthError> {
        let url = fetchable(id, self.settings.allow_loopback).ok_or_else(|| {
            refused("a client id that is a URL must be https, in its plainest spelling, without extras")
        })?;
        let local = self.settings.allow_loopback && is_loopback(&url);
        if !local && !matches!(url.host(), Some(Host::Domain(_))) {
            return Err(refused("a client id that is a URL must name a host, not an address"));
        }
        if url.path() == "/" {
            return Err(refused("a client id that is a URL must have a path"));
        }
        if self.settings.admits_host(url.host_str().unwrap_or_default()) {
            Ok(url)
        } else {
            Err(refused("clients of this host are not accepted here"))
        }
    }

    async fn read_anew(&self, id: &str, url: &Url, now: UnixTime) -> Result<(Client, Option<Duration>), OAuthError> {
        if let Some((_, error)) = self.failed.get(id).filter(|(at, _)| now.since(*at) < Self::FAILURE) {
            return Err(error);
        }
        let fetched = self.fetch.fetch(url, Self::MAX_BODY).await.map_err(|failure| not_fetched(&failure));
        let read = fetched.and_then(|fetched| Ok((self.client(id, &fetched)?, fetched.fresh_for)));
        read.inspect_err(|error| self.failed.insert(id.to_owned(), (now, error.clone())))
    }

    /// Reads a document. Its host vouches for it, so what it says of itself counts: the exact URL, no secrets, and a
    /// method that a client without a shared secret can use.
    fn client(&self, id: &str, fetched: &Fetched) -> Result<Client, OAuthError> {
        let fault = |fault: MetadataFault| refused(fault.to_string());
        let metadata = ClientMetadata::parse(&fetched.body).map_err(fault)?;
        if metadata.client_id.as_deref() != Some(id) {
            return Err(refused("client_id in the client metadata document is not the URL of the document"));
        }
        if metadata.client_secret.is_some() || metadata.client_secret_expires_at.is_some() {
            return Err(refused("the client metadata document holds a client secret"));
        }
        if metadata.shows_private_keys() {
            return Err(refused("the client metadata document holds a private or symmetric key"));
        }
        let authentication = match metadata.token_endpoint_auth_method.as_deref() {
            None | Some("none") => ClientAuthentication::None,
            Some("private_key_jwt") => metadata.keys(self.settings.allow_loopback).map_err(fault)?,
            Some(_) => {
                return Err(refused("token_endpoint_auth_method in the document must be none or private_key_jwt"));
            }
        };
        let name = metadata.name().ok_or_else(|| refused("the client metadata document holds no client_name"))?;
        Ok(Client {
            id: id.to_owned(),
            name: Some(name),
            redirect_uris: metadata.redirect_uris(&self.schemes).map_err(fault)?,
            authentication,
            grant_types: metadata.grant_types(),
            // No limit, as for registrations: what a client lists for itself would only stop a step-up.
            scopes: None,
            dpop_bound: metadata.dpop_bound_access_tokens.unwrap_or_default(),
            source: ClientSource::Document,
        })
    }

    /// Keeps a good document, within bounds. A full table keeps what it has.
    async fn keep(
        &self,
        client: &Client,
        fresh_for: Option<Duration>,
        is_kept: bool,
        now: UnixTime,
    ) -> Result<(), OAuthError> {
        if !is_kept && self.store.count(KeptDocument::TABLE).await? >= self.settings.max_kept {
            return Ok(());
        }
        let lifetime = fresh_for.unwrap_or(Self::USUAL).clamp(Self::SHORTEST, Self::LONGEST);
        let fresh_until = now.plus(lifetime);
        let kept = KeptDocument { client: client.clone(), fresh_until, read_at: now };
        let write = Transaction::new().replace(&client.id, &kept, Some(fresh_until.plus(Self::STALE)));
        let (Outcome::Committed | Outcome::Conflict) = write.commit(&*self.store, now).await?;
        Ok(())
    }

    /// Documents that are kept, in the order of their URLs.
    pub(super) async fn kept(
        &self,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<(String, Versioned<Client>)>, StoreError> {
        let found = list::<KeptDocument>(&*self.store, "", after, limit, now).await?;
        let client = |kept: Versioned<KeptDocument>| Versioned {
            value: kept.value.client,
            version: kept.version,
            expires_at: kept.expires_at,
        };
        Ok(found.into_iter().map(|(id, kept)| (id, client(kept))).collect())
    }

    /// Forgets the document `id`; says whether it was kept.
    pub(super) async fn forget_known(&self, id: &str, now: UnixTime) -> Result<bool, OAuthError> {
        let known = read::<KeptDocument>(&*self.store, id, now).await?.is_some();
        self.forget(id, now).await?;
        Ok(known)
    }

    /// A document that became wrong must not come back when its host goes down.
    async fn forget(&self, id: &str, now: UnixTime) -> Result<(), OAuthError> {
        let (Outcome::Committed | Outcome::Conflict) =
            Transaction::new().delete::<KeptDocument>(id).commit(&*self.store, now).await?;
        Ok(())
    }
}

/// One sentence for every cause: the difference would show strangers what our network looks like from inside.
fn not_fetched(failure: &FetchFailure) -> OAuthError {
    if failure.is_wrong_document() {
        return refused("the client metadata document is not JSON of at most 5 KB").because(failure);
    }
    OAuthError::new(ErrorCode::TemporarilyUnavailable, ClientDocuments::OUT_OF_REACH).because(failure)
}
