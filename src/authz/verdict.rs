//! What was decided. A [`Permit`] is evidence: only [`super::decide`] can make one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::condition::Trouble;
use super::{Challenge, Matched, Reason};
use crate::authn::Identity;

/// The decision.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// 200.
    Permit(Permit),
    /// 401: a (better) token could change the answer.
    Challenge(Challenge),
    /// 403: this caller may not, whatever token they fetch; or may, with more scopes.
    Forbid(Denial),
    /// 503: it cannot be told now. Never a permit, and never a 401: clients throw their tokens away on that.
    Undecidable {
        /// What is missing.
        reason: Reason,
        /// When to ask again.
        retry_after: Duration,
    },
}

/// A permission and who it was given to.
#[derive(Debug, Clone)]
pub struct Permit {
    identity: Option<Arc<Identity>>,
    resource: Bytes,
    would_refuse: Option<Reason>,
    trouble: Option<Trouble>,
}

impl Permit {
    /// The caller; none for a preflight and for an audited refusal.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// The identifier of the concrete resource.
    pub const fn resource(&self) -> &Bytes {
        &self.resource
    }

    /// In audit mode: why enforcement would have refused.
    pub const fn would_refuse(&self) -> Option<Reason> {
        self.would_refuse
    }
}

/// A refusal.
#[derive(Debug, Clone)]
pub struct Denial {
    reason: Reason,
    challenge: Option<Challenge>,
    trouble: Option<Trouble>,
}

impl Denial {
    /// The right token of the wrong person carries no challenge: a new sign-in would not help.
    pub const fn without_challenge(reason: Reason) -> Self {
        Self { reason, challenge: None, trouble: None }
    }

    /// More scopes would help (RFC 6750 §3.1).
    pub const fn insufficient_scope(challenge: Challenge) -> Self {
        Self { reason: Reason::InsufficientScope, challenge: Some(challenge), trouble: None }
    }

    /// Why.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What to send in `WWW-Authenticate`.
    pub const fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }
}

impl Verdict {
    pub(super) fn permit(
        matched: &Matched<'_>,
        identity: Option<&Arc<Identity>>,
        would_refuse: Option<Reason>,
    ) -> Self {
        Self::Permit(Permit {
            identity: identity.cloned(),
            resource: matched.resource.clone(),
            would_refuse,
            trouble: None,
        })
    }

    /// Its challenge, if it has one, asks for a proof.
    pub(super) fn in_terms_of_dpop(self) -> Self {
        match self {
            Self::Challenge(challenge) => Self::Challenge(challenge.in_terms_of_dpop()),
            Self::Forbid(Denial { reason, challenge: Some(challenge), trouble }) => {
                Self::Forbid(Denial { reason, challenge: Some(challenge.in_terms_of_dpop()), trouble })
            }
            other @ (Self::Permit(_) | Self::Forbid(_) | Self::Undecidable { .. }) => other,
        }
    }

    /// A refusal that no token changes.
    pub const fn forbid(reason: Reason) -> Self {
        Self::Forbid(Denial::without_challenge(reason))
    }

    /// A condition is not true, or had `trouble`.
    pub(super) const fn condition_false(trouble: Option<Trouble>) -> Self {
        Self::Forbid(Denial { reason: Reason::ConditionFalse, challenge: None, trouble })
    }

    /// The same permit, which remembers the trouble of a condition.
    pub(super) fn with_trouble(self, trouble: Option<Trouble>) -> Self {
        match self {
            Self::Permit(permit) => Self::Permit(Permit { trouble, ..permit }),
            Self::Challenge(_) | Self::Forbid(_) | Self::Undecidable { .. } => self,
        }
    }

    /// Why a condition is neither true nor false, if that is the reason.
    pub const fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Permit(permit) => permit.trouble,
            Self::Forbid(denial) => denial.trouble,
            Self::Challenge(_) | Self::Undecidable { .. } => None,
        }
    }

    /// The permit, if it is one.
    pub const fn as_permit(&self) -> Option<&Permit> {
        match self {
            Self::Permit(permit) => Some(permit),
            Self::Challenge(_) | Self::Forbid(_) | Self::Undecidable { .. } => None,
        }
    }

    /// A permit that enforcement gives as well.
    pub fn is_plain_permit(&self) -> bool {
        self.as_permit().is_some_and(|permit| permit.would_refuse().is_none())
    }

    /// The challenge, if there is one.
    pub const fn challenge(&self) -> Option<&Challenge> {
        match self {
            Self::Challenge(challenge) => Some(challenge),
            Self::Forbid(denial) => denial.challenge(),
            Self::Permit(_) | Self::Undecidable { .. } => None,
        }
    }

    /// In audit mode: why enforcement would have refused.
    pub fn would_refuse(&self) -> Option<Reason> {
        self.as_permit().and_then(Permit::would_refuse)
    }

    /// Why it is no permit; `None` for permits.
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Permit(_) => None,
            Self::Challenge(challenge) => Some(challenge.reason()),
            Self::Forbid(denial) => Some(denial.reason()),
            Self::Undecidable { reason, .. } => Some(*reason),
        }
    }
}

impl From<Challenge> for Verdict {
    fn from(challenge: Challenge) -> Self {
        Self::Challenge(challenge)
    }
}
