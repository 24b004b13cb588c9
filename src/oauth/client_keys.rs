//! The keys of clients that prove themselves with assertions: by value, or fetched with the guard and kept for a while.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use serde::de::IgnoredAny;

use super::client_authentication::refused;
use super::client_metadata::fetchable;
use super::{ErrorCode, OAuthError};
use crate::authn::key_set::KeySet;
use crate::authn::signed::verify_signature;
use crate::authn::{Algorithm, TokenFault};
use crate::domain::UnixTime;
use crate::outbound::Fetch;

/// Key sets that were fetched, by URL.
#[derive(Debug)]
pub(super) struct ClientKeys {
    fetch: Arc<dyn Fetch>,
    allow_loopback: bool,
    loaded: Cache<String, Arc<Loaded>>,
    failed: Cache<String, UnixTime>,
}

#[derive(Debug)]
struct Loaded {
    set: KeySet,
    asked_at: UnixTime,
    fresh_until: UnixTime,
}

impl ClientKeys {
    /// Largest key set, in bytes, and most keys in it.
    const MAX_BODY: usize = 32 * 1024;
    const MAX_KEYS: usize = 20;
    /// Most key sets kept; the least used goes first.
    const MAX_KEPT: u64 = 500;
    const SHORTEST: Duration = Duration::from_secs(5 * 60);
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    /// When the server says nothing about keeping.
    const USUAL: Duration = Duration::from_secs(60 * 60);
    /// How long a set outlives its time while no newer one can be had.
    const STALE: Duration = Duration::from_secs(24 * 60 * 60);
    /// Between two fetches of one URL, whoever asks.
    const COOLDOWN: Duration = Duration::from_secs(30);

    pub(super) fn new(fetch: Arc<dyn Fetch>, allow_loopback: bool) -> Self {
        let (loaded, failed) = (Cache::new(Self::MAX_KEPT), Cache::new(Self::MAX_KEPT));
        Self { fetch, allow_loopback, loaded, failed }
    }

    /// Checks the signature of `token`. Keys that cannot be had are our trouble, not a wrong signature.
    pub(super) async fn verify(
        &self,
        jwks: Option<&str>,
        jwks_uri: Option<&str>,
        token: &str,
        now: UnixTime,
    ) -> Result<(), OAuthError> {
        if let Some(jwks) = jwks {
            let set = KeySet::parse(jwks.as_bytes(), &Algorithm::ALL)
                .map_err(|error| refused("the keys of the client are not usable").because(&error))?;
            return verified(&set, token).map_err(not_signed);
        }
        let uri = jwks_uri.ok_or_else(|| refused("the client has no keys"))?;
        let present = self.present(uri, now).await?;
        match verified(&present.set, token) {
            // The client may have changed its keys a moment ago.
            Err(TokenFault::UnknownKey) if now.since(present.asked_at) >= Self::COOLDOWN => {
                let newer = self.refreshed(uri, now).await?;
                verified(&newer.set, token).map_err(not_signed)
            }
            outcome => outcome.map_err(not_signed),
        }
    }

    /// The set that is kept, or a newer one when its time is over; when none can be had, the old one for a while.
    async fn present(&self, uri: &str, now: UnixTime) -> Result<Arc<Loaded>, OAuthError> {
        let kept = self.loaded.get(uri);
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.fresh_until) {
            return Ok(Arc::clone(kept));
        }
        let newer = self.refreshed(uri, now).await;
        newer.or_else(|error| kept.filter(|kept| now < kept.fresh_until.plus(Self::STALE)).ok_or(error))
    }

    async fn refreshed(&self, uri: &str, now: UnixTime) -> Result<Arc<Loaded>, OAuthError> {
        if self.failed.get(uri).is_some_and(|at| now.since(at) < Self::COOLDOWN) {
            return Err(unavailable(&"it failed a moment ago"));
        }
        match self.fetched(uri, now).await {
            Ok(loaded) => {
                let loaded = Arc::new(loaded);
                self.loaded.insert(uri.to_owned(), Arc::clone(&loaded));
                Ok(loaded)
            }
            Err(cause) => {
                self.failed.insert(uri.to_owned(), now);
                Err(unavailable(&cause))
            }
        }
    }

    async fn fetched(&self, uri: &str, now: UnixTime) -> Result<Loaded, String> {
        let url = fetchable(uri, self.allow_loopback).ok_or("the URL may not be fetched")?;
        let fetched = self.fetch.fetch(&url, Self::MAX_BODY).await.map_err(|failure| failure.to_string())?;
        let set = KeySet::parse(&fetched.body, &Algorithm::ALL).map_err(|error| error.to_string())?;
        if set.len() > Self::MAX_KEYS {
            return Err("the key set holds too many keys".to_owned());
        }
        let lifetime = fetched.fresh_for.unwrap_or(Self::USUAL).clamp(Self::SHORTEST, Self::LONGEST);
        Ok(Loaded { set, asked_at: now, fresh_until: now.plus(lifetime) })
    }
}

fn verified(set: &KeySet, token: &str) -> Result<(), TokenFault> {
    verify_signature::<IgnoredAny>(token, set, &Algorithm::ALL).map(|_| ())
}

fn not_signed(fault: TokenFault) -> OAuthError {
    refused("the client assertion is not signed with a key of the client").because(&fault)
}

fn unavailable(cause: &dyn ToString) -> OAuthError {
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "the keys of the client cannot be had now; try again")
        .because(cause)
}
