//! What the handlers share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::request_id::RequestIds;
use crate::clock::Clock;
use crate::decision::{Decision, DecisionPoint};
use crate::explain::Refusals;
use crate::mcp::BodyLimits;
use crate::oauth::IdentityAssertions;
use crate::proxy::{Contract, RequestHead};
use crate::telemetry::metrics::Figures;
use crate::telemetry::{DecisionLog, Metrics};

/// The running service.
pub struct Service {
    /// Decides.
    pub point: DecisionPoint,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Counts.
    pub metrics: Metrics,
    /// Writes lines.
    pub log: DecisionLog,
    /// Of a thousand allows, how many are logged.
    pub allows_logged_per_mille: u16,
    /// Names refusals.
    pub request_ids: RequestIds,
    /// Remembers refusals.
    pub refusals: Refusals,
    /// How much of a body is read, where rules ask for operations.
    pub body_limits: BodyLimits,
    /// Signs who calls, for the resources that want it.
    pub assertions: Option<IdentityAssertions>,
    /// Contracts that are answered.
    pub contracts: Vec<Contract>,
    /// Paths besides `/auth` that are asked in its terms.
    pub also_decide_at: Vec<String>,
}

impl Service {
    /// Whether `path` is a configured decision path.
    pub fn decides_at(&self, path: &str) -> bool {
        self.also_decide_at.iter().any(|known| known == path)
    }

    /// Decides, and tells how long it took.
    pub fn timed_decision<'a>(&'a self, contract: Contract, head: &'a dyn RequestHead) -> (Decision<'a>, Duration) {
        let started = Instant::now();
        let decision = self.point.decide(contract, head, self.clock.now());
        (decision, started.elapsed())
    }

    /// The same after an issuer was asked, where a decision wants that. How long it waited is counted elsewhere.
    pub async fn introspected<'a>(
        &'a self,
        decision: Decision<'a>,
        head: &'a dyn RequestHead,
        took: Duration,
    ) -> (Decision<'a>, Duration) {
        if !decision.wants_introspection() {
            return (decision, took);
        }
        (self.point.decide_with_introspection(decision, head, || self.clock.now()).await, took)
    }

    /// Figures that are read on demand.
    pub fn figures(&self) -> Figures {
        let now = self.clock.now();
        // An issuer whose tokens are all opaque has no keys, and misses none.
        let issuers = self.point.authenticator.issuers().iter().filter(|known| !known.algorithms.is_empty());
        Figures {
            keys: issuers.map(|known| (known.issuer.to_string(), known.keys.figures(now))).collect(),
            cache: self.point.authenticator.cache_figures(),
            log_dropped: self.log.dropped(),
            api_keys: self.point.authenticator.living_api_keys(now),
            authorization_server: None,
        }
    }
}
