//! The composition root: a configuration in, a running server out.

pub mod alone;
mod api_keys;
mod assertion_issuers;
mod authorization_server;
mod housekeeping;
mod identity_provider;
mod introspection;
mod state;
mod watched;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App as WebApp, HttpServer, web};
use tracing_actix_web::TracingLogger;

use api_keys::ApiKeyWork;
use housekeeping::Housekeeping;

use crate::api_keys::Registry;
use crate::authn::key_source::KeySource;
use crate::authn::{Authenticator, IssuerKeys, IssuerSettings};
use crate::authz::{Condition, PolicySet};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, IssuerConfig};
use crate::decision::DecisionPoint;
use crate::explain::Refusals;
use crate::http::admin::Overseen;
use crate::http::oauth::OAuthService;
use crate::http::request_id::RequestIds;
use crate::http::{self, RequestSpan, Service};
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
    /// More than the 90 s that Go's proxies keep idle connections: they must close first, or requests race with ours.
    const KEEP_ALIVE: Duration = Duration::from_secs(120);
    /// Traefik opens many short connections at once.
    const BACKLOG: u32 = 4096;
    const SHUTDOWN_SECONDS: u64 = 10;
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
            wire_authenticator(&config, wired.as_mut(), api_keys.as_ref(), &outbound, &clock);
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
            public: bind("server.listen", listen)?,
            admin: bind("server.admin_listen", admin_listen)?,
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
            let public = serve_public(self.service.clone(), self.oauth, self.public, self.workers)?;
            let admin = serve_admin(self.service, self.overseen, api_keys, self.admin)?;
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

fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    actix_web_listener(address).map_err(|error| StartError::Bind { key, address, error })
}

/// Bound before the server exists, so that a taken address is an error with a name.
fn actix_web_listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(App::BACKLOG).unwrap_or(1024))?;
    Ok(socket.into())
}

/// Who is believed: our own authorization server, whose keys are at hand, and everybody whose keys are fetched.
fn wire_authenticator(
    config: &Config,
    mut wired: Option<&mut authorization_server::Wired>,
    api_keys: Option<&ApiKeyWork>,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
) -> (Authenticator, Vec<KeySource>) {
    let foreign = config.issuers.iter().filter(|issuer| !issuer.is_own);
    let (foreign, mut sources): (Vec<_>, Vec<KeySource>) =
        foreign.map(|issuer| wire_issuer(issuer, config, outbound, clock)).unzip();
    // An issuer whose tokens are all opaque may have no keys to fetch.
    sources.retain(|source| !source.algorithms.is_empty());
    sources.extend(wired.iter_mut().flat_map(|wired| std::mem::take(&mut wired.sources)));
    let own = wired.map(|wired| &wired.service.server);
    let settings = own.iter().map(|server| server.as_issuer()).chain(foreign).collect();
    let authenticator = Authenticator::new(settings, config.leeway, config.cache_bytes);
    let authenticator = authenticator.keeping_claims(keeps_claims(config));
    let authenticator = api_keys.iter().fold(authenticator, |authenticator, keys| keys.known_to(authenticator));
    let authenticator = match own {
        Some(server) => {
            let authenticator = authenticator.with_sessions(Arc::clone(server));
            authenticator.with_revocation(&server.settings().issuer, Arc::clone(server.revocations()))
        }
        None => authenticator,
    };
    (authenticator, sources)
}

/// Whether a condition looks at claims, so that identities must hold them.
fn keeps_claims(config: &Config) -> bool {
    config.policies.iter().any(|policy| policy.conditions().any(Condition::uses_claims))
}

fn wire_issuer(
    issuer: &IssuerConfig,
    config: &Config,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
) -> (IssuerSettings, KeySource) {
    let keys = Arc::new(IssuerKeys::default());
    let settings = IssuerSettings {
        issuer: issuer.issuer.clone(),
        algorithms: issuer.algorithms.clone(),
        groups_claims: issuer.groups_claims.clone(),
        assume_email_verified: issuer.assume_email_verified,
        keys: Arc::clone(&keys),
    };
    let source = KeySource {
        issuer: issuer.issuer.clone(),
        jwks_uri: issuer.jwks_uri.clone(),
        algorithms: issuer.algorithms.clone(),
        keys,
        outbound: outbound.clone(),
        clock: Arc::clone(clock),
        schedule: config.keys,
    };
    (settings, source)
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

fn serve_public(
    service: web::Data<Service>,
    oauth: Option<web::Data<OAuthService>>,
    listener: TcpListener,
    workers: usize,
) -> std::io::Result<Server> {
    let app = move || {
        let may_wait = service.point.may_wait();
        let routes = |routes: &mut web::ServiceConfig| http::public_routes(routes, oauth.as_ref(), may_wait);
        WebApp::new().app_data(service.clone()).configure(routes)
    };
    let server = HttpServer::new(app)
        .workers(workers)
        .keep_alive(App::KEEP_ALIVE)
        .shutdown_timeout(App::SHUTDOWN_SECONDS)
        .listen(listener)?;
    Ok(server.run())
}

fn serve_admin(
    service: web::Data<Service>,
    overseen: Option<web::Data<Overseen>>,
    api_keys: Option<web::Data<Registry>>,
    listener: TcpListener,
) -> std::io::Result<Server> {
    let app = move || {
        let routes =
            |routes: &mut web::ServiceConfig| http::admin::routes(routes, overseen.as_ref(), api_keys.as_ref());
        WebApp::new().app_data(service.clone()).wrap(TracingLogger::<RequestSpan>::new()).configure(routes)
    };
    let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).listen(listener)?;
    Ok(server.run())
}
