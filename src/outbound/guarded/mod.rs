//! Fetches documents from URLs that strangers name (client metadata documents, their key sets) without becoming their
//! tool against the network that we stand in.
//!
//! 1. `https` only, default port unless the operator lists others; no user name, no fragment.
//! 2. The name is resolved once, by us; **every** address must be public; the connection goes to an address that was
//!    checked, because the connector asks nobody else. An address written in the URL is checked in the same way.
//! 3. No proxy, no redirect, no decompression, no second attempt, no connection kept.
//! 4. A 200 with JSON within the size limit, all of it within five seconds.
//! 5. Few fetches at once, and one for each URL.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{self, HeaderMap};
use tokio::sync::Semaphore;
use url::{Host, Url};

use super::address_rule::{AddressRule, is_public, is_public_or_loopback};
use super::freshness::fresh_for;
use super::resolver::Resolver;
use super::single_flight::SingleFlight;
use super::{FetchError, innermost};
use crate::domain::issuer::is_loopback;

/// Fetches a document that a stranger named.
#[async_trait]
pub trait Fetch: Send + Sync + std::fmt::Debug {
    /// The JSON document at `url`, at most `limit` bytes.
    async fn fetch(&self, url: &Url, limit: usize) -> Result<Arc<Fetched>, FetchFailure>;
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes.
    pub body: Vec<u8>,
    /// How long it may be kept, if the server said so.
    pub fresh_for: Option<Duration>,
}

/// Why there is no document. The words are for the log: they tell what our network looks like from inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// The URL breaks a rule.
    #[error("the URL may not be fetched: {0}")]
    Forbidden(&'static str),
    /// An address of the host is not public.
    #[error("the host has the address {0}, which is not public")]
    ForbiddenAddress(IpAddr),
    /// No connection, no TLS, or the answer broke off.
    #[error("the host cannot be reached: {0}")]
    Unreachable(String),
    /// Not done in time.
    #[error("the host did not answer in time")]
    TimedOut,
    /// Anything but a 200.
    #[error("the host answered {0}")]
    Status(u16),
    /// More bytes than wanted.
    #[error("the document is too large")]
    TooLarge,
    /// Not JSON, or compressed although nobody asked for it.
    #[error("the answer is not plain JSON")]
    NotJson,
}

impl FetchFailure {
    /// Whether the host did answer, with something that is no such document: trying again will not help.
    pub const fn is_wrong_document(&self) -> bool {
        matches!(self, Self::TooLarge | Self::NotJson)
    }
}

/// What the operator may change.
#[derive(Debug, Clone)]
pub struct GuardSettings {
    /// For development: this machine may be reached too, at any port and by plain http.
    pub allow_loopback: bool,
    /// Ports besides 443.
    pub more_ports: Vec<u16>,
    /// Most fetches at once.
    pub at_once: usize,
    /// Longest time for one fetch, with waiting for a turn.
    pub total_timeout: Duration,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self { allow_loopback: false, more_ports: Vec::new(), at_once: 16, total_timeout: Duration::from_secs(5) }
    }
}

/// The guard.
#[derive(Debug)]
pub struct Guarded {
    client: reqwest::Client,
    settings: GuardSettings,
    admits: AddressRule,
    turns: Semaphore,
    flights: SingleFlight<Result<Arc<Fetched>, FetchFailure>>,
}

impl Guarded {
    /// Sets up the client.
    pub fn new(settings: GuardSettings, resolver: Arc<dyn Resolver>) -> Result<Self, FetchError> {
        let admits = if settings.allow_loopback { is_public_or_loopback } else { is_public };
        Self::with(settings, resolver, admits, reqwest::Client::builder())
    }

    fn with(
        settings: GuardSettings,
        resolver: Arc<dyn Resolver>,
        admits: AddressRule,
        builder: reqwest::ClientBuilder,
    ) -> Result<Self, FetchError> {
        let client = builder
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .https_only(!settings.allow_loopback)
            .http1_only()
            .pool_max_idle_per_host(0)
            .dns_resolver(CheckedResolver { resolver, admits })
            .timeout(settings.total_timeout)
            .user_agent(concat!("mcp-forward-auth/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| FetchError::Setup(innermost(&error)))?;
        let turns = Semaphore::new(settings.at_once);
        Ok(Self { client, settings, admits, turns, flights: SingleFlight::default() })
    }

    /// What can be told from the URL alone.
    fn check(&self, url: &Url) -> Result<(), FetchFailure> {
        let local = self.settings.allow_loopback && is_loopback(url);
        if url.scheme() != "https" && !(local && url.scheme() == "http") {
            return Err(FetchFailure::Forbidden("it is not https"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(FetchFailure::Forbidden("it holds a user name, a password or a fragment"));
        }
        if !local && url.port().is_some_and(|port| !self.settings.more_ports.contains(&port)) {
            return Err(FetchFailure::Forbidden("its port is not the one of https"));
        }
        // The connector never asks the resolver about these.
        let written = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        match written {
            Some(address) if !(self.admits)(address) => Err(FetchFailure::ForbiddenAddress(address)),
            _ => Ok(()),
        }
    }

    async fn in_turn(&self, url: &Url, limit: usize) -> Result<Arc<Fetched>, FetchFailure> {
        let work = async {
            let _turn = self.turns.acquire().await.map_err(|_| FetchFailure::TimedOut)?;
            self.get(url, limit).await.map(Arc::new)
        };
        tokio::time::timeout(self.settings.total_timeout, work).await.unwrap_or(Err(FetchFailure::TimedOut))
    }

    async fn get(&self, url: &Url, limit: usize) -> Result<Fetched, FetchFailure> {
        let request = self.client.get(url.clone()).header(header::ACCEPT, "application/json");
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchFailure::Status(response.status().as_u16()));
        }
        if !is_plain_json(response.headers()) {
            return Err(FetchFailure::NotJson);
        }
        let fresh_for = fresh_for(|name| joined(response.headers(), name));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len() + chunk.len() > limit {
                return Err(FetchFailure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { body, fresh_for })
    }
}

#[async_trait]
impl Fetch for Guarded {
    async fn fetch(&self, url: &Url, limit: usize) -> Result<Arc<Fetched>, FetchFailure> {
        self.check(url)?;
        self.flights.run(&format!("{limit} {url}"), self.in_turn(url, limit)).await
    }
}

/// `application/json` or `application/…+json`, as it is.
pub(super) fn is_plain_json(headers: &HeaderMap) -> bool {
    let kind = joined(headers, "content-type").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    let coding = joined(headers, "content-encoding");
    json && coding.is_none_or(|coding| coding.eq_ignore_ascii_case("identity"))
}

fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// The resolver that the connector uses: whatever it hands on was checked, and nothing is asked twice.
struct CheckedResolver {
    resolver: Arc<dyn Resolver>,
    admits: AddressRule,
}

/// Carries the refusal through the HTTP client.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not public")]
struct NotPublic(IpAddr);

impl reqwest::dns::Resolve for CheckedResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let (resolver, admits) = (Arc::clone(&self.resolver), self.admits);
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            // One bad address spoils the name: which one is connected to is a matter of luck.
            if let Some(address) = addresses.iter().find(|address| !admits(**address)) {
                return Err(NotPublic(*address).into());
            }
            let addresses = addresses.into_iter().map(|address| std::net::SocketAddr::new(address, 0));
            let addresses: reqwest::dns::Addrs = Box::new(addresses);
            Ok(addresses)
        })
    }
}

fn failure(error: &reqwest::Error) -> FetchFailure {
    if error.is_timeout() {
        return FetchFailure::TimedOut;
    }
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(current) = cause {
        if let Some(NotPublic(address)) = current.downcast_ref() {
            return FetchFailure::ForbiddenAddress(*address);
        }
        cause = current.source();
    }
    FetchFailure::Unreachable(innermost(error))
}

#[cfg(test)]
mod tests;
