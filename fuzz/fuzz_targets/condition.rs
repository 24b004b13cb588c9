//! Conditions from arbitrary text. What is read says the same however it is asked: with and without an explanation, inside
//! of parentheses, negated twice over, and with the facts taken away that it says it does not use.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use mcp_forward_auth::authn::Identity;
use mcp_forward_auth::authz::condition::{Condition, Facts, Fuel, Trouble};
use mcp_forward_auth::domain::original_request::{OriginalRequest, RawRequest};
use mcp_forward_auth::domain::{Operation, UnixTime};
use mcp_forward_auth_fuzz::caller::{self, NOW};
use serde_json::json;

type Said = Result<bool, Trouble>;

struct World {
    alice: Arc<Identity>,
    /// The same token where claims are not kept.
    unkept: Arc<Identity>,
    /// The same person with a token that claims nothing but her name.
    bare: Arc<Identity>,
    request: OriginalRequest<'static>,
    operation: Operation<'static>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let claims = json!({
        "email": "alice@example.com", "email_verified": true, "preferred_username": "alice", "client_id": "client-1",
        "scope": "mcp:read mcp:write", "groups": ["ops", "team-blue"],
        "level": 3, "ratio": 0.5, "vip": true, "nothing": null, "auth_time": NOW - 60, "huge": u64::MAX,
        "department": "sales", "until": "2026-08-01T00:00:00Z", "for": "1h30m",
        "address": {"country": "DE", "lines": ["a", "b"]}, "https://example.com/roles": ["admin"],
        "numbers": [1, 2, 3], "mixed": [1, "a", null, 1.5, []], "a": "a", "x": [[1], [2]],
        "many": (0..3000).map(|number| number % 10).collect::<Vec<_>>(), "long": "ab".repeat(2000),
    });
    let raw = RawRequest {
        method: (b"POST", "method"),
        scheme: (b"https", "scheme"),
        authority: (b"mcp.example.com", "authority"),
        target: b"/mcp/x",
    };
    let arguments = json!({"path": "/home/alice/x", "size": 10, "deep": {"list": [1]}});
    World {
        alice: caller::proven(&claims, true).1,
        unkept: caller::proven(&claims, false).1,
        bare: caller::proven(&json!({}), true).1,
        request: OriginalRequest::parse(&raw).expect("the request is good"),
        operation: Operation::new("tools/call", Some("alice/read".into()))
            .with_params(vec![("tenant".into(), "red".into())])
            .with_arguments(arguments.as_object().cloned()),
    }
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    let Ok(condition) = Condition::parse(source) else { return };
    assert_eq!(condition.source(), source);
    let facts = of_alice();
    let said = ask(&condition, &facts);
    agrees_with_its_forms(source, &facts, said);
    does_not_use_what_it_does_not_name(&condition, &facts, said);
    let nothing = Facts { identity: &WORLD.bare, request: None, resource_name: None, operation: None, ..facts };
    let _ = ask(&condition, &nothing);
});

fn of_alice() -> Facts<'static> {
    Facts {
        identity: &WORLD.alice,
        request: Some(&WORLD.request),
        origin: Some(b"https://app.example.com"),
        resource: "https://mcp.example.com/mcp",
        resource_name: Some("notes"),
        operation: Some(&WORLD.operation),
        now: UnixTime::from_secs(NOW),
    }
}

/// What it says, which an explanation repeats step by step.
fn ask(condition: &Condition, facts: &Facts<'_>) -> Said {
    let mut fuel = Fuel::for_request();
    let said = condition.evaluate(facts, &mut fuel);
    assert!(fuel.spent() <= Fuel::PER_REQUEST);
    assert_ne!(said, Err(Trouble::Panicked));
    assert!(said != Err(Trouble::Exhausted) || fuel.spent() == Fuel::PER_REQUEST);
    let explained = condition.explain(facts);
    assert_eq!((explained.outcome, explained.steps), (said, fuel.spent()));
    assert_eq!(explained.source, condition.source());
    said
}

/// Forms that mean the same, or the contrary. A form may be too deep or too long, and the longer one may run out of steps.
fn agrees_with_its_forms(source: &str, facts: &Facts<'_>, said: Said) {
    // The end of the line ends a comment.
    for (before, after, negates) in [
        ("(", "\n)", false),
        ("!(", "\n)", true),
        ("!!(", "\n)", false),
        ("true && (", "\n)", false),
        ("(", "\n) || false", false),
        ("(", "\n) ? true : false", false),
        ("(", "\n) ? false : true", true),
        ("[true].all(y_, (", "\n))", false),
        ("[1, 2].exists(y_, y_ == 2 && (", "\n))", false),
    ] {
        let form = format!("{before}{source}{after}");
        let Ok(condition) = Condition::parse(&form) else { continue };
        let formed = ask(&condition, facts);
        if said != Err(Trouble::Exhausted) && formed != Err(Trouble::Exhausted) {
            assert_eq!(formed, said.map(|said| said != negates), "{form}");
        }
    }
}

/// Identities keep claims, and bodies are read for arguments, only where a condition says that it looks at them.
fn does_not_use_what_it_does_not_name(condition: &Condition, facts: &Facts<'_>, said: Said) {
    let operation = &WORLD.operation;
    let named = || Operation::new(operation.method().to_owned(), operation.name().map(|name| name.to_owned().into()));
    let (without_params, without_arguments) =
        (named().with_arguments(operation.arguments().cloned()), named().with_params(operation.params().to_vec()));
    for (uses, less) in [
        (condition.uses_claims(), Facts { identity: &WORLD.unkept, ..*facts }),
        (condition.uses_operation(), Facts { operation: None, ..*facts }),
        (condition.uses_params(), Facts { operation: Some(&without_params), ..*facts }),
        (condition.uses_arguments(), Facts { operation: Some(&without_arguments), ..*facts }),
    ] {
        assert!(uses || ask(condition, &less) == said, "{}", condition.source());
    }
}
