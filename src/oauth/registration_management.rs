//! Management of a registration (RFC 7592): `/register/{client_id}` with the registration access token.

use super::client_authentication::credentials_of;
use super::register::read;
use super::{Client, ClientSource, Clients, ErrorCode, OAuthError, Registration};
use crate::domain::{Secret, SecretHash, UnixTime};
use crate::store::{Outcome, Transaction, Versioned};

/// A registration that is gone. Grants that people gave to this client must be revoked by whoever gets this.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the grants of the client are still alive"]
pub struct RevokeGrantsOf {
    /// The client.
    pub client_id: String,
}

impl Clients {
    /// What is registered (RFC 7592 §2.1). The secret is not told again: only its hash is known.
    pub async fn read_registration(
        &self,
        id: &str,
        authorization: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<Registration, OAuthError> {
        let (found, token) = self.managed(id, authorization, now).await?;
        Ok(self.registration(found.value, None, token, None))
    }

    /// Replaces what is registered (RFC 7592 §2.2). The client id, the secret and the token stay; a client that changes
    /// to a secret gets one of our making.
    pub async fn update_registration(
        &self,
        id: &str,
        authorization: Option<&[u8]>,
        body: &[u8],
        now: UnixTime,
    ) -> Result<Registration, OAuthError> {
        let (found, token) = self.managed(id, authorization, now).await?;
        let metadata = read(body)?;
        if metadata.client_id.as_deref() != Some(id) {
            return Err(OAuthError::new(ErrorCode::InvalidClientMetadata, "client_id must be repeated as it is"));
        }
        if metadata.client_secret.as_ref().is_some_and(|presented| !is_secret_of(&found.value, presented)) {
            return Err(OAuthError::new(ErrorCode::InvalidClientMetadata, "a client cannot choose its secret"));
        }
        let wanted = self.wanted(&metadata)?;
        let (authentication, secret) = self.authentication(wanted.method, Some(&found.value.authentication))?;
        let client = Client {
            name: wanted.name,
            redirect_uris: wanted.redirect_uris,
            authentication,
            grant_types: wanted.grant_types,
            // Silence takes no protection away; RFC 7592 §2.2 lets a server ignore what is left out.
            dpop_bound: wanted.dpop_bound.unwrap_or(found.value.dpop_bound),
            ..found.value
        };
        match Transaction::new().update(id, found.version, &client, found.expires_at).commit(&*self.store, now).await? {
            Outcome::Committed => Ok(self.registration(client, secret, token, wanted.scope)),
            Outcome::Conflict => Err(OAuthError::new(
                ErrorCode::TemporarilyUnavailable,
                "the registration was changed at the same moment; try again",
            )),
        }
    }

    /// Removes the registration (RFC 7592 §2.3).
    pub async fn delete_registration(
        &self,
        id: &str,
        authorization: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<RevokeGrantsOf, OAuthError> {
        self.managed(id, authorization, now).await?;
        // Whatever the version: nobody but the holder of the token can want it to stay.
        match Transaction::new().delete::<Client>(id).commit(&*self.store, now).await? {
            Outcome::Committed => Ok(RevokeGrantsOf { client_id: id.to_owned() }),
            Outcome::Conflict => Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, "try again")),
        }
    }

    /// The registration that the token opens. A client that does not exist, was configured or describes itself by a
    /// document is told nothing else than one whose token is wrong (RFC 7592 §2.1).
    async fn managed(
        &self,
        id: &str,
        authorization: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<(Versioned<Client>, Secret), OAuthError> {
        let refused = || OAuthError::new(ErrorCode::InvalidToken, "the registration access token is not valid");
        let token = authorization.and_then(|value| credentials_of("bearer", value)).ok_or_else(refused)?;
        let found = self.registered(id, now).await?;
        let expected = found.as_ref().and_then(|found| match &found.value.source {
            ClientSource::Registration { access_token, .. } => Some(access_token.clone()),
            ClientSource::Configuration { .. } | ClientSource::Document => None,
        });
        let known = expected.is_some();
        // The same work is done for a client that does not exist.
        let fits = expected.unwrap_or_else(|| SecretHash::of("")).fits(token);
        match found {
            Some(found) if known && fits => Ok((found, Secret::new(token))),
            _ => Err(refused()),
        }
    }
}

/// A client may repeat the secret that it has (RFC 7592 §2.2).
fn is_secret_of(client: &Client, presented: &serde_json::Value) -> bool {
    match (&client.authentication, presented.as_str()) {
        (super::ClientAuthentication::Secret { hash, .. }, Some(presented)) => hash.fits(presented),
        _ => false,
    }
}
