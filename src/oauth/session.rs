//! Who is signed in to our own pages in a browser. It opens no resource and gives out no token: it shows people their
//! connections and spares them a consent they gave before.

use serde::{Deserialize, Serialize};

use super::{AuthorizationServer, Browser, Disconnected, OAuthError};
use crate::domain::{Person, Secret, SecretHash, UnixTime, opaque};
use crate::random::NoRandomness;
use crate::store::{self, Stored, Table, Transaction};

/// A session, stored under the hash of its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Session {
    person: Person,
    /// Whose browser: a session counts in no other.
    browser: SecretHash,
}

impl Stored for Session {
    const TABLE: Table = Table::Sessions;
}

impl AuthorizationServer {
    const SESSION_PREFIX: &'static str = "mfl_";

    /// Who is signed in.
    pub async fn signed_in(&self, browser: Browser<'_>) -> Result<Option<Person>, OAuthError> {
        let Some(secret) = browser.session else { return Ok(None) };
        let key = SecretHash::of(secret);
        let found = store::read::<Session>(&*self.store, key.as_str(), self.clock.now()).await?;
        Ok(found.map(|found| found.value).filter(|session| browser.is(&session.browser)).map(|session| session.person))
    }

    /// Ends the session, if the form came from the page that this browser was shown: nobody else may sign people out.
    pub async fn sign_out(&self, browser: Browser<'_>, csrf: &str) -> Result<Disconnected, OAuthError> {
        let (Some(_), Some(secret)) = (self.signed_in(browser).await?, browser.session) else {
            return Ok(Disconnected::NobodySignedIn);
        };
        if !browser.made_form(Self::CONNECTIONS, csrf) {
            return Ok(Disconnected::ForeignForm);
        }
        let end = Transaction::new().delete::<Session>(SecretHash::of(secret).as_str());
        let _ = end.commit(&*self.store, self.clock.now()).await?;
        Ok(Disconnected::Done)
    }

    /// Adds a fresh session to a transaction; the one before ends with it.
    pub(super) fn with_session(
        &self,
        transaction: Transaction,
        person: &Person,
        browser: (Browser<'_>, &SecretHash),
        now: UnixTime,
    ) -> Result<(Transaction, Secret), NoRandomness> {
        let secret = opaque::new_secret(Self::SESSION_PREFIX, &*self.random)?;
        let session = Session { person: person.clone(), browser: browser.1.clone() };
        let end = now.plus(self.settings.session_lifetime);
        let begun = transaction.create(SecretHash::of(secret.expose()).as_str(), &session, Some(end));
        let transaction = match browser.0.session {
            Some(old) => begun.delete::<Session>(SecretHash::of(old).as_str()),
            None => begun,
        };
        Ok((transaction, secret))
    }
}
