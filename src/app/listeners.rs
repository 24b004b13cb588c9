//! The sockets, and what is served on each.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App as WebApp, HttpServer, web};
use tracing_actix_web::TracingLogger;

use super::StartError;
use crate::api_keys::Registry;
use crate::http::admin::Overseen;
use crate::http::oauth::OAuthService;
use crate::http::{self, RequestSpan, Service};

/// More than the 90 s that Go's proxies keep idle connections: they must close first, or requests race with ours.
const KEEP_ALIVE: Duration = Duration::from_secs(120);
/// Traefik opens many short connections at once.
const BACKLOG: u32 = 4096;
const SHUTDOWN_SECONDS: u64 = 10;

/// Binds what `key` says.
pub(super) fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    actix_web_listener(address).map_err(|error| StartError::Bind { key, address, error })
}

/// Bound before the server exists, so that a taken address is an error with a name.
fn actix_web_listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(BACKLOG).unwrap_or(1024))?;
    Ok(socket.into())
}

/// Decisions, documents and the authorization server.
pub(super) fn serve_public(
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
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .listen(listener)?;
    Ok(server.run())
}

/// Probes, metrics and commands.
pub(super) fn serve_admin(
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
