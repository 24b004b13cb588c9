//! Before a refresh: is the person still who they were, and may they still? The allowlist is always asked, the
//! identity provider where it gave us something to ask with.

use super::grant::{Grant, GrantEnd};
use super::refresh::Family;
use super::resources::admits;
use super::seal::Purpose as Sealed;
use super::sign_in::cannot_seal;
use super::{AuthorizationServer, OAuthError};
use crate::authz::Matched;
use crate::domain::{Person, Secret, UnixTime};
use crate::idp::{IdpError, SignedIn};
use crate::store;

/// What is known of the person now.
pub(super) struct Reassurance {
    pub(super) person: Person,
    /// The provider's refresh token, sealed for the person.
    pub(super) upstream: Option<String>,
}

impl AuthorizationServer {
    /// `known` is what was found out for this refresh already: a provider that rotates its tokens is asked once.
    /// `None`: somebody else refreshed this grant meanwhile; look again.
    pub(super) async fn reassure(
        &self,
        family: &Family,
        matched: &Matched<'_>,
        known: Option<Reassurance>,
        now: UnixTime,
    ) -> Result<Option<Reassurance>, OAuthError> {
        let (id, grant) = (&family.record.value.grant, &family.grant.value);
        let assured = match known {
            Some(known) => known,
            None => match self.ask_provider(grant, now).await {
                Ok(assured) => assured,
                Err(Doubt::Ours(error)) => return Err(error),
                Err(Doubt::Gone(cause)) => {
                    let current = store::read::<Grant>(&*self.store, id, now).await?;
                    if current.is_some_and(|current| current.version != family.grant.version) {
                        return Ok(None);
                    }
                    tracing::info!(client = grant.client, grant = id, cause, "the identity provider vouches no more");
                    self.end_grant(id, GrantEnd::Refused, now).await?;
                    let error = OAuthError::invalid_grant("the identity provider vouches for the person no more");
                    return Err(error.because(&cause));
                }
            },
        };
        if let Err(reason) = admits(matched.policy, &assured.person, &grant.client) {
            tracing::info!(client = grant.client, grant = id, %reason, "a person may use the resource no more");
            self.end_grant(id, GrantEnd::Refused, now).await?;
            return Err(OAuthError::invalid_grant("the person may not use the resource").because(&reason));
        }
        Ok(Some(assured))
    }

    /// Without a refresh token of the provider, what it said at sign-in stands. A provider that is no longer configured
    /// vouches for nobody, but the grant is kept: it was perhaps a mistake.
    async fn ask_provider(&self, grant: &Grant, now: UnixTime) -> Result<Reassurance, Doubt> {
        let Some(provider) = self.provider(Some(&grant.person.provider)) else {
            return Err(Doubt::Ours(OAuthError::invalid_grant("the identity provider is used no more")));
        };
        let Some(sealed) = &grant.upstream else {
            return Ok(Reassurance { person: grant.person.clone(), upstream: None });
        };
        let owner = grant.person.subject_claim();
        let token = self.sealer.open(Sealed::UpstreamToken, &owner, sealed).map_err(|error| cannot_seal(&error))?;
        let token = Secret::new(String::from_utf8(token).map_err(|error| cannot_seal(&error))?);
        let vouched = provider.ask_again(&grant.person, &token, now).await?;
        if vouched.person.subject_claim() != owner {
            return Err(Doubt::Gone("the provider speaks of somebody else".into()));
        }
        self.assured(vouched, token, sealed)
    }

    /// What the provider did not replace is kept, under the present master key: an older one is to be forgotten some day.
    fn assured(&self, vouched: SignedIn, token: Secret, sealed: &str) -> Result<Reassurance, Doubt> {
        let keep = vouched.refresh_token.is_none() && self.sealer.is_current(sealed);
        let vouched = SignedIn { refresh_token: vouched.refresh_token.or(Some(token)), ..vouched };
        let upstream = if keep { Some(sealed.to_owned()) } else { self.seal_upstream(&vouched)? };
        Ok(Reassurance { person: vouched.person, upstream })
    }
}

/// The allowlist alone: for a code, and for a retry of what was just asked.
pub(super) fn require_admitted(person: &Person, client: &str, matched: &Matched<'_>) -> Result<(), OAuthError> {
    admits(matched.policy, person, client)
        .map_err(|reason| OAuthError::invalid_grant("the person may not use the resource").because(&reason))
}

/// Why nobody vouches.
enum Doubt {
    /// It cannot be told now: nothing is consumed.
    Ours(OAuthError),
    /// It is final.
    Gone(String),
}

impl From<OAuthError> for Doubt {
    fn from(error: OAuthError) -> Self {
        Self::Ours(error)
    }
}

impl From<IdpError> for Doubt {
    fn from(error: IdpError) -> Self {
        match error {
            IdpError::Refused(cause) => Self::Gone(cause),
            IdpError::Unavailable(_) | IdpError::Untrustworthy(_) => Self::Ours(error.into()),
        }
    }
}
