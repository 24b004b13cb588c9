//! What ends together with grants: codes that were issued before and wait to be redeemed. They are found by nobody, as
//! only their hashes are kept; so whoever ends grants raises a barrier, and a code from before it is worth nothing.

use serde::{Deserialize, Serialize};

use super::code::IssuedCode;
use super::grant::GrantIndex;
use super::{AuthorizationServer, OAuthError, Selection};
use crate::domain::UnixTime;
use crate::store::{self, Outcome, Stored, Table, Transaction};

/// When the grants of a selection were ended last; exists for as long as a code from before could.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Barrier {
    at: UnixTime,
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

impl AuthorizationServer {
    /// From now on no code that was issued before is redeemed. To be done before grants are looked for: a redemption
    /// that was faster has made its grant by then, one that is slower fails.
    pub(super) async fn raise_barrier(&self, selection: Selection<'_>, now: UnixTime) -> Result<(), OAuthError> {
        let end = now.plus(self.settings.code_lifetime).plus(self.settings.leeway);
        let raised = Transaction::new().replace(&key(selection), &Barrier { at: now }, Some(end));
        match raised.commit(&*self.store, now).await? {
            // Nothing is expected of what was there, so there is nothing to be in conflict with.
            Outcome::Committed | Outcome::Conflict => Ok(()),
        }
    }

    /// A transaction that happens only if no barrier is raised meanwhile; an error if one stands before the code.
    pub(super) async fn past_barriers(&self, issued: &IssuedCode, now: UnixTime) -> Result<Transaction, OAuthError> {
        let person = issued.person.subject_claim();
        let selections = [
            Selection::Person(&person),
            Selection::Client(&issued.client),
            Selection::Resource(&issued.resource),
            Selection::All,
        ];
        let mut past = Transaction::new();
        for key in selections.map(key) {
            past = match store::read::<Barrier>(&*self.store, &key, now).await? {
                // Within one second nobody can tell which came first.
                Some(barrier) if issued.signed_in_at <= barrier.value.at => {
                    return Err(OAuthError::invalid_grant("what the code stands for was ended"));
                }
                Some(barrier) => past.require::<Barrier>(&key, barrier.version),
                None => past.require_absent::<Barrier>(&key),
            };
        }
        Ok(past)
    }
}
