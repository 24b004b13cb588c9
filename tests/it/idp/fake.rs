//! A provider that answers what a test tells it to, and one sign-in there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mcp_forward_auth::clock::Clock;
use mcp_forward_auth::domain::{Issuer, Person, Secret, UnixTime};
use mcp_forward_auth::idp::oidc::OidcSettings;
use mcp_forward_auth::idp::{
    Callback, IdentityProvider, IdpError, ProviderSettings, Registration, SignInStart, SignedIn, Surroundings,
};
use mcp_forward_auth::outbound::Outbound;
use mcp_forward_auth::random::SystemRandom;
use serde_json::{Value, json};

use crate::support::issuer::{SigningKey, Token, key_set, now};
use crate::support::web::{Answer, Web};

pub const CLIENT_ID: &str = "our-client";
/// Secrets of a sign-in; none of them may ever stand in an error.
pub const CLIENT_SECRET: &str = "client-secret-value";
pub const NONCE: &str = "nonce-value-of-this-sign-in";
pub const STATE: &str = "state-value-of-this-sign-in";
pub const VERIFIER: &str = "verifier-value-of-this-sign-in-0123456789abcdef";
pub const CODE: &str = "code-value-of-this-sign-in";
pub const ACCESS_TOKEN: &str = "access-token-value";
pub const REFRESH_TOKEN: &str = "refresh-token-value";
const SECRETS: [&str; 7] = [CLIENT_SECRET, NONCE, STATE, VERIFIER, CODE, ACCESS_TOKEN, REFRESH_TOKEN];

pub const REDIRECT_URI: &str = "https://auth.example.com/callback";
pub const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Runs one asynchronous thing to its end.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(now())))
    }

    pub fn forward(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::SeqCst))
    }
}

pub fn surroundings(clock: &Arc<TestClock>) -> Surroundings {
    Surroundings {
        outbound: Outbound::new().unwrap(),
        clock: {
            let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(clock);
            clock
        },
        random: Arc::new(SystemRandom),
        leeway: Duration::from_secs(30),
        own_urls: vec!["http://127.0.0.1:11000".into()],
    }
}

pub fn registration() -> Registration {
    Registration { client_id: CLIENT_ID.into(), client_secret: Some(Secret::new(CLIENT_SECRET)), secret_in: None }
}

pub fn start() -> SignInStart {
    SignInStart {
        state: Secret::new(STATE),
        nonce: Secret::new(NONCE),
        code_verifier: Secret::new(VERIFIER),
        redirect_uri: REDIRECT_URI.into(),
        choose_account: false,
        sign_in_anew: false,
        login_hint: None,
    }
}

pub fn callback(iss: Option<&str>) -> Callback {
    Callback { code: Secret::new(CODE), iss: iss.map(ToOwned::to_owned), start: start() }
}

/// A provider under test with its clock.
pub struct Client {
    pub provider: Arc<dyn IdentityProvider>,
    pub clock: Arc<TestClock>,
}

impl Client {
    pub fn new(settings: ProviderSettings) -> Self {
        let clock = TestClock::new();
        let provider = settings.build("idp", None, &surroundings(&clock)).unwrap();
        Self { provider, clock }
    }

    /// The parameters that the browser is sent with, as one object.
    pub fn request(&self, start: &SignInStart) -> Value {
        let url = run(self.provider.authorization_url(start)).unwrap();
        let mut parameters = json!({});
        for (name, value) in url.query_pairs() {
            assert!(parameters[&*name].is_null(), "{name} occurs twice");
            parameters[&*name] = json!(value);
        }
        parameters
    }

    pub fn redeem(&self) -> Result<SignedIn, IdpError> {
        self.redeem_answer(callback(None))
    }

    pub fn redeem_answer(&self, callback: Callback) -> Result<SignedIn, IdpError> {
        run(self.provider.redeem(callback, self.clock.now()))
    }

    pub fn ask_again(&self, person: &Person) -> Result<SignedIn, IdpError> {
        self.ask_again_with(person, REFRESH_TOKEN)
    }

    pub fn ask_again_with(&self, person: &Person, token: &str) -> Result<SignedIn, IdpError> {
        run(self.provider.ask_again(person, &Secret::new(token), self.clock.now()))
    }
}

/// How an attempt ended, in one word, and why. Checks that no secret stands in the reason.
pub fn outcome<T: std::fmt::Debug>(result: &Result<T, IdpError>) -> (&'static str, String) {
    let (kind, error) = match result {
        Ok(_) => return ("accepted", String::new()),
        Err(error @ IdpError::Unavailable(_)) => ("unavailable", error),
        Err(error @ IdpError::Refused(_)) => ("refused", error),
        Err(error @ IdpError::Untrustworthy(_)) => ("untrustworthy", error),
    };
    let text = format!("{error} {error:?}");
    let told = SECRETS.iter().find(|secret| text.contains(**secret));
    assert!(told.is_none(), "a secret stands in {text}");
    (kind, error.to_string())
}

/// A provider that speaks OpenID Connect, on a port of its own.
pub struct Fake {
    pub web: Web,
    pub keys: Vec<SigningKey>,
}

impl Fake {
    pub fn start() -> Self {
        Self::with_key("ES256")
    }

    pub fn with_key(algorithm: &'static str) -> Self {
        let fake = Self { web: Web::start(), keys: vec![SigningKey::generate("key-1", algorithm)] };
        fake.publish(&fake.metadata());
        fake
    }

    pub fn url(&self) -> String {
        self.web.url()
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url())
    }

    /// What most providers publish.
    pub fn metadata(&self) -> Value {
        json!({
            "issuer": self.url(),
            "authorization_endpoint": self.at("/authorize"),
            "token_endpoint": self.at("/token"),
            "userinfo_endpoint": self.at("/userinfo"),
            "jwks_uri": self.at("/jwks"),
            "id_token_signing_alg_values_supported": [self.keys[0].algorithm],
        })
    }

    pub fn publish(&self, metadata: &Value) {
        self.web.answer(DISCOVERY, Answer::Json(metadata.to_string()));
        self.web.answer("/jwks", Answer::Json(key_set(&self.keys)));
    }

    /// Publishes the usual metadata with these members changed; `null` takes one away.
    pub fn publish_with(&self, changes: &Value) {
        let mut metadata = self.metadata();
        change(&mut metadata, changes);
        self.publish(&metadata);
    }

    pub fn settings(&self) -> OidcSettings {
        OidcSettings::new(Issuer::parse(&self.url()).unwrap(), registration())
    }

    /// Us at this provider.
    pub fn client(&self) -> Client {
        Client::new(ProviderSettings::Oidc(self.settings()))
    }

    /// Alice's good ID token, unsigned, with everything in it.
    pub fn id_token(&self) -> Token {
        Token {
            header: json!({ "alg": self.keys[0].algorithm, "kid": self.keys[0].kid, "typ": "JWT" }),
            claims: json!({
                "iss": self.url(),
                "aud": CLIENT_ID,
                "sub": "alice-subject",
                "nonce": NONCE,
                "email": "alice@example.com",
                "email_verified": true,
                "preferred_username": "alice",
                "name": "Alice",
                "groups": ["staff"],
                "iat": now() - 1,
                "exp": now() + 300,
            }),
        }
    }

    /// The token endpoint gives `id_token`, signed with the first key.
    pub fn gives(&self, id_token: &Token) {
        self.gives_tokens(&json!({ "id_token": id_token.signed_by(&self.keys[0]) }));
    }

    /// The token endpoint gives an access token and `tokens`.
    pub fn gives_tokens(&self, tokens: &Value) {
        let mut answer = json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300 });
        change(&mut answer, tokens);
        self.web.answer("/token", Answer::Json(answer.to_string()));
    }

    pub fn says_at_userinfo(&self, claims: &Value) {
        self.web.answer("/userinfo", Answer::Json(claims.to_string()));
    }
}

/// Sets members of an object; `null` takes one away.
pub fn change(object: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                object[name] = value.clone();
            }
        }
    }
}

/// Alice as she signed in at a provider called `idp`.
pub fn alice() -> Person {
    Person {
        provider: "idp".into(),
        subject: "alice-subject".into(),
        email: mcp_forward_auth::domain::Email::parse("alice@example.com"),
        email_verified: true,
        user_name: Some("alice".into()),
        name: Some("Alice".into()),
        groups: vec!["staff".into()],
    }
}
