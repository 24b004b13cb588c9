//! How much work conditions may do for one request, and why they can fail. Work is counted in steps and not in time, so
//! that the same condition on the same request always says the same.

use std::fmt;

/// Why a condition is neither true nor false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Something that it asks for is not there.
    Absent,
    /// Something is of another kind than it needs.
    Kind,
    /// A division by zero, or a number that does not fit.
    Arithmetic,
    /// It would take more work than one request is worth.
    Exhausted,
    /// A mistake in the evaluation itself.
    Panicked,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Absent => "something that it asks for is not there",
            Self::Kind => "something is of another kind than it needs",
            Self::Arithmetic => "a division by zero, or a number that does not fit",
            Self::Exhausted => "it takes too many steps",
            Self::Panicked => "the evaluation failed",
        })
    }
}

/// The steps that are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fuel(u32);

impl Fuel {
    /// For all conditions that are asked about one request together.
    pub const PER_REQUEST: u32 = 50_000;

    /// Enough for one request.
    pub const fn for_request() -> Self {
        Self(Self::PER_REQUEST)
    }

    /// How many steps were taken.
    pub const fn spent(&self) -> u32 {
        Self::PER_REQUEST.saturating_sub(self.0)
    }

    pub(super) const fn spend(&mut self, steps: u32) -> Result<(), Trouble> {
        let left = self.0.checked_sub(steps);
        self.0 = match left {
            Some(left) => left,
            None => 0,
        };
        if left.is_some() { Ok(()) } else { Err(Trouble::Exhausted) }
    }

    /// For what grows with the length of a text.
    pub(super) fn look_at(&mut self, bytes: usize) -> Result<(), Trouble> {
        const BYTES_PER_STEP: usize = 16;
        self.spend(u32::try_from(bytes / BYTES_PER_STEP).unwrap_or(u32::MAX))
    }
}
