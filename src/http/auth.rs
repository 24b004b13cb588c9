//! `/auth`: read, decide, count, log, reply.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::head::ActixHead;
use super::{Service, identity_assertion};
use crate::authn::Authentication;
use crate::authz::{Matched, Reason, Verdict};
use crate::decision::Decision;
use crate::domain::{Malformed, Occurrence, OriginalRequest};
use crate::explain::Refusal;
use crate::proxy::reply::Cookies;
use crate::proxy::{Contract, Field, Reply, RequestHead};
use crate::telemetry::DecisionRecord;
use crate::telemetry::decision_record::timestamp;
use crate::telemetry::metrics::outcome;

/// `/auth`.
pub async fn forward_auth(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    decide(&service, &request, Contract::ForwardAuth)
}

/// `/auth/nginx`.
pub async fn auth_request(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    decide(&service, &request, Contract::AuthRequest)
}

/// The decision, from the wire to the wire.
pub fn decide(service: &Service, request: &HttpRequest, contract: Contract) -> HttpResponse {
    if !service.contracts.contains(&contract) {
        return refuse_endpoint(service, request);
    }
    let head = ActixHead(request);
    let (decision, took) = service.timed_decision(contract, &head);
    answer(service, &head, contract, &decision, took)
}

/// A path under `/auth` that nobody owns, such as a misspelt one, or one whose contract is switched off.
pub fn refuse_endpoint(service: &Service, request: &HttpRequest) -> HttpResponse {
    let decision = Decision::refused(Reason::InvalidRequest);
    answer(service, &ActixHead(request), Contract::ForwardAuth, &decision, Duration::ZERO)
}

/// Counts, logs and replies.
pub(super) fn answer(
    service: &Service,
    head: &ActixHead<'_>,
    contract: Contract,
    decision: &Decision<'_>,
    took: Duration,
) -> HttpResponse {
    let resource = decision.matched.as_ref().map(|matched| matched.index);
    service.metrics.count(resource, &decision.verdict, took);
    if decision.verdict.would_refuse().is_some() || decision.asked.is_some() {
        count_watched(service, resource, decision);
    }
    let allowed = decision.verdict.is_plain_permit();
    if allowed && !service.request_ids.samples_allow(service.allows_logged_per_mille) {
        let reply = Reply::to(contract, &decision.verdict, "");
        let response = respond(decision, head, (contract, reply), None);
        return identity_assertion::with(service, decision, contract, response);
    }
    let request_id = service.request_ids.of(head);
    let response = spoken(decision, head, contract, &request_id);
    let (status, now) = (response.status().as_u16(), service.clock.now());
    service.log.write(&record(head, contract, decision, took, status, timestamp(now), &request_id));
    if !allowed {
        service.refusals.keep(Refusal::of(decision, head, (contract, forgotten(decision, &response)), request_id, now));
    }
    identity_assertion::with(service, decision, contract, response)
}

/// What is answered to what gets a line in the log; the same for an explanation.
pub(super) fn spoken(
    decision: &Decision<'_>,
    head: &dyn RequestHead,
    contract: Contract,
    request_id: &str,
) -> HttpResponse {
    let reply = match decision.sign_in(contract, head) {
        Some(location) => Reply::sign_in(contract, location),
        None => Reply::to(contract, &decision.verdict, request_id),
    };
    // No proxy hands a header of an allow on unless it is told to, so the id is sent with refusals only.
    let allowed = decision.verdict.is_plain_permit();
    let request_id = if allowed { None } else { HeaderValue::from_str(request_id).ok() };
    respond(decision, head, (contract, reply), request_id)
}

/// What of an answer depends on more of the request than is remembered.
fn forgotten(decision: &Decision<'_>, response: &HttpResponse) -> Option<&'static str> {
    if response.headers().contains_key(header::LOCATION) {
        return Some("a browser was sent to sign in");
    }
    let replaces_cookies = decision.has_sessions() && response.status() == StatusCode::OK;
    replaces_cookies.then_some("it was let through, with the cookies of the MCP server alone")
}

/// The same for a refusal that is remembered.
pub(super) fn spoken_again(refusal: &Refusal) -> HttpResponse {
    let reply = Reply::to(refusal.contract, &refusal.verdict, &refusal.request_id);
    to_response(reply, HeaderValue::from_str(&refusal.request_id).ok())
}

/// Counts what rules and conditions in audit mode would have refused.
fn count_watched(service: &Service, resource: Option<usize>, decision: &Decision<'_>) {
    let of_resource = decision.verdict.would_refuse() == Some(Reason::ConditionFalse);
    match &decision.asked {
        None if of_resource => service.metrics.count_watched(resource, None),
        None => {}
        Some(asked) => asked.causes.iter().for_each(|cause| service.metrics.count_watched(resource, cause.rule)),
    }
}

/// The response to what the rules say, with the sessions of browsers kept from the upstream where there are any.
fn respond(
    decision: &Decision<'_>,
    head: &dyn RequestHead,
    (contract, reply): (Contract, Reply),
    request_id: Option<HeaderValue>,
) -> HttpResponse {
    let hides = decision.has_sessions() && matches!(reply, Reply::Allow { .. });
    let mut response = to_response(reply, request_id);
    if hides {
        hide_sessions(response.headers_mut(), contract, head);
    }
    response
}

fn hide_sessions(headers: &mut HeaderMap, contract: Contract, head: &dyn RequestHead) {
    match Cookies::without_ours(head.field(Field::Cookie)) {
        Cookies::Others(others) => {
            headers.insert(header::COOKIE, HeaderValue::try_from(others).unwrap_or(HeaderValue::from_static("")));
        }
        Cookies::Nothing if contract == Contract::ExtAuthz => {
            headers.insert(TO_REMOVE.clone(), HeaderValue::from_static(REMOVED_WITH_COOKIES));
        }
        Cookies::Nothing | Cookies::Absent => {}
    }
}

fn record<'a>(
    head: &'a ActixHead<'_>,
    contract: Contract,
    decision: &'a Decision<'_>,
    took: Duration,
    status: u16,
    timestamp: String,
    request_id: &'a str,
) -> DecisionRecord<'a> {
    let identity = decision.authentication.as_ref().and_then(Authentication::identity);
    let asked = decision.asked.as_ref().and_then(|asked| asked.operation.as_ref());
    DecisionRecord {
        timestamp,
        level: level(&decision.verdict),
        message: "decision",
        decision: outcome(&decision.verdict),
        reason: decision.verdict.reason().or_else(|| decision.verdict.would_refuse()).map(Reason::as_str),
        detail: detail(head, decision),
        resource: decision.matched.as_ref().map(Matched::resource_text),
        method: decision.request.as_ref().map(OriginalRequest::method),
        path: decision.request.as_ref().map(|request| cut(request.path().as_str())),
        status,
        duration_ms: milliseconds(took),
        client_ip: last_forwarded_for(head),
        user_agent: text(head.field(Field::UserAgent)).map(cut),
        issuer: identity.map(|identity| identity.issuer().as_str()),
        client: identity.and_then(|identity| identity.client()),
        subject: identity.map(|identity| identity.subject()),
        contract: contract.as_str(),
        operation: asked.map(|(method, _)| cut(method)),
        operation_name: asked.and_then(|(_, name)| name.as_deref()).map(|name| cut(path_of(name))),
        request_id,
    }
}

const fn level(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Permit(_) => "INFO",
        Verdict::Challenge(_) | Verdict::Forbid(_) => "WARN",
        Verdict::Undecidable { .. } => "ERROR",
    }
}

/// What the operator needs to find the cause: the header that is wrong, the URL that no resource covers, the caller that
/// is not trusted.
fn detail(head: &ActixHead<'_>, decision: &Decision<'_>) -> Option<String> {
    match (decision.malformed, decision.verdict.reason()?, &decision.request) {
        (Some(malformed @ Malformed::AmbiguousPath(_)), _, _) => Some(malformed.to_string()),
        (Some(malformed), _, _) => {
            Some(format!("{malformed}; see the forwarding headers in the proxy's configuration"))
        }
        (None, Reason::UntrustedProxy, _) => {
            let peer = head.peer().map_or_else(|| "unknown".to_owned(), |peer| peer.to_string());
            Some(format!(
                "asked by {peer}; is it in server.trusted_proxies, and does it send X-Proxy-Secret if one is set?"
            ))
        }
        (None, Reason::InvalidRequest, None) => Some(format!(
            "no decision endpoint at {}; see the address in the proxy's configuration",
            cut(path_of(head.target()))
        )),
        (None, Reason::OperationUnknown | Reason::OperationNotAllowed, _) => asked_detail(decision),
        (None, Reason::ConditionFalse, _) => Some(condition_detail(decision)),
        (None, Reason::UnknownResource, Some(request)) => Some(format!(
            "no resource covers {}://{}{}; a scheme of http behind a TLS-terminating balancer is the usual cause",
            request.scheme(),
            request.authority(),
            cut(request.path().as_str())
        )),
        _ => decision.verdict.challenge().map(|challenge| challenge.description().to_owned()),
    }
}

/// Why an operation could not be told, or which rule refuses it.
fn asked_detail(decision: &Decision<'_>) -> Option<String> {
    let asked = decision.asked.as_ref()?;
    match (asked.unknown, asked.causes.first()) {
        (Some(unknown), _) => Some(unknown.to_string()),
        (None, cause) => cause.and_then(|cause| cause.rule).map(|rule| format!("tool_rules[{rule}]")),
    }
}

/// Whose condition is not true, and what went wrong if it is not false either. No values: they may be anybody's.
fn condition_detail(decision: &Decision<'_>) -> String {
    let place = match asked_detail(decision) {
        Some(rule) => format!("{rule}.condition"),
        None => "condition".to_owned(),
    };
    match decision.verdict.trouble() {
        None => place,
        Some(trouble) => format!("{place}: error: {trouble}"),
    }
}

/// Without the query: it may hold a token that somebody put there.
fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

fn last_forwarded_for<'a>(head: &'a ActixHead<'_>) -> Option<&'a str> {
    text(head.field(Field::ForwardedFor))?.rsplit(',').next().map(|address| cut(address.trim()))
}

fn text(occurrence: Occurrence<'_>) -> Option<&str> {
    occurrence.once().and_then(|value| std::str::from_utf8(value).ok())
}

/// Whole microseconds, so that no digits are written that mean nothing.
fn milliseconds(took: Duration) -> f64 {
    f64::from(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)) / 1000.0
}

/// Log values that clients choose are cut to 256 bytes.
pub(super) fn cut(text: &str) -> &str {
    const MAX_LENGTH: usize = 256;
    let end = (0..=MAX_LENGTH.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// In the order of [`crate::proxy::reply::IDENTITY_HEADERS`].
static IDENTITY_HEADER_NAMES: [HeaderName; 8] = [
    HeaderName::from_static("x-forwarded-user"),
    HeaderName::from_static("x-forwarded-email"),
    HeaderName::from_static("x-forwarded-groups"),
    HeaderName::from_static("x-forwarded-scopes"),
    HeaderName::from_static("x-auth-subject"),
    HeaderName::from_static("x-auth-issuer"),
    HeaderName::from_static("x-auth-client"),
    HeaderName::from_static("x-auth-resource"),
];

/// Envoy takes these out of the client's request.
pub(super) static TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");
/// The client's token ends here, and so does an assertion that it sent.
const REMOVED: &str = "authorization,dpop,x-identity-assertion";
pub(super) const REMOVED_WITH_COOKIES: &str = "authorization,cookie,dpop,x-identity-assertion";

fn to_response(reply: Reply, request_id: Option<HeaderValue>) -> HttpResponse {
    let mut response = match reply {
        Reply::Allow { identity, remove_authorization } => {
            let mut response = HttpResponse::new(StatusCode::OK);
            let headers = response.headers_mut();
            for (name, value) in IDENTITY_HEADER_NAMES.iter().zip(identity) {
                // The values are visible ASCII by construction; an impossible one is sent empty, never left out.
                let value = HeaderValue::from_maybe_shared(value).unwrap_or(HeaderValue::from_static(""));
                headers.insert(name.clone(), value);
            }
            if remove_authorization {
                headers.insert(TO_REMOVE.clone(), HeaderValue::from_static(REMOVED));
            }
            response
        }
        Reply::SignIn { status, location } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
            let mut response = HttpResponse::build(status);
            response.insert_header((header::LOCATION, location)).insert_header((header::CACHE_CONTROL, "no-store"));
            response.finish()
        }
        Reply::Refuse { status, challenge, retry_after, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
            let mut response = HttpResponse::build(status);
            response.insert_header((header::CONTENT_TYPE, "application/json"));
            response.insert_header((header::CACHE_CONTROL, "no-store"));
            if let Some(challenge) = challenge {
                response.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            if let Some(seconds) = retry_after {
                response.insert_header((header::RETRY_AFTER, seconds));
            }
            response.body(body)
        }
    };
    if let Some(request_id) = request_id {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), request_id);
    }
    response
}
