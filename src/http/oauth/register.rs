//! `/register` (RFC 7591) and what is below it (RFC 7592): JSON in, JSON out.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{OAuthService, answer, body, whole};
use crate::domain::UnixTime;
use crate::http::{Service, error};
use crate::oauth::OAuthError;

/// `POST /register`
pub(super) async fn register(
    request: HttpRequest,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        oauth.admit(&oauth.limits.register, &request)?;
        let body = body::read(&request, payload).await?;
        let (clients, now) = (Arc::clone(&oauth.clients), service.clock.now());
        let registration = whole::to_the_end(async move { clients.register(&body, now).await }).await??;
        Ok(answer::secret(StatusCode::CREATED, &registration.information))
    };
    let counted = async {
        let outcome = work.await;
        oauth.server.note_registration(outcome.as_ref().err());
        outcome
    };
    answer::told(&request, &oauth, counted).await
}

/// `GET`, `PUT` and `DELETE /register/{client_id}`
pub(super) async fn manage(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    oauth: web::Data<OAuthService>,
    service: web::Data<Service>,
) -> HttpResponse {
    let work = async {
        oauth.admit(&oauth.limits.token, &request)?;
        let authorization = body::authorization(&request)?;
        let (id, now, oauth) = (id.into_inner(), service.clock.now(), oauth.clone());
        let change = Change { id, authorization, oauth };
        match *request.method() {
            Method::GET => change.read(now).await,
            Method::PUT => {
                let body = body::read(&request, payload).await?;
                whole::to_the_end(change.update(body, now)).await?
            }
            Method::DELETE => whole::to_the_end(change.delete(now)).await?,
            _ => Ok(error::method_not_allowed()),
        }
    };
    answer::told(&request, &oauth, work).await
}

/// One request about a registration.
struct Change {
    id: String,
    authorization: Option<Vec<u8>>,
    oauth: web::Data<OAuthService>,
}

impl Change {
    async fn read(self, now: UnixTime) -> Result<HttpResponse, OAuthError> {
        let found = self.oauth.clients.read_registration(&self.id, self.authorization.as_deref(), now).await?;
        Ok(answer::secret(StatusCode::OK, &found.information))
    }

    async fn update(self, body: web::Bytes, now: UnixTime) -> Result<HttpResponse, OAuthError> {
        let authorization = self.authorization.as_deref();
        let changed = self.oauth.clients.update_registration(&self.id, authorization, &body, now).await?;
        Ok(answer::secret(StatusCode::OK, &changed.information))
    }

    /// What people let the client do ends with it (RFC 7592 §2.3).
    async fn delete(self, now: UnixTime) -> Result<HttpResponse, OAuthError> {
        let authorization = self.authorization.as_deref();
        // Before, too: should we die in between, the client can still be asked to go again.
        self.oauth.clients.read_registration(&self.id, authorization, now).await?;
        self.oauth.server.end_grants_of_deleted(&self.id).await?;
        let gone = self.oauth.clients.delete_registration(&self.id, authorization, now).await?;
        self.oauth.server.end_grants_of_deleted(&gone.client_id).await?;
        Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
    }
}
