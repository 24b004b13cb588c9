//! Metrics of questions about opaque tokens, by issuer.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::{IssuerLabels, Metrics};
use crate::authn::introspection::{Outcome, Watch};
use crate::domain::{Issuer, UnixTime};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    issuer: String,
    outcome: &'static str,
}

/// What is counted while issuers are asked.
#[derive(Debug, Clone)]
pub struct IntrospectionMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<IssuerLabels, Histogram, fn() -> Histogram>,
    answered: Family<IssuerLabels, Gauge>,
}

impl IntrospectionMetrics {
    /// Upper bounds in seconds, up to the two that an answer is waited for.
    const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.0];

    /// Everything that can happen with `issuers`, at zero.
    pub fn of<'i>(issuers: impl IntoIterator<Item = &'i Issuer>) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(Self::BUCKETS)),
            answered: Family::default(),
        };
        for issuer in issuers {
            for outcome in Outcome::ALL {
                metrics.requests.get_or_create_owned(&RequestLabels::of(issuer, outcome));
            }
            drop(metrics.seconds.get_or_create(&labels(issuer)));
            drop(metrics.answered.get_or_create(&labels(issuer)));
        }
        metrics
    }
}

impl Metrics {
    /// Shows `introspection`, too.
    #[must_use]
    pub fn with_introspection(mut self, introspection: &IntrospectionMetrics) -> Self {
        let IntrospectionMetrics { requests, seconds, answered } = introspection.clone();
        self.registry.register("introspection_requests", "Questions about opaque tokens by outcome", requests);
        self.registry.register("introspection_duration_seconds", "Time from question to answer", seconds);
        let what = "When an issuer last answered, in seconds since 1970; 0 for never";
        self.registry.register("introspection_answered_timestamp_seconds", what, answered);
        self
    }
}

impl Watch for IntrospectionMetrics {
    fn asked(&self, issuer: &Issuer, outcome: Outcome, took: Duration, now: UnixTime) {
        self.requests.get_or_create(&RequestLabels::of(issuer, outcome)).inc();
        if outcome.was_asked() {
            self.seconds.get_or_create(&labels(issuer)).observe(took.as_secs_f64());
        }
        if outcome.is_answer() {
            self.answered.get_or_create(&labels(issuer)).set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        }
    }
}

impl RequestLabels {
    fn of(issuer: &Issuer, outcome: Outcome) -> Self {
        Self { issuer: issuer.to_string(), outcome: outcome.as_str() }
    }
}

fn labels(issuer: &Issuer) -> IssuerLabels {
    IssuerLabels { issuer: issuer.to_string() }
}
