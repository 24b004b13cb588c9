//! Answers to commands: JSON that no cache keeps.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Overseen;
use crate::oauth::{KeyError, OAuthError};

/// Longest command, in bytes.
pub(super) const MAX_BODY: usize = 16 * 1024;

/// Why a command was not followed.
pub(super) struct Trouble {
    status: StatusCode,
    code: &'static str,
    description: String,
}

impl Trouble {
    pub(super) fn new(status: StatusCode, code: &'static str, description: impl Into<String>) -> Self {
        Self { status, code, description: description.into() }
    }
}

/// The operator may know the cause; neither part ever holds a secret.
impl From<OAuthError> for Trouble {
    fn from(error: OAuthError) -> Self {
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let description = match error.cause {
            Some(cause) => format!("{}: {cause}", error.description),
            None => error.description.into_owned(),
        };
        Self::new(status, error.code.as_str(), description)
    }
}

impl From<KeyError> for Trouble {
    fn from(error: KeyError) -> Self {
        let (status, code) = match &error {
            KeyError::Store(_) | KeyError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            KeyError::TooSoon(_) => (StatusCode::CONFLICT, "too_soon"),
            KeyError::Broken(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        Self::new(status, code, error.to_string())
    }
}

/// What a command led to.
pub(super) fn of<T: Serialize>(outcome: Result<T, Trouble>) -> HttpResponse {
    match outcome {
        Ok(body) => HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body),
        Err(trouble) => refusal(trouble.status, trouble.code, &trouble.description),
    }
}

pub(super) fn refusal(status: StatusCode, code: &str, description: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "error": code, "error_description": description }))
}

/// What a command is about.
pub(super) fn overseen(overseen: Option<web::Data<Overseen>>) -> Result<web::Data<Overseen>, Trouble> {
    overseen.ok_or_else(|| {
        let description = "no authorization server is configured, so there are no grants, keys or clients";
        Trouble::new(StatusCode::NOT_FOUND, "no_authorization_server", description)
    })
}

/// A command's body, strictly.
pub(super) fn command<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body).map_err(|error| invalid(format!("the body is not what it should be: {error}")))
}

/// A command's query, strictly.
pub(super) fn query<T: DeserializeOwned>(text: &str) -> Result<T, Trouble> {
    let read = web::Query::<T>::from_query(text).map(web::Query::into_inner);
    read.map_err(|error| invalid(format!("the query is not what it should be: {error}")))
}

pub(super) fn invalid(description: impl Into<String>) -> Trouble {
    Trouble::new(StatusCode::BAD_REQUEST, "invalid_request", description)
}
