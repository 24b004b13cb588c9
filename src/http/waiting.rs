//! Decisions that may have to wait: for an issuer that is asked about an opaque token, and where rules ask for operations,
//! for the body that the proxy sent, within a limit and a time.

use actix_web::{HttpRequest, HttpResponse, web};

use super::auth::{answer, refuse_endpoint};
use super::head::ActixHead;
use super::{Service, error, public};
use crate::mcp::{BodyLimits, SentBody};
use crate::proxy::{Contract, UnknownEndpoint};

/// `/auth`.
pub async fn forward_auth(request: HttpRequest, body: web::Payload, service: web::Data<Service>) -> HttpResponse {
    decide(&service, &request, body, Contract::ForwardAuth).await
}

/// `/auth/nginx`.
pub async fn auth_request(request: HttpRequest, body: web::Payload, service: web::Data<Service>) -> HttpResponse {
    decide(&service, &request, body, Contract::AuthRequest).await
}

/// Everything else, as [`super::dispatch`] does it.
pub async fn dispatch(request: HttpRequest, body: web::Payload, service: web::Data<Service>) -> HttpResponse {
    let path = request.uri().path();
    match Contract::of_path(path) {
        Some(Ok(contract)) => decide(&service, &request, body, contract).await,
        Some(Err(UnknownEndpoint)) => refuse_endpoint(&service, &request),
        None if service.decides_at(path) => decide(&service, &request, body, Contract::ForwardAuth).await,
        None if path == "/health" => public::health(&request),
        None => error::not_found(),
    }
}

/// The body is waited for only when the request's head is permitted and rules ask for operations: strangers cannot make
/// the service hold what they send.
async fn decide(service: &Service, request: &HttpRequest, body: web::Payload, contract: Contract) -> HttpResponse {
    if !service.contracts.contains(&contract) {
        return refuse_endpoint(service, request);
    }
    let head = ActixHead(request);
    let (decision, took) = service.timed_decision(contract, &head);
    let (decision, took) = service.introspected(decision, &head, took).await;
    if !decision.wants_body() {
        return answer(service, &head, contract, &decision, took);
    }
    let body = Received::read(body, service.body_limits).await;
    let started = std::time::Instant::now();
    let decision = service.point.decide_with_body(decision, &head, body.as_sent());
    answer(service, &head, contract, &decision, took + started.elapsed())
}

/// What arrived.
enum Received {
    Whole(web::Bytes),
    Cut,
    Late,
}

impl Received {
    async fn read(body: web::Payload, limits: BodyLimits) -> Self {
        match tokio::time::timeout(limits.timeout, body.to_bytes_limited(limits.max_bytes)).await {
            Ok(Ok(Ok(bytes))) => Self::Whole(bytes),
            // Longer than is read, or the proxy hung up in the middle.
            Ok(Ok(Err(_)) | Err(_)) => Self::Cut,
            Err(_) => Self::Late,
        }
    }

    fn as_sent(&self) -> SentBody<'_> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => SentBody::None,
            Self::Whole(bytes) => SentBody::Whole(bytes),
            Self::Cut => SentBody::Cut,
            Self::Late => SentBody::Late,
        }
    }
}
