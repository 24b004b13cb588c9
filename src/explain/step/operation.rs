//! Can it be told what is asked of the MCP server, where rules want to know?

use super::super::text;
use super::{Facts, Kind, Step};
use crate::authz::Reason;
use crate::domain::Operation;

const NAME: &str = "operation";
pub(super) const KIND: Kind = Kind { name: NAME, ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    if facts.caller().is_none() {
        return super::nobody(NAME);
    }
    vec![match &facts.operations {
        None => Step::not_asked(NAME, "there are no rules about operations here"),
        Some(Ok(operations)) => Step::passed(NAME, text::list(operations.iter().map(shown))),
        Some(Err(unknown)) => Step::refused(NAME, Reason::OperationUnknown, unknown.to_string()),
    }]
}

/// `tools/call delete_note`
pub(super) fn shown(operation: &Operation<'_>) -> String {
    let name = operation.name().map(|name| format!(" {}", without_query(name))).unwrap_or_default();
    format!("{}{name}", operation.method())
}

/// The name of a resource may be a URL, whose query may hold a secret.
fn without_query(name: &str) -> &str {
    name.split('?').next().unwrap_or_default()
}
