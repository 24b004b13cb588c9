//! An answer in time or none: each request of a provider has its limit, and all of them together have this one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use url::Url;

use super::development::DevelopmentLogin;
use super::{Callback, IdentityProvider, IdpError, SignInStart, SignedIn};
use crate::domain::{Person, Secret, UnixTime};

/// A provider whose answers are waited for only so long.
#[derive(Debug)]
pub(super) struct InTime(pub(super) Arc<dyn IdentityProvider>);

impl InTime {
    /// Discovery, keys, token and userinfo take two seconds on a bad day; a browser waits for this.
    const LIMIT: Duration = Duration::from_secs(20);

    async fn wait<T>(&self, answer: impl Future<Output = Result<T, IdpError>>) -> Result<T, IdpError> {
        let late = |_| IdpError::Unavailable(format!("{} took too long", self.0.label()));
        timeout(Self::LIMIT, answer).await.map_err(late)?
    }
}

#[async_trait]
impl IdentityProvider for InTime {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn label(&self) -> &str {
        self.0.label()
    }

    async fn authorization_url(&self, start: &SignInStart) -> Result<Url, IdpError> {
        self.wait(self.0.authorization_url(start)).await
    }

    async fn redeem(&self, callback: Callback, now: UnixTime) -> Result<SignedIn, IdpError> {
        self.wait(self.0.redeem(callback, now)).await
    }

    async fn ask_again(&self, person: &Person, refresh_token: &Secret, now: UnixTime) -> Result<SignedIn, IdpError> {
        self.wait(self.0.ask_again(person, refresh_token, now)).await
    }

    fn development_login(&self) -> Option<&DevelopmentLogin> {
        self.0.development_login()
    }
}
