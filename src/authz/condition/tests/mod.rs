//! The language by tables, its mistakes with their places, what hostile conditions and claims can cost, and another
//! implementation as the oracle.

mod hostile;
mod language;
mod mistakes;
mod oracle;

use serde_json::{Value, json};

use super::{Condition, Explanation, Facts, Fuel, Trouble};
use crate::authn::Identity;
use crate::domain::original_request::RawRequest;
use crate::domain::{Operation, OriginalRequest, UnixTime};

/// A Tuesday.
const NOW: u64 = 1_785_231_000;

fn claims() -> Value {
    json!({
        "iss": "https://idp.example.com", "sub": "alice-1", "aud": "https://mcp.example.com/mcp", "exp": NOW + 600,
        "email": "alice@example.com", "email_verified": true, "preferred_username": "alice", "client_id": "client-1",
        "scope": "mcp:read mcp:write", "groups": ["ops", "team-blue"],
        "level": 3, "ratio": 0.5, "vip": true, "nothing": null, "auth_time": NOW - 60, "huge": u64::MAX,
        "department": "sales", "until": "2026-08-01T00:00:00Z", "tenants": ["red", "green"],
        "address": {"country": "DE", "lines": ["a", "b"]}, "https://example.com/roles": ["admin"],
        "numbers": [1, 2, 3], "mixed": [1, "a", null],
    })
}

fn identity(claims: &Value) -> Identity {
    Identity::for_test("https://idp.example.com", &claims.to_string()).keeping_for_test(claims)
}

fn operation() -> Operation<'static> {
    Operation::new("tools/call", Some("alice/read".into()))
        .with_params(vec![("tenant".into(), "red".into())])
        .with_arguments(json!({"path": "/home/alice/x", "size": 10, "deep": {"list": [1]}}).as_object().cloned())
}

/// What `condition` says of the request of alice.
fn ask(condition: &Condition, identity: &Identity, fuel: &mut Fuel) -> Result<bool, Trouble> {
    of_alice(identity, |facts| condition.evaluate(facts, fuel))
}

fn explain(source: &str) -> Explanation {
    of_alice(&identity(&claims()), |facts| Condition::parse(source).unwrap().explain(facts))
}

fn of_alice<T>(identity: &Identity, ask: impl FnOnce(&Facts<'_>) -> T) -> T {
    let request = OriginalRequest::parse(&RawRequest {
        method: (b"POST", "method"),
        scheme: (b"https", "scheme"),
        authority: (b"mcp.example.com", "authority"),
        target: b"/mcp/x?secret=1",
    });
    let request = request.unwrap();
    let operation = operation();
    ask(&Facts {
        identity,
        request: Some(&request),
        origin: None,
        resource: "https://mcp.example.com/mcp",
        resource_name: Some("notes"),
        operation: Some(&operation),
        now: UnixTime::from_secs(NOW),
    })
}

fn says(source: &str) -> Result<bool, Trouble> {
    let condition = Condition::parse(source).unwrap_or_else(|mistake| panic!("{source}: {mistake}; {}", mistake.fix));
    ask(&condition, &identity(&claims()), &mut Fuel::for_request())
}
