//! Liveness and metrics.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::Overseen;
use crate::http::{Service, error};
use crate::telemetry::metrics::{AuthorizationServerFigures, Figures};

/// The process lives.
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// Prometheus text.
pub(super) async fn metrics(service: web::Data<Service>, overseen: Option<web::Data<Overseen>>) -> HttpResponse {
    let authorization_server = overseen.map(|overseen| AuthorizationServerFigures {
        signing_key_age: overseen.server.keys().age(service.clock.now()),
        revocations: overseen.server.revocations().len(),
    });
    let figures = Figures { authorization_server, ..service.figures() };
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(service.metrics.render(&figures))
}

/// Anything else.
pub(super) async fn not_found() -> HttpResponse {
    error::not_found()
}
