//! What was written → what it means. Two stages: `file` holds the shapes as written (file, environment, flags, McpAuth's
//! names), the other files turn them into a [`Config`] that is complete and cross-checked. Every message names the key,
//! the value, the rule and the fix.

mod api_keys;
mod authorization_server;
mod browser_sign_in;
mod condition;
mod environment;
mod error;
mod file;
mod identity_assertion;
mod introspection;
mod issuer;
mod mcpauth;
mod mcpauth_flags;
mod mcpauth_provider;
mod resource;
mod scopes;
mod secret;
mod server;
mod sources;
mod store;
mod summary;
mod tool_rule;

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use crate::authn::key_source::RefreshSchedule;
use crate::authn::{Algorithm, IntrospectionSettings};
use crate::authz::Policy;
use crate::domain::{Issuer, Secret};
use crate::mcp::BodyLimits;
use crate::proxy::{Contract, Field};
use crate::store::StoreUrl;
use crate::telemetry::decision_record::Format;

pub use api_keys::ApiKeysConfig;
pub use authorization_server::{
    AssertionIssuer, AuthorizationServerConfig, Brand, ClientCredential, ClientDocuments, ConfiguredClient,
    EncryptionKeys, Provider, Registration,
};
pub use error::{ConfigError, ConfigErrors};
pub use mcpauth_flags::are_mcpauths;
pub use server::seconds_of;
pub use sources::Overrides;

/// The configuration, complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// Listeners and callers.
    pub server: Server,
    /// Logs.
    pub log: Log,
    /// Clocks may differ by this much.
    pub leeway: Duration,
    /// Bound of the token cache, in bytes.
    pub cache_bytes: u64,
    /// How often keys are fetched.
    pub keys: RefreshSchedule,
    /// Whose tokens are accepted.
    pub issuers: Vec<IssuerConfig>,
    /// What is protected.
    pub policies: Vec<Policy>,
    /// The authorization server, when there is one.
    pub authorization_server: Option<AuthorizationServerConfig>,
    /// API keys, when there are any.
    pub api_keys: Option<ApiKeysConfig>,
    /// Where state lives, when there is any.
    pub store_url: Option<StoreUrl>,
    /// What an operator should know, though it is no error.
    pub warnings: Vec<String>,
}

/// Listeners and callers.
#[derive(Debug, Clone)]
pub struct Server {
    /// The public listener.
    pub listen: SocketAddr,
    /// The admin listener.
    pub admin_listen: SocketAddr,
    /// Networks that may ask.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// What they must send in `X-Proxy-Secret`.
    pub proxy_secret: Option<Secret>,
    /// Where challenges point, when documents do not live on the protected hosts.
    pub metadata_url: Option<Url>,
    /// Where the proxy tells of the client's certificate.
    pub client_certificate: Option<Field>,
    /// Decision paths besides `/auth`.
    pub also_decide_at: Vec<String>,
    /// Contracts that are answered.
    pub contracts: Vec<Contract>,
    /// How much of a body is read, where rules ask for operations.
    pub body_limits: BodyLimits,
    /// Threads that decide.
    pub workers: usize,
}

/// Logs.
#[derive(Debug, Clone)]
pub struct Log {
    /// Filter for events.
    pub level: String,
    /// JSON or for people.
    pub format: Format,
    /// Of a thousand allows, how many are logged.
    pub allows_per_mille: u16,
}

/// An issuer as configured.
#[derive(Debug, Clone)]
pub struct IssuerConfig {
    /// `iss`.
    pub issuer: Issuer,
    /// Where its keys are; discovered when absent.
    pub jwks_uri: Option<Url>,
    /// Audiences accepted besides the resource URI.
    pub audiences: Vec<String>,
    /// Algorithms it may sign with; none for an issuer whose tokens are all opaque.
    pub algorithms: Vec<Algorithm>,
    /// Where groups stand in its tokens.
    pub groups_claims: Vec<String>,
    /// The operator vouches for its e-mail addresses.
    pub assume_email_verified: bool,
    /// Anybody can get an account there.
    pub open_to_the_world: bool,
    /// How it is asked about opaque tokens, if it is.
    pub introspection: Option<IntrospectionSettings>,
    /// It is our own authorization server: its keys are at hand.
    pub is_own: bool,
}

impl Config {
    /// Reads file, environment and flags; everything that is wrong comes back at once.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigErrors> {
        Self::from_sources(overrides, &environment::of_process())
    }

    /// The same with a given environment, for tests.
    pub fn from_sources(overrides: &Overrides, environment: &[(String, String)]) -> Result<Self, ConfigErrors> {
        let gathered = sources::gather(overrides, environment)?;
        let mut config = Self::from_written(&gathered.written)?;
        config.warnings.extend(gathered.warnings);
        Ok(config)
    }

    /// Reads one TOML text without environment or flags.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        Self::from_written(&sources::parse_toml(text, "the configuration")?)
    }

    /// Where the admin listener of the service with this configuration is. Nothing else is judged: whoever asks may not be
    /// allowed to read its secrets.
    pub fn admin_listen(overrides: &Overrides) -> Result<SocketAddr, ConfigErrors> {
        let gathered = sources::gather_any(overrides, &environment::of_process())?;
        Ok(server::admin_listen(&file::read(&gathered.written)?.server)?)
    }

    fn from_written(written: &toml::Table) -> Result<Self, ConfigErrors> {
        let written = file::read(written)?;
        let mut errors = ConfigErrors::default();
        let server = server::read_server(&written.server, &mut errors);
        let log = server::read_log(&written.log, &mut errors);
        let keys = server::read_keys(&written.keys, &mut errors);
        let leeway = server::read_leeway(&written.tokens, &mut errors);
        let own = written.authorization_server.as_ref();
        let own_written = own.is_some();
        let own = own.and_then(|written| authorization_server::read(written, &mut errors));
        let api_keys = errors.keep(api_keys::read(written.api_keys.as_ref())).flatten();
        let store_url = errors.keep(store::read(&written)).flatten();
        let issuers = issuer::read_all(&written.issuers, own.as_ref(), own_written, &mut errors);
        let implied = scopes::read_implied(&written.scopes, &mut errors);
        let mut warnings = Vec::new();
        let policies = resource::read_all(&written.resources, &issuers, &implied, &mut errors, &mut warnings);
        if let Some(own) = own.as_ref().filter(|_| errors.is_empty()) {
            authorization_server::refuse_development_elsewhere(&own.providers, &policies, &mut errors);
        }
        api_keys::check(&written, own.as_ref(), &policies, &mut errors, &mut warnings);
        browser_sign_in::refuse_taken_name(&policies, own.as_ref(), &mut errors);
        browser_sign_in::warn_of_shared_host(&policies, own.as_ref(), &mut warnings);
        match (server, log, keys, leeway) {
            (Some(server), Some(log), Some(keys), Some(leeway)) if errors.is_empty() => {
                let cache_bytes = written.tokens.cache_bytes.unwrap_or(server::DEFAULT_CACHE_BYTES);
                Ok(Self {
                    server,
                    log,
                    leeway,
                    cache_bytes,
                    keys,
                    issuers: issuers.read,
                    policies,
                    authorization_server: own,
                    api_keys,
                    store_url,
                    warnings,
                })
            }
            _ => Err(errors),
        }
    }
}
