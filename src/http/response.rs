//! What a verdict becomes on the wire. The one place where a reply becomes a response.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::decision::Decision;
use crate::explain::Refusal;
use crate::proxy::reply::Cookies;
use crate::proxy::{Contract, Field, Reply, RequestHead};

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
    to(decision, head, (contract, reply), request_id)
}

/// What of an answer depends on more of the request than is remembered.
pub(super) fn forgotten(decision: &Decision<'_>, response: &HttpResponse) -> Option<&'static str> {
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

/// The response to what the rules say, with the sessions of browsers kept from the upstream where there are any.
pub(super) fn to(
    decision: &Decision<'_>,
    head: &dyn RequestHead,
    (contract, reply): (Contract, Reply<'_>),
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

fn to_response(reply: Reply<'_>, request_id: Option<HeaderValue>) -> HttpResponse {
    let mut response = match reply {
        Reply::Allow { identity, remove_authorization } => {
            let mut response = HttpResponse::new(StatusCode::OK);
            let headers = response.headers_mut();
            for (name, value) in IDENTITY_HEADER_NAMES.iter().zip(identity) {
                // The values are visible ASCII by construction; an impossible one is sent empty, never left out.
                let value =
                    HeaderValue::from_maybe_shared(value.clone()).unwrap_or_else(|_| HeaderValue::from_static(""));
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
