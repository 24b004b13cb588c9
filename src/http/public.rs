//! Everything on the public listener that is neither decision nor document.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};

use super::error;

/// The process lives.
pub fn health(request: &HttpRequest) -> HttpResponse {
    if reads(request) {
        HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
    } else {
        error::method_not_allowed()
    }
}

/// `GET` or `HEAD`.
pub(super) fn reads(request: &HttpRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}
