//! A refresh token as a record: live, then rotated. One chain per grant.

use serde::{Deserialize, Serialize};

use crate::domain::UnixTime;
use crate::store::{Stored, Table};

/// A refresh token, stored under its hash until its grant ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RefreshToken {
    pub(super) grant: String,
    pub(super) state: RefreshState,
}

/// Where it is in its life.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefreshState {
    /// The end of the chain.
    Live,
    /// Used. Shown again before `until`, it is a retry, and is answered with the same successor; later it is a theft,
    /// of this token or of that one (RFC 9700 §4.14.2).
    Rotated {
        /// The next token, sealed under this one.
        successor: String,
        /// Set once; a retry does not move it.
        until: UnixTime,
    },
}

impl Stored for RefreshToken {
    const TABLE: Table = Table::RefreshTokens;
}

impl RefreshToken {
    /// Scanners find leaks by it.
    pub(super) const PREFIX: &'static str = "mfr_";

    /// A fresh token of `grant`.
    pub(super) fn live(grant: &str) -> Self {
        Self { grant: grant.to_owned(), state: RefreshState::Live }
    }
}
