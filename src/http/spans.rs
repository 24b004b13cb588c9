//! The span of a request that is no decision. Without the query: it may hold what must not be logged.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{Error, web};
use tracing::Span;
use tracing_actix_web::RootSpanBuilder;

use super::Service;
use super::decision_line::cut;
use super::head::ActixHead;

/// A span with method, path and request id, which stand in every line about the request; at `DEBUG` there is a line for
/// its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    /// Whatever the level of the log, the span is there: at `ERROR`, since a span below the level is left out of lines
    /// above it.
    fn on_request_start(request: &ServiceRequest) -> Span {
        let ids = request.app_data::<web::Data<Service>>();
        let request_id = ids.map(|service| service.request_ids.of(&ActixHead(request.request())));
        tracing::error_span!("request", method = %request.method(), path = cut(request.uri().path()), request_id)
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.in_scope(|| tracing::debug!(status = status.as_u16(), "answered"));
    }
}
