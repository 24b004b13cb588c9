//! The arguments of calls: `serde_json` finds the same ones at the same place, and no object among them has two keys that a
//! careless reader takes for one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_forward_auth::mcp::body::{self, BodyFault};
use mcp_forward_auth::mcp::{Unknown, details};
use mcp_forward_auth_fuzz::careless::lookalikes;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = body::read(bytes) else { return };
    let value: Value = serde_json::from_slice(bytes).expect("what is judged is JSON");
    let messages = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let arguments: Vec<_> = messages.iter().map(|message| message.pointer("/params/arguments")).collect();
    match details::with_arguments(read.clone(), bytes) {
        Ok(told) => {
            assert_eq!(told.len(), read.len());
            for ((told, read), arguments) in told.iter().zip(&read).zip(&arguments) {
                assert_eq!((told.method(), told.name()), (read.method(), read.name()));
                assert_eq!(told.arguments(), arguments.and_then(Value::as_object));
                assert_eq!(arguments.and_then(lookalikes), None);
            }
        }
        Err(fault) => {
            assert_eq!(fault, Unknown::Body(BodyFault::LookalikeKey));
            assert!(arguments.into_iter().flatten().any(|arguments| lookalikes(arguments).is_some()));
        }
    }
});
