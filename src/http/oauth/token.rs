//! `/token`, `/revoke`, `/introspect`: forms in, JSON out.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{OAuthService, answer, body, whole};
use crate::oauth::{OAuthError, Parameters};

/// `POST /token` (RFC 6749 §3.2).
pub(super) async fn token(
    request: HttpRequest,
    payload: web::Payload,
    service: web::Data<OAuthService>,
) -> HttpResponse {
    answer::told(&request, &service, async {
        let (form, authorization) = read(&request, payload, &service).await?;
        let (server, proof) = (Arc::clone(&service.server), body::proof(&request));
        let work = async move { server.token(&form, authorization.as_deref(), proof.as_occurrence()).await };
        let answer = whole::to_the_end(work).await??;
        Ok(answer::secret(StatusCode::OK, &answer.to_json()))
    })
    .await
}

/// `POST /revoke` (RFC 7009 §2.2): 200 and nothing else, whatever the token was.
pub(super) async fn revoke(
    request: HttpRequest,
    payload: web::Payload,
    service: web::Data<OAuthService>,
) -> HttpResponse {
    answer::told(&request, &service, async {
        let (form, authorization) = read(&request, payload, &service).await?;
        let server = Arc::clone(&service.server);
        whole::to_the_end(async move { server.revoke(&form, authorization.as_deref()).await }).await??;
        Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).finish())
    })
    .await
}

/// `POST /introspect` (RFC 7662).
pub(super) async fn introspect(
    request: HttpRequest,
    payload: web::Payload,
    service: web::Data<OAuthService>,
) -> HttpResponse {
    answer::told(&request, &service, async {
        let (form, authorization) = read(&request, payload, &service).await?;
        let described = service.server.introspect(&form, authorization.as_deref()).await?;
        Ok(answer::secret(StatusCode::OK, &described.to_json()))
    })
    .await
}

/// The form, and the one `Authorization` header.
async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    service: &OAuthService,
) -> Result<(Parameters, Option<Vec<u8>>), OAuthError> {
    service.admit(&service.limits.token, request)?;
    let authorization = body::authorization(request)?;
    Ok((body::form(request, payload).await?, authorization))
}
