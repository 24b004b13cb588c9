//! What is stored: a key by its id, its name while it lives, and when it was used. Never the key itself.

use serde::{Deserialize, Serialize};

use super::Registry;
use crate::authn::ApiKeyFacts;
use crate::domain::{ScopeSet, SecretHash, UnixTime};
use crate::store::{Stored, Table};

/// A key, living or dead.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) hash: SecretHash,
    pub(super) name: String,
    pub(super) resources: Vec<String>,
    pub(super) scopes: ScopeSet,
    pub(super) groups: Vec<String>,
    pub(super) created_at: UnixTime,
    /// Never when absent.
    pub(super) ends_at: Option<UnixTime>,
    pub(super) revoked_at: Option<UnixTime>,
}

impl Stored for Record {
    const TABLE: Table = Table::ApiKeys;
}

impl Record {
    pub(super) const PREFIX: &'static str = "key/";

    pub(super) fn key(id: &str) -> String {
        format!("{}{id}", Self::PREFIX)
    }

    /// From then on it is refused, one way or the other.
    pub(super) fn end(&self) -> Option<UnixTime> {
        [self.ends_at, self.revoked_at].into_iter().flatten().min()
    }

    /// From then on it is not even remembered.
    pub(super) fn forgotten_at(&self) -> Option<UnixTime> {
        self.end().map(|end| end.plus(Registry::REMEMBERED_FOR))
    }

    pub(super) fn into_facts(self, id: String, last_used: Option<UnixTime>) -> ApiKeyFacts {
        ApiKeyFacts {
            id,
            hash: self.hash,
            name: self.name,
            resources: self.resources,
            scopes: self.scopes,
            groups: self.groups,
            expires_at: self.ends_at.unwrap_or(UnixTime::from_secs(u64::MAX)),
            revoked: self.revoked_at.is_some(),
            last_used,
        }
    }
}

/// The id of the living key of a name.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

impl Stored for Named {
    const TABLE: Table = Table::ApiKeys;
}

impl Named {
    pub(super) fn key(name: &str) -> String {
        format!("name/{name}")
    }
}

/// When a key was used last. A record of its own: whatever is written here can bring no revoked key back.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Used {
    pub(super) at: UnixTime,
}

impl Stored for Used {
    const TABLE: Table = Table::ApiKeys;
}

impl Used {
    pub(super) const PREFIX: &'static str = "used/";

    pub(super) fn key(id: &str) -> String {
        format!("{}{id}", Self::PREFIX)
    }
}
