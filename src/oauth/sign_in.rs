//! Sending a person to an identity provider. `state`, `nonce` and the proof key are made only now, and sealed: a
//! second click must lead to the same sign-in.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use super::pending::{Consent, Purpose, SignIn, Stage};
use super::problem::{Problem, ProblemKind};
use super::prompt::Wishes;
use super::seal::Purpose as Sealed;
use super::{AuthorizationServer, Browser, ErrorCode, Next, OAuthError};
use crate::domain::{Secret, SecretHash, opaque};
use crate::idp::development::DevelopmentLogin;
use crate::idp::{IdentityProvider, IdpError, SignInStart};

/// What is sealed of a sign-in.
#[derive(Serialize, Deserialize)]
struct Start {
    state: String,
    nonce: String,
    code_verifier: String,
}

/// Where a browser that wants to sign in to our own pages goes.
#[derive(Debug)]
pub struct SignInAnswer {
    /// To the provider, or a page.
    pub next: Next,
    /// The cookie to give to the browser, when it has none.
    pub browser: Option<Secret>,
}

/// Somewhere to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderChoice {
    /// The value of the field.
    pub name: String,
    /// What people call it.
    pub label: String,
}

impl AuthorizationServer {
    /// Signs somebody in to our own pages.
    pub async fn sign_in(&self, provider: Option<&str>, choose_account: bool, browser: Browser<'_>) -> SignInAnswer {
        match self.begin_sign_in(Purpose::Connections, provider, choose_account, browser).await {
            Ok((url, browser)) => SignInAnswer { next: Next::Redirect(url.into()), browser },
            Err(problem) => SignInAnswer { next: Next::Page(problem), browser: None },
        }
    }

    /// Parks a flow that needs no consent, and begins its sign-in.
    pub(super) async fn begin_sign_in(
        &self,
        purpose: Purpose,
        provider: Option<&str>,
        choose_account: bool,
        browser: Browser<'_>,
    ) -> Result<(Url, Option<Secret>), Problem> {
        let provider = self.provider(provider).ok_or(ProblemKind::BadLink)?;
        let mut start = None;
        let stage = |id: &str| {
            let wishes = Wishes { choose_account, ..Wishes::default() };
            let (sign_in, started) = self.new_sign_in(id, &**provider, &wishes, Consent::Given)?;
            start = Some(started);
            Ok(Stage::AwaitingSignIn(sign_in))
        };
        let (_, cookie) = self.park_for(purpose, stage, browser, self.clock.now()).await?;
        let start = start.ok_or(ProblemKind::Unavailable)?;
        Ok((provider.authorization_url(&start).await?, cookie))
    }

    /// The provider `name`; without a name the only one.
    pub(super) fn provider(&self, name: Option<&str>) -> Option<&Arc<dyn IdentityProvider>> {
        match (name, self.providers.as_slice()) {
            (Some(name), providers) => providers.iter().find(|provider| provider.name() == name),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// What people call the provider `name`.
    pub(super) fn label(&self, name: &str) -> String {
        self.provider(Some(name)).map_or_else(String::new, |provider| provider.label().to_owned())
    }

    /// What people call the provider `name`; without a name the only one.
    pub fn provider_label(&self, name: Option<&str>) -> Option<String> {
        self.provider(name).map(|provider| provider.label().to_owned())
    }

    /// The development login, where there is one.
    pub fn development_login(&self) -> Option<&DevelopmentLogin> {
        self.providers.iter().find_map(|provider| provider.development_login())
    }

    /// Where one can sign in.
    pub fn provider_choices(&self) -> Vec<ProviderChoice> {
        let choice = |provider: &dyn IdentityProvider| ProviderChoice {
            name: provider.name().to_owned(),
            label: provider.label().to_owned(),
        };
        self.providers.iter().map(|provider| choice(&**provider)).collect()
    }

    /// A fresh sign-in for the flow `id`.
    pub(super) fn new_sign_in(
        &self,
        id: &str,
        provider: &dyn IdentityProvider,
        wishes: &Wishes,
        consent: Consent,
    ) -> Result<(SignIn, SignInStart), OAuthError> {
        let secret = || opaque::new_secret("", &*self.random);
        let text = |secret: Secret| secret.expose().to_owned();
        let start = Start {
            state: format!("{id}.{}", secret()?.expose()),
            nonce: text(secret()?),
            code_verifier: text(secret()?),
        };
        let plain = serde_json::to_vec(&start).map_err(|error| cannot_seal(&error))?;
        let sign_in = SignIn {
            provider: provider.name().to_owned(),
            state: SecretHash::of(&start.state),
            start: self.sealer.seal(Sealed::SignIn, id, &plain).map_err(|error| cannot_seal(&error))?,
            wishes: wishes.clone(),
            consent,
        };
        Ok((sign_in, self.sign_in_start(start, wishes)))
    }

    /// What the sign-in of the flow `id` started with.
    pub(super) fn start_of(&self, id: &str, sign_in: &SignIn) -> Result<SignInStart, OAuthError> {
        let plain = self.sealer.open(Sealed::SignIn, id, &sign_in.start).map_err(|error| cannot_seal(&error))?;
        let start: Start = serde_json::from_slice(&plain).map_err(|error| cannot_seal(&error))?;
        Ok(self.sign_in_start(start, &sign_in.wishes))
    }

    fn sign_in_start(&self, start: Start, wishes: &Wishes) -> SignInStart {
        SignInStart {
            state: Secret::new(start.state),
            nonce: Secret::new(start.nonce),
            code_verifier: Secret::new(start.code_verifier),
            redirect_uri: self.callback_url(),
            choose_account: wishes.choose_account,
            sign_in_anew: wishes.sign_in_anew,
            login_hint: wishes.login_hint.clone(),
        }
    }
}

pub(super) fn cannot_seal(cause: &dyn ToString) -> OAuthError {
    OAuthError::new(ErrorCode::ServerError, "the server cannot read its own records").because(cause)
}

impl From<IdpError> for Problem {
    fn from(error: IdpError) -> Self {
        Self { kind: ProblemKind::ProviderUnavailable, cause: Some(error.to_string()), detail: None }
    }
}
