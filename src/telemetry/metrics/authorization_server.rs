//! Metrics of the authorization server. They are counted where things happen and read when somebody asks.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::SecondsGauge;
use crate::domain::Tally;

/// Everything that is counted.
#[derive(Debug, Clone)]
pub struct Tallies {
    /// By provider and outcome.
    pub sign_ins: Arc<Tally<2>>,
    /// By grant type and outcome.
    pub tokens: Arc<Tally<2>>,
    /// By outcome.
    pub registrations: Arc<Tally<1>>,
    /// By cause.
    pub grants_ended: Arc<Tally<1>>,
    /// By operation.
    pub store_failures: Arc<Tally<1>>,
    /// By provider, operation and outcome.
    pub provider_requests: Arc<Tally<3>>,
    /// By outcome.
    pub document_fetches: Arc<Tally<1>>,
}

/// Figures that are read when metrics are asked for.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationServerFigures {
    /// For how long the active key has signed.
    pub signing_key_age: std::time::Duration,
    /// Grants and tokens that are refused before they expire.
    pub revocations: usize,
}

#[derive(Debug, Default)]
pub(super) struct AuthorizationServerMetrics {
    key_age: SecondsGauge,
    revocations: Gauge,
}

impl AuthorizationServerMetrics {
    pub(super) fn register(registry: &mut Registry, tallies: Tallies) -> Self {
        let metrics = Self::default();
        registry.register("signing_key_age_seconds", "Time since the active key signs", metrics.key_age.clone());
        registry.register("revocations", "Revoked grants and tokens that are remembered", metrics.revocations.clone());
        let mut counters = Counters(registry);
        counters.add("sign_ins", "Sign-ins that ended", ["provider", "outcome"], tallies.sign_ins);
        counters.add("token_requests", "Answers of /token", ["grant_type", "outcome"], tallies.tokens);
        counters.add("registrations", "Answers to registrations", ["outcome"], tallies.registrations);
        counters.add("grants_ended", "Grants that ended before their time", ["cause"], tallies.grants_ended);
        counters.add("store_failures", "Operations of the store that failed", ["operation"], tallies.store_failures);
        let names = ["provider", "operation", "outcome"];
        counters.add("identity_provider_requests", "Answers of providers", names, tallies.provider_requests);
        let what = "Fetches of what clients describe themselves with";
        counters.add("client_document_fetches", what, ["outcome"], tallies.document_fetches);
        metrics
    }

    pub(super) fn set(&self, figures: AuthorizationServerFigures) {
        self.key_age.set(figures.signing_key_age.as_secs_f64());
        self.revocations.set(i64::try_from(figures.revocations).unwrap_or(i64::MAX));
    }
}

struct Counters<'r>(&'r mut Registry);

impl Counters<'_> {
    fn add<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        tally: Arc<Tally<N>>,
    ) {
        self.0.register_collector(Box::new(Counted { name, help, labels, tally }));
    }
}

/// A family of counters that are kept elsewhere.
#[derive(Debug)]
struct Counted<const N: usize> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    tally: Arc<Tally<N>>,
}

impl<const N: usize> Collector for Counted<N> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let kind = ConstCounter::new(0_u64).metric_type();
        let help = format!("{}.", self.help);
        let mut family = encoder.encode_descriptor(self.name, &help, None, kind)?;
        for (way, count) in self.tally.read() {
            let labels: Vec<(&str, &str)> = self.labels.into_iter().zip(way.iter().map(String::as_str)).collect();
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
