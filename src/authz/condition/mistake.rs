//! What is wrong with a condition as it is written, told when the service starts.

use std::fmt;

/// A mistake and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    line: usize,
    column: usize,
    /// The rule that is broken.
    pub rule: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at {}:{} {}", self.line, self.column, self.rule)
    }
}

/// The same before its place is known as line and column: a byte of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) rule: String,
    pub(super) fix: String,
}

impl Fault {
    pub(super) fn new(at: usize, rule: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { at, rule: rule.into(), fix: fix.into() }
    }

    /// Lines and columns are counted from 1, columns in characters, as editors do.
    pub(super) fn in_source(self, source: &str) -> Mistake {
        let before = source.get(..self.at).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Mistake { line: before.matches('\n').count() + 1, column, rule: self.rule, fix: self.fix }
    }
}
