//! Any JSON value, looked through for what two readers could see differently, and thrown away.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::BodyFault;

/// A value of no interest, checked all the same.
#[derive(Debug)]
pub(super) struct Ignored;

impl<'de> serde::Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IgnoredVisitor)
    }
}

struct IgnoredVisitor;

impl<'de> Visitor<'de> for IgnoredVisitor {
    type Value = Ignored;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Ignored, E> {
        Ok(Ignored)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Ignored, E> {
        Ok(Ignored)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Ignored, E> {
        Ok(Ignored)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Ignored, E> {
        Ok(Ignored)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Ignored, E> {
        Ok(Ignored)
    }

    fn visit_str<E>(self, _: &str) -> Result<Ignored, E> {
        Ok(Ignored)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ignored, A::Error> {
        while items.next_element::<Ignored>()?.is_some() {}
        Ok(Ignored)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Ignored, A::Error> {
        let mut keys = Keys::default();
        while let Some(key) = members.next_key_seed(Text)? {
            keys.add(key)?;
            members.next_value::<Ignored>()?;
        }
        Ok(Ignored)
    }
}

/// The keys of one object so far. Keyed by a random hash: a client chooses them.
#[derive(Debug, Default)]
pub(super) struct Keys<'de>(HashSet<Cow<'de, str>, foldhash::quality::RandomState>);

impl<'de> Keys<'de> {
    /// Refuses a key that was there before.
    pub(super) fn add<E: Error>(&mut self, key: Cow<'de, str>) -> Result<(), E> {
        if self.0.insert(key) { Ok(()) } else { Err(fault(BodyFault::RepeatedKey)) }
    }
}

/// A string, borrowed where it has no escapes.
pub(super) struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Refuses a key that some reader takes for one of `known`: in another case, with `ſ` for `s` or the Kelvin sign for `k`
/// (Unicode simple case folding, as Go's `encoding/json` does), or with NUL or spaces around it.
pub(super) fn refuse_lookalike<E: Error>(key: &str, known: &[&str]) -> Result<(), E> {
    if known.contains(&key) {
        return Ok(());
    }
    let folded = folded(key);
    let lookalike = known.iter().any(|known| known.chars().flat_map(fold).eq(folded.chars()));
    if lookalike { Err(fault(BodyFault::LookalikeKey)) } else { Ok(()) }
}

/// `key` as careless readers compare it: without case, and without what stands around it.
pub(in crate::mcp) fn folded(key: &str) -> Cow<'_, str> {
    let key = key.trim_matches(|char: char| char.is_control() || char.is_whitespace());
    // Nearly all keys are so already.
    if key.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    Cow::Owned(key.chars().flat_map(fold).collect())
}

fn fold(char: char) -> impl Iterator<Item = char> {
    let char = if char == '\u{17f}' { 's' } else { char };
    char.to_lowercase()
}

/// serde's errors carry text only: the fault travels as its own message.
pub(super) fn fault<E: Error>(fault: BodyFault) -> E {
    E::custom(fault)
}

/// The fault that a reader of ours put into `error`; anything else is no JSON.
pub(super) fn fault_in(error: &serde_json::Error) -> BodyFault {
    const OURS: [BodyFault; 5] =
        [BodyFault::RepeatedKey, BodyFault::LookalikeKey, BodyFault::NotJsonRpc, BodyFault::Nameless, BodyFault::Batch];
    let text = error.to_string();
    OURS.into_iter().find(|fault| text.starts_with(&fault.to_string())).unwrap_or(BodyFault::NotJson)
}
