//! What a condition looked at, for those who ask why it said what it said.

use super::value::Value;

/// Something that a condition read, and what it found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// As it is written: `identity.claims.department`.
    pub name: String,
    /// What was there, cut; lists and objects are only counted. `None` where nothing was.
    pub value: Option<String>,
}

impl Seen {
    /// What is said of one condition is bounded, however often it reads.
    const MAX: usize = 32;
    const MAX_CHARS: usize = 64;

    /// Adds `name` once.
    pub(super) fn note(seen: &mut Vec<Self>, name: &str, value: Option<&Value<'_>>) {
        if seen.len() < Self::MAX && !seen.iter().any(|known| known.name == name) {
            seen.push(Self { name: name.to_owned(), value: value.map(shown) });
        }
    }
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Text(text) => format!("{:?}", text.chars().take(Seen::MAX_CHARS).collect::<String>()),
        Value::Time(seconds) => format!("{seconds} seconds after 1970"),
        Value::Duration(seconds) => format!("{seconds} seconds"),
        Value::List(items) => format!("a list of {}", items.len()),
        Value::Object(members) => format!("an object of {}", members.len()),
        Value::Params(params) => format!("an object of {}", params.len()),
    }
}
