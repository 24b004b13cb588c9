//! Liveness and metrics.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::Overseen;
use crate::authn::issuer_keys::KeyFigures;
use crate::http::{Service, error};
use crate::telemetry::metrics::{AuthorizationServerFigures, Figures};

/// The process lives.
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// Prometheus text.
pub(super) async fn metrics(service: web::Data<Service>, overseen: Option<web::Data<Overseen>>) -> HttpResponse {
    let authorization_server = overseen.as_ref().map(|overseen| AuthorizationServerFigures {
        signing_key_age: overseen.server.keys().age(service.clock.now()),
        revocations: overseen.server.revocations().len(),
    });
    let mut figures = Figures { authorization_server, ..service.figures() };
    if let Some(overseen) = &overseen {
        add_keys(&mut figures.keys, overseen.server.assertion_keys(service.clock.now()));
    }
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(service.metrics.render(&figures))
}

/// An issuer that is trusted in both ways has one row, since it has one name.
fn add_keys(known: &mut Vec<(String, KeyFigures)>, more: Vec<(String, KeyFigures)>) {
    for (issuer, figures) in more {
        match known.iter_mut().find(|(name, _)| *name == issuer) {
            Some((_, present)) => *present = present.with(figures),
            None => known.push((issuer, figures)),
        }
    }
}

/// Anything else.
pub(super) async fn not_found() -> HttpResponse {
    error::not_found()
}
