//! E-mail addresses and the patterns that allow them. Case rules live here and nowhere else.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An address in lower case. Local parts are case-sensitive on paper (RFC 5321 §2.4) and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(Box<str>);

impl Email {
    /// Takes `local@domain` with exactly one `@`, without spaces or control characters.
    pub fn parse(text: &str) -> Option<Self> {
        const MAX_LENGTH: usize = 254; // RFC 5321 §4.5.3.1.3
        let (local, domain) = text.split_once('@')?;
        let sound = !local.is_empty()
            && text.len() <= MAX_LENGTH
            && is_domain(domain)
            && !text.chars().any(|char| char.is_whitespace() || char.is_control());
        sound.then(|| Self(text.to_lowercase().into()))
    }

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("no e-mail address"))
    }
}

fn is_domain(domain: &str) -> bool {
    !domain.is_empty() && !domain.contains(['@', '*', ',']) && !domain.starts_with('.') && !domain.ends_with('.')
}

/// An entry of an allowlist: one address, or everybody at one domain (`*@corp.example`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailPattern {
    /// This address.
    Address(Email),
    /// Any address at exactly this domain; subdomains are other domains.
    Domain(Box<str>),
}

impl EmailPattern {
    /// Takes an address or `*@domain`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("*@") {
            Some(domain) if is_domain(domain) && !domain.contains(char::is_whitespace) => {
                Some(Self::Domain(domain.to_lowercase().into()))
            }
            Some(_) => None,
            None if text.contains('*') => None,
            None => Email::parse(text).map(Self::Address),
        }
    }

    /// Whether `email` is meant.
    pub fn matches(&self, email: &Email) -> bool {
        match self {
            Self::Address(address) => address == email,
            Self::Domain(domain) => email.domain() == &**domain,
        }
    }
}

impl fmt::Display for EmailPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::Domain(domain) => write!(formatter, "*@{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, email: &str) -> bool {
        EmailPattern::parse(pattern).unwrap().matches(&Email::parse(email).unwrap())
    }

    #[test]
    fn patterns_ignore_case_and_never_reach_into_subdomains() {
        assert!(allows("Alice@Example.com", "alice@example.COM"));
        assert!(allows("*@Corp.Example", "bob@corp.example"));
        assert!(!allows("*@corp.example", "bob@sub.corp.example"));
        assert!(!allows("*@corp.example", "bob@evilcorp.example"));
        assert!(!allows("alice@example.com", "malice@example.com"));
    }

    #[test]
    fn refuses_what_is_no_address() {
        for text in ["", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a@.b", "a@b.", "a@b,c@d"] {
            assert_eq!(Email::parse(text), None, "{text:?}");
        }
        for text in ["*", "*@", "*a@b", "*@*", "*@a b", "a*@b"] {
            assert_eq!(EmailPattern::parse(text), None, "{text:?}");
        }
    }
}
