//! Rules about operations, as data. Each rule only narrows: an operation must satisfy every rule that fits it, so neither
//! their order nor one more of them can ever open anything.

use super::Condition;
use super::policy::{Mode, Principals, RequiredScope};
use crate::domain::{Glob, Operation};

/// What a resource demands of single operations.
#[derive(Debug, Clone, Default)]
pub struct OperationPolicy {
    /// All of them count.
    pub rules: Vec<OperationRule>,
    /// The resource's condition, where it is about operations: it must be true of each.
    pub condition: Option<Condition>,
    /// The operator's word that the server refuses headers that differ from the body.
    pub upstream_enforces_headers: bool,
}

/// What operations of some methods and names demand besides what the resource does.
#[derive(Debug, Clone, Default)]
pub struct OperationRule {
    /// The methods it is about.
    pub methods: Vec<Glob>,
    /// The tools, prompts or resources it is about; empty for all, and for what has no name.
    pub names: Vec<Glob>,
    /// Of these, those it is not about.
    pub except_names: Vec<Glob>,
    /// Nobody may.
    pub deny: bool,
    /// Scopes that the token must hold.
    pub required_scopes: Vec<RequiredScope>,
    /// Who may; `None` for everybody whom the resource admits.
    pub principals: Option<Principals>,
    /// What must be true of each operation that the rule is about.
    pub condition: Option<Condition>,
    /// Enforce, or only record.
    pub mode: Mode,
}

impl OperationPolicy {
    /// Whether operations need to be known at all.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.condition.is_none()
    }

    /// Whether a condition asks for mirrored parameters.
    pub fn asks_for_params(&self) -> bool {
        self.conditions().any(Condition::uses_params)
    }

    /// Whether a condition asks for the arguments of calls.
    pub fn asks_for_arguments(&self) -> bool {
        self.conditions().any(Condition::uses_arguments)
    }

    /// Every condition about operations.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.rules.iter().filter_map(|rule| rule.condition.as_ref()).chain(&self.condition)
    }
}

impl OperationRule {
    /// Whether the rule is about `operation`.
    pub fn fits(&self, operation: &Operation<'_>) -> bool {
        let any = |globs: &[Glob], text: &str| globs.iter().any(|glob| glob.matches(text));
        any(&self.methods, operation.method())
            && match operation.name() {
                None => self.names.is_empty(),
                Some(name) => (self.names.is_empty() || any(&self.names, name)) && !any(&self.except_names, name),
            }
    }
}
