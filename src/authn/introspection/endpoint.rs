//! One issuer that is asked: who may ask now, what an answer is worth, what the operator is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::answer::{Said, Terms};
use super::circuit::Circuit;
use super::{Found, IntrospectionSettings, Outcome, Watch};
use crate::authn::{IssuerSettings, TokenFault};
use crate::domain::{Issuer, UnixTime};
use crate::outbound::{Call, FetchError, Outbound, Reply};

/// An issuer, and how it fared lately.
#[derive(Debug)]
pub(super) struct Endpoint {
    issuer: IssuerSettings,
    settings: IntrospectionSettings,
    leeway: Duration,
    outbound: Outbound,
    watch: Arc<dyn Watch>,
    places: Semaphore,
    circuit: Circuit,
    told_of_credentials: AtomicBool,
    /// Seconds since the epoch; 0 before the first answer.
    answered_at: AtomicU64,
}

/// What an operator wants to know of an issuer that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Which one.
    pub issuer: Issuer,
    /// When it last answered.
    pub answered_at: Option<UnixTime>,
    /// How often it failed since, in a row.
    pub failures: u32,
}

impl Endpoint {
    /// Questions under way at once. One more is not asked: a queue would only let everybody wait longer.
    const PLACES: usize = 64;
    /// A client waits for this, and its proxy.
    const PATIENCE: Duration = Duration::from_secs(2);
    /// The longest answer that is read.
    const MAX_ANSWER: usize = 64 * 1024;

    pub(super) fn new(
        issuer: IssuerSettings,
        settings: IntrospectionSettings,
        leeway: Duration,
        outbound: Outbound,
        watch: Arc<dyn Watch>,
    ) -> Self {
        Self {
            issuer,
            settings,
            leeway,
            outbound,
            watch,
            places: Semaphore::new(Self::PLACES),
            circuit: Circuit::default(),
            told_of_credentials: AtomicBool::new(false),
            answered_at: AtomicU64::new(0),
        }
    }

    pub(super) const fn remembered_for(&self) -> Duration {
        self.settings.remembered_for
    }

    pub(super) fn condition(&self) -> Condition {
        let answered_at = self.answered_at.load(Ordering::Relaxed);
        Condition {
            issuer: self.issuer.issuer.clone(),
            answered_at: (answered_at > 0).then(|| UnixTime::from_secs(answered_at)),
            failures: self.circuit.failures(),
        }
    }

    /// Asks about `token`, unless too many do so already or the issuer is left alone for a moment.
    pub(super) async fn ask(&self, token: &str, now: UnixTime) -> Found {
        let started = Instant::now();
        let Ok(_place) = self.places.try_acquire() else {
            return self.ended(Outcome::Busy, started, now, Found::Unavailable);
        };
        let Some(turn) = self.circuit.enter(started) else {
            return self.ended(Outcome::Paused, started, now, Found::Unavailable);
        };
        let (outcome, found, trouble) = match tokio::time::timeout(Self::PATIENCE, self.send(token)).await {
            Err(_) => (Outcome::Late, Found::Unavailable, "no answer in time".to_owned()),
            Ok(Err(error)) => (outcome_of(&error), Found::Unavailable, error.to_string()),
            Ok(Ok(reply)) => self.read(&reply, now),
        };
        if outcome.is_failure() {
            let failures = turn.failed(Instant::now());
            self.tell(outcome, failures, &trouble);
        } else if outcome.is_answer() {
            self.answered(turn.succeeded(), now);
        }
        self.ended(outcome, started, now, found)
    }

    /// RFC 7662 §2.1. Redirects are not followed: they would lead the token where the operator did not say.
    async fn send(&self, token: &str) -> Result<Reply, FetchError> {
        let fields = [("token", token), ("token_type_hint", "access_token")];
        let call = Call::post_form(&self.settings.endpoint, fields);
        let call = call.authorization(self.settings.authorization.clone());
        self.outbound.call_for_json(&call, Self::MAX_ANSWER).await
    }

    fn read(&self, reply: &Reply, now: UnixTime) -> (Outcome, Found, String) {
        let trouble = |outcome, text| (outcome, Found::Unavailable, text);
        match reply.status {
            200 => {}
            401 | 403 => return trouble(Outcome::Credentials, format!("it answered {}", reply.status)),
            400..=407 | 409..=428 | 430..=499 => return trouble(Outcome::RequestRejected, String::new()),
            status => return trouble(Outcome::Status, format!("it answered {status}")),
        }
        let terms = Terms {
            issuer: &self.issuer,
            leeway: self.leeway,
            remembered_for: self.settings.remembered_for,
            vouches_for_audience: self.settings.vouches_for_audience,
            keeps_claims: self.settings.keeps_claims,
        };
        match Said::read(&reply.body) {
            None => trouble(Outcome::Unusable, "its answer is no JSON object with a boolean \"active\"".to_owned()),
            Some(Said::Inactive) => (Outcome::Inactive, Found::Refused(TokenFault::Inactive), String::new()),
            Some(Said::Active(members, bound)) => match members.into_identity(bound, &terms, now) {
                Ok(identity) => (Outcome::Active, Found::Verified(Arc::new(identity)), String::new()),
                Err(fault) => (Outcome::Refused, Found::Refused(fault), String::new()),
            },
        }
    }

    fn ended(&self, outcome: Outcome, started: Instant, now: UnixTime, found: Found) -> Found {
        self.watch.asked(&self.issuer.issuer, outcome, started.elapsed(), now);
        found
    }

    /// Once for each time it stops working: what happens with every request would bury the log.
    fn tell(&self, outcome: Outcome, failures: u32, trouble: &str) {
        let issuer = &self.issuer.issuer;
        if outcome == Outcome::Credentials {
            if !self.told_of_credentials.swap(true, Ordering::Relaxed) {
                tracing::error!(
                    %issuer,
                    trouble,
                    "the introspection endpoint does not take our credentials; see introspection_client_id and \
                     introspection_client_secret"
                );
            }
        } else if failures == 1 {
            tracing::warn!(%issuer, trouble, "the introspection endpoint gives no answer");
        }
    }

    fn answered(&self, failures_before: u32, now: UnixTime) {
        self.answered_at.store(now.as_secs(), Ordering::Relaxed);
        self.told_of_credentials.store(false, Ordering::Relaxed);
        if failures_before > 0 {
            tracing::info!(issuer = %self.issuer.issuer, "the introspection endpoint answers again");
        }
    }
}

const fn outcome_of(error: &FetchError) -> Outcome {
    match error {
        FetchError::TooLarge { .. } | FetchError::NotJson { .. } => Outcome::Unusable,
        FetchError::Status { .. } => Outcome::Status,
        FetchError::Setup(_) | FetchError::Forbidden { .. } | FetchError::Unreachable { .. } => Outcome::Unreachable,
    }
}
