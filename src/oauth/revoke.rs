//! `/revoke` (RFC 7009), and the end of a grant wherever it comes from.

use super::grant::{self, Grant, GrantEnd, GrantState};
use super::presented_token::PresentedToken;
use super::revocations::RevokedAccessToken;
use super::{AuthorizationServer, OAuthError, Parameters};
use crate::domain::UnixTime;
use crate::store::{self, Transaction};

impl AuthorizationServer {
    /// Takes a token back. A token that nobody knows, or somebody else's, is as good as revoked for who asks
    /// (RFC 7009 §2.2). Whether the person may still use the resource is not asked: they may always give it up.
    pub async fn revoke(&self, form: &Parameters, authorization: Option<&[u8]>) -> Result<(), OAuthError> {
        let now = self.clock.now();
        let client = self.clients.authenticate(form, authorization, now).await?;
        match self.presented_token(form.required("token")?, now).await? {
            Some(PresentedToken::Refresh { id, grant, .. }) if grant.client == client.id => {
                self.end_grant(&id, GrantEnd::Client, now).await?;
                Ok(())
            }
            Some(PresentedToken::Access(identity)) if identity.client() == Some(&client.id) => {
                let jti = identity.own_token().and_then(|ids| ids.jti.as_deref());
                match jti {
                    Some(jti) => self.end_access_token(jti, &client.id, identity.expires_at(), now).await,
                    None => Ok(()),
                }
            }
            Some(PresentedToken::Refresh { .. } | PresentedToken::Access(_)) | None => Ok(()),
        }
    }

    /// This one token; the refresh token stays good (RFC 7009 §2.1 leaves it to us).
    async fn end_access_token(
        &self,
        jti: &str,
        client: &str,
        expires_at: UnixTime,
        now: UnixTime,
    ) -> Result<(), OAuthError> {
        let until = expires_at.plus(self.settings.leeway);
        let record = RevokedAccessToken { client: client.to_owned() };
        let _ = Transaction::new().replace(jti, &record, Some(until)).commit(&*self.store, now).await?;
        self.revocations.note_token(jti, until);
        Ok(())
    }

    /// Ends the grant `id` for good, and forgets what was approved. Says whether it stood until now. It is a barrier:
    /// whatever issues a token of this grant at the same time either came before, and its token is refused, or fails.
    pub(super) async fn end_grant(&self, id: &str, cause: GrantEnd, now: UnixTime) -> Result<bool, OAuthError> {
        let Some(found) = store::read::<Grant>(&*self.store, id, now).await? else { return Ok(false) };
        let stood = found.value.state == GrantState::Active;
        let revoked = Grant {
            state: if stood { GrantState::Revoked { at: now } } else { found.value.state },
            // Somebody may have issued a token since this was read.
            tokens_until: found.value.tokens_until.max(self.tokens_until(now)),
            upstream: None,
            ..found.value
        };
        if stood {
            let ended = grant::revoke(Transaction::new(), id, &revoked, self.settings.leeway);
            let ended = self.forget(ended, &revoked.person.subject_claim(), &revoked.client, now).await?;
            let _ = ended.commit(&*self.store, now).await?;
        }
        self.revocations.note_grants([(id.into(), revoked.record_end(self.settings.leeway))]);
        if stood {
            self.note_grant_end(id, &revoked, cause);
        }
        Ok(stood)
    }
}
