//! The thin web layer; the only folder that imports actix-web. Every URL that is served stands on this screen.

pub mod admin;
pub mod auth;
mod decision_line;
pub mod documents;
pub mod error;
pub mod explain;
pub mod head;
mod identity_assertion;
pub mod oauth;
pub mod pages;
pub mod public;
pub mod request_id;
mod response;
pub mod service;
pub mod spans;
pub mod waiting;

pub use service::Service;
pub use spans::RequestSpan;

use actix_web::{HttpRequest, HttpResponse, guard, web};
use tracing_actix_web::TracingLogger;

use oauth::OAuthService;

use crate::proxy::{Contract, UnknownEndpoint};

/// The public listener:
///
/// | path | what |
/// |---|---|
/// | `/auth`, `/auth/nginx`, `/auth/envoy/…` | decisions, any method |
/// | further decision paths of the configuration | decisions in the terms of `/auth` |
/// | `/health` | liveness |
/// | `/.well-known/oauth-protected-resource…` | RFC 9728 documents |
/// | the paths of [`oauth`] | the authorization server, where there is one |
/// | anything else | 404 in JSON |
///
/// The two fixed decision paths are static routes, the rest is compared by hand: actix's path patterns cost a third of
/// a decision.
pub fn public_routes(routes: &mut web::ServiceConfig, oauth: Option<&web::Data<OAuthService>>, may_wait: bool) {
    if let Some(oauth) = oauth {
        routes.app_data(oauth.clone());
    }
    decision_routes(routes, may_wait);
    routes.service(
        web::scope("/.well-known")
            .wrap(TracingLogger::<RequestSpan>::new())
            .default_service(web::route().to(documents::well_known)),
    );
    if oauth.is_some() {
        let ours = guard::fn_guard(|context| oauth::is_path(context.head().uri.path()));
        routes.service(web::scope("").guard(ours).wrap(TracingLogger::<RequestSpan>::new()).configure(oauth::routes));
    }
}

/// Handlers that never wait where nothing is waited for: being able to costs on every decision.
fn decision_routes(routes: &mut web::ServiceConfig, may_wait: bool) {
    if may_wait {
        routes
            .route("/auth", web::route().to(waiting::forward_auth))
            .route("/auth/nginx", web::route().to(waiting::auth_request))
            .default_service(web::route().to(waiting::dispatch));
    } else {
        routes
            .route("/auth", web::route().to(auth::forward_auth))
            .route("/auth/nginx", web::route().to(auth::auth_request))
            .default_service(web::route().to(dispatch));
    }
}

async fn dispatch(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    let path = request.uri().path();
    match Contract::of_path(path) {
        Some(Ok(contract)) => auth::decide(&service, &request, contract),
        Some(Err(UnknownEndpoint)) => auth::refuse_endpoint(&service, &request),
        None if service.decides_at(path) => auth::decide(&service, &request, Contract::ForwardAuth),
        None if path == "/health" => public::health(&request),
        None => error::not_found(),
    }
}
