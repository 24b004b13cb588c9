//! Somebody signed in: may they, and what the client gets then.

use super::callback::{CallbackAnswer, Returned};
use super::code::{Code, IssuedCode};
use super::consent::{Next, not_allowed};
use super::happenings::{SignInEnd, SignInOutcome};
use super::pending::{AuthorizationRequest, Consent, Ending, PendingAuthorization, Purpose, Resumed, Stage, moved};
use super::problem::{Problem, ProblemKind};
use super::resources::admits;
use super::seal::Purpose as Sealed;
use super::sign_in::cannot_seal;
use super::{AuthorizationServer, OAuthError};
use crate::authz::Reason;
use crate::domain::{Email, Person, Secret, SecretHash, UnixTime, opaque};
use crate::idp::SignedIn;
use crate::store::{Outcome, Transaction, Versioned};

type Pending = Versioned<PendingAuthorization>;

impl AuthorizationServer {
    pub(super) async fn admit(
        &self,
        returned: &Returned<'_>,
        signed_in: SignedIn,
        now: UnixTime,
    ) -> Result<CallbackAnswer, Problem> {
        let pending = self.claimed(returned, now).await?;
        let Purpose::Client(request) = &returned.purpose else {
            let done = moved(&returned.id, &pending, Stage::Finished(Ending::Code));
            let session = self.finish(done, returned, &pending, &signed_in.person, now).await?;
            self.note_person(returned, SignInOutcome::OwnPages, &signed_in.person, None);
            return Ok(CallbackAnswer { next: Next::SignedIn, session: Some(session) });
        };
        if returned.sign_in.consent.only_for().is_some_and(|person| person != signed_in.person.subject_claim()) {
            return self.ask_again(returned, &pending, request, now).await;
        }
        let resumed = self.resume(request, now).await?;
        match admits(resumed.matched.policy, &signed_in.person, &resumed.client.id) {
            Err(reason) => self.turn_away(returned, &pending, &resumed, (&signed_in.person, reason), now).await,
            Ok(()) => self.issue_code(returned, &pending, request, &resumed, signed_in, now).await,
        }
    }

    /// The approval was somebody else's: this person has not been asked.
    async fn ask_again(
        &self,
        returned: &Returned<'_>,
        pending: &Pending,
        request: &AuthorizationRequest,
        now: UnixTime,
    ) -> Result<CallbackAnswer, Problem> {
        let request = AuthorizationRequest { always_ask: true, ask_for_all: true, ..request.clone() };
        let asked = PendingAuthorization {
            browser: pending.value.browser.clone(),
            purpose: Purpose::Client(Box::new(request)),
            stage: Stage::AwaitingConsent,
        };
        let write = Transaction::new().update(&returned.id, pending.version, &asked, pending.expires_at);
        committed(write.commit(&*self.store, now).await?)?;
        Ok(Next::Ask { request: returned.id.clone() }.into())
    }

    async fn turn_away(
        &self,
        returned: &Returned<'_>,
        pending: &Pending,
        resumed: &Resumed<'_>,
        (person, reason): (&Person, Reason),
        now: UnixTime,
    ) -> Result<CallbackAnswer, Problem> {
        let email_not_verified = reason == Reason::EmailNotVerified;
        let shown = shown_name(person);
        let provider = returned.sign_in.provider.clone();
        let consent = returned.sign_in.consent.clone();
        let stage = Stage::NotAllowed { provider, person: shown.clone(), email_not_verified, consent };
        committed(self.advance(&returned.id, pending, stage, now).await?)?;
        self.note_person(returned, SignInOutcome::NotAllowed, person, Some(reason.as_str()));
        let page = not_allowed(
            &returned.id,
            returned.browser,
            (shown, self.label(&returned.sign_in.provider), email_not_verified),
            resumed,
        );
        Ok(Next::NotAllowed(Box::new(page)).into())
    }

    /// The end of the flow, the code, the session and what is remembered: one transaction.
    async fn issue_code(
        &self,
        returned: &Returned<'_>,
        pending: &Pending,
        request: &AuthorizationRequest,
        resumed: &Resumed<'_>,
        signed_in: SignedIn,
        now: UnixTime,
    ) -> Result<CallbackAnswer, Problem> {
        let code = opaque::new_secret(Code::PREFIX, &*self.random).map_err(OAuthError::from)?;
        let upstream = self.seal_upstream(&signed_in)?;
        let issued = IssuedCode {
            client: resumed.client.id.clone(),
            client_name: resumed.client.name.clone(),
            redirect_uri: request.return_to.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            resource: resumed.matched.resource_text().to_owned(),
            scopes: resumed.scopes.clone(),
            person: signed_in.person.clone(),
            signed_in_at: now,
            upstream,
            dpop_jkt: request.dpop_jkt.clone(),
        };
        let record = Code::Issued(Box::new(issued));
        let end = now.plus(self.settings.code_lifetime);
        let done = moved(&returned.id, pending, Stage::Finished(Ending::Code));
        let done = done.create(SecretHash::of(code.expose()).as_str(), &record, Some(end));
        let done = match returned.sign_in.consent {
            Consent::Given | Consent::GivenBy { .. } => self.remember(done, &signed_in.person, request, resumed, now),
            Consent::Remembered { .. } => done,
        };
        let session = self.finish(done, returned, pending, &signed_in.person, now).await?;
        self.note_person(returned, SignInOutcome::LetIn, &signed_in.person, None);
        let next = Next::Redirect(request.return_to.with_code(&self.settings.issuer, &code));
        Ok(CallbackAnswer { next, session: Some(session) })
    }

    async fn finish(
        &self,
        done: Transaction,
        returned: &Returned<'_>,
        pending: &Pending,
        person: &Person,
        now: UnixTime,
    ) -> Result<Secret, Problem> {
        let browser = (returned.browser, &pending.value.browser);
        let (done, session) = self.with_session(done, person, browser, now).map_err(OAuthError::from)?;
        committed(done.commit(&*self.store, now).await?)?;
        Ok(session)
    }

    fn note_person(&self, returned: &Returned<'_>, outcome: SignInOutcome, person: &Person, cause: Option<&str>) {
        let provider = Some(&*returned.sign_in.provider);
        self.note_sign_in(&SignInEnd { outcome, purpose: &returned.purpose, provider, person: Some(person), cause });
    }

    /// The provider's refresh token is kept sealed for the person whom it is about.
    pub(super) fn seal_upstream(&self, signed_in: &SignedIn) -> Result<Option<String>, OAuthError> {
        let owner = signed_in.person.subject_claim();
        let seal = |token: &Secret| self.sealer.seal(Sealed::UpstreamToken, &owner, token.expose().as_bytes());
        signed_in.refresh_token.as_ref().map(seal).transpose().map_err(|error| cannot_seal(&error))
    }
}

fn committed(outcome: Outcome) -> Result<(), Problem> {
    match outcome {
        Outcome::Committed => Ok(()),
        Outcome::Conflict => Err(ProblemKind::AnsweredAlready.into()),
    }
}

/// By what a person recognises themselves.
fn shown_name(person: &Person) -> String {
    let email = person.email.as_ref().map(Email::as_str);
    email.or(person.user_name.as_deref()).or(person.name.as_deref()).unwrap_or(&person.subject).to_owned()
}
