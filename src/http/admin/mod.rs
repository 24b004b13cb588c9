//! The admin listener: for the operator and the operator's machines.
//!
//! | path | what |
//! |---|---|
//! | `/healthz`, `/readyz`, `/readyz/sign-in`, `/metrics` | for machines that watch; says nothing about people |
//! | `/admin/grants`, `/admin/keys`, `/admin/clients`, `/admin/api-keys` and below, `/admin/explain` | for the operator's commands, behind [`guard`] |

mod answer;
mod api_keys;
mod clients;
mod explain;
mod grants;
mod guard;
mod keys;
mod probes;
mod readiness;

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web;

use crate::api_keys::Registry;
use crate::domain::Tally;
use crate::oauth::AuthorizationServer;

/// What the operator's commands are about.
#[derive(Debug, Clone)]
pub struct Overseen {
    /// The authorization server.
    pub server: Arc<AuthorizationServer>,
    /// Answers of identity providers.
    pub provider_requests: Arc<Tally<3>>,
}

/// Everything that the admin listener serves; without an authorization server there is nothing to oversee.
pub fn routes(
    routes: &mut web::ServiceConfig,
    overseen: Option<&web::Data<Overseen>>,
    api_keys: Option<&web::Data<Registry>>,
) {
    if let Some(api_keys) = api_keys {
        routes.app_data(api_keys.clone());
    }
    if let Some(overseen) = overseen {
        routes.app_data(overseen.clone());
    }
    let commands = web::scope("/admin")
        .wrap(from_fn(guard::admit))
        .app_data(web::PayloadConfig::new(answer::MAX_BODY))
        .route("/grants", web::get().to(grants::list))
        .route("/grants/revoke", web::post().to(grants::revoke))
        .route("/keys", web::get().to(keys::list))
        .route("/keys/rotate", web::post().to(keys::rotate))
        .route("/api-keys", web::get().to(api_keys::list))
        .route("/api-keys", web::post().to(api_keys::create))
        .route("/api-keys/revoke", web::post().to(api_keys::revoke))
        .route("/clients", web::get().to(clients::list))
        .route("/clients/delete", web::post().to(clients::delete))
        .service(explain::resource())
        .default_service(web::route().to(probes::not_found));
    routes
        .route("/healthz", web::get().to(probes::healthz))
        .route("/readyz", web::get().to(readiness::decisions))
        .route("/readyz/sign-in", web::get().to(readiness::sign_in))
        .route("/metrics", web::get().to(probes::metrics))
        .service(commands)
        .default_service(web::route().to(probes::not_found));
}
