//! Wires the authorization server: what was configured becomes what runs.

use std::sync::Arc;
use std::time::Duration;

use super::api_keys::ApiKeyWork;
use super::housekeeping::Housekeeping;
use super::state::State;
use super::watched::Watched;
use super::{StartError, assertion_issuers};
use crate::authn::key_source::KeySource;
use crate::authz::PolicySet;
use crate::clock::Clock;
use crate::config::{AuthorizationServerConfig, ClientCredential, Config, ConfiguredClient};
use crate::domain::SecretHash;
use crate::http::admin::Overseen;
use crate::http::oauth::browser::Cookies;
use crate::http::oauth::cors::Cors;
use crate::http::oauth::{Limits, OAuthService};
use crate::http::pages::{Brand, Pages};
use crate::idp::Surroundings;
use crate::oauth::client_settings::{self, ClientSettings, DocumentSettings, RegistrationSettings};
use crate::oauth::{
    AuthorizationServer, ClientAuthentication, Clients, Features, GrantType, KeyError, Parts, Revocations,
    SecretMethod, Settings, SigningAlgorithm,
};
use crate::outbound::{Fetch, Outbound};
use crate::proxy::TrustedProxies;
use crate::random::{Random, SystemRandom};
use crate::store::Store;
use crate::telemetry::metrics::Tallies;

/// The authorization server, and what its background work needs.
pub(super) struct Wired {
    pub(super) sources: Vec<KeySource>,
    pub(super) service: OAuthService,
    pub(super) store: Arc<dyn Store>,
    pub(super) overseen: Overseen,
    pub(super) tallies: Tallies,
}

impl Wired {
    /// Its chores.
    pub(super) fn housekeeping(&self, clock: Arc<dyn Clock>) -> Housekeeping {
        Housekeeping { server: Arc::clone(&self.service.server), store: Arc::clone(&self.store), clock }
    }
}

/// Takes the store, reads or makes the keys, and builds the rest.
pub(super) fn wire(
    config: &Config,
    own: &AuthorizationServerConfig,
    store: Option<&Arc<dyn Store>>,
    api_keys: Option<&ApiKeyWork>,
    policies: &PolicySet,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
) -> Result<Wired, StartError> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let state = runtime.block_on(State::open(config, own, store, &random))?;
    let watched = Watched::new(state.store.clone(), own)?;
    let store: Arc<dyn Store> = watched.store.clone();
    let clients = Arc::new(clients(own, &store, &random, watched.fetch.clone()));
    let surroundings = Surroundings {
        outbound: outbound.clone(),
        clock: Arc::clone(clock),
        random: Arc::clone(&random),
        leeway: config.leeway,
        own_urls: own_urls(config, own),
    };
    let (assertion_issuers, sources) = assertion_issuers::wire(config, own, outbound, clock);
    let parts = Parts {
        settings: Settings { assertion_issuers, ..settings(own, config.leeway) },
        store: Arc::clone(&store),
        clock: Arc::clone(clock),
        random: Arc::clone(&random),
        providers: watched.providers(own, &surroundings)?,
        policies: policies.clone(),
        clients: Arc::clone(&clients),
        sealer: state.sealer.clone(),
        revocations: Arc::new(Revocations::default()),
    };
    let server = runtime.block_on(start(parts)).map_err(|error| state.explain(&error))?;
    let server = Arc::new(api_keys.iter().fold(server, |server, keys| keys.described_by(server)));
    let tallies = watched.tallies(&server);
    let overseen = Overseen { server: Arc::clone(&server), provider_requests: watched.provider_requests };
    Ok(Wired { sources, service: service(config, own, server, clients), store, overseen, tallies })
}

fn service(
    config: &Config,
    own: &AuthorizationServerConfig,
    server: Arc<AuthorizationServer>,
    clients: Arc<Clients>,
) -> OAuthService {
    OAuthService {
        server,
        clients,
        pages: Pages::new(brand(own)),
        cookies: Cookies::of(own.issuer.as_str()),
        cors: Cors::new(own.cors_origins.clone()),
        limits: Limits::default(),
        scope_descriptions: own.scope_descriptions.clone(),
        trusted: TrustedProxies::new(config.server.trusted_proxies.clone(), None),
    }
}

/// What is due is done before the first request: signing keys under an older master key are sealed anew, for one.
async fn start(parts: Parts) -> Result<AuthorizationServer, KeyError> {
    let now = parts.clock.now();
    let server = AuthorizationServer::start(parts).await?;
    server.keys().tend(now).await?;
    Ok(server)
}

fn settings(own: &AuthorizationServerConfig, leeway: Duration) -> Settings {
    let known = SigningAlgorithm::ALL.into_iter().find(|known| known.verification() == own.signing_algorithm);
    let assertions = own.clients.iter().any(|client| matches!(client.credential, ClientCredential::KeySet(_)));
    let by_key = assertions || own.registration.enabled || own.client_documents.enabled;
    Settings {
        signing_algorithm: known.unwrap_or_default(),
        key_rotation_age: Some(own.signing_key_lifetime),
        access_token_lifetime: own.access_token_lifetime,
        refresh_token_lifetime: own.refresh_token_lifetime,
        session_lifetime: own.session_lifetime,
        remember_consent: own.remember_consent,
        leeway,
        features: Features {
            registration: own.registration.enabled,
            client_documents: own.client_documents.enabled,
            client_assertion_algorithms: if by_key { assertion_algorithms() } else { Vec::new() },
            client_credentials: own.clients.iter().any(|client| client.client_credentials),
            introspection: own.clients.iter().any(|client| !matches!(client.credential, ClientCredential::None)),
        },
        ..Settings::new(own.issuer.clone())
    }
}

fn assertion_algorithms() -> Vec<String> {
    crate::authn::Algorithm::ALL.iter().map(ToString::to_string).collect()
}

pub(super) fn documents(own: &AuthorizationServerConfig) -> DocumentSettings {
    DocumentSettings {
        enabled: own.client_documents.enabled,
        allowed_hosts: own.client_documents.allowed_hosts.clone(),
        denied_hosts: own.client_documents.denied_hosts.clone(),
        allow_loopback: own.client_documents.allow_loopback,
        ..DocumentSettings::default()
    }
}

fn clients(
    own: &AuthorizationServerConfig,
    store: &Arc<dyn Store>,
    random: &Arc<dyn Random>,
    fetch: Arc<dyn Fetch>,
) -> Clients {
    let issuer = own.issuer.as_str();
    let settings = ClientSettings {
        issuer: issuer.to_owned(),
        token_endpoint: format!("{issuer}/token"),
        registration_endpoint: format!("{issuer}/register"),
        registration: RegistrationSettings {
            enabled: own.registration.enabled,
            max_clients: own.registration.limit,
            unused_lifetime: own.registration.unused_lifetime,
            used_lifetime: own.registration.used_lifetime,
        },
        documents: documents(own),
        configured: own.clients.iter().map(configured).collect(),
        custom_schemes: own.registration.custom_schemes.clone(),
    };
    Clients::new(settings, Arc::clone(store), Arc::clone(random), fetch)
}

fn configured(client: &ConfiguredClient) -> client_settings::ConfiguredClient {
    let mut grant_types = Vec::new();
    if !client.redirect_uris.is_empty() {
        grant_types.extend([GrantType::AuthorizationCode, GrantType::RefreshToken]);
    }
    if client.client_credentials {
        grant_types.push(GrantType::ClientCredentials);
    }
    client_settings::ConfiguredClient {
        id: client.id.clone(),
        name: client.name.clone(),
        redirect_uris: client.redirect_uris.clone(),
        authentication: authentication(&client.credential),
        grant_types,
        scopes: client.scopes.clone(),
        resources: client.resources.clone(),
        dpop_bound: client.dpop_bound,
        may_introspect: client.may_introspect,
    }
}

fn authentication(credential: &ClientCredential) -> ClientAuthentication {
    match credential {
        ClientCredential::None => ClientAuthentication::None,
        ClientCredential::Secret(secret) => {
            ClientAuthentication::Secret { method: SecretMethod::Basic, hash: SecretHash::of(secret.expose()) }
        }
        ClientCredential::KeySet(url) => {
            ClientAuthentication::PrivateKeyJwt { jwks: None, jwks_uri: Some(url.clone()) }
        }
    }
}

/// Every address at which the service can be reached, for the development login to look at.
fn own_urls(config: &Config, own: &AuthorizationServerConfig) -> Vec<String> {
    let resources = config.policies.iter().map(|policy| policy.resource.to_string());
    resources.chain([own.issuer.to_string()]).collect()
}

fn brand(own: &AuthorizationServerConfig) -> Brand {
    let host = url::Url::parse(own.issuer.as_str()).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
    let brand = Brand::new(own.brand.name.as_deref().or(host.as_deref()).unwrap_or_default());
    let brand = own.brand.logo.iter().cloned().fold(brand, Brand::with_logo);
    own.brand.color.iter().copied().fold(brand, Brand::with_colour)
}
