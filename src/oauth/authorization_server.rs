//! The authorization server: what its endpoints share. Each endpoint is a method in a file of its own.

use std::sync::Arc;

use url::Url;

use super::key_error::KeyError;
use super::metadata::Documents;
use super::readiness::LastProbe;
use super::seal::Seal;
use super::signing_keys::{KeySettings, SigningKeys};
use super::turns::Turns;
use super::{Clients, ErrorCode, Happenings, IdentityAssertions, OAuthError, Revocations, Settings};
use crate::authn::dpop::Replays;
use crate::authn::{ApiKeys, Authenticator, IssuerSettings};
use crate::authz::PolicySet;
use crate::clock::Clock;
use crate::idp::IdentityProvider;
use crate::random::Random;
use crate::store::Store;

/// Everything that the authorization server is made of.
pub struct Parts {
    /// What the operator decided.
    pub settings: Settings,
    /// Where state lives.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The source of secrets.
    pub random: Arc<dyn Random>,
    /// Where people sign in; the first is offered first.
    pub providers: Vec<Arc<dyn IdentityProvider>>,
    /// What is protected. Only resources that accept our issuer are ours to give out.
    pub policies: PolicySet,
    /// Who asks.
    pub clients: Arc<Clients>,
    /// What keeps secrets that must be read again.
    pub sealer: Arc<dyn Seal>,
    /// What was revoked; the same that decisions ask.
    pub revocations: Arc<Revocations>,
}

/// The authorization server.
pub struct AuthorizationServer {
    pub(super) settings: Settings,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) providers: Vec<Arc<dyn IdentityProvider>>,
    pub(super) policies: PolicySet,
    pub(super) clients: Arc<Clients>,
    pub(super) sealer: Arc<dyn Seal>,
    pub(super) revocations: Arc<Revocations>,
    pub(super) keys: SigningKeys,
    /// Judges our own tokens when they come back to be revoked or introspected.
    pub(super) own_tokens: Authenticator,
    /// Scheme, host and port of the issuer: where the endpoints stand.
    pub(super) origin: String,
    pub(super) documents: Documents,
    pub(super) turns: Turns,
    pub(super) happenings: Happenings,
    pub(super) last_probe: LastProbe,
    /// Proofs of keys that were seen at the token endpoint.
    pub(super) proofs: Replays,
}

impl std::fmt::Debug for AuthorizationServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "AuthorizationServer({})", self.settings.issuer)
    }
}

impl AuthorizationServer {
    /// What is read and written again when others changed it meanwhile, is so this often.
    pub(super) const ATTEMPTS: usize = 8;

    /// Reads the keys (the first start makes them) and what was revoked. Needs the store.
    pub async fn start(parts: Parts) -> Result<Self, KeyError> {
        let Parts { settings, store, clock, random, providers, policies, clients, sealer, revocations } = parts;
        let now = clock.now();
        let longest_signed = settings.access_token_lifetime.max(IdentityAssertions::LIFETIME);
        let key_settings = KeySettings {
            algorithm: settings.signing_algorithm,
            rotation_age: settings.key_rotation_age,
            overlap: longest_signed.saturating_add(settings.leeway),
        };
        let (for_keys, sealer_for_keys) = (Arc::clone(&store), Arc::clone(&sealer));
        let keys = SigningKeys::open(key_settings, for_keys, sealer_for_keys, Arc::clone(&random), now).await?;
        revocations.load(&*store, now).await?;
        let own_issuer = own_issuer(&settings, &keys);
        let own_tokens = Authenticator::new(vec![own_issuer], settings.leeway, 0)
            .with_revocation(&settings.issuer, Arc::clone(&revocations));
        let origin = origin(settings.issuer.as_str());
        let documents = Documents::new(&settings, &origin, &policies);
        let turns = Turns::default();
        let happenings = Happenings::new(providers.iter().map(|provider| provider.name()));
        Ok(Self {
            settings,
            store,
            clock,
            random,
            providers,
            policies,
            clients,
            sealer,
            revocations,
            keys,
            own_tokens,
            origin,
            documents,
            turns,
            happenings,
            last_probe: LastProbe::default(),
            proofs: Replays::default(),
        })
    }

    /// Describes API keys as well, to clients that may see the tokens of all.
    #[must_use]
    pub fn with_api_keys(self, keys: Arc<ApiKeys>) -> Self {
        Self { own_tokens: self.own_tokens.with_api_keys(keys), ..self }
    }

    /// How tokens of ours are to be judged, for the authenticator of decisions: the keys are in this process.
    pub fn as_issuer(&self) -> IssuerSettings {
        own_issuer(&self.settings, &self.keys)
    }

    /// What must happen from time to time, and when a token names a key that is not known: takes over what other replicas
    /// revoked and how they changed the keys, forgets what is over, rotates what is too old.
    pub async fn tend(&self) -> Result<(), KeyError> {
        let now = self.clock.now();
        self.revocations.load(&*self.store, now).await?;
        self.keys.tend(now).await
    }

    /// The signing keys, to tend and to rotate.
    pub const fn keys(&self) -> &SigningKeys {
        &self.keys
    }

    /// What was revoked, for the authenticator of decisions, and to load again where other replicas revoke.
    pub const fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// `redirect_uri` towards identity providers.
    pub fn callback_url(&self) -> String {
        format!("{}/callback", self.origin)
    }
}

/// The groups of our own tokens stand in `groups`, and what they say of an e-mail address is what a provider said.
fn own_issuer(settings: &Settings, keys: &SigningKeys) -> IssuerSettings {
    IssuerSettings {
        issuer: settings.issuer.clone(),
        algorithms: SigningKeys::algorithms(),
        groups_claims: Vec::new(),
        assume_email_verified: false,
        keys: keys.verification(),
    }
}

/// An [`crate::domain::Issuer`] is a URL, so there is one.
fn origin(issuer: &str) -> String {
    Url::parse(issuer).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// Others changed the same records again and again: not the client's fault, and worth trying again.
pub(super) fn busy() -> OAuthError {
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "too much happens at once; try again")
}
