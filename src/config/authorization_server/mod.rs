//! `[authorization_server]`: the authorization server in front of identity providers.

mod assertion_issuer;
mod brand;
mod client;
mod encryption;
mod provider;
mod written;

use std::collections::BTreeMap;
use std::time::Duration;

pub use assertion_issuer::AssertionIssuer;
pub use brand::Brand;
pub use client::{ClientCredential, ClientDocuments, ConfiguredClient, Registration};
pub use encryption::EncryptionKeys;
pub use provider::Provider;
pub(super) use provider::refuse_development_elsewhere;
pub(super) use written::WrittenAuthorizationServer;

use super::server::duration;
use super::{ConfigError, ConfigErrors, IssuerConfig};
use crate::authn::Algorithm;
use crate::domain::Issuer;
use crate::domain::issuer::is_loopback;

/// The authorization server as configured.
#[derive(Debug, Clone)]
pub struct AuthorizationServerConfig {
    /// `issuer`: an origin, the same in every document, token and answer.
    pub issuer: Issuer,
    /// What people see on the pages.
    pub brand: Brand,
    /// How long an access token is good.
    pub access_token_lifetime: Duration,
    /// How long a sign-in lasts at most, however often it is refreshed.
    pub refresh_token_lifetime: Duration,
    /// How long a browser stays signed in to our own pages.
    pub session_lifetime: Duration,
    /// How long a consent is remembered; never when absent.
    pub remember_consent: Option<Duration>,
    /// What own tokens are signed with.
    pub signing_algorithm: Algorithm,
    /// When a signing key is replaced.
    pub signing_key_lifetime: Duration,
    /// What secrets at rest are sealed with.
    pub encryption_keys: EncryptionKeys,
    /// Origins whose pages may call the endpoints; none means that the proxy answers for CORS.
    pub cors_origins: Vec<String>,
    /// What scopes mean, in words.
    pub scope_descriptions: BTreeMap<String, String>,
    /// Dynamic registration.
    pub registration: Registration,
    /// Client id metadata documents.
    pub client_documents: ClientDocuments,
    /// Clients of the operator.
    pub clients: Vec<ConfiguredClient>,
    /// Whose assertions about people are taken.
    pub assertion_issuers: Vec<AssertionIssuer>,
    /// Where people sign in.
    pub providers: Vec<Provider>,
}

impl AuthorizationServerConfig {
    /// As an issuer whose tokens are accepted. Its keys are at hand, so nothing is fetched.
    pub(super) fn as_issuer(&self) -> IssuerConfig {
        IssuerConfig {
            issuer: self.issuer.clone(),
            jwks_uri: None,
            audiences: Vec::new(),
            algorithms: vec![self.signing_algorithm],
            groups_claims: Vec::new(),
            assume_email_verified: false,
            open_to_the_world: self.providers.iter().any(|provider| provider.settings.is_open_to_the_world()),
            introspection: None,
            is_own: true,
        }
    }
}

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

pub(super) fn read(
    written: &WrittenAuthorizationServer,
    errors: &mut ConfigErrors,
) -> Option<AuthorizationServerConfig> {
    let issuer = errors.keep(issuer(written));
    let brand = errors.keep(brand::read(written));
    let times = Times::read(written, errors);
    let signing_algorithm = errors.keep(signing_algorithm(written.signing_algorithm.as_deref()));
    let encryption_keys = errors.keep(encryption::read(written));
    let cors_origins = errors.keep(cors_origins(&written.cors_origins.0));
    let registration = errors.keep(client::read_registration(&written.registration));
    let client_documents = errors.keep(client::read_documents(&written.client_documents));
    let schemes = registration.as_ref().map(|read| read.custom_schemes.clone()).unwrap_or_default();
    let clients = errors.keep(client::read_all(&written.clients, &schemes));
    let providers = provider::read_all(written, issuer.as_ref(), errors);
    if let (Some(issuer), Some(providers)) = (&issuer, &providers) {
        provider::refuse_development_in_public(issuer, providers, errors);
    }
    let known = providers.as_deref().unwrap_or_default();
    let assertion_issuers = assertion_issuer::read_all(&written.assertion_issuers, issuer.as_ref(), known, errors);
    let times = times?;
    Some(AuthorizationServerConfig {
        issuer: issuer?,
        brand: brand?,
        access_token_lifetime: times.access_token,
        refresh_token_lifetime: times.refresh_token,
        session_lifetime: times.session,
        remember_consent: times.remember_consent,
        signing_algorithm: signing_algorithm?,
        signing_key_lifetime: times.signing_key,
        encryption_keys: encryption_keys?,
        cors_origins: cors_origins?,
        scope_descriptions: written.scope_descriptions.clone(),
        registration: registration?,
        client_documents: client_documents?,
        clients: clients?,
        assertion_issuers,
        providers: providers?,
    })
}

fn key(name: &str) -> String {
    format!("authorization_server.{name}")
}

/// An origin: many clients guess `/authorize` and `/token` at the root of the host.
fn issuer(written: &WrittenAuthorizationServer) -> Result<Issuer, ConfigError> {
    const FIX: &str = "write the public address of this service, like \"https://auth.example.com\"";
    let key = key("issuer");
    let Some(text) = &written.issuer else {
        return Err(ConfigError::new(key, None, "it is missing, and tokens must name who issued them", FIX));
    };
    let issuer = Issuer::parse(text).map_err(|error| ConfigError::new(&*key, Some(text), error.to_string(), FIX))?;
    let origin = url::Url::parse(text).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    if origin != *text {
        let rule = "it must be scheme, host and port in lower case, without path and without slash at the end";
        return Err(ConfigError::new(key, Some(text), rule, format!("write \"{origin}\"")));
    }
    Ok(issuer)
}

struct Times {
    access_token: Duration,
    refresh_token: Duration,
    signing_key: Duration,
    session: Duration,
    remember_consent: Option<Duration>,
}

impl Times {
    fn read(written: &WrittenAuthorizationServer, errors: &mut ConfigErrors) -> Option<Self> {
        let mut time = |name: &str, text: &Option<String>, default: u64, range| {
            errors.keep(duration(&key(name), text.as_deref(), default, range))
        };
        let access = time("access_token_lifetime", &written.access_token_lifetime, 15 * MINUTE, MINUTE..=DAY);
        let refresh = time("refresh_token_lifetime", &written.refresh_token_lifetime, 30 * DAY, 5 * MINUTE..=400 * DAY);
        let signing = time("signing_key_lifetime", &written.signing_key_lifetime, 90 * DAY, DAY..=800 * DAY);
        let session = time("session_lifetime", &written.session_lifetime, 8 * 60 * MINUTE, 5 * MINUTE..=30 * DAY);
        let remember = match &written.remember_consent {
            None => Some(None),
            text => time("remember_consent", text, 0, MINUTE..=400 * DAY).map(Some),
        };
        Some(Self {
            access_token: access?,
            refresh_token: refresh?,
            signing_key: signing?,
            session: session?,
            remember_consent: remember?,
        })
    }
}

fn signing_algorithm(text: Option<&str>) -> Result<Algorithm, ConfigError> {
    const CHOICE: [Algorithm; 3] = [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa];
    let Some(text) = text else { return Ok(Algorithm::Es256) };
    CHOICE.into_iter().find(|known| known.as_str() == text).ok_or_else(|| {
        let rule = "it must be \"ES256\", \"RS256\" or \"EdDSA\"";
        ConfigError::new(key("signing_algorithm"), Some(text), rule, "leave it out for ES256")
    })
}

/// Origins as browsers send them, or `*`: answers never allow credentials, so any page may be let in.
fn cors_origins(written: &[String]) -> Result<Vec<String>, ConfigError> {
    let sound =
        |text: &str| text == "*" || url::Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text);
    match written.iter().find(|text| !sound(text)) {
        None => Ok(written.to_vec()),
        Some(text) => {
            let rule = "it is no origin as browsers send it: scheme, host and port in lower case, nothing after";
            Err(ConfigError::new(key("cors_origins"), Some(text), rule, "write it like \"https://app.example.com\""))
        }
    }
}

/// Whether `text` is a URL of this machine.
fn is_local(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| is_loopback(&url))
}
