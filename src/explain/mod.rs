//! Why a request is answered as it is: each rule in order, with what it compared, and the verdict of the very code that
//! decides. Facts in, words out; no token and no web framework comes in here.

pub mod asker;
pub mod facts;
pub mod question;
pub mod refusal;
pub mod step;
mod text;

pub use asker::Asker;
pub use facts::Facts;
pub use question::{Question, UnusableQuestion};
pub use refusal::{Refusal, Refusals};
pub use step::tell;

use serde::{Serialize, Serializer};

use crate::authz::{Reason, Verdict};

/// What one rule said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which rule.
    #[serde(rename = "step")]
    pub name: String,
    /// What it came to.
    pub outcome: Outcome,
    /// The reason code, where the rule refuses.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_code")]
    pub reason: Option<Reason>,
    /// What was compared with what.
    pub detail: String,
}

/// What a rule came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing against it.
    Passed,
    /// This is why.
    Refused,
    /// It refuses too, and another rule's reason is told.
    AlsoRefuses,
    /// It would refuse, and only records (`mode = "audit"` of a rule).
    Audited,
    /// An earlier rule refused.
    NotReached,
    /// The rule has nothing to say here.
    NotAsked,
}

impl Step {
    /// Nothing against it.
    pub fn passed(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Passed, reason: None, detail: detail.into() }
    }

    /// This is why.
    pub fn refused(name: &str, reason: Reason, detail: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Refused, reason: Some(reason), detail: detail.into() }
    }

    /// It has nothing to say here.
    pub fn not_asked(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::NotAsked, reason: None, detail: detail.into() }
    }

    fn not_reached(name: &str) -> Self {
        Self { name: name.into(), outcome: Outcome::NotReached, reason: None, detail: String::new() }
    }
}

/// Why a verdict refuses, or would if it were not for audit mode.
pub fn reason_of(verdict: &Verdict) -> Option<Reason> {
    verdict.reason().or_else(|| verdict.would_refuse())
}

/// The reason that `steps` give: of the one that refuses, else of the first that is only recorded.
pub fn reason_told(steps: &[Step]) -> Option<Reason> {
    let of = |outcome: Outcome| steps.iter().find(|step| step.outcome == outcome).and_then(|step| step.reason);
    of(Outcome::Refused).or_else(|| of(Outcome::Audited))
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn as_code<S: Serializer>(reason: &Option<Reason>, serializer: S) -> Result<S::Ok, S::Error> {
    match reason {
        Some(reason) => serializer.serialize_str(reason.as_str()),
        None => serializer.serialize_none(),
    }
}
