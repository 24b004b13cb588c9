//! The composition root: a configuration in, a running server out.

pub mod alone;
mod api_keys;
mod assertion_issuers;
mod authenticator;
mod authorization_server;
mod housekeeping;
mod identity_provider;
mod introspection;
mod listeners;
mod state;
mod watched;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;

use api_keys::ApiKeyWork;
use housekeeping::Housekeeping;

use crate::authn::Authenticator;
use crate::authn::key_source::KeySource;
use crate::authz::PolicySet;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::decision::DecisionPoint;
use crate::explain::Refusals;
use crate::http::Service;
use crate::http::admin::Overseen;
use crate::http::oauth::OAuthService;
use crate::http::request_id::RequestIds;
use crate::oauth::IdentityAssertions;
use crate::outbound::{FetchError, Outbound};
use crate::proxy::TrustedProxies;
use crate::telemetry::{DecisionLog, Metrics};

/// The service, with its sockets bound.
pub struct App {
    service: web::Data<Service>,
    oauth: Option<web::Data<OAuthService>>,
    overseen: Option<web::Data<Overseen>>,
    housekeeping: Option<Housekeeping>,
    api_keys: Option<ApiKeyWork>,
    sources: Vec<KeySource>,
    workers: usize,
    public: TcpListener,
    admin: TcpListener,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken or not ours.
    #[error("{key} = \"{address}\": the address cannot be bound: {error}; choose a free one")]
    Bind {
        /// The key to change.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The HTTP client has no certificates, for instance.
    #[error(transparent)]
    Outbound(#[from] FetchError),
    /// The authorization server's store or settings cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// A thread cannot be started, or the server failed.
    #[error("the server cannot run: {0}")]
    Io(#[from] std::io::Error),
}

impl App {
    /// For the decision lines that are left at the end.
    const LAST_LINES: Duration = Duration::from_secs(2);

    /// Wires everything and binds the sockets. Nothing is fetched yet: the service starts while issuers are down.
    pub fn build(config: Config) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let outbound = Outbound::new()?;
        let policies = policy_set(&config);
        let own = config.authorization_server.as_ref();
        let store = state::open_store(&config)?;
        let api_keys = ApiKeyWork::open(&config, store.as_ref(), &policies, &clock)?;
        let wire = |own| {
            authorization_server::wire(&config, own, store.as_ref(), api_keys.as_ref(), &policies, &outbound, &clock)
        };
        let mut wired = own.map(wire).transpose()?;
        let server = wired.as_ref().map(|wired| Arc::clone(&wired.service.server));
        let (authenticator, sources) =
            authenticator::wire(&config, wired.as_mut(), api_keys.as_ref(), &outbound, &clock);
        let metrics = Metrics::new(&names(&config), wired.as_ref().map(|wired| wired.tallies.clone()));
        let metrics = metrics.watching(&config.policies);
        let (authenticator, metrics) = introspection::attach(&config, authenticator, metrics, &outbound);
        let assertions = server.filter(|_| asserts(&config)).map(IdentityAssertions::new);
        let (listen, admin_listen, workers) = (config.server.listen, config.server.admin_listen, config.server.workers);
        let deciding = Deciding { policies, authenticator, metrics, assertions, clock: Arc::clone(&clock) };
        Ok(Self {
            service: web::Data::new(deciding.with(config)?),
            housekeeping: wired.as_ref().map(|wired| wired.housekeeping(clock)),
            overseen: wired.as_ref().map(|wired| web::Data::new(wired.overseen.clone())),
            oauth: wired.map(|wired| web::Data::new(wired.service)),
            api_keys,
            sources,
            workers,
            public: listeners::bind("server.listen", listen)?,
            admin: listeners::bind("server.admin_listen", admin_listen)?,
        })
    }

    /// The public address, with the port that the system chose when 0 was configured.
    pub fn public_address(&self) -> std::io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// The admin address.
    pub fn admin_address(&self) -> std::io::Result<SocketAddr> {
        self.admin.local_addr()
    }

    /// Serves until a signal ends it, then lets running requests finish.
    pub fn run(self) -> Result<(), StartError> {
        let (public_address, admin_address) = (self.public_address()?, self.admin_address()?);
        let api_keys = self.api_keys.as_ref().map(|work| web::Data::from(Arc::clone(&work.keys)));
        let known_keys = api_keys.clone();
        run_in_background(self.sources, self.housekeeping, self.api_keys)?;
        let service = self.service.clone();
        actix_web::rt::System::new().block_on(async move {
            let public = listeners::serve_public(self.service.clone(), self.oauth, self.public, self.workers)?;
            let admin = listeners::serve_admin(self.service, self.overseen, api_keys, self.admin)?;
            tracing::info!(public = %public_address, admin = %admin_address, "listening");
            let stop_admin = admin.handle();
            let admin = actix_web::rt::spawn(admin);
            let outcome = public.await;
            stop_admin.stop(false).await;
            let _ = admin.await;
            api_keys::write_at_the_end(known_keys.as_deref()).await;
            outcome
        })?;
        service.log.flush_within(Self::LAST_LINES);
        Ok(())
    }
}

/// What decides, wired.
struct Deciding {
    policies: PolicySet,
    authenticator: Authenticator,
    metrics: Metrics,
    assertions: Option<IdentityAssertions>,
    clock: Arc<dyn Clock>,
}

impl Deciding {
    /// The service, with everything that is merely set.
    fn with(self, config: Config) -> std::io::Result<Service> {
        Ok(Service {
            point: DecisionPoint {
                trusted: TrustedProxies::new(config.server.trusted_proxies, config.server.proxy_secret),
                policies: self.policies,
                authenticator: self.authenticator,
                client_certificate: config.server.client_certificate,
            },
            clock: self.clock,
            metrics: self.metrics,
            log: DecisionLog::start(config.log.format, std::io::stdout())?,
            allows_logged_per_mille: config.log.allows_per_mille,
            request_ids: RequestIds::new(),
            refusals: Refusals::default(),
            body_limits: config.server.body_limits,
            assertions: self.assertions,
            contracts: config.server.contracts,
            also_decide_at: config.server.also_decide_at,
        })
    }
}

fn policy_set(config: &Config) -> PolicySet {
    let metadata_base = config.server.metadata_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    PolicySet::new(config.policies.clone(), metadata_base)
}

/// Whether any upstream gets identity assertions.
fn asserts(config: &Config) -> bool {
    config.policies.iter().any(|policy| policy.assertion.is_some())
}

/// The resources, as metrics name them, and whether each is only watched.
fn names(config: &Config) -> Vec<(String, bool)> {
    config.policies.iter().map(|policy| (policy.resource.to_string(), policy.audit_only())).collect()
}

/// A thread of its own: fetching and parsing keys, and clearing up, never take a worker's time.
fn run_in_background(
    sources: Vec<KeySource>,
    housekeeping: Option<Housekeeping>,
    api_keys: Option<ApiKeyWork>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("background".into()).spawn(move || {
        let tasks = tokio::task::LocalSet::new();
        for source in sources {
            tasks.spawn_local(source.keep_fresh());
        }
        if let Some(housekeeping) = housekeeping {
            tasks.spawn_local(housekeeping.keep_house());
        }
        if let Some(api_keys) = api_keys {
            tasks.spawn_local(api_keys.keep_house());
        }
        tasks.block_on(&runtime, std::future::pending::<()>());
    })?;
    Ok(())
}
