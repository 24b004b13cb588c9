//! Everything on the public listener that is no decision.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};

use super::{Service, documents, error};

/// `/health`, the metadata documents, or 404.
pub fn serve(service: &Service, request: &HttpRequest, path: &str, well_known: &str) -> HttpResponse {
    let document = path.strip_prefix(well_known).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    if document.is_none() && path != "/health" {
        return error::not_found();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return error::method_not_allowed();
    }
    match document {
        Some(resource_path) => documents::protected_resource(service, request, resource_path),
        None => HttpResponse::Ok().json(serde_json::json!({ "status": "ok" })),
    }
}
