//! Prometheus metrics. Handles are looked up once at the start; a decision only adds to atomics.

mod authorization_server;
mod introspection;
mod watched_rules;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::authn::cache::CacheFigures;
use crate::authn::issuer_keys::KeyFigures;
use crate::authz::reason::Class;
use crate::authz::{Policy, Reason, Verdict};

use authorization_server::AuthorizationServerMetrics;
pub use authorization_server::{AuthorizationServerFigures, Tallies};
pub use introspection::IntrospectionMetrics;
use watched_rules::WatchedRules;

/// All metrics of the service.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    found: Vec<ResourceCounters>,
    not_found: ResourceCounters,
    duration: Histogram,
    keys: KeyMetrics,
    cache: CacheMetrics,
    log_dropped: Counter,
    api_keys: Gauge,
    authorization_server: Option<AuthorizationServerMetrics>,
    decisions: Family<DecisionLabels, Counter>,
    watched: WatchedRules,
}

/// One counter for each way a decision on a resource can end.
#[derive(Debug)]
struct ResourceCounters {
    allowed: Counter,
    refused: Vec<(Reason, Counter)>,
    /// What single rules let through in audit mode, where the resource is not in it.
    audited: Vec<(Reason, Counter)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    outcome: &'static str,
    reason: &'static str,
    resource: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerLabels {
    issuer: String,
}

type SecondsGauge = Gauge<f64, AtomicU64>;

#[derive(Debug, Default)]
struct KeyMetrics {
    keys: Family<IssuerLabels, Gauge>,
    age: Family<IssuerLabels, SecondsGauge>,
    refreshes: Family<IssuerLabels, Counter>,
    failures: Family<IssuerLabels, Counter>,
}

#[derive(Debug, Default)]
struct CacheMetrics {
    entries: Gauge,
    bytes: Gauge,
    hits: Counter,
    misses: Counter,
}

/// Figures that are read when metrics are asked for.
#[derive(Debug)]
pub struct Figures {
    /// Per issuer.
    pub keys: Vec<(String, KeyFigures)>,
    /// The token cache.
    pub cache: CacheFigures,
    /// Decision lines lost.
    pub log_dropped: u64,
    /// API keys that are good.
    pub api_keys: usize,
    /// Of the authorization server, where there is one.
    pub authorization_server: Option<AuthorizationServerFigures>,
}

/// The word for a verdict in logs and metrics.
pub const fn outcome(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Permit(permit) if permit.would_refuse().is_some() => "audit",
        Verdict::Permit(_) => "allow",
        Verdict::Challenge(_) => "unauthenticated",
        Verdict::Forbid(_) => "forbidden",
        Verdict::Undecidable { .. } => "undecidable",
    }
}

impl Metrics {
    /// Upper bounds in seconds: a cached decision takes microseconds, an elliptic-curve verification a tenth of a
    /// millisecond.
    const BUCKETS: [f64; 12] =
        [0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025, 0.1, 1.0];

    /// Registers everything for `resources`: each as configured, and whether it is only audited; and what the
    /// authorization server counts, where there is one.
    pub fn new(resources: &[(String, bool)], tallies: Option<Tallies>) -> Self {
        let mut registry = Registry::with_prefix("mcp_forward_auth");
        let decisions = Family::<DecisionLabels, Counter>::default();
        let duration = Histogram::new(Self::BUCKETS);
        registry.register("decisions", "Decisions by outcome, reason and resource", decisions.clone());
        registry.register("decision_duration_seconds", "Time from request to verdict", duration.clone());
        let keys = KeyMetrics::register(&mut registry);
        let cache = CacheMetrics::register(&mut registry);
        let log_dropped = Counter::default();
        registry.register("log_lines_dropped", "Decision lines lost to a slow output", log_dropped.clone());
        let api_keys = Gauge::default();
        registry.register("api_keys", "API keys that are good", api_keys.clone());
        let counters = |(name, audited): &(String, bool)| ResourceCounters::new(&decisions, name, *audited);
        let found = resources.iter().map(counters).collect();
        let not_found = ResourceCounters::of_no_resource(&decisions);
        let authorization_server = tallies.map(|tallies| AuthorizationServerMetrics::register(&mut registry, tallies));
        let watched = WatchedRules::default();
        Self {
            registry,
            found,
            not_found,
            duration,
            keys,
            cache,
            log_dropped,
            api_keys,
            authorization_server,
            decisions,
            watched,
        }
    }

    /// Counts besides what rules and conditions in audit mode would refuse, where `policies` have any.
    #[must_use]
    pub fn watching(mut self, policies: &[Policy]) -> Self {
        self.watched = WatchedRules::register(&mut self.registry, policies);
        for ((counters, watched), policy) in self.found.iter_mut().zip(self.watched.resources()).zip(policies) {
            if watched && !policy.audit_only() {
                counters.add_audited(&self.decisions, &policy.resource.to_string());
            }
        }
        self
    }

    /// Counts what `rule`, or the condition, of the resource at `index` would refuse, if it is in audit mode.
    pub fn count_watched(&self, index: Option<usize>, rule: Option<usize>) {
        self.watched.count(index, rule);
    }

    /// Counts one decision on the resource at `index` of the configuration.
    pub fn count(&self, index: Option<usize>, verdict: &Verdict, took: Duration) {
        self.duration.observe(took.as_secs_f64());
        let counters = index.and_then(|index| self.found.get(index)).unwrap_or(&self.not_found);
        counters.of(verdict).inc();
    }

    /// The metrics in Prometheus' text format.
    pub fn render(&self, figures: &Figures) -> String {
        for (issuer, figures) in &figures.keys {
            self.keys.set(issuer, figures);
        }
        self.cache.set(&figures.cache);
        set(&self.log_dropped, figures.log_dropped);
        self.api_keys.set(i64::try_from(figures.api_keys).unwrap_or(i64::MAX));
        if let (Some(metrics), Some(figures)) = (&self.authorization_server, figures.authorization_server) {
            metrics.set(figures);
        }
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl ResourceCounters {
    /// Everything that can happen once a resource is found, at zero.
    fn new(decisions: &Family<DecisionLabels, Counter>, resource: &str, audited: bool) -> Self {
        let reasons = Reason::ALL.into_iter().filter(|reason| reason.names_resource());
        let labels = DecisionLabels { outcome: "allow", reason: "", resource: resource.to_owned() };
        Self::register(decisions, resource, audited, reasons, decisions.get_or_create_owned(&labels))
    }

    /// Everything that can happen before; an allow is not among it.
    fn of_no_resource(decisions: &Family<DecisionLabels, Counter>) -> Self {
        let reasons = Reason::ALL.into_iter().filter(|reason| !reason.names_resource());
        Self::register(decisions, "none", false, reasons, Counter::default())
    }

    fn register(
        decisions: &Family<DecisionLabels, Counter>,
        resource: &str,
        audited: bool,
        reasons: impl Iterator<Item = Reason>,
        allowed: Counter,
    ) -> Self {
        let counter = |outcome, reason| {
            let labels = DecisionLabels { outcome, reason, resource: resource.to_owned() };
            decisions.get_or_create_owned(&labels)
        };
        let refusal = |reason: Reason| match reason.class() {
            _ if audited => "audit",
            Class::Undecidable => "undecidable",
            Class::Unauthenticated => "unauthenticated",
            Class::Forbidden | Class::Malformed => "forbidden",
        };
        let refused = reasons.map(|reason| (reason, counter(refusal(reason), reason.as_str()))).collect();
        Self { allowed, refused, audited: Vec::new() }
    }

    /// The reasons of rules about operations.
    fn add_audited(&mut self, decisions: &Family<DecisionLabels, Counter>, resource: &str) {
        let reasons =
            [Reason::OperationNotAllowed, Reason::InsufficientScope, Reason::EmailNotVerified, Reason::ConditionFalse];
        let counter = |reason: Reason| {
            let labels = DecisionLabels { outcome: "audit", reason: reason.as_str(), resource: resource.to_owned() };
            (reason, decisions.get_or_create_owned(&labels))
        };
        self.audited = reasons.map(counter).into();
    }

    fn of(&self, verdict: &Verdict) -> &Counter {
        let find = |counters: &'_ [(Reason, Counter)], reason| counters.iter().position(|(known, _)| *known == reason);
        let audited = verdict.would_refuse().and_then(|reason| self.audited.get(find(&self.audited, reason)?));
        let reason = verdict.reason().or_else(|| verdict.would_refuse());
        let refused = || reason.and_then(|reason| self.refused.get(find(&self.refused, reason)?));
        audited.or_else(refused).map_or(&self.allowed, |(_, counter)| counter)
    }
}

impl KeyMetrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("issuer_keys", "Usable keys of an issuer", metrics.keys.clone());
        registry.register("issuer_keys_age_seconds", "Time since the last successful fetch", metrics.age.clone());
        registry.register("issuer_keys_refreshes", "Successful fetches", metrics.refreshes.clone());
        registry.register("issuer_keys_failures", "Failed fetches", metrics.failures.clone());
        metrics
    }

    fn set(&self, issuer: &str, figures: &KeyFigures) {
        let labels = IssuerLabels { issuer: issuer.to_owned() };
        self.keys.get_or_create(&labels).set(i64::try_from(figures.keys).unwrap_or(i64::MAX));
        let age = figures.age.map_or(f64::INFINITY, |age| age.as_secs_f64());
        self.age.get_or_create(&labels).set(age);
        set(&self.refreshes.get_or_create(&labels), figures.refreshes);
        set(&self.failures.get_or_create(&labels), figures.failures);
    }
}

impl CacheMetrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("token_cache_entries", "Verified identities held", metrics.entries.clone());
        registry.register("token_cache_bytes", "Bytes held, roughly", metrics.bytes.clone());
        registry.register("token_cache_hits", "Look-ups answered", metrics.hits.clone());
        registry.register("token_cache_misses", "Look-ups not answered", metrics.misses.clone());
        metrics
    }

    fn set(&self, figures: &CacheFigures) {
        self.entries.set(signed(figures.entries));
        self.bytes.set(signed(figures.bytes));
        set(&self.hits, figures.hits);
        set(&self.misses, figures.misses);
    }
}

/// Takes over a figure that is counted elsewhere and only grows.
fn set(counter: &Counter, value: u64) {
    counter.inner().store(value, Ordering::Relaxed);
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
