//! Refreshing (RFC 6749 §6, OAuth 2.1 §4.3): each refresh asks again whether the person may, and replaces the token.
//! Retries and parallel refreshes within a short window get the same successor; later use of an old token ends the
//! grant.

use super::grant::{Grant, GrantEnd};
use super::possession::require_key;
use super::reassurance::{Reassurance, require_admitted};
use super::refresh_token::{RefreshState, RefreshToken};
use super::resources::{Offer, invalid_target, narrow};
use super::seal::Purpose as Sealed;
use super::sign_in::cannot_seal;
use super::token::seconds_until;
use super::{AuthorizationServer, Client, OAuthError, Parameters, TokenAnswer, authorization_server};
use crate::authn::Thumbprint;
use crate::authz::Matched;
use crate::domain::{ScopeSet, Secret, SecretHash, UnixTime, opaque};
use crate::store::{self, Outcome, Transaction, Versioned};

/// A refresh token with its grant, as read.
pub(super) struct Family {
    pub(super) token: Secret,
    pub(super) record: Versioned<RefreshToken>,
    pub(super) grant: Versioned<Grant>,
}

/// What a refresh is to yield.
struct Wanted<'a> {
    matched: Matched<'a>,
    scopes: ScopeSet,
    /// The key that the client proved.
    proven: Option<Thumbprint>,
}

impl AuthorizationServer {
    pub(super) async fn refresh(
        &self,
        form: &Parameters,
        client: &Client,
        proven: Option<Thumbprint>,
        now: UnixTime,
    ) -> Result<TokenAnswer, OAuthError> {
        let presented = Secret::new(form.required("refresh_token")?);
        let first = self.refresh_token(&presented, now).await?.ok_or_else(unknown_token)?;
        let _turn = self.turns.take(&first.value.grant).await;
        let mut reassurance = None;
        for _ in 0..Self::ATTEMPTS {
            let Some(family) = self.newest(&presented, client, now).await? else { continue };
            require_key(family.grant.value.key.as_deref(), proven)?;
            let wanted = Wanted { proven, ..self.wanted(form, client, &family.grant.value)? };
            let done = if family.token.matches(presented.expose().as_bytes()) {
                let assured = self.reassure(&family, &wanted.matched, reassurance.take(), now).await?;
                let Some(assured) = assured else { continue };
                let done = self.rotate((&family, client), &wanted, &assured, now).await?;
                reassurance = Some(assured);
                done
            } else {
                self.retry(&family, &wanted, now).await?
            };
            if let Some(answer) = done {
                self.note_use(client, now).await;
                return Ok(answer);
            }
        }
        Err(authorization_server::busy())
    }

    /// Follows the chain from `presented` to its end, as long as every step is a retry. `None`: it changed underway.
    async fn newest(&self, presented: &Secret, client: &Client, now: UnixTime) -> Result<Option<Family>, OAuthError> {
        let mut token = presented.clone();
        for _ in 0..Self::ATTEMPTS {
            let record = self.refresh_token(&token, now).await?.ok_or_else(unknown_token)?;
            let id = &record.value.grant;
            let grant = store::read::<Grant>(&*self.store, id, now).await?.ok_or_else(unknown_token)?;
            if grant.value.client != client.id || !grant.value.stands(now) {
                return Err(unknown_token());
            }
            match &record.value.state {
                RefreshState::Live => return Ok(Some(Family { token, record, grant })),
                RefreshState::Rotated { until, .. } if *until <= now => {
                    tracing::warn!(client = client.id, grant = id, "a refresh token was used twice; the grant ends");
                    self.end_grant(id, GrantEnd::Replay, now).await?;
                    return Err(OAuthError::invalid_grant("the refresh token was used already"));
                }
                RefreshState::Rotated { successor, .. } => {
                    let opened = self.sealer.open_under(&token, Sealed::Successor, id, successor);
                    let opened = opened.map_err(|error| cannot_seal(&error))?;
                    token = Secret::new(String::from_utf8(opened).map_err(|error| cannot_seal(&error))?);
                }
            }
        }
        Ok(None)
    }

    pub(super) async fn refresh_token(
        &self,
        token: &Secret,
        now: UnixTime,
    ) -> Result<Option<Versioned<RefreshToken>>, OAuthError> {
        Ok(store::read::<RefreshToken>(&*self.store, SecretHash::of(token.expose()).as_str(), now).await?)
    }

    /// What is asked for is cut to what was granted, and to what is still offered; the grant stays as it is.
    fn wanted(&self, form: &Parameters, client: &Client, grant: &Grant) -> Result<Wanted<'_>, OAuthError> {
        self.require_same_resource(form, &grant.resource)?;
        let matched = self.resource(&grant.resource);
        let matched = matched.ok_or_else(|| invalid_target("the resource is protected no more"))?;
        let available = grant.scopes.intersection(Offer::of(matched.policy, client).available());
        let scopes = narrow(form.optional("scope"), &available)?;
        Ok(Wanted { matched, scopes, proven: None })
    }

    /// Old token, new token and grant in one transaction.
    async fn rotate(
        &self,
        (family, client): (&Family, &Client),
        wanted: &Wanted<'_>,
        assured: &Reassurance,
        now: UnixTime,
    ) -> Result<Option<TokenAnswer>, OAuthError> {
        let id = &family.record.value.grant;
        let grant = Grant {
            person: assured.person.clone(),
            upstream: assured.upstream.clone(),
            last_used_at: now,
            tokens_until: self.tokens_until(now),
            ..family.grant.value.clone()
        }
        .bound_to(client, wanted.proven);
        let fresh = opaque::new_secret(RefreshToken::PREFIX, &*self.random)?;
        let successor = self.sealer.seal_under(&family.token, Sealed::Successor, id, fresh.expose().as_bytes());
        let successor = successor.map_err(|error| cannot_seal(&error))?;
        let until = now.plus(self.settings.retry_window);
        let old = RefreshToken { grant: id.clone(), state: RefreshState::Rotated { successor, until } };
        let answer = self.answer_with(id, &grant, wanted, &fresh, now)?;
        let end = Some(grant.ends_at);
        let rotated = Transaction::new()
            .update(SecretHash::of(family.token.expose()).as_str(), family.record.version, &old, end)
            .create(SecretHash::of(fresh.expose()).as_str(), &RefreshToken::live(id), end)
            .update(id, family.grant.version, &grant, Some(grant.record_end(self.settings.leeway)));
        let outcome = rotated.commit(&*self.store, now).await?;
        Ok((outcome == Outcome::Committed).then_some(answer))
    }

    /// The successor again. Nothing changes, but a revocation in the meantime must still win.
    async fn retry(
        &self,
        family: &Family,
        wanted: &Wanted<'_>,
        now: UnixTime,
    ) -> Result<Option<TokenAnswer>, OAuthError> {
        let id = &family.record.value.grant;
        require_admitted(&family.grant.value.person, &family.grant.value.client, &wanted.matched)?;
        let answer = self.answer_with(id, &family.grant.value, wanted, &family.token, now)?;
        let unchanged = Transaction::new()
            .require::<Grant>(id, family.grant.version)
            .require::<RefreshToken>(SecretHash::of(family.token.expose()).as_str(), family.record.version);
        let outcome = unchanged.commit(&*self.store, now).await?;
        Ok((outcome == Outcome::Committed).then_some(answer))
    }

    fn answer_with(
        &self,
        id: &str,
        grant: &Grant,
        wanted: &Wanted<'_>,
        refresh_token: &Secret,
        now: UnixTime,
    ) -> Result<TokenAnswer, OAuthError> {
        let access = self.token_of_grant((id, grant), &wanted.scopes, &wanted.matched, wanted.proven, now)?;
        Ok(TokenAnswer {
            access_token: access.token,
            expires_in: seconds_until(access.expires_at, now),
            refresh_token: Some(refresh_token.clone()),
            scope: wanted.scopes.clone(),
            bound: wanted.proven.is_some(),
        })
    }
}

fn unknown_token() -> OAuthError {
    OAuthError::invalid_grant("the refresh token is unknown, revoked or has expired")
}
