//! `condition`, at a resource and at its rules.

use super::ConfigError;
use crate::authz::{Condition, OperationPolicy};

/// The condition under `key`, if there is one.
pub(super) fn read(key: &str, written: Option<&str>) -> Result<Option<Condition>, ConfigError> {
    let read = |text: &str| {
        Condition::parse(text)
            .map_err(|mistake| ConfigError::new(key, Some(text), mistake.to_string(), mistake.fix.as_str()))
    };
    written.map(read).transpose()
}

/// Apart: a resource's condition about operations is asked with its rules, any other before them.
pub(super) fn split(condition: Option<Condition>) -> (Option<Condition>, Option<Condition>) {
    match condition {
        Some(condition) if condition.uses_operation() => (Some(condition), None),
        other => (None, other),
    }
}

/// Parameters are there only where the operator says that the server checks them.
pub(super) fn refuse_blind_params(place: &str, policy: &OperationPolicy) -> Result<(), ConfigError> {
    if policy.upstream_enforces_headers || !policy.conditions().any(Condition::uses_params) {
        return Ok(());
    }
    let rule = "a condition asks for operation.params, which are believed only of servers that check them";
    let fix = "set upstream_enforces_mcp_headers = true if the server does, or ask for operation.arguments";
    Err(ConfigError::new(format!("{place}.upstream_enforces_mcp_headers"), None, rule, fix))
}
