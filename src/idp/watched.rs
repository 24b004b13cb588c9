//! An identity provider whose answers are counted.

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use super::development::DevelopmentLogin;
use super::{Callback, IdentityProvider, IdpError, SignInStart, SignedIn};
use crate::domain::{Person, Secret, Tally, UnixTime};

/// Any provider, watched.
#[derive(Debug)]
pub struct WatchedProvider {
    provider: Arc<dyn IdentityProvider>,
    requests: Arc<Tally<3>>,
}

const BEGIN: &str = "begin";
const REDEEM: &str = "redeem";
const ASK_AGAIN: &str = "ask_again";
const ANSWERED: &str = "answered";

impl WatchedProvider {
    /// Counts for providers with these names: by provider, by what was wanted of it, and by outcome.
    pub fn tally<'n>(providers: impl IntoIterator<Item = &'n str>) -> Arc<Tally<3>> {
        let operations = [BEGIN, REDEEM, ASK_AGAIN];
        let outcomes = [ANSWERED, "unavailable", "refused", "untrustworthy"];
        let of_operation = move |provider, operation| outcomes.map(|outcome| [provider, operation, outcome]);
        let of_provider =
            move |provider| operations.into_iter().flat_map(move |operation| of_operation(provider, operation));
        Arc::new(Tally::new(providers.into_iter().flat_map(of_provider)))
    }

    /// Watches `provider`, whose name the counts must know.
    pub fn new(provider: Arc<dyn IdentityProvider>, requests: Arc<Tally<3>>) -> Self {
        Self { provider, requests }
    }

    /// Whether `provider` ever answered: then its metadata was had.
    pub fn has_answered(requests: &Tally<3>, provider: &str) -> bool {
        requests.read().any(|([known, _, outcome], count)| known == provider && outcome == ANSWERED && count > 0)
    }

    fn noted<T>(&self, operation: &str, result: Result<T, IdpError>) -> Result<T, IdpError> {
        let outcome = match &result {
            Ok(_) => ANSWERED,
            Err(IdpError::Unavailable(_)) => "unavailable",
            Err(IdpError::Refused(_)) => "refused",
            Err(IdpError::Untrustworthy(_)) => "untrustworthy",
        };
        self.requests.add([self.provider.name(), operation, outcome]);
        result
    }
}

#[async_trait]
impl IdentityProvider for WatchedProvider {
    fn name(&self) -> &str {
        self.provider.name()
    }

    fn label(&self) -> &str {
        self.provider.label()
    }

    async fn authorization_url(&self, start: &SignInStart) -> Result<Url, IdpError> {
        self.noted(BEGIN, self.provider.authorization_url(start).await)
    }

    async fn redeem(&self, callback: Callback, now: UnixTime) -> Result<SignedIn, IdpError> {
        self.noted(REDEEM, self.provider.redeem(callback, now).await)
    }

    async fn ask_again(&self, person: &Person, refresh_token: &Secret, now: UnixTime) -> Result<SignedIn, IdpError> {
        self.noted(ASK_AGAIN, self.provider.ask_again(person, refresh_token, now).await)
    }

    fn development_login(&self) -> Option<&DevelopmentLogin> {
        self.provider.development_login()
    }
}
