//! Another implementation of CEL as the oracle: what both take for a condition, both must say the same of. It has no bound
//! on its work, so it stays in tests.

use cel::objects::Key;
use cel::{Context, Program, Value};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::super::{Condition, Fuel};
use super::hostile::expressions;
use super::{ask, claims, identity, language};

/// Numbers as we read them: whole ones with a sign.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().map(value).collect::<Vec<_>>().into(),
        Json::Object(members) => {
            let members = members.iter().map(|(name, member)| (Key::from(name.as_str()), value(member)));
            members.collect::<std::collections::HashMap<_, _>>().into()
        }
    }
}

/// `None` for what the oracle cannot read, has trouble with, or does not take for a truth.
fn oracle_says(source: &str) -> Option<bool> {
    let program = Program::compile(source).ok()?;
    let claims = claims();
    let words = |name: &str| Json::from(claims[name].as_str().unwrap().split(' ').collect::<Vec<_>>());
    let facts = serde_json::json!({
        "identity": {
            "issuer": claims["iss"], "subject": claims["sub"], "client": claims["client_id"], "email": claims["email"],
            "user_name": claims["preferred_username"], "groups": claims["groups"], "scopes": words("scope"),
            "claims": claims,
        },
        "request": {"method": "POST", "scheme": "https", "host": "mcp.example.com", "path": "/mcp/x"},
        "resource": {"url": "https://mcp.example.com/mcp", "name": "notes"},
        "operation": {
            "method": "tools/call", "name": "alice/read", "params": {"tenant": "red"},
            "arguments": {"path": "/home/alice/x", "size": 10, "deep": {"list": [1]}},
        },
    });
    let mut context = Context::default();
    for (name, fact) in facts.as_object().unwrap() {
        context.add_variable_from_value(name.as_str(), value(fact));
    }
    match program.execute(&context) {
        Ok(Value::Bool(said)) => Some(said),
        _ => None,
    }
}

/// What the oracle lacks or reads otherwise: moments are a feature of it that is not compiled in, patterns as well; of
/// whole numbers above 64 bits it has its own idea. Its loops go over the keys of objects, too, and ours over lists only.
fn is_shared(source: &str) -> bool {
    const OURS: [&str; 9] =
        ["now", "timestamp", "duration", ".get", "expires_at", "matches", "lowerAscii", "huge", "origin"];
    const LOOPS: [&str; 4] = [".all(", ".exists", ".filter(", ".map("];
    let loops_over_an_object = source.contains("address") && LOOPS.iter().any(|name| source.contains(name));
    !loops_over_an_object && !OURS.iter().any(|ours| source.contains(ours))
}

fn agrees(source: &str) -> Result<(), String> {
    let Ok(condition) = Condition::parse(source) else { return Ok(()) };
    let ours = ask(&condition, &identity(&claims()), &mut Fuel::for_request()).ok();
    let oracle = oracle_says(source);
    if ours == oracle { Ok(()) } else { Err(format!("{source}: ours {ours:?}, the oracle's {oracle:?}")) }
}

#[test]
fn the_tables_of_the_language_are_those_of_another_implementation() {
    let sources: Vec<&str> = language::sources().into_iter().filter(|source| is_shared(source)).collect();
    assert!(sources.len() > 60, "{}", sources.len());
    let wrong: Vec<_> = sources.into_iter().filter_map(|source| agrees(source).err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn random_conditions_say_what_another_implementation_says(source in expressions()) {
        let source = format!("identity.user_name == 'alice' && {source}");
        if is_shared(&source) {
            let agreed = agrees(&source);
            prop_assert!(agreed.is_ok(), "{}", agreed.unwrap_err());
        }
    }
}
