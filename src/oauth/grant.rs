//! A grant: what one person let one client do at one resource. Tokens point to it, and end with it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Person, ScopeSet, SecretHash, UnixTime};
use crate::store::{Stored, Table, Transaction};

/// A grant, stored under its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) client_name: Option<String>,
    /// Where the answer went.
    pub(super) redirect_uri: String,
    /// The person as the provider described them last.
    pub(super) person: Person,
    pub(super) resource: String,
    /// Everything that was granted; a token may hold less, which takes nothing away from here (RFC 6749 §6).
    pub(super) scopes: ScopeSet,
    pub(super) started_at: UnixTime,
    pub(super) last_used_at: UnixTime,
    pub(super) signed_in_at: UnixTime,
    /// Nothing is issued from here on.
    pub(super) ends_at: UnixTime,
    /// Every token issued so far has expired by then.
    pub(super) tokens_until: UnixTime,
    /// The provider's refresh token, sealed for the person.
    pub(super) upstream: Option<String>,
    /// The thumbprint of the key that refresh tokens are bound to, if they are.
    #[serde(default)]
    pub(super) key: Option<String>,
    pub(super) state: GrantState,
}

/// Whether it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GrantState {
    /// Tokens are issued.
    Active,
    /// Over. Kept until the last token has expired: whoever issues one must see this first.
    Revoked {
        /// Since when.
        at: UnixTime,
    },
}

/// Why a grant ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GrantEnd {
    /// The operator said so.
    Operator,
    /// The person took it back.
    Person,
    /// The client gave it up (RFC 7009).
    Client,
    /// The client's registration was deleted (RFC 7592 §2.3).
    ClientDeleted,
    /// A code or refresh token was used twice: somebody stole it.
    Replay,
    /// The identity provider or the allowlist says no to the person.
    Refused,
}

impl GrantEnd {
    pub(super) const ALL: [Self; 6] =
        [Self::Operator, Self::Person, Self::Client, Self::ClientDeleted, Self::Replay, Self::Refused];

    /// The word for logs and metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Person => "person",
            Self::Client => "client",
            Self::ClientDeleted => "client_deleted",
            Self::Replay => "replay",
            Self::Refused => "refused",
        }
    }
}

impl Stored for Grant {
    const TABLE: Table = Table::Grants;
}

impl Grant {
    /// Whether tokens may be issued at `now`.
    pub(super) fn stands(&self, now: UnixTime) -> bool {
        self.state == GrantState::Active && now < self.ends_at
    }

    /// The end of the record: nothing that was issued is good any more, whoever's clock is asked.
    pub(super) fn record_end(&self, leeway: Duration) -> UnixTime {
        let end = match self.state {
            GrantState::Active => self.ends_at.max(self.tokens_until),
            GrantState::Revoked { .. } => self.tokens_until,
        };
        end.plus(leeway)
    }
}

/// An entry by which grants are found without looking at all of them: `person/…`, `client/…`, `resource/…`, and
/// `revoked/…` for what a decision must know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct GrantIndex {}

impl Stored for GrantIndex {
    const TABLE: Table = Table::GrantIndex;
}

impl GrantIndex {
    /// Before the ids of revoked grants.
    pub(super) const REVOKED: &'static str = "revoked/";

    /// Before the ids of grants of the person with this `sub`.
    pub(super) fn of_person(subject: &str) -> String {
        Self::of("person", subject)
    }

    /// Before the ids of grants of this client.
    pub(super) fn of_client(client: &str) -> String {
        Self::of("client", client)
    }

    /// Before the ids of grants for this resource.
    pub(super) fn of_resource(resource: &str) -> String {
        Self::of("resource", resource)
    }

    /// A hash: names hold whatever they like, slashes too, and may be long.
    fn of(kind: &str, name: &str) -> String {
        format!("{kind}/{}/", SecretHash::of(name).as_str())
    }

    fn keys(id: &str, grant: &Grant) -> [String; 3] {
        let person = Self::of_person(&grant.person.subject_claim());
        [person, Self::of_client(&grant.client), Self::of_resource(&grant.resource)].map(|prefix| prefix + id)
    }
}

/// Adds a new grant and its index entries to a transaction.
pub(super) fn create(transaction: Transaction, id: &str, grant: &Grant, leeway: Duration) -> Transaction {
    let end = Some(grant.record_end(leeway));
    let created = transaction.create(id, grant, end);
    GrantIndex::keys(id, grant).iter().fold(created, |created, key| created.create(key, &GrantIndex {}, end))
}

/// Adds a change to a grant that may end later than before: its index entries end with it.
pub(super) fn extend(transaction: Transaction, id: &str, version: u64, grant: &Grant, leeway: Duration) -> Transaction {
    let end = Some(grant.record_end(leeway));
    let changed = transaction.update(id, version, grant, end);
    GrantIndex::keys(id, grant).iter().fold(changed, |changed, key| changed.replace(key, &GrantIndex {}, end))
}

/// Adds the end of a grant. Whatever is there is written over: nothing can outrun a revocation, and every later write
/// of a token of this grant fails on the version.
pub(super) fn revoke(transaction: Transaction, id: &str, revoked: &Grant, leeway: Duration) -> Transaction {
    let end = Some(revoked.record_end(leeway));
    let ended = transaction.replace(id, revoked, end);
    let ended = GrantIndex::keys(id, revoked).iter().fold(ended, |ended, key| ended.delete::<GrantIndex>(key));
    ended.replace(&format!("{}{id}", GrantIndex::REVOKED), &GrantIndex {}, end)
}
