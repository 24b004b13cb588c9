//! What a person approved for good: one record per person, client, host of the redirect URI, and resource.

use serde::{Deserialize, Serialize};

use super::pending::{AuthorizationRequest, Resumed};
use super::{AuthorizationServer, OAuthError};
use crate::domain::{Person, ScopeSet, SecretHash, UnixTime};
use crate::store::{self, Stored, Table, Transaction};

/// An approval that counts for the next time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RememberedConsent {
    /// The name that was shown: a client that calls itself something else must ask again.
    client_name: Option<String>,
    scopes: ScopeSet,
}

impl Stored for RememberedConsent {
    const TABLE: Table = Table::RememberedConsents;
}

/// Most records of one person and client that are forgotten at once.
const MANY: usize = 100;

/// Hashes, because the names hold whatever they like and may be long.
fn prefix(person: &str, client: &str) -> String {
    format!("{}/{}/", SecretHash::of(person).as_str(), SecretHash::of(client).as_str())
}

fn key(person: &str, request: &AuthorizationRequest) -> String {
    let place = format!("{} {}", request.return_to.host(), request.resource);
    format!("{}{}", prefix(person, &request.client), SecretHash::of(&place).as_str())
}

impl AuthorizationServer {
    /// Whether `person` approved all of this before.
    pub(super) async fn remembers(
        &self,
        person: &Person,
        request: &AuthorizationRequest,
        resumed: &Resumed<'_>,
        now: UnixTime,
    ) -> Result<bool, OAuthError> {
        if self.settings.remember_consent.is_none() || request.always_ask || !request.return_to.names_its_owner() {
            return Ok(false);
        }
        let key = key(&person.subject_claim(), request);
        let found = store::read::<RememberedConsent>(&*self.store, &key, now).await?;
        Ok(found.is_some_and(|found| {
            found.value.client_name == resumed.client.name && found.value.scopes.contains_all(&resumed.scopes)
        }))
    }

    /// What of it `person` approved before, for the page that asks for the rest.
    pub(super) async fn remembered_scopes(
        &self,
        person: &Person,
        request: &AuthorizationRequest,
        resumed: &Resumed<'_>,
        now: UnixTime,
    ) -> Result<ScopeSet, OAuthError> {
        if self.settings.remember_consent.is_none() || !request.return_to.names_its_owner() {
            return Ok(ScopeSet::default());
        }
        let key = key(&person.subject_claim(), request);
        let found = store::read::<RememberedConsent>(&*self.store, &key, now).await?;
        let same = found.filter(|found| found.value.client_name == resumed.client.name);
        Ok(same.map(|found| found.value.scopes).unwrap_or_default())
    }

    /// Adds the approval to a transaction, where the operator allows it and only one party can receive the answer.
    pub(super) fn remember(
        &self,
        transaction: Transaction,
        person: &Person,
        request: &AuthorizationRequest,
        resumed: &Resumed<'_>,
        now: UnixTime,
    ) -> Transaction {
        let Some(lifetime) = self.settings.remember_consent.filter(|_| request.return_to.names_its_owner()) else {
            return transaction;
        };
        let consent = RememberedConsent { client_name: resumed.client.name.clone(), scopes: resumed.scopes.clone() };
        transaction.replace(&key(&person.subject_claim(), request), &consent, Some(now.plus(lifetime)))
    }

    /// Adds the end of everything that `person` approved for `client`.
    pub(super) async fn forget(
        &self,
        transaction: Transaction,
        person: &str,
        client: &str,
        now: UnixTime,
    ) -> Result<Transaction, OAuthError> {
        let prefix = prefix(person, client);
        let found = store::list::<RememberedConsent>(&*self.store, &prefix, None, MANY, now).await?;
        Ok(found.iter().fold(transaction, |transaction, (key, _)| transaction.delete::<RememberedConsent>(key)))
    }
}
