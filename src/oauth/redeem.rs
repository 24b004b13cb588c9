//! Code for tokens (RFC 6749 §4.1.3, OAuth 2.1 §4.1.3). The use of the code, the grant, its first refresh token and
//! the index are one transaction: a code cannot be used twice, whatever else runs or dies at that moment.

use super::code::{Code, IssuedCode};
use super::grant::{self, Grant, GrantEnd, GrantState};
use super::possession::require_key;
use super::reassurance::require_admitted;
use super::refresh_token::RefreshToken;
use super::resources::invalid_target;
use super::token::seconds_until;
use super::{
    AuthorizationServer, BROWSER, Client, GrantType, OAuthError, Parameters, TokenAnswer, authorization_server, pkce,
};
use crate::authn::Thumbprint;
use crate::authz::Matched;
use crate::domain::{SecretHash, UnixTime, opaque};
use crate::store::{self, Outcome, Transaction, Versioned};

impl AuthorizationServer {
    pub(super) async fn redeem_code(
        &self,
        form: &Parameters,
        client: &Client,
        proven: Option<Thumbprint>,
        now: UnixTime,
    ) -> Result<TokenAnswer, OAuthError> {
        let key = SecretHash::of(form.required("code")?);
        for _ in 0..Self::ATTEMPTS {
            let found = store::read::<Code>(&*self.store, key.as_str(), now).await?;
            let Versioned { value, version, .. } = found.ok_or_else(unknown_code)?;
            let issued = match value {
                Code::Spoiled => return Err(unknown_code()),
                Code::Redeemed { grant } => {
                    tracing::warn!(client = client.id, grant, "a code was used twice; the grant ends");
                    self.end_grant(&grant, GrantEnd::Replay, now).await?;
                    return Err(OAuthError::invalid_grant("the code was used already"));
                }
                Code::Issued(issued) => issued,
            };
            let outcome = if issued.client == client.id {
                require_key(issued.dpop_jkt.as_deref(), proven)?;
                let matched = self.check_redemption(form, &issued)?;
                let past = self.past_barriers(&issued, version, now).await?;
                let (redeemed, answer) =
                    self.first_tokens(past, (key.as_str(), version), *issued, (client, proven), &matched, now)?;
                match redeemed.commit(&*self.store, now).await? {
                    Outcome::Committed => {
                        self.note_use(client, now).await;
                        return Ok(answer);
                    }
                    Outcome::Conflict => Outcome::Conflict,
                }
            } else {
                // It got out: nobody is to use it any more (RFC 9700 §4.5).
                let spoilt = Transaction::new().update(key.as_str(), version, &Code::Spoiled, Some(known_until(now)));
                spoilt.commit(&*self.store, now).await?
            };
            if outcome == Outcome::Committed {
                return Err(OAuthError::invalid_grant("the code belongs to another client"));
            }
        }
        Err(authorization_server::busy())
    }

    /// `redirect_uri` is compared when it is sent; OAuth 2.1 does not ask for it any more.
    fn check_redemption(&self, form: &Parameters, issued: &IssuedCode) -> Result<Matched<'_>, OAuthError> {
        if form.optional("redirect_uri").is_some_and(|uri| uri != issued.redirect_uri) {
            return Err(OAuthError::invalid_grant("redirect_uri is not the one of the authorization request"));
        }
        if !pkce::fits(form.required("code_verifier")?, &issued.challenge) {
            return Err(OAuthError::invalid_grant("code_verifier does not fit the code_challenge"));
        }
        self.require_same_resource(form, &issued.resource)?;
        let matched = self.resource(&issued.resource);
        let matched = matched.ok_or_else(|| invalid_target("the resource is protected no more"))?;
        require_admitted(&issued.person, &issued.client, &matched)?;
        Ok(matched)
    }

    fn first_tokens(
        &self,
        past: Transaction,
        (key, version): (&str, u64),
        issued: IssuedCode,
        (client, proven): (&Client, Option<Thumbprint>),
        matched: &Matched<'_>,
        now: UnixTime,
    ) -> Result<(Transaction, TokenAnswer), OAuthError> {
        let id = opaque::new_id(&*self.random)?;
        let refreshes = client.grant_types.contains(&GrantType::RefreshToken);
        let grant = self.new_grant(issued, refreshes, now).bound_to(client, proven);
        let access = self.token_of_grant((&id, &grant), &grant.scopes, matched, proven, now)?;
        let redeemed = Code::Redeemed { grant: id.clone() };
        let redeemed = past.update(key, version, &redeemed, Some(known_until(now)));
        let mut redeemed = grant::create(redeemed, &id, &grant, self.settings.leeway);
        let mut refresh_token = None;
        if refreshes {
            let fresh = opaque::new_secret(RefreshToken::PREFIX, &*self.random)?;
            let live = RefreshToken::live(&id);
            redeemed = redeemed.create(SecretHash::of(fresh.expose()).as_str(), &live, Some(grant.ends_at));
            refresh_token = Some(fresh);
        }
        let expires_in = seconds_until(access.expires_at, now);
        let (access_token, scope, bound) = (access.token, grant.scopes, proven.is_some());
        Ok((redeemed, TokenAnswer { access_token, expires_in, refresh_token, scope, bound }))
    }

    fn new_grant(&self, issued: IssuedCode, refreshes: bool, now: UnixTime) -> Grant {
        let settings = &self.settings;
        let lifetime = match (refreshes, &*issued.client) {
            (_, BROWSER) => settings.session_lifetime,
            (true, _) => settings.refresh_token_lifetime,
            (false, _) => settings.access_token_lifetime,
        };
        Grant {
            client: issued.client,
            client_name: issued.client_name,
            redirect_uri: issued.redirect_uri,
            person: issued.person,
            resource: issued.resource,
            scopes: issued.scopes,
            started_at: now,
            last_used_at: now,
            signed_in_at: issued.signed_in_at,
            ends_at: now.plus(lifetime),
            tokens_until: self.tokens_until(now),
            upstream: issued.upstream.filter(|_| refreshes),
            key: None,
            state: GrantState::Active,
        }
    }

    /// The end of the last token that is issued for a write at `now`: a retried answer holds a later one.
    pub(super) fn tokens_until(&self, now: UnixTime) -> UnixTime {
        now.plus(self.settings.access_token_lifetime).plus(self.settings.retry_window)
    }

    /// A registration that was used is kept. If that cannot be written down now, the next refresh will.
    pub(super) async fn note_use(&self, client: &Client, now: UnixTime) {
        if let Err(error) = self.clients.note_use(client, now).await {
            tracing::warn!(client = client.id, %error, cause = error.cause, "the use of a client was not noted");
        }
    }
}

fn known_until(now: UnixTime) -> UnixTime {
    now.plus(Code::KNOWN_AFTER_USE)
}

fn unknown_code() -> OAuthError {
    OAuthError::invalid_grant("the code is unknown or has expired")
}
