//! Decisions without a service, for explanations where none runs: the same rules, with keys that are fetched once.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, LocalSet};

use super::authenticator::{keeps_claims, wire_issuer};
use super::{StartError, introspection, policy_set};
use crate::authn::Authenticator;
use crate::authn::key_source::KeySource;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::decision::DecisionPoint;
use crate::explain::Question;
use crate::http::explain::{self, Explanation};
use crate::outbound::Outbound;
use crate::proxy::{Contract, TrustedProxies};

/// A configuration with the keys of the issuers, as far as they could be had.
pub struct Alone {
    point: DecisionPoint,
    contracts: Vec<Contract>,
    clock: Arc<dyn Clock>,
    /// What cannot be told here, and why.
    pub gaps: Vec<String>,
}

impl Alone {
    /// Longer than this no issuer is waited for.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Reads what `config` says and asks its issuers for their keys.
    pub fn prepare(config: &Config) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let outbound = Outbound::new()?;
        let wired = config.issuers.iter().map(|issuer| wire_issuer(issuer, config, &outbound, &clock));
        let (settings, sources): (Vec<_>, Vec<KeySource>) = wired.unzip();
        let own = config.issuers.iter().find(|issuer| issuer.is_own).map(|issuer| &issuer.issuer);
        // An issuer whose tokens are all opaque may have no keys to fetch.
        let fetched = |source: &KeySource| Some(&source.issuer) != own && !source.algorithms.is_empty();
        let foreign = sources.into_iter().filter(fetched).collect();
        let mut gaps = fetch_all(foreign)?;
        // Its keys lie sealed in the store, which one process owns.
        gaps.extend(own.map(|own| format!("tokens of {own} can be judged by the running service only")));
        let authenticator = Authenticator::new(settings, config.leeway, 0).keeping_claims(keeps_claims(config));
        let authenticator = match introspection::wire(config, &authenticator, &outbound) {
            Some((introspection, _)) => authenticator.with_introspection(introspection),
            None => authenticator,
        };
        let point = DecisionPoint {
            trusted: TrustedProxies::new(Vec::new(), None),
            policies: policy_set(config),
            authenticator,
            client_certificate: None,
        };
        Ok(Self { point, contracts: config.server.contracts.clone(), clock, gaps })
    }

    /// Explains what a service with this configuration would answer.
    pub fn explain(&self, question: &Question) -> Result<Explanation, StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(explain::explain(&self.point, &self.contracts, question, self.clock.now())))
    }
}

/// Fetches the keys of all issuers at once; the troubles of those that did not give any.
fn fetch_all(sources: Vec<KeySource>) -> Result<Vec<String>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(LocalSet::new().block_on(&runtime, async {
        let mut fetches = JoinSet::new();
        for source in sources {
            fetches.spawn_local(async move { fetch(&source).await });
        }
        fetches.join_all().await.into_iter().flatten().collect()
    }))
}

async fn fetch(source: &KeySource) -> Option<String> {
    match tokio::time::timeout(Alone::PATIENCE, source.refresh()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("the keys of {}: {error}", source.issuer)),
        Err(_) => Some(format!("the keys of {} did not come in time", source.issuer)),
    }
}
