//! A token of ours that somebody shows to have it revoked or described.

use std::sync::Arc;

use super::grant::Grant;
use super::refresh_token::{RefreshState, RefreshToken};
use super::{AuthorizationServer, OAuthError};
use crate::authn::{Authentication, Credential, Identity};
use crate::domain::{Occurrence, Secret, UnixTime};
use crate::store;

/// A token that is known.
pub(super) enum PresentedToken {
    /// A refresh token, live or not, of a grant that stands or not.
    Refresh { id: String, grant: Box<Grant>, live: bool },
    /// An access token that is good and was not revoked.
    Access(Arc<Identity>),
}

impl AuthorizationServer {
    /// What `token` is, by its form: hints of clients are not needed (RFC 7009 §2.1).
    pub(super) async fn presented_token(
        &self,
        token: &str,
        now: UnixTime,
    ) -> Result<Option<PresentedToken>, OAuthError> {
        if token.starts_with(RefreshToken::PREFIX) {
            return self.presented_refresh_token(token, now).await;
        }
        let mut authentication = self.authenticate(token, now);
        if let Authentication::Undecidable { .. } = authentication {
            // Another replica may have signed it with a key that is news here.
            self.keys.tend(now).await?;
            authentication = self.authenticate(token, now);
        }
        // All keys are known now: one that is not is nobody's.
        Ok(authentication.identity().map(|identity| PresentedToken::Access(Arc::clone(identity))))
    }

    async fn presented_refresh_token(&self, token: &str, now: UnixTime) -> Result<Option<PresentedToken>, OAuthError> {
        let Some(record) = self.refresh_token(&Secret::new(token), now).await? else { return Ok(None) };
        let id = record.value.grant;
        let Some(grant) = store::read::<Grant>(&*self.store, &id, now).await? else { return Ok(None) };
        let live = matches!(record.value.state, RefreshState::Live);
        Ok(Some(PresentedToken::Refresh { id, grant: Box::new(grant.value), live }))
    }

    /// Who presents this access token of ours.
    pub(super) fn authenticate(&self, token: &str, now: UnixTime) -> Authentication {
        let header = format!("Bearer {token}");
        self.own_tokens.authenticate(Credential::from_authorization(Occurrence::Once(header.as_bytes())), now)
    }
}
