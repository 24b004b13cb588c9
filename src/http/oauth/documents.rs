//! Metadata and keys. The content comes from the configuration; nothing of the request is in it.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::OAuthService;
use crate::http::error;
use crate::http::public::reads;

/// `/jwks`.
pub(super) async fn jwks(request: HttpRequest, service: web::Data<OAuthService>) -> HttpResponse {
    service.document(&request, service.server.jwks())
}

impl OAuthService {
    /// The document at `path` below `/.well-known`, if it is one of the authorization server's. What follows the name is
    /// the path of a resource or nothing (RFC 8414 §3.1): clients look at both places, and there is one document.
    pub(in crate::http) fn well_known(&self, request: &HttpRequest, path: &str) -> Option<HttpResponse> {
        let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let document = match name {
            "oauth-authorization-server" => self.server.metadata(),
            "openid-configuration" => self.server.openid_configuration(),
            "jwks.json" if path == "/jwks.json" => self.server.jwks(),
            _ => return None,
        };
        Some(self.document(request, document))
    }

    fn document(&self, request: &HttpRequest, document: web::Bytes) -> HttpResponse {
        if let Some(preflight) = self.cors.preflight(request) {
            return preflight;
        }
        if !reads(request) {
            return error::method_not_allowed();
        }
        let mut response = HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
            .body(document);
        self.cors.open(request, &mut response);
        response
    }
}
