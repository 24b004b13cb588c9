//! Regular expressions of `matches`: read at the start, bounded in size, linear in what they look at.

use regex_lite::{Regex, RegexBuilder};

/// A pattern and what a character costs with it.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    weight: u32,
}

impl Pattern {
    const MAX_LENGTH: usize = 256;
    /// Kilobytes of the compiled form: counted repetitions such as `(a{50}){50}` make much of little.
    const SIZES: [u32; 5] = [1, 2, 4, 8, 16];

    /// Reads `text`; the error is a rule that it breaks. The smallest of the sizes that suffices is the measure of its
    /// cost, for the engine walks all states for each character.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > Self::MAX_LENGTH {
            return Err(format!("the pattern is longer than {} bytes", Self::MAX_LENGTH));
        }
        let build = |kilobytes: u32| {
            let bytes = usize::try_from(kilobytes).unwrap_or(usize::MAX) * 1024;
            RegexBuilder::new(text).size_limit(bytes).nest_limit(16).build().map(|regex| (regex, kilobytes))
        };
        let mut told = String::new();
        for size in Self::SIZES {
            match build(size) {
                Ok((regex, weight)) => return Ok(Self { regex, weight }),
                Err(error) => told = error.to_string(),
            }
        }
        Err(format!("the pattern cannot be used: {told}"))
    }

    /// What it costs to look at `text`, in steps: of each byte, up to half a microsecond for a kilobyte of states.
    pub(super) fn cost(&self, text: &str) -> u32 {
        const STEPS_PER_KILOBYTE: u32 = 32;
        u32::try_from(text.len()).unwrap_or(u32::MAX).saturating_mul(self.weight * STEPS_PER_KILOBYTE)
    }

    /// Whether the pattern occurs in `text`.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}
