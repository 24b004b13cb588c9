//! What the operator decides about the authorization server: plain data.

use std::time::Duration;

use super::assertion::AssertionIssuer;
use super::key_pair::SigningAlgorithm;
use crate::domain::Issuer;

/// The settings. Defaults are those of [`Settings::new`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name; everywhere the same text, never taken from a request.
    pub issuer: Issuer,
    /// What tokens are signed with.
    pub signing_algorithm: SigningAlgorithm,
    /// A signing key signs this long; without it, until somebody rotates.
    pub key_rotation_age: Option<Duration>,
    /// How long an access token is good.
    pub access_token_lifetime: Duration,
    /// How long a sign-in is good for refreshing, counted from the sign-in; refreshing does not extend it.
    pub refresh_token_lifetime: Duration,
    /// A refresh token that was just used is answered again for this long, with the same successor.
    pub retry_window: Duration,
    /// How long a code is good.
    pub code_lifetime: Duration,
    /// How long somebody may take between `/authorize` and the code.
    pub pending_lifetime: Duration,
    /// How long a browser stays signed in to our own pages.
    pub session_lifetime: Duration,
    /// How long an approval is remembered; without it everybody is asked every time.
    pub remember_consent: Option<Duration>,
    /// Most authorizations that wait at once: `/authorize` is open to the world.
    pub max_pending: u64,
    /// Clocks differ by this much; the same as where tokens are judged.
    pub leeway: Duration,
    /// Whose assertions about people are taken at the token endpoint; nobody's when empty.
    pub assertion_issuers: Vec<AssertionIssuer>,
    /// What else is on, for the metadata document.
    pub features: Features,
}

/// What is offered besides codes and refresh tokens. What is off is left out of the metadata document.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "switches that have nothing to do with each other")]
pub struct Features {
    /// `/register` (RFC 7591).
    pub registration: bool,
    /// Client id metadata documents.
    pub client_documents: bool,
    /// Algorithms of `private_key_jwt` (RFC 7523); empty when it is off.
    pub client_assertion_algorithms: Vec<String>,
    /// `client_credentials`.
    pub client_credentials: bool,
    /// `/introspect` (RFC 7662).
    pub introspection: bool,
}

impl Settings {
    /// The defaults for `issuer`.
    pub fn new(issuer: Issuer) -> Self {
        const MINUTE: u64 = 60;
        const DAY: u64 = 24 * 60 * MINUTE;
        Self {
            issuer,
            signing_algorithm: SigningAlgorithm::default(),
            key_rotation_age: Some(Duration::from_secs(90 * DAY)),
            access_token_lifetime: Duration::from_secs(15 * MINUTE),
            refresh_token_lifetime: Duration::from_secs(30 * DAY),
            retry_window: Duration::from_secs(30),
            code_lifetime: Duration::from_secs(60),
            pending_lifetime: Duration::from_secs(10 * MINUTE),
            session_lifetime: Duration::from_secs(8 * 60 * MINUTE),
            remember_consent: None,
            max_pending: 100_000,
            leeway: Duration::from_secs(30),
            assertion_issuers: Vec::new(),
            features: Features::default(),
        }
    }
}
