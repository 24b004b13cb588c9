//! An authorization server with everything around it, and the steps of a flow as a browser and a client take them.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::{
    CLIENT, ISSUER, OTHER_CLIENT, REDIRECT, RESOURCE, VERIFIER, client, form, keep_client, machine, policies, query,
    request,
};
use super::stores::TestStore;
use super::{SeededRandom, TestClock, TestProvider, sealer};
use crate::authn::{Authentication, Authenticator, Credential, Identity, TokenFault};
use crate::authz::{Policy, PolicySet};
use crate::clock::Clock as _;
use crate::domain::{Issuer, Occurrence, Secret, UnixTime};
use crate::oauth::{
    AuthorizationServer, Authorize, Browser, CallbackAnswer, Clients, ConsentPage, Next, OAuthError, Parts, Question,
    Revocations, Settings, TokenAnswer,
};
use crate::store::{Sealer, Store};

/// A running authorization server.
pub(crate) struct World {
    pub(crate) server: Arc<AuthorizationServer>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Arc<TestStore>,
    pub(crate) provider: Arc<TestProvider>,
    seed: u64,
}

/// A flow as the browser sees it: the consent page is open.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) request: String,
    pub(crate) cookie: String,
}

impl Flow {
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { cookie: Some(&self.cookie), session: None }
    }
}

/// How a world differs from the usual one.
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) policies: Vec<Policy>,
    pub(crate) providers: Vec<Arc<TestProvider>>,
    pub(crate) store: Arc<TestStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) seed: u64,
}

impl Plan {
    pub(crate) fn usual() -> Self {
        Self {
            settings: Settings::new(Issuer::parse(ISSUER).unwrap()),
            policies: policies(),
            providers: vec![Arc::new(TestProvider::new("test"))],
            store: Arc::new(TestStore::new()),
            clock: Arc::new(TestClock::new()),
            sealer: sealer('a', &[]),
            seed: 1,
        }
    }

    pub(crate) async fn start(self) -> World {
        let provider = Arc::clone(&self.providers[0]);
        let store: Arc<dyn Store> = self.store.clone();
        for client in [client(CLIENT), client(OTHER_CLIENT), machine()] {
            keep_client(&*store, &client).await;
        }
        let parts = Parts {
            settings: self.settings,
            clients: Arc::new(Clients::for_test(Arc::clone(&store))),
            store,
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(self.seed)),
            providers: self.providers.into_iter().map(|provider| provider as _).collect(),
            policies: PolicySet::new(self.policies, None),
            sealer: self.sealer,
            revocations: Arc::new(Revocations::default()),
        };
        let server = Arc::new(AuthorizationServer::start(parts).await.unwrap());
        World { server, clock: self.clock, store: self.store, provider, seed: self.seed }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Plan::usual().start().await
    }

    /// Another server on the same store: another replica, or the same after a restart with another configuration.
    pub(crate) async fn replica(&self, change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = Plan {
            settings: self.server.settings().clone(),
            policies: policies(),
            providers: vec![Arc::clone(&self.provider)],
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            sealer: sealer('a', &[]),
            seed: self.seed + 1000,
        };
        change(&mut plan);
        plan.start().await
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A browser without cookies comes to `/authorize`.
    pub(crate) async fn begin(&self, changes: &[(&str, &str)]) -> Flow {
        match self.server.authorize(&request(changes), None, Browser::default()).await {
            Authorize::Consent { request, browser } => Flow { request, cookie: browser.unwrap().expose().to_owned() },
            other => panic!("{other:?}"),
        }
    }

    /// The question of the consent page.
    pub(crate) async fn question(&self, flow: &Flow) -> Question {
        match self.server.consent_page(&flow.request, flow.browser()).await {
            ConsentPage::Ask(question) => *question,
            other => panic!("{other:?}"),
        }
    }

    /// Presses a button of the consent page.
    pub(crate) async fn decide(&self, flow: &Flow, decision: &str) -> Next {
        let csrf = flow.browser().form_token(&flow.request).unwrap();
        let fields = [("request", &*flow.request), ("csrf", &csrf), ("decision", decision)];
        self.server.consent(&form(&fields), flow.browser()).await
    }

    /// Approves; the `state` that the provider is to send back.
    pub(crate) async fn approve(&self, flow: &Flow) -> String {
        match self.decide(flow, "approve").await {
            Next::Redirect(url) => query(&url, "state").unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The provider sends the browser back.
    pub(crate) async fn return_with(&self, flow: &Flow, state: &str) -> CallbackAnswer {
        let parameters = form(&[("state", state), ("code", TestProvider::CODE)]);
        self.server.callback(&parameters, flow.browser()).await
    }

    /// From `/authorize` to the client's code.
    pub(crate) async fn code(&self, changes: &[(&str, &str)]) -> String {
        let flow = self.begin(changes).await;
        let state = self.approve(&flow).await;
        match self.return_with(&flow, &state).await.next {
            Next::Redirect(url) => query(&url, "code").unwrap_or_else(|| panic!("{url}")),
            other => panic!("{other:?}"),
        }
    }

    /// A token request; `changes` replace or add, an empty one takes away.
    pub(crate) async fn token(
        &self,
        usual: &[(&str, &str)],
        changes: &[(&str, &str)],
    ) -> Result<TokenAnswer, OAuthError> {
        let usual = usual.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let all: Vec<_> = usual.chain(changes).copied().filter(|(_, value)| !value.is_empty()).collect();
        self.server.token(&form(&all), None, Occurrence::Absent).await
    }

    pub(crate) async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> Result<TokenAnswer, OAuthError> {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT),
            ("resource", RESOURCE),
        ];
        self.token(&usual, changes).await
    }

    pub(crate) async fn refresh(&self, token: &Secret, changes: &[(&str, &str)]) -> Result<TokenAnswer, OAuthError> {
        let usual = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", token.expose())];
        self.token(&usual, changes).await
    }

    /// A whole sign-in.
    pub(crate) async fn tokens(&self) -> TokenAnswer {
        let code = self.code(&[]).await;
        self.redeem(&code, &[]).await.unwrap()
    }

    /// What a decision makes of an access token.
    pub(crate) fn judge(&self, token: &Secret) -> Result<Arc<Identity>, TokenFault> {
        let issuer = self.server.as_issuer();
        let name = issuer.issuer.clone();
        let authenticator = Authenticator::new(vec![issuer], Duration::from_secs(30), 0)
            .with_revocation(&name, Arc::clone(self.server.revocations()));
        let header = format!("Bearer {}", token.expose());
        let credential = Credential::from_authorization(Occurrence::Once(header.as_bytes()));
        match authenticator.authenticate(credential, self.now()) {
            Authentication::Verified(identity) => Ok(identity),
            Authentication::Rejected(fault) => Err(fault),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn revoke(&self, token: &Secret) -> Result<(), OAuthError> {
        self.server.revoke(&form(&[("client_id", CLIENT), ("token", token.expose())]), None).await
    }
}
