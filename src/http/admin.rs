//! The admin listener: for the operator and the operator's machines.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::{Service, error};

/// The process lives.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// Decisions can be made: keys of every issuer are at hand. Names the issuers whose keys are missing.
pub async fn readyz(service: web::Data<Service>) -> HttpResponse {
    let figures = service.figures();
    let missing: Vec<&str> =
        figures.keys.iter().filter(|(_, keys)| keys.keys == 0).map(|(issuer, _)| issuer.as_str()).collect();
    let issuers: Vec<serde_json::Value> = figures
        .keys
        .iter()
        .map(|(issuer, keys)| {
            json!({
                "issuer": issuer,
                "keys": keys.keys,
                "age_seconds": keys.age.map(|age| age.as_secs()),
                "failures": keys.failures,
            })
        })
        .collect();
    let status = if missing.is_empty() { "ready" } else { "not ready" };
    let body = json!({ "status": status, "issuers_without_keys": missing, "issuers": issuers });
    let mut response = if missing.is_empty() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(body)
}

/// Prometheus text.
pub async fn metrics(service: web::Data<Service>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(service.metrics.render(&service.figures()))
}

/// Anything else.
pub async fn not_found() -> HttpResponse {
    error::not_found()
}
