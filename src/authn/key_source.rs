//! Where the keys of an issuer come from, and the task that keeps them fresh.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::key_set::{KeySet, KeySetError};
use super::{Algorithm, IssuerKeys};
use crate::clock::Clock;
use crate::domain::Issuer;
use crate::domain::issuer::parse_fetch_url;
use crate::outbound::{FetchError, Outbound};

/// The keys of one issuer and how to get them.
pub struct KeySource {
    /// Whose keys.
    pub issuer: Issuer,
    /// The key set's URL, when configured; discovered otherwise.
    pub jwks_uri: Option<Url>,
    /// Algorithms worth keeping keys for.
    pub algorithms: Vec<Algorithm>,
    /// Where the keys go.
    pub keys: Arc<IssuerKeys>,
    /// The HTTP client.
    pub outbound: Outbound,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How often.
    pub schedule: RefreshSchedule,
}

/// How often keys are fetched.
#[derive(Debug, Clone, Copy)]
pub struct RefreshSchedule {
    /// Between fetches when nobody asks.
    pub interval: Duration,
    /// At least this long between fetches, whoever asks.
    pub cooldown: Duration,
}

/// Why no key set was had.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// A document could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The key set is of no use.
    #[error("the key set of {url} is not usable: {error}")]
    KeySet {
        /// Where it came from.
        url: Url,
        /// What is wrong with it.
        error: KeySetError,
    },
    /// No well-known document names a key set.
    #[error("no metadata document of {issuer} names its keys (tried {tried}); set jwks_uri")]
    Discovery {
        /// The issuer.
        issuer: Issuer,
        /// Every URL that was tried and how it failed.
        tried: String,
    },
}

/// The members of RFC 8414 §2 and OIDC Discovery §3 that matter here.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl KeySource {
    /// Fetches now, then on schedule and on demand, for ever. The last good set survives every failure.
    pub async fn keep_fresh(self) {
        let mut failures: u32 = 0;
        loop {
            match self.refresh().await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures = failures.saturating_add(1);
                    self.keys.note_failure();
                    tracing::warn!(issuer = %self.issuer, %error, "the keys could not be fetched");
                }
            }
            self.pause(failures).await;
        }
    }

    /// After a failure: back off. After a success: rest for the cool-down, then until the interval is over or somebody
    /// asks, whichever comes first.
    async fn pause(&self, failures: u32) {
        if failures > 0 {
            return tokio::time::sleep(jittered(backoff(failures))).await;
        }
        tokio::time::sleep(jittered(self.schedule.cooldown)).await;
        let rest = self.schedule.interval.saturating_sub(self.schedule.cooldown);
        tokio::select! {
            () = tokio::time::sleep(jittered(rest)) => {}
            () = self.keys.refresh_asked() => {}
        }
    }

    /// Fetches once.
    pub async fn refresh(&self) -> Result<(), KeySourceError> {
        let fetched_at = self.clock.now();
        let url = match &self.jwks_uri {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let document = self.outbound.get(&url).await?;
        let set = KeySet::parse(&document, &self.algorithms).map_err(|error| KeySourceError::KeySet { url, error })?;
        tracing::debug!(issuer = %self.issuer, keys = set.len(), "keys fetched");
        self.keys.replace(set, fetched_at);
        Ok(())
    }

    /// RFC 8414 first, then OIDC discovery, in the order that MCP prescribes. The document must name this very issuer
    /// (RFC 8414 §3.3), else anyone who controls a path on the host could lend it their keys.
    async fn discover(&self) -> Result<Url, KeySourceError> {
        let mut tried = Vec::new();
        for url in metadata_urls(&self.issuer) {
            match self.outbound.get(&url).await {
                Err(error) => tried.push(error.to_string()),
                Ok(document) => match self.read_metadata(&document) {
                    Ok(jwks_uri) => return Ok(jwks_uri),
                    Err(reason) => tried.push(format!("{url} {reason}")),
                },
            }
        }
        Err(KeySourceError::Discovery { issuer: self.issuer.clone(), tried: tried.join("; ") })
    }

    fn read_metadata(&self, document: &[u8]) -> Result<Url, String> {
        let metadata: Metadata =
            serde_json::from_slice(document).map_err(|error| format!("is no metadata document: {error}"))?;
        if metadata.issuer != self.issuer.as_str() {
            return Err(format!("names another issuer: {:?}", metadata.issuer));
        }
        parse_fetch_url(&metadata.jwks_uri).map_err(|error| format!("names a jwks_uri that is refused: {error}"))
    }
}

/// Where metadata may stand (RFC 8414 §3.1, OIDC Discovery §4).
pub fn metadata_urls(issuer: &Issuer) -> Vec<Url> {
    let Ok(base) = Url::parse(issuer.as_str()) else { return Vec::new() };
    let path = base.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = base.clone();
        url.set_path(&path);
        url
    };
    let mut urls = vec![
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("/.well-known/openid-configuration{path}")),
    ];
    if !path.is_empty() {
        urls.push(at(format!("{path}/.well-known/openid-configuration")));
    }
    urls
}

/// 1, 2, 4 … 30 seconds: an issuer that comes back is noticed within half a minute.
fn backoff(failures: u32) -> Duration {
    const LONGEST: u64 = 30;
    let doublings = failures.saturating_sub(1).min(16);
    Duration::from_secs(1_u64.checked_shl(doublings).unwrap_or(LONGEST).min(LONGEST))
}

/// Between 90 % and 110 %, so that replicas do not ask in step.
fn jittered(duration: Duration) -> Duration {
    let mut random = [0_u8; 1];
    let _ = aws_lc_rs::rand::fill(&mut random);
    let [random] = random;
    duration.mul_f64(0.9 + f64::from(random) / 255.0 * 0.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_in_the_specified_order() {
        let urls = |issuer: &str| -> Vec<String> {
            metadata_urls(&Issuer::parse(issuer).unwrap()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            urls("https://idp.example.com/realms/main"),
            [
                "https://idp.example.com/.well-known/oauth-authorization-server/realms/main",
                "https://idp.example.com/.well-known/openid-configuration/realms/main",
                "https://idp.example.com/realms/main/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            urls("https://idp.example.com/"),
            [
                "https://idp.example.com/.well-known/oauth-authorization-server",
                "https://idp.example.com/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn failures_back_off_to_half_a_minute() {
        let seconds: Vec<u64> = (1..8).map(|failures| backoff(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(backoff(u32::MAX).as_secs(), 30);
    }
}
