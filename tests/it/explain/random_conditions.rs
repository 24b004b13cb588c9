//! Random conditions for the cases, and the claims and arguments that some of them are true of.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const OF_REQUESTS: [&str; 7] = [
    "identity.claims.level >= 3",
    "identity.claims.level >= 3",
    "has(identity.claims.level) || 'staff' in identity.groups",
    "identity.email.endsWith('@example.com')",
    "request.method == 'POST' && request.path.startsWith('/mcp')",
    "request.origin == 'https://app.example.com'",
    "now < identity.expires_at && resource.url.startsWith('https://mcp.')",
];

const OF_OPERATIONS: [&str; 6] = [
    "operation.method == 'tools/list' || !operation.name.startsWith('delete_')",
    "operation.name == identity.claims.tool",
    "operation.arguments.path.startsWith('/home/')",
    "!has(operation.arguments.path) || operation.arguments.path == '/home/alice'",
    "identity.claims.level >= 3 || operation.arguments.depth < 3",
    "operation.params.tenant == 'red' || operation.name == 'read_note'",
];

fn written(condition: &str) -> String {
    format!("condition = {condition:?}\n")
}

/// A resource's, mostly none.
pub fn of_resource() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(String::new()),
        2 => select(OF_REQUESTS.to_vec()).prop_map(written),
        2 => select(OF_OPERATIONS.to_vec()).prop_map(written),
    ]
}

/// A rule's, which is about operations in any case.
pub fn of_rule() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => Just(String::new()),
        2 => select(OF_REQUESTS.to_vec()).prop_map(written),
        4 => select(OF_OPERATIONS.to_vec()).prop_map(written),
    ]
}

/// Claims that nothing but conditions looks at: of a wrong kind, or not there, too.
pub fn claims() -> impl Strategy<Value = Value> {
    select(vec![
        json!({}),
        json!({ "level": 1 }),
        json!({ "level": 3, "tool": "delete_note" }),
        json!({ "level": 4, "tool": ["delete_note"] }),
        json!({ "level": "high", "tool": "read_note" }),
    ])
}

/// What a call hands over.
pub fn arguments() -> impl Strategy<Value = Option<Map<String, Value>>> {
    let some = select(vec![
        json!({}),
        json!({ "path": "/home/alice", "depth": 1 }),
        json!({ "path": "/home/alice", "depth": 5 }),
        json!({ "path": "/etc/secret-of-the-call" }),
        json!({ "path": 7, "depth": "deep" }),
        json!({ "path": "/home/alice", "Path": "/etc" }),
    ]);
    proptest::option::of(some.prop_map(|value| value.as_object().unwrap().clone()))
}
