//! From a yes to the identity provider.

use super::consent::Next;
use super::pending::{AuthorizationRequest, Consent, PendingAuthorization, Stage};
use super::problem::{Problem, ProblemKind};
use super::prompt::Wishes;
use super::{AuthorizationServer, Parameters};
use crate::domain::{Person, UnixTime};
use crate::idp::IdentityProvider;
use crate::store::{Outcome, Versioned};

type Pending = Versioned<PendingAuthorization>;

impl AuthorizationServer {
    /// `None`: somebody else changed the flow meanwhile; look again.
    pub(super) async fn approve(
        &self,
        id: &str,
        pending: &Pending,
        request: &AuthorizationRequest,
        (form, consent): (&Parameters, Consent),
        now: UnixTime,
    ) -> Result<Option<Next>, Problem> {
        if let Stage::Finished(_) = pending.value.stage {
            return Err(ProblemKind::AnsweredAlready.into());
        }
        self.resume(request, now).await?;
        let Some(provider) = self.provider(form.optional("provider")) else {
            return Ok(Some(Next::Ask { request: id.to_owned() }));
        };
        // A second click, or a second tab: the same sign-in.
        if let Stage::AwaitingSignIn(running) = &pending.value.stage
            && running.provider == provider.name()
            && running.consent == consent
        {
            let start = self.start_of(id, running)?;
            return Ok(Some(Next::Redirect(provider.authorization_url(&start).await?.into())));
        }
        let url = self.send(id, pending, &**provider, (&request.wishes, consent), now).await?;
        Ok(url.map(Next::Redirect))
    }

    /// The person who signed in may not; perhaps they have another account, at the same provider if they name none.
    pub(super) async fn choose_account(
        &self,
        id: &str,
        pending: &Pending,
        request: &AuthorizationRequest,
        (form, consent): (&Parameters, Consent),
        now: UnixTime,
    ) -> Result<Option<Next>, Problem> {
        let Stage::NotAllowed { provider: tried, consent: theirs, .. } = &pending.value.stage else {
            return self.approve(id, pending, request, (form, consent), now).await;
        };
        self.resume(request, now).await?;
        let name = form.optional("provider").unwrap_or(tried);
        let provider = self.provider(Some(name)).ok_or(ProblemKind::BadLink)?;
        let url = self.send(id, pending, &**provider, (&request.wishes.another_account(), theirs.clone()), now).await?;
        Ok(url.map(Next::Redirect))
    }

    /// Skips the page for a person who approved all of this before.
    pub(super) async fn skip(
        &self,
        id: &str,
        pending: &Pending,
        person: &Person,
        wishes: &Wishes,
        now: UnixTime,
    ) -> Result<Option<String>, Problem> {
        let Some(provider) = self.provider(Some(&person.provider)) else { return Ok(None) };
        let consent = Consent::Remembered { person: person.subject_claim() };
        self.send(id, pending, &**provider, (wishes, consent), now).await
    }

    /// Starts a sign-in. The provider is asked for its address first: if it is away, nothing has happened.
    async fn send(
        &self,
        id: &str,
        pending: &Pending,
        provider: &dyn IdentityProvider,
        (wishes, consent): (&Wishes, Consent),
        now: UnixTime,
    ) -> Result<Option<String>, Problem> {
        let (sign_in, start) = self.new_sign_in(id, provider, wishes, consent)?;
        let url = provider.authorization_url(&start).await?;
        let outcome = self.advance(id, pending, Stage::AwaitingSignIn(sign_in), now).await?;
        Ok((outcome == Outcome::Committed).then(|| url.into()))
    }
}
