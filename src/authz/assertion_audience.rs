//! For whom the signed statement of who calls is made that an upstream may ask for.

use super::Matched;

/// `aud` of the assertions for a resource (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The identifier of the concrete resource.
    Resource,
    /// The name that the operator gave.
    Named(String),
}

impl AssertionAudience {
    /// The audience on the concrete host.
    pub fn of<'a>(&'a self, matched: &'a Matched<'_>) -> &'a str {
        match self {
            Self::Resource => matched.resource_text(),
            Self::Named(name) => name,
        }
    }
}
