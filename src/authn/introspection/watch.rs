//! What can come of a question to an issuer, and who counts it.

use std::fmt::Debug;
use std::time::Duration;

use crate::domain::{Issuer, UnixTime};

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The token is good.
    Active,
    /// The issuer does not know it, or no longer.
    Inactive,
    /// The issuer calls it active, and what it says of it does not pass our checks.
    Refused,
    /// No answer in time.
    Late,
    /// No connection.
    Unreachable,
    /// A status that says that the issuer is in trouble.
    Status,
    /// 401 or 403: the issuer does not take us for the client that we are configured to be.
    Credentials,
    /// Another status of the 400s: the issuer does not like this one question.
    RequestRejected,
    /// No JSON, too long, or without a boolean `active`.
    Unusable,
    /// Not asked: enough questions are under way.
    Busy,
    /// Not asked: the issuer failed several times in a row a moment ago.
    Paused,
}

impl Outcome {
    /// Every outcome, for metrics that start at zero.
    pub const ALL: [Self; 11] = [
        Self::Active,
        Self::Inactive,
        Self::Refused,
        Self::Late,
        Self::Unreachable,
        Self::Status,
        Self::Credentials,
        Self::RequestRejected,
        Self::Unusable,
        Self::Busy,
        Self::Paused,
    ];

    /// Its name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Refused => "refused",
            Self::Late => "late",
            Self::Unreachable => "unreachable",
            Self::Status => "status",
            Self::Credentials => "credentials",
            Self::RequestRejected => "request_rejected",
            Self::Unusable => "unusable",
            Self::Busy => "busy",
            Self::Paused => "paused",
        }
    }

    /// Whether the issuer answered the question.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Active | Self::Inactive | Self::Refused)
    }

    /// Whether the issuer was asked at all.
    pub const fn was_asked(self) -> bool {
        !matches!(self, Self::Busy | Self::Paused)
    }

    /// Whether it tells against the issuer, and not against one token: strangers choose tokens, and must not be able to make
    /// the issuer look broken.
    pub(super) const fn is_failure(self) -> bool {
        matches!(self, Self::Late | Self::Unreachable | Self::Status | Self::Credentials | Self::Unusable)
    }
}

/// Counts what comes of questions.
pub trait Watch: Send + Sync + Debug {
    /// `issuer` was asked at `now`, or was not, and it took so long.
    fn asked(&self, issuer: &Issuer, outcome: Outcome, took: Duration, now: UnixTime);
}
