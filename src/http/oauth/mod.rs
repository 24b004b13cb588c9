//! The authorization server on the wire: forms in, JSON, redirects and pages out. Handlers are thin; what they decide
//! stands in [`crate::oauth`].

mod answer;
mod authorize;
mod body;
pub mod browser;
mod browser_sign_in;
mod browsing;
mod connections;
pub mod cors;
mod development;
mod documents;
pub mod limits;
mod register;
mod service;
mod token;
mod views;
pub(in crate::http) mod whole;

pub use service::{Limits, OAuthService};

use actix_web::{HttpRequest, HttpResponse, web};

use super::error;

/// The paths below; compared before anything is routed, so that decisions do not pay for them.
pub(super) fn is_path(path: &str) -> bool {
    const EXACT: [&str; 10] = [
        "/authorize",
        "/consent",
        "/callback",
        "/token",
        "/revoke",
        "/introspect",
        "/register",
        "/jwks",
        "/connections",
        "/sign-out",
    ];
    EXACT.contains(&path) || path.starts_with("/register/") || path == "/sign-in" || path.starts_with("/sign-in/")
}

/// | path | what |
/// |---|---|
/// | `/authorize`, `/consent`, `/callback` | a browser's way from a client to its answer |
/// | `/connections`, `/sign-in`, `/sign-out` | our own pages |
/// | `/sign-in/begin`, `/sign-in/continue`, `/sign-in/return` | a browser's way to a page and back to it |
/// | `/token`, `/revoke`, `/introspect` | forms of clients |
/// | `/register` and below | registrations of clients |
/// | `/jwks` | the keys of our tokens |
pub(super) fn routes(routes: &mut web::ServiceConfig) {
    routes.configure(for_people).configure(for_programs).default_service(web::to(otherwise));
}

fn for_people(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/authorize")
                .route(web::get().to(authorize::authorize))
                .route(web::post().to(authorize::authorize)),
        )
        .service(
            web::resource("/consent")
                .route(web::get().to(authorize::consent_page))
                .route(web::post().to(authorize::consent)),
        )
        .route("/callback", web::get().to(authorize::callback))
        .service(
            web::resource("/connections")
                .route(web::get().to(connections::list))
                .route(web::post().to(connections::withdraw)),
        )
        .service(
            web::resource("/sign-in")
                .route(web::get().to(connections::sign_in_page))
                .route(web::post().to(connections::sign_in)),
        )
        .service(
            web::resource("/sign-in/development")
                .route(web::get().to(development::form))
                .route(web::post().to(development::sign_in)),
        )
        .route("/sign-in/begin", web::get().to(browser_sign_in::begin))
        .service(
            web::resource("/sign-in/continue")
                .route(web::get().to(browser_sign_in::go_on))
                .route(web::post().to(browser_sign_in::choose)),
        )
        .route("/sign-in/return", web::get().to(browser_sign_in::come_back))
        .route("/sign-out", web::post().to(connections::sign_out));
}

/// A resource answers methods that it does not have by itself, so each names who answers preflights.
fn for_programs(routes: &mut web::ServiceConfig) {
    let with_preflight = |path: &str| web::resource(path).default_service(web::to(otherwise));
    routes
        .service(with_preflight("/token").route(web::post().to(token::token)))
        .service(with_preflight("/revoke").route(web::post().to(token::revoke)))
        .route("/introspect", web::post().to(token::introspect))
        .route("/jwks", web::route().to(documents::jwks))
        .service(with_preflight("/register").route(web::post().to(register::register)))
        .service(
            with_preflight("/register/{client_id}")
                .route(web::get().to(register::manage))
                .route(web::put().to(register::manage))
                .route(web::delete().to(register::manage)),
        );
}

/// Preflights of endpoints that scripts call, and methods that no endpoint has.
async fn otherwise(request: HttpRequest, oauth: web::Data<OAuthService>) -> HttpResponse {
    const FOR_SCRIPTS: [&str; 4] = ["/token", "/revoke", "/register", "/jwks"];
    let path = request.uri().path();
    let open = FOR_SCRIPTS.contains(&path) || path.starts_with("/register/");
    oauth.cors.preflight(&request).filter(|_| open).unwrap_or_else(error::method_not_allowed)
}
