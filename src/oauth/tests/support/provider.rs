//! An identity provider that does what a test says.

use std::future::Future;
use std::sync::Mutex;

use async_trait::async_trait;
use url::Url;

use super::stores::Hook;
use crate::domain::{Email, Person, Secret, UnixTime};
use crate::idp::{Callback, IdentityProvider, IdpError, SignInStart, SignedIn};

/// Somebody at `provider`.
pub(crate) fn person(provider: &str, name: &str) -> Person {
    Person {
        provider: provider.into(),
        subject: format!("{name}-1"),
        email: Email::parse(&format!("{name}@example.com")),
        email_verified: true,
        user_name: Some(name.into()),
        name: None,
        groups: Vec::new(),
    }
}

/// The one whom the test resources know.
pub(crate) fn alice() -> Person {
    person("test", "alice")
}

/// What the provider does next.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// Who signs in, and is vouched for when asked again.
    pub(crate) person: Person,
    /// Its present refresh token.
    pub(crate) refresh_token: Option<String>,
    /// Gives a new refresh token each time it is asked, and ends the family when an old one is shown.
    pub(crate) rotates: bool,
    /// Fails to say where to send the browser.
    pub(crate) fails_to_start: Option<IdpError>,
    /// Fails to redeem a code.
    pub(crate) fails_to_redeem: Option<IdpError>,
    /// Fails when asked again.
    pub(crate) fails_again: Option<IdpError>,
    /// How often a code was redeemed.
    pub(crate) redeemed: usize,
    /// How often it was asked again.
    pub(crate) asked: usize,
}

/// The provider.
pub(crate) struct TestProvider {
    name: &'static str,
    label: String,
    script: Mutex<Script>,
    /// Runs once, when the provider is asked again and before it answers.
    before_answer: Mutex<Option<Hook>>,
}

impl TestProvider {
    pub(crate) const CODE: &'static str = "code-of-the-provider";

    pub(crate) fn new(name: &'static str) -> Self {
        let script = Script {
            person: person(name, "alice"),
            refresh_token: None,
            rotates: false,
            fails_to_start: None,
            fails_to_redeem: None,
            fails_again: None,
            redeemed: 0,
            asked: 0,
        };
        Self { name, label: format!("The {name}"), script: Mutex::new(script), before_answer: Mutex::new(None) }
    }

    pub(crate) fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.script.lock().unwrap())
    }

    /// Before the next answer to being asked again, `happens`.
    pub(crate) fn before_answer<F: Future<Output = ()> + Send + 'static>(
        &self,
        happens: impl FnOnce() -> F + Send + 'static,
    ) {
        *self.before_answer.lock().unwrap() = Some(Box::new(|| Box::pin(happens())));
    }

    fn lost(rotates: bool) -> IdpError {
        IdpError::Refused(if rotates { "a refresh token was used twice" } else { "invalid_grant" }.into())
    }
}

impl std::fmt::Debug for TestProvider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "TestProvider({})", self.name)
    }
}

#[async_trait]
impl IdentityProvider for TestProvider {
    fn name(&self) -> &str {
        self.name
    }

    fn label(&self) -> &str {
        &self.label
    }

    async fn authorization_url(&self, start: &SignInStart) -> Result<Url, IdpError> {
        if let Some(error) = self.script(|script| script.fails_to_start.clone()) {
            return Err(error);
        }
        let mut url = Url::parse("https://idp.example.com/authorize").unwrap();
        url.query_pairs_mut()
            .append_pair("state", start.state.expose())
            .append_pair("nonce", start.nonce.expose())
            .append_pair("redirect_uri", &start.redirect_uri)
            .append_pair("prompt", if start.choose_account { "select_account" } else { "none" });
        if start.sign_in_anew {
            url.query_pairs_mut().append_pair("anew", "yes");
        }
        if let Some(hint) = &start.login_hint {
            url.query_pairs_mut().append_pair("login_hint", hint);
        }
        Ok(url)
    }

    async fn redeem(&self, callback: Callback, _now: UnixTime) -> Result<SignedIn, IdpError> {
        tokio::task::yield_now().await;
        self.script(|script| {
            script.redeemed += 1;
            if let Some(error) = script.fails_to_redeem.clone() {
                return Err(error);
            }
            if callback.code.expose() != Self::CODE {
                return Err(IdpError::Refused("invalid_grant".into()));
            }
            assert!(callback.start.nonce.expose().len() == 43 && callback.start.code_verifier.expose().len() == 43);
            let refresh_token = script.refresh_token.clone().map(Secret::new);
            Ok(SignedIn { person: script.person.clone(), refresh_token })
        })
    }

    async fn ask_again(&self, person: &Person, token: &Secret, _now: UnixTime) -> Result<SignedIn, IdpError> {
        tokio::task::yield_now().await;
        let hook = self.before_answer.lock().unwrap().take();
        if let Some(happens) = hook {
            happens().await;
        }
        self.script(|script| {
            script.asked += 1;
            assert_eq!(person.provider, self.name);
            if let Some(error) = script.fails_again.clone() {
                return Err(error);
            }
            if script.refresh_token.as_deref() != Some(token.expose()) {
                script.refresh_token = None;
                return Err(Self::lost(script.rotates));
            }
            if script.rotates {
                script.refresh_token = Some(format!("upstream-{}", script.asked));
            }
            let rotated = script.refresh_token.clone().filter(|_| script.rotates).map(Secret::new);
            Ok(SignedIn { person: script.person.clone(), refresh_token: rotated })
        })
    }
}
