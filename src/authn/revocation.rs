//! Tokens of our own issuer can be taken back before they expire. Who keeps the list is none of our business here.

use std::fmt::Debug;

/// By what one of our own tokens is taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenIds {
    /// The grant that it was issued under; none for a client's own token.
    pub grant: Option<Box<str>>,
    /// The token itself (RFC 7519 §4.1.7).
    pub jti: Option<Box<str>>,
}

/// Knows what was taken back. Asked on every request with an own token, so it must answer from memory.
pub trait RevokedTokens: Send + Sync + Debug {
    /// Whether the grant or the token was taken back.
    fn is_revoked(&self, ids: &TokenIds) -> bool;
}
