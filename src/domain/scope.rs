//! OAuth scopes (RFC 6749 §3.3).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One scope token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    /// Takes one `scope-token`: visible ASCII without `"` and `\` (RFC 6749 §3.3).
    pub fn parse(text: &str) -> Option<Self> {
        let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        (!text.is_empty() && text.bytes().all(token)).then(|| Self(text.into()))
    }

    /// The scope as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Scopes without order and without repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// Reads a space-separated list; what is no scope token is left out, so it can never grant anything.
    pub fn from_claim(text: &str) -> Self {
        text.split(' ').filter_map(Scope::parse).collect()
    }

    /// Whether `scope` itself is in the set.
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// This set and `others`.
    #[must_use]
    pub fn union<'a>(&self, others: impl IntoIterator<Item = &'a Scope>) -> Self {
        self.0.iter().cloned().chain(others.into_iter().cloned()).collect()
    }

    /// The scopes in ascending order.
    pub fn as_slice(&self) -> &[Scope] {
        &self.0
    }

    /// The scopes that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.iter().filter(|scope| other.contains(scope)).cloned().collect()
    }

    /// The scopes that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.0.iter().filter(|scope| !other.contains(scope)).cloned().collect()
    }

    /// Whether every scope of `other` is in this set.
    pub fn contains_all(&self, other: &Self) -> bool {
        other.0.iter().all(|scope| self.contains(scope))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }
}

/// One text, as the `scope` parameter is written.
impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from_claim(&text))
    }
}

/// Space-separated, as the `scope` parameter is written.
impl fmt::Display for ScopeSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(formatter, "{gap}{scope}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_scope_tokens() {
        for text in ["mcp:read", "https://graph.example/.default", "a", "!#"] {
            assert_eq!(Scope::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a b", "a\"b", "a\\b", "a\r\nb", "\u{e9}", "\u{7f}"] {
            assert_eq!(Scope::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_set_is_sorted_without_repeats_and_prints_as_a_parameter() {
        assert_eq!(ScopeSet::from_claim("b a  b \u{e9} ").to_string(), "a b");
        assert!(ScopeSet::from_claim("").is_empty());
    }
}
