//! `private_key_jwt`: a client proves itself with a JWT that it signed (RFC 7523 §2.2, §3). Asymmetric algorithms only,
//! short-lived, for us alone, and each one once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::client_authentication::refused;
use super::{Client, ClientAuthentication, ClientSettings, Clients, OAuthError};
use crate::authn::claims::{NumericDate, Strings};
use crate::authn::signed::unverified_claims;
use crate::domain::{SecretHash, UnixTime};
use crate::store::{Outcome, Stored, Table, Transaction};

/// An assertion whose claims are in order and whose signature is still to be checked.
#[derive(Debug)]
pub(super) struct Assertion<'a> {
    pub(super) client_id: String,
    token: &'a str,
    id: String,
    usable_until: UnixTime,
}

/// What it must say (RFC 7523 §3, with `jti` required).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Strings,
    exp: NumericDate,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
    jti: String,
}

/// The one claim that tells whose assertion it is.
#[derive(Deserialize)]
struct Subject {
    sub: String,
}

/// An assertion that was used.
#[derive(Debug, Serialize, Deserialize)]
struct UsedAssertion {
    client_id: String,
}

impl Stored for UsedAssertion {
    const TABLE: Table = Table::UsedAssertions;
}

impl<'a> Assertion<'a> {
    const MAX_LENGTH: usize = 16 * 1024;
    const MAX_ID: usize = 256;
    /// Longest time that an assertion may live: so long its `jti` is remembered.
    const MAX_LIFETIME: Duration = Duration::from_secs(5 * 60);
    /// By how much clocks may differ.
    const LEEWAY: Duration = Duration::from_secs(30);

    /// Reads the claims and checks all that needs no key.
    pub(super) fn read(token: &'a str, settings: &ClientSettings, now: UnixTime) -> Result<Self, OAuthError> {
        if token.len() > Self::MAX_LENGTH {
            return Err(refused("the client assertion is too long"));
        }
        let claims: Claims = unverified_claims(token)
            .map_err(|fault| refused("the client assertion cannot be read, or lacks a claim").because(&fault))?;
        if claims.iss != claims.sub || claims.sub.is_empty() {
            return Err(refused("iss and sub of the client assertion must both be the client id"));
        }
        // Every audience is us: an assertion that others take as well could be replayed by them.
        let is_ours = |audience: &String| *audience == settings.issuer || *audience == settings.token_endpoint;
        if claims.aud.0.is_empty() || !claims.aud.0.iter().all(is_ours) {
            return Err(refused("aud of the client assertion must be the issuer or the token endpoint"));
        }
        if claims.jti.is_empty() || claims.jti.len() > Self::MAX_ID {
            return Err(refused("jti of the client assertion is empty or too long"));
        }
        let usable_until = Self::usable_until(&claims, now)?;
        Ok(Self { client_id: claims.sub, token, id: claims.jti, usable_until })
    }

    /// The client that the assertion names; nothing is proven.
    pub(super) fn unverified_client_id(token: &str) -> Option<String> {
        unverified_claims::<Subject>(token).ok().map(|claims| claims.sub)
    }

    fn usable_until(claims: &Claims, now: UnixTime) -> Result<UnixTime, OAuthError> {
        let end = UnixTime::from_secs(claims.exp.0);
        let usable_until = end.plus(Self::LEEWAY);
        if usable_until <= now {
            return Err(refused("the client assertion has expired"));
        }
        if end > now.plus(Self::MAX_LIFETIME).plus(Self::LEEWAY) {
            return Err(refused("the client assertion lives too long: at most five minutes"));
        }
        let in_the_future = |date: &NumericDate| UnixTime::from_secs(date.0) > now.plus(Self::LEEWAY);
        if [&claims.nbf, &claims.iat].into_iter().flatten().any(in_the_future) {
            return Err(refused("the client assertion is not valid yet"));
        }
        Ok(usable_until)
    }
}

impl Clients {
    /// Checks the signature with the keys of `client`, and that the assertion was never used before.
    pub(super) async fn prove(
        &self,
        client: &Client,
        assertion: &Assertion<'_>,
        now: UnixTime,
    ) -> Result<(), OAuthError> {
        let ClientAuthentication::PrivateKeyJwt { jwks, jwks_uri } = &client.authentication else {
            return Err(refused("the client does not prove itself with an assertion"));
        };
        self.keys.verify(jwks.as_deref(), jwks_uri.as_deref(), assertion.token, now).await?;
        // Only now, or anybody could use up what a client has yet to send. The key has a bounded length.
        let key = SecretHash::of(&format!("{}\n{}", client.id, assertion.id));
        let used = UsedAssertion { client_id: client.id.clone() };
        let once = Transaction::new().create(key.as_str(), &used, Some(assertion.usable_until));
        match once.commit(&*self.store, now).await? {
            Outcome::Committed => Ok(()),
            Outcome::Conflict => Err(refused("the client assertion was used before")),
        }
    }
}
