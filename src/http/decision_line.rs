//! What the log says of a decision.

use std::time::Duration;

use super::head::ActixHead;
use crate::authn::Authentication;
use crate::authz::{Matched, Reason, Verdict};
use crate::decision::Decision;
use crate::domain::{Malformed, Occurrence, OriginalRequest, UnixTime};
use crate::proxy::{Contract, Field, RequestHead};
use crate::telemetry::DecisionRecord;
use crate::telemetry::metrics::outcome;

/// The line, for whoever writes it.
pub(super) fn record<'a>(
    head: &'a ActixHead<'_>,
    contract: Contract,
    decision: &'a Decision<'_>,
    took: Duration,
    (status, at): (u16, UnixTime),
    request_id: &'a str,
) -> DecisionRecord<'a> {
    let identity = decision.authentication.as_ref().and_then(Authentication::identity);
    let asked = decision.asked.as_ref().and_then(|asked| asked.operation.as_ref());
    DecisionRecord {
        at,
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
