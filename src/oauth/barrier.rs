//! What ends together with grants: codes that were issued before and wait to be redeemed. They are found by nobody, as
//! only their hashes are kept; so whoever ends grants raises a barrier, and a code from before it is worth nothing.

use serde::{Deserialize, Serialize};

use super::code::IssuedCode;
use super::grant::GrantIndex;
use super::oversight::GrantFilter;
use super::{AuthorizationServer, OAuthError, Selection};
use crate::domain::{Person, SecretHash, UnixTime};
use crate::store::{self, Outcome, Stored, Table, Transaction, Versioned};

/// Stands from the last time that the grants of a selection were ended, for as long as a code from before could. Versions
/// of records grow with every transaction, so that of two records the later one is known, within one second as well.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Barrier {
    /// When it was raised. Assertions are no records of ours: they are older if they were issued before.
    #[serde(default)]
    at: Option<UnixTime>,
}

impl Stored for Barrier {
    const TABLE: Table = Table::GrantIndex;
}

/// The index entries of a selection start with the same text, without `ended/`.
fn key(selection: Selection<'_>) -> String {
    let of = match selection {
        Selection::Person(subject) => GrantIndex::of_person(subject),
        Selection::Client(client) => GrantIndex::of_client(client),
        Selection::Resource(resource) => GrantIndex::of_resource(resource),
        Selection::All => "all".to_owned(),
    };
    format!("ended/{of}")
}

/// Whoever goes by a name that an operator may use. Hashed, since it can have any length.
fn called(name: &str) -> String {
    format!("ended/called/{}", SecretHash::of(&name.to_lowercase()).as_str())
}

/// Everything that an operator may call `person`, as [`GrantFilter::user`] has it.
fn names(person: &Person) -> Vec<String> {
    let others = [person.user_name.clone(), person.email.as_ref().map(ToString::to_string)];
    [person.subject_claim(), person.subject.clone()].into_iter().chain(others.into_iter().flatten()).collect()
}

/// Every barrier in the way of what `person` lets `client` do at `resource`.
fn keys(person: &Person, client: &str, resource: &str) -> Vec<String> {
    let subject = person.subject_claim();
    let selections =
        [Selection::Person(&subject), Selection::Client(client), Selection::Resource(resource), Selection::All];
    let mut keys: Vec<String> = names(person).iter().map(|name| called(name)).collect();
    keys.extend(selections.map(key));
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl AuthorizationServer {
    /// From now on no code that was issued before is redeemed. To be done before grants are looked for: a redemption
    /// that was faster has made its grant by then, one that is slower fails. Of a filter only the person is looked at, or
    /// else the selection: some more codes end, and whoever came with one signs in again.
    pub(super) async fn raise_barrier(
        &self,
        selection: Selection<'_>,
        filter: &GrantFilter,
        now: UnixTime,
    ) -> Result<(), OAuthError> {
        let longest = self.settings.code_lifetime.max(self.longest_assertion());
        // Twice: their issuer's clock may be ahead of ours.
        let end = now.plus(longest).plus(self.settings.leeway).plus(self.settings.leeway);
        let key = filter.user.as_ref().map_or_else(|| key(selection), |user| called(user));
        match Transaction::new().replace(&key, &Barrier { at: Some(now) }, Some(end)).commit(&*self.store, now).await? {
            // Nothing is expected of what was there, so there is nothing to be in conflict with.
            Outcome::Committed | Outcome::Conflict => Ok(()),
        }
    }

    /// A transaction that happens only if no barrier is raised meanwhile; an error if one was raised after the code, which
    /// is of `version`, was issued.
    pub(super) async fn past_barriers(
        &self,
        issued: &IssuedCode,
        version: u64,
        now: UnixTime,
    ) -> Result<Transaction, OAuthError> {
        let is_older = |barrier: &Versioned<Barrier>| version < barrier.version;
        self.past(keys(&issued.person, &issued.client, &issued.resource), is_older, now).await
    }

    /// The same for an assertion that was issued at `issued_at` by somebody's clock.
    pub(super) async fn past_barriers_since(
        &self,
        (person, client, resource): (&Person, &str, &str),
        issued_at: UnixTime,
        now: UnixTime,
    ) -> Result<Transaction, OAuthError> {
        let leeway = self.settings.leeway;
        let is_older = |barrier: &Versioned<Barrier>| {
            barrier.value.at.is_some_and(|raised_at| issued_at <= raised_at.plus(leeway))
        };
        self.past(keys(person, client, resource), is_older, now).await
    }

    async fn past(
        &self,
        keys: Vec<String>,
        is_older: impl Fn(&Versioned<Barrier>) -> bool,
        now: UnixTime,
    ) -> Result<Transaction, OAuthError> {
        let mut past = Transaction::new();
        for key in keys {
            past = match store::read::<Barrier>(&*self.store, &key, now).await? {
                Some(barrier) if is_older(&barrier) => {
                    return Err(OAuthError::invalid_grant("what the code or assertion stands for was ended"));
                }
                Some(barrier) => past.require::<Barrier>(&key, barrier.version),
                None => past.require_absent::<Barrier>(&key),
            };
        }
        Ok(past)
    }
}
