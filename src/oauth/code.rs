//! The authorization code as a record: issued, then redeemed, and never issued again.

use serde::{Deserialize, Serialize};

use crate::domain::{Person, ScopeSet, UnixTime};
use crate::store::{Stored, Table};

/// A code, stored under its hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Code {
    /// Good for one redemption, until the record expires.
    Issued(Box<IssuedCode>),
    /// Used. Whoever shows it again has it from somewhere (RFC 6749 §4.1.2), so the grant ends.
    Redeemed {
        /// The grant that came of it.
        grant: String,
    },
    /// Shown by another client than it was issued to.
    Spoiled,
}

impl Code {
    /// Scanners find leaks by it.
    pub(super) const PREFIX: &'static str = "mfo_";
    /// Seconds for which a used code is still known. Longer than any code lives (RFC 6749 §4.1.2 says ten minutes).
    pub(super) const KNOWN_AFTER_USE: std::time::Duration = std::time::Duration::from_secs(600);
}

/// What a code stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IssuedCode {
    pub(super) client: String,
    pub(super) client_name: Option<String>,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) resource: String,
    pub(super) scopes: ScopeSet,
    pub(super) person: Person,
    pub(super) signed_in_at: UnixTime,
    /// The provider's refresh token, sealed for the person.
    pub(super) upstream: Option<String>,
    /// The thumbprint of the only key that may redeem it, if the client named one.
    #[serde(default)]
    pub(super) dpop_jkt: Option<String>,
}

impl Stored for Code {
    const TABLE: Table = Table::Codes;
}
