//! The strict reader against an ordinary one: what it reads, `serde_json` reads as the same method and name; and no other
//! key is there that a careless reader takes for one that counts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_forward_auth::domain::operation::{NamedBy, Operation};
use mcp_forward_auth::mcp::body;
use mcp_forward_auth_fuzz::careless::stands_for;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(operations) = body::read(bytes) else { return };
    let value: Value = serde_json::from_slice(bytes).expect("what is judged is JSON");
    let messages = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    assert_eq!(messages.len(), operations.len());
    for (message, operation) in messages.iter().zip(&operations) {
        let method = message["method"].as_str().unwrap_or(Operation::RESPONSE);
        assert_eq!(operation.method(), method);
        has_one_reading(message);
        let key = match NamedBy::of(method) {
            None => continue,
            Some(NamedBy::Name) => "name",
            Some(NamedBy::Uri) => "uri",
            Some(NamedBy::TaskId) => "taskId",
        };
        assert_eq!(operation.name(), message["params"][key].as_str());
    }
});

fn has_one_reading(message: &Value) {
    let members = message.as_object().expect("a message is an object");
    assert_eq!(stands_for(members, &["jsonrpc", "id", "method", "params", "result", "error"]), None);
    if let Some(params) = members.get("params").and_then(Value::as_object).filter(|_| members.contains_key("method")) {
        assert_eq!(stands_for(params, &["name", "uri", "taskId", "_meta", "arguments"]), None);
    }
}
