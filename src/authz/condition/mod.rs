//! Conditions, in a part of the Common Expression Language: read and checked once at the start, evaluated in bounded work.
//!
//! lexer → parser → compile (names, kinds, bounds) → evaluate. A condition that is not true refuses.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what an operator or a function does not know is refused, whatever it is"
)]

mod calls;
mod compile;
mod evaluate;
mod facts;
mod fuel;
mod functions;
mod kind;
mod lexer;
mod mistake;
mod moment;
mod operators;
mod parser;
mod pattern;
mod program;
mod seen;
mod syntax;
mod value;

pub use facts::Facts;
pub use fuel::{Fuel, Trouble};
pub use mistake::Mistake;
pub use seen::Seen;

use std::panic::{AssertUnwindSafe, catch_unwind};

use compile::Uses;
use evaluate::Evaluator;
use mistake::Fault;
use program::Node;

/// A condition that can be asked.
#[derive(Debug, Clone)]
pub struct Condition {
    source: Box<str>,
    program: Node,
    uses: Uses,
}

/// What a condition said and saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// As it is written.
    pub source: String,
    /// What it said.
    pub outcome: Result<bool, Trouble>,
    /// What it read on the way, in order.
    pub seen: Vec<Seen>,
    /// How many steps that took.
    pub steps: u32,
}

impl Condition {
    /// The longest condition, in bytes.
    pub const MAX_LENGTH: usize = 4096;

    /// Reads and checks `source`.
    pub fn parse(source: &str) -> Result<Self, Mistake> {
        if source.len() > Self::MAX_LENGTH {
            let rule = format!("the condition is longer than {} bytes", Self::MAX_LENGTH);
            return Err(Fault::new(0, rule, "shorten it").in_source(source));
        }
        let compiled = parser::parse(source).and_then(|expression| compile::compile(&expression));
        let (program, uses) = compiled.map_err(|fault| fault.in_source(source))?;
        Ok(Self { source: source.into(), program, uses })
    }

    /// As it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it is about operations, so that they must be known.
    pub const fn uses_operation(&self) -> bool {
        self.uses.operation
    }

    /// Whether it looks at `identity.claims`, so that identities must keep them.
    pub const fn uses_claims(&self) -> bool {
        self.uses.claims
    }

    /// Whether it looks at `operation.params`.
    pub const fn uses_params(&self) -> bool {
        self.uses.params
    }

    /// Whether it looks at `operation.arguments`.
    pub const fn uses_arguments(&self) -> bool {
        self.uses.arguments
    }

    /// What it says of `facts`. Only `Ok(true)` lets anything through.
    pub fn evaluate(&self, facts: &Facts<'_>, fuel: &mut Fuel) -> Result<bool, Trouble> {
        self.run(facts, fuel, None)
    }

    /// The same, and what it looked at.
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        let (mut fuel, mut seen) = (Fuel::for_request(), Vec::new());
        let outcome = self.run(facts, &mut fuel, Some(&mut seen));
        Explanation { source: self.source.to_string(), outcome, seen, steps: fuel.spent() }
    }

    /// A panic would be a mistake of ours; it refuses this request and ends nothing.
    fn run(&self, facts: &Facts<'_>, fuel: &mut Fuel, seen: Option<&mut Vec<Seen>>) -> Result<bool, Trouble> {
        let mut evaluator = Evaluator { facts, fuel, item: None, seen };
        catch_unwind(AssertUnwindSafe(|| evaluator.bool(&self.program))).unwrap_or(Err(Trouble::Panicked))
    }
}

#[cfg(test)]
mod tests;
