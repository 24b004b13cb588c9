//! What an operator wrote and meant otherwise.

use std::borrow::Cow;

/// The rule that was broken, and what to do instead. The configuration puts key and value before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}; {fix}")]
pub struct Mistake {
    /// The rule.
    pub rule: Cow<'static, str>,
    /// The fix.
    pub fix: &'static str,
}

impl Mistake {
    pub(super) fn new(rule: impl Into<Cow<'static, str>>, fix: &'static str) -> Self {
        Self { rule: rule.into(), fix }
    }
}
