//! The only error → response map outside decisions.

use actix_web::HttpResponse;
use actix_web::http::{Method, header};
use serde_json::json;

/// 404 in JSON: discovery clients read 401 as "sign in first" and 5xx as "broken", and give up on both.
pub fn not_found() -> HttpResponse {
    HttpResponse::NotFound()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "error": "not_found", "error_description": "there is nothing at this URL" }))
}

/// 405.
pub fn method_not_allowed() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header(header::Allow(vec![Method::GET, Method::HEAD]))
        .json(json!({ "error": "method_not_allowed", "error_description": "only GET and HEAD are served here" }))
}
