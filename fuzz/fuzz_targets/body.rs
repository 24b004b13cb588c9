//! The strict reader against an ordinary one: what it reads, `serde_json` reads as the same method and name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_forward_auth::domain::operation::{NamedBy, Operation};
use mcp_forward_auth::mcp::body;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(operations) = body::read(bytes) else { return };
    let value: Value = serde_json::from_slice(bytes).expect("what is judged is JSON");
    let messages = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    assert_eq!(messages.len(), operations.len());
    for (message, operation) in messages.iter().zip(&operations) {
        let method = message["method"].as_str().unwrap_or(Operation::RESPONSE);
        assert_eq!(operation.method(), method);
        let key = match NamedBy::of(method) {
            None => continue,
            Some(NamedBy::Name) => "name",
            Some(NamedBy::Uri) => "uri",
            Some(NamedBy::TaskId) => "taskId",
        };
        assert_eq!(operation.name(), message["params"][key].as_str());
    }
});
