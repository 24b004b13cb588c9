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

/// Refuses a key that some reader takes for one of `known`: in another case, as Go's `encoding/json` and Java's
/// `equalsIgnoreCase` see it, with NUL or spaces around it, or with NUL and more behind it.
pub(super) fn refuse_lookalike<E: Error>(key: &str, known: &[&str]) -> Result<(), E> {
    if known.contains(&key) {
        return Ok(());
    }
    let folded = folded(key);
    let lookalike = known.iter().any(|known| known.chars().flat_map(fold).eq(folded.chars()));
    if lookalike { Err(fault(BodyFault::LookalikeKey)) } else { Ok(()) }
}

/// `key` as careless readers compare it: without case, without what stands around it, and up to a NUL, where texts of C
/// end.
pub(in crate::mcp) fn folded(key: &str) -> Cow<'_, str> {
    let key = key.trim_matches(|char: char| char.is_control() || char.is_whitespace());
    let key = key.split('\0').next().unwrap_or_default();
    // Nearly all keys are so already.
    if key.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    Cow::Owned(key.chars().flat_map(fold).collect())
}

/// What all characters share that some reader takes for `char`: readers fold to small letters or to capitals, and of
/// some there are two (`ſ` and `s`, `ς` and `σ`, `ß` and `ẞ` and `ss`, the Kelvin sign and `k`). The dot of `İ` is lost to
/// some of them.
fn fold(char: char) -> impl Iterator<Item = char> {
    const COMBINING_DOT: char = '\u{307}';
    let folded = char.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    folded.filter(|char| *char != COMBINING_DOT)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What readers do to a character before they compare it, each in its own way.
    #[test]
    fn whatever_readers_make_of_a_character_folds_as_it_does() {
        let once = |char: char| fold(char).collect::<String>();
        let has_case = |char: &char| !char.to_lowercase().eq([*char]) || !char.to_uppercase().eq([*char]);
        for char in ('\u{1}'..=char::MAX).filter(has_case) {
            let (small, capital) = (char.to_lowercase().collect::<String>(), char.to_uppercase().collect::<String>());
            for same in [&small, &capital, &capital.to_lowercase(), &small.to_uppercase()] {
                assert_eq!(same.chars().flat_map(fold).collect::<String>(), once(char), "{char:?}");
            }
        }
        assert_eq!(["İ", "ı", "ſ", "K", "ς", "ẞ"].map(folded), ["i", "i", "s", "k", "σ", "ss"]);
    }

    #[test]
    fn what_stands_around_a_key_and_behind_a_nul_is_dropped() {
        for key in ["path", " PATH\u{a0}", "\0path\0", "path\0x", "\u{85}path\u{7f}"] {
            assert_eq!(folded(key), "path", "{key:?}");
        }
    }
}
