//! Readers in the field that take two different keys for one, each written as the reader does it.

use serde_json::{Map, Value};

type Reader = fn(&str) -> String;

/// Each tells what it compares instead of the key.
const READERS: [Reader; 4] = [str::to_lowercase, str::to_uppercase, by_characters, up_to_nul];

/// Java's `equalsIgnoreCase`: character by character, in capitals and then in small letters. Only mappings to one
/// character count.
fn by_characters(key: &str) -> String {
    let one = |mut mapped: Box<dyn Iterator<Item = char>>, other: char| match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        _ => other,
    };
    let capital = |char: char| one(Box::new(char.to_uppercase()), char);
    let small = |char: char| if char == '\u{130}' { 'i' } else { one(Box::new(char.to_lowercase()), char) };
    key.chars().map(|char| small(capital(char))).collect()
}

/// C: what follows a NUL is not there.
fn up_to_nul(key: &str) -> String {
    key.split('\0').next().unwrap_or_default().to_owned()
}

/// Control characters and white space around a key are dropped by some of them; none takes more for one if it does not.
fn trimmed(key: &str) -> &str {
    key.trim_matches(|char: char| char.is_control() || char.is_whitespace())
}

/// Whether one of the readers takes the keys for the same.
pub fn same(left: &str, right: &str) -> bool {
    let (left, right) = (trimmed(left), trimmed(right));
    READERS.iter().any(|reader| reader(left) == reader(right))
}

/// Two keys of one object somewhere in `value` that a reader takes for the same.
pub fn lookalikes(value: &Value) -> Option<(String, String)> {
    match value {
        Value::Array(items) => items.iter().find_map(lookalikes),
        Value::Object(members) => in_object(members).or_else(|| members.values().find_map(lookalikes)),
        _ => None,
    }
}

/// As many comparisons as pairs, so only for objects of a size that fuzzing makes.
fn in_object(members: &Map<String, Value>) -> Option<(String, String)> {
    let keys: Vec<&String> = members.keys().collect();
    for (place, left) in keys.iter().enumerate() {
        for right in &keys[place + 1..] {
            if same(left, right) {
                return Some(((*left).clone(), (*right).clone()));
            }
        }
    }
    None
}

/// A key of `members` that is none of `known`, and that a reader takes for one of them.
pub fn stands_for<'m>(members: &'m Map<String, Value>, known: &[&str]) -> Option<&'m str> {
    let other = |key: &&String| !known.contains(&key.as_str()) && known.iter().any(|known| same(key, known));
    members.keys().find(other).map(String::as_str)
}
