//! JSON answers of the authorization server, and the one map of its errors to responses.

use actix_web::http::header::HeaderValue;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;

use super::OAuthService;
use crate::oauth::client_authentication::tried_basic;
use crate::oauth::{ErrorCode, OAuthError};

/// What a program is told: the answer of `work`, or its error, for every page that may read it.
pub(super) async fn told(
    request: &HttpRequest,
    oauth: &OAuthService,
    work: impl Future<Output = Result<HttpResponse, OAuthError>>,
) -> HttpResponse {
    let authorization = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let mut response = work.await.unwrap_or_else(|error| refusal(&error, tried_basic(authorization)));
    oauth.cors.open(request, &mut response);
    response
}

/// An answer that no cache may keep (RFC 6749 §5.1).
pub(super) fn secret(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(body)
}

/// The error as RFC 6749 §5.2 has it. What went wrong inside is for the log alone.
fn refusal(error: &OAuthError, tried_basic: bool) -> HttpResponse {
    log(error);
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
    match error.code {
        // "The server MUST include the matching scheme when the client tried to authenticate by header."
        ErrorCode::InvalidClient if tried_basic => {
            response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"clients\", charset=\"UTF-8\""));
        }
        ErrorCode::InvalidToken => {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""));
        }
        ErrorCode::TemporarilyUnavailable => {
            response.insert_header((header::RETRY_AFTER, "2"));
        }
        ErrorCode::TooManyRequests => {
            response.insert_header((header::RETRY_AFTER, "60"));
        }
        ErrorCode::InvalidClient
        | ErrorCode::InvalidRequest
        | ErrorCode::InvalidGrant
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::UnsupportedResponseType
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidTarget
        | ErrorCode::AccessDenied
        | ErrorCode::LoginRequired
        | ErrorCode::ConsentRequired
        | ErrorCode::ServerError
        | ErrorCode::InvalidRedirectUri
        | ErrorCode::InvalidDpopProof
        | ErrorCode::InvalidClientMetadata => {}
    }
    response.json(json!({ "error": error.code.as_str(), "error_description": error.description }))
}

/// Our own trouble is a warning, the client's mistake a line for whoever looks for it.
fn log(error: &OAuthError) {
    let (code, description) = (error.code.as_str(), &*error.description);
    let cause = error.cause.as_deref().unwrap_or_default();
    match error.code {
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
            tracing::warn!(code, description, cause, "a request to the authorization server failed");
        }
        ErrorCode::TooManyRequests
        | ErrorCode::InvalidClient
        | ErrorCode::InvalidRequest
        | ErrorCode::InvalidGrant
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::UnsupportedResponseType
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidTarget
        | ErrorCode::AccessDenied
        | ErrorCode::LoginRequired
        | ErrorCode::ConsentRequired
        | ErrorCode::InvalidRedirectUri
        | ErrorCode::InvalidDpopProof
        | ErrorCode::InvalidClientMetadata
        | ErrorCode::InvalidToken => {
            tracing::info!(code, description, cause, "a request to the authorization server was refused");
        }
    }
}
