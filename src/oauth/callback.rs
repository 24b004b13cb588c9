//! `/callback` (flow step 3): the identity provider sends the person back, and the client gets its code.

use super::consent::Next;
use super::happenings::{SignInEnd, SignInOutcome};
use super::pending::{Ending, PendingAuthorization, Purpose, SignIn, Stage};
use super::problem::{Problem, ProblemKind};
use super::{AuthorizationServer, Browser, ErrorCode, OAuthError, Parameters};
use crate::domain::{Secret, UnixTime};
use crate::idp::{Callback, IdpError, SignedIn};
use crate::store::{Outcome, Versioned};

/// What to do with the browser that came back.
#[derive(Debug)]
pub struct CallbackAnswer {
    /// Where it goes.
    pub next: Next,
    /// The session cookie to give to it, when somebody signed in.
    pub session: Option<Secret>,
}

impl From<Next> for CallbackAnswer {
    fn from(next: Next) -> Self {
        Self { next, session: None }
    }
}

/// The flow that a callback belongs to.
pub(super) struct Returned<'b> {
    pub(super) id: String,
    pub(super) purpose: Purpose,
    pub(super) sign_in: SignIn,
    pub(super) browser: Browser<'b>,
}

impl AuthorizationServer {
    /// Longest `sub`, in bytes (OIDC Core §2).
    const MAX_SUBJECT: usize = 255;

    /// Takes the provider's answer.
    pub async fn callback(&self, parameters: &Parameters, browser: Browser<'_>) -> CallbackAnswer {
        match self.answer_callback(parameters, browser).await {
            Ok(answer) => answer,
            Err(problem) => Next::Page(problem).into(),
        }
    }

    async fn answer_callback(&self, parameters: &Parameters, browser: Browser<'_>) -> Result<CallbackAnswer, Problem> {
        let now = self.clock.now();
        let returned = self.claim(parameters, browser, now).await?;
        let answered = match self.redeem_at_provider(parameters, &returned, now).await {
            Ok(signed_in) => self.admit(&returned, signed_in, now).await,
            Err(error) => self.fail(&returned, error, now).await,
        };
        // From here on there is a client that may be told.
        match (answered, &returned.purpose) {
            (Err(problem), Purpose::Client(request)) if problem.kind == ProblemKind::Unavailable => {
                let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, "the server cannot go on; try again");
                self.note_failure(&returned, SignInOutcome::Unavailable, problem.cause.as_deref());
                Ok(Next::Redirect(request.return_to.with_error(&self.settings.issuer, &error)).into())
            }
            (answered, _) => answered,
        }
    }

    /// Finds the flow by `state` and makes this answer the only one that is ever looked at. The state is
    /// `<flow>.<secret>`; it must come from the browser in which the flow began, or somebody could have a stranger sign
    /// in for them.
    async fn claim<'b>(
        &self,
        parameters: &Parameters,
        browser: Browser<'b>,
        now: UnixTime,
    ) -> Result<Returned<'b>, Problem> {
        let state = parameters.optional("state").ok_or(ProblemKind::BadLink)?;
        let (id, _) = state.split_once('.').ok_or(ProblemKind::BadLink)?;
        let pending = self.pending(id, browser, now).await?;
        let sign_in = match &pending.value.stage {
            Stage::AwaitingSignIn(sign_in) if sign_in.state.fits(state) => sign_in.clone(),
            Stage::AwaitingConsent | Stage::AwaitingSignIn(_) => return Err(ProblemKind::Expired.into()),
            Stage::SigningIn { .. } | Stage::NotAllowed { .. } | Stage::Finished(_) => {
                return Err(ProblemKind::AnsweredAlready.into());
            }
        };
        let claimed = Stage::SigningIn { state: sign_in.state.clone() };
        match self.advance(id, &pending, claimed, now).await? {
            Outcome::Committed => Ok(Returned { id: id.to_owned(), purpose: pending.value.purpose, sign_in, browser }),
            Outcome::Conflict => Err(ProblemKind::AnsweredAlready.into()),
        }
    }

    async fn redeem_at_provider(
        &self,
        parameters: &Parameters,
        returned: &Returned<'_>,
        now: UnixTime,
    ) -> Result<SignedIn, OAuthError> {
        if let Some(error) = parameters.optional("error") {
            return Err(refusal(error));
        }
        let provider = self.provider(Some(&returned.sign_in.provider));
        let provider = provider.ok_or_else(|| OAuthError::new(ErrorCode::ServerError, "no such identity provider"))?;
        let code = parameters.optional("code").ok_or_else(|| IdpError::Untrustworthy("no code".into()))?;
        let callback = Callback {
            code: Secret::new(code),
            iss: parameters.optional("iss").map(ToOwned::to_owned),
            start: self.start_of(&returned.id, &returned.sign_in)?,
        };
        let signed_in = provider.redeem(callback, now).await?;
        let subject = signed_in.person.subject_claim();
        // Such a `sub` would be refused wherever the token goes.
        if subject.len() > Self::MAX_SUBJECT || subject.chars().any(char::is_control) {
            return Err(IdpError::Untrustworthy("the subject is too long or holds control characters".into()).into());
        }
        Ok(signed_in)
    }

    /// The flow as this answer claimed it; gone if the person said no meanwhile, or started over.
    pub(super) async fn claimed(
        &self,
        returned: &Returned<'_>,
        now: UnixTime,
    ) -> Result<Versioned<PendingAuthorization>, Problem> {
        let pending = self.pending(&returned.id, returned.browser, now).await?;
        if let Stage::SigningIn { state } = &pending.value.stage
            && *state == returned.sign_in.state
        {
            return Ok(pending);
        }
        Err(ProblemKind::AnsweredAlready.into())
    }

    /// Nobody signed in. The client is told, and the flow is over.
    async fn fail(&self, returned: &Returned<'_>, error: OAuthError, now: UnixTime) -> Result<CallbackAnswer, Problem> {
        let pending = self.claimed(returned, now).await?;
        let outcome = self.advance(&returned.id, &pending, Stage::Finished(Ending::Failed), now).await?;
        if outcome == Outcome::Conflict {
            return Err(ProblemKind::AnsweredAlready.into());
        }
        let cause = error.cause.as_deref().unwrap_or(&error.description);
        self.note_failure(returned, SignInOutcome::from(&error), Some(cause));
        match &returned.purpose {
            Purpose::Client(request) => {
                Ok(Next::Redirect(request.return_to.with_error(&self.settings.issuer, &error)).into())
            }
            Purpose::Connections => {
                let away = error.code == ErrorCode::TemporarilyUnavailable;
                let kind = if away { ProblemKind::ProviderUnavailable } else { ProblemKind::NotSignedIn };
                Err(Problem { kind, cause: Some(error.to_string()), detail: None })
            }
        }
    }

    fn note_failure(&self, returned: &Returned<'_>, outcome: SignInOutcome, cause: Option<&str>) {
        let provider = Some(&*returned.sign_in.provider);
        self.note_sign_in(&SignInEnd { outcome, purpose: &returned.purpose, provider, person: None, cause });
    }
}

/// The provider's own error (RFC 6749 §4.1.2.1) in our words: its text is not repeated.
fn refusal(error: &str) -> OAuthError {
    let (code, description) = match error {
        "temporarily_unavailable" | "server_error" => {
            (ErrorCode::TemporarilyUnavailable, "the identity provider cannot answer now")
        }
        _ => (ErrorCode::AccessDenied, "nobody signed in at the identity provider"),
    };
    let known = ["access_denied", "login_required", "consent_required", "interaction_required"];
    let cause = known.iter().find(|known| **known == error).copied().unwrap_or("another error of the provider");
    OAuthError::new(code, description).because(&cause)
}
