//! The signed statement of who calls, on the answers for resources that want one.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
use bytes::Bytes;

use super::Service;
use super::response::{REMOVED_WITH_COOKIES, TO_REMOVE};
use crate::authn::Identity;
use crate::authz::Permit;
use crate::decision::Decision;
use crate::proxy::Contract;

static IDENTITY_ASSERTION: HeaderName = HeaderName::from_static("x-identity-assertion");

/// Adds the assertion of a permit. Where there is nobody to speak of, the header is there and empty, so that a proxy that
/// copies it overwrites what a client sent; Envoy is told to remove it besides, with every other allow, too.
pub(super) fn with(
    service: &Service,
    decision: &Decision<'_>,
    contract: Contract,
    response: HttpResponse,
) -> HttpResponse {
    if !is_wanted(decision) {
        return response;
    }
    let assertion = assertion_of(service, decision).unwrap_or_default();
    let value = HeaderValue::from_maybe_shared(assertion).unwrap_or(HeaderValue::from_static(""));
    set(value, contract, response)
}

/// For an explanation, which is no place for what a server believes: that there is one.
pub(super) fn announced(decision: &Decision<'_>, contract: Contract, response: HttpResponse) -> HttpResponse {
    if !is_wanted(decision) {
        return response;
    }
    let somebody = vouched_for(decision).is_some();
    set(HeaderValue::from_static(if somebody { "[signed for each answer]" } else { "" }), contract, response)
}

fn is_wanted(decision: &Decision<'_>) -> bool {
    let wanted = decision.matched.as_ref().is_some_and(|matched| matched.policy.assertion.is_some());
    wanted && decision.verdict.as_permit().is_some()
}

fn set(value: HeaderValue, contract: Contract, mut response: HttpResponse) -> HttpResponse {
    if contract == Contract::ExtAuthz && !value.is_empty() {
        keep_ours(&mut response);
    }
    response.headers_mut().insert(IDENTITY_ASSERTION.clone(), value);
    response
}

/// The caller whom enforcement lets in, too: what audit mode lets through is vouched for by nobody.
fn vouched_for<'d>(decision: &'d Decision<'_>) -> Option<(&'d Permit, &'d Identity)> {
    let permit = decision.verdict.as_permit().filter(|permit| permit.would_refuse().is_none())?;
    Some((permit, permit.identity()?))
}

fn assertion_of(service: &Service, decision: &Decision<'_>) -> Option<Bytes> {
    let (permit, identity) = vouched_for(decision)?;
    let matched = decision.matched.as_ref()?;
    let audience = matched.policy.assertion.as_ref()?.of(matched);
    service.assertions.as_ref()?.about(identity, permit.resource(), audience, service.clock.now())
}

/// Envoy removes what it is told to after it has set what it is told to.
fn keep_ours(response: &mut HttpResponse) {
    let with_cookies = response.headers().get(&TO_REMOVE).is_some_and(|removed| removed == REMOVED_WITH_COOKIES);
    let removed = if with_cookies { "authorization,cookie,dpop" } else { "authorization,dpop" };
    response.headers_mut().insert(TO_REMOVE.clone(), HeaderValue::from_static(removed));
}
