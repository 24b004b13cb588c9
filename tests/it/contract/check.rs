//! What must hold for an answer, by proxy.

use aws_lc_rs::digest;
use serde_json::{Value, json};

use super::case::{Case, Expected, Identity, ORIGIN, Refusal};
use crate::support::http::{Request, Response, unchunk};
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::world::World;

pub fn answer(world: &World, case: &Case, answer: &Response, report: &mut Report) {
    no_leak(answer, report);
    let from_page = case.request.headers.iter().any(|(name, _)| name == b"Origin");
    if from_page && matches!(case.expected, Expected::Refused(_) | Expected::Allowed(_)) {
        cors(world.proxy.kind, answer, report);
    }
    match &case.expected {
        Expected::Refused(refusal) => {
            refused(world.proxy.kind, &case.request, refusal, answer, report);
        }
        Expected::Allowed(identity) => {
            report.equal("status", answer.status, 200);
            report.equal("WWW-Authenticate", answer.all("www-authenticate"), Vec::<&str>::new());
            if case.request.method == "HEAD" {
                report.equal("body", answer.text(), "");
            } else {
                forwarded(&case.request, identity, answer, report);
            }
        }
        Expected::RefusedByProxy(status) => {
            report.equal("status", answer.status, *status);
            report.holds(mirrored(answer).is_none(), || "the MCP server was reached".into());
        }
        Expected::NotAllowed => {
            report.holds(answer.status >= 400, || format!("status is {}", answer.status));
            report.holds(mirrored(answer).is_none(), || "the MCP server was reached".into());
        }
    }
}

/// The word for the proxy's contract in the decision log.
pub const fn contract(kind: Kind) -> &'static str {
    match kind {
        Kind::Traefik | Kind::Caddy => "forward_auth",
        Kind::Envoy => "ext_authz",
        Kind::Nginx => "auth_request",
    }
}

/// Whose request it was is between the service and the MCP server.
fn no_leak(answer: &Response, report: &mut Report) {
    for (name, value) in &answer.headers {
        let secret = name.starts_with("x-auth-")
            || name.starts_with("x-forwarded-")
            || name.starts_with("x-envoy-auth")
            || name == "authorization";
        report.holds(!secret, || format!("the client is told {name}: {value}"));
    }
}

/// Browsers must be able to read refusals too. Envoy repeats the origin where the others say `*`.
pub fn cors(kind: Kind, answer: &Response, report: &mut Report) {
    let origin = if kind == Kind::Envoy { ORIGIN } else { "*" };
    report.equal("Access-Control-Allow-Origin", answer.all("access-control-allow-origin"), [origin]);
    report.equal("Access-Control-Allow-Credentials", answer.all("access-control-allow-credentials").len(), 0);
    let exposed = answer.all("access-control-expose-headers");
    report.equal("Access-Control-Expose-Headers", exposed.len(), 1);
    report.equal("exposed", items(exposed.first().unwrap_or(&"")), ["WWW-Authenticate", "Mcp-Session-Id"]);
}

/// The members of a header that is a list, whatever spaces stand between them.
pub fn items(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).collect()
}

fn refused(kind: Kind, request: &Request, refusal: &Refusal, answer: &Response, report: &mut Report) {
    report.equal("status", answer.status, refusal.status);
    let challenge: Vec<&str> = refusal.challenge.as_deref().into_iter().collect();
    report.equal("WWW-Authenticate", answer.all("www-authenticate"), challenge);
    report.equal("Cache-Control", answer.all("cache-control"), ["no-store"]);
    // Envoy leaves it out of its answers to HEAD.
    if kind != Kind::Envoy || request.method != "HEAD" {
        report.equal("Content-Type", answer.all("content-type"), ["application/json"]);
    }
    let retry_after = match (refusal.status, kind) {
        (503, Kind::Envoy) => vec!["5"],
        (503, _) => vec!["1"],
        _ => Vec::new(),
    };
    report.equal("Retry-After", answer.all("retry-after"), retry_after);
    if request.method == "HEAD" {
        report.equal("body", answer.text(), "");
        return;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return report.fail(format!("no JSON: {:?}", answer.text()));
    };
    let request_id = &body["request_id"];
    report.holds(request_id.as_str().is_some_and(|id| id.len() >= 18), || format!("no request id: {request_id}"));
    if kind != Kind::Envoy || refusal.status != 503 {
        report.equal("X-Request-Id", answer.all("x-request-id"), [request_id.as_str().unwrap_or_default()]);
    }
    report.equal("body", &body, &expected_body(kind, refusal, request_id));
}

/// nginx cannot hand on the service's body, and Envoy does not hand on that of a 503: both write their own.
fn expected_body(kind: Kind, refusal: &Refusal, request_id: &Value) -> Value {
    match (kind, refusal.status) {
        (Kind::Nginx, 401) => {
            json!({ "error": "invalid_token", "error_description": "see WWW-Authenticate", "request_id": request_id })
        }
        (Kind::Nginx, 403) if refusal.challenge.is_some() => {
            json!({ "error": "insufficient_scope", "request_id": request_id })
        }
        (Kind::Nginx, 403) => json!({ "error": "access_denied", "request_id": request_id }),
        (Kind::Nginx | Kind::Envoy, 503) => json!({ "error": "temporarily_unavailable", "request_id": request_id }),
        _ => json!({
            "error": refusal.error,
            "error_description": refusal.description,
            "reason": refusal.reason,
            "request_id": request_id,
        }),
    }
}

/// What the MCP server received, when it was reached.
pub fn mirrored(answer: &Response) -> Option<Value> {
    serde_json::from_slice::<Value>(&answer.body).ok().filter(|body| body["target"].is_string())
}

/// The request as sent, the identity, and no token.
fn forwarded(request: &Request, identity: &Identity, answer: &Response, report: &mut Report) {
    let Some(seen) = mirrored(answer) else {
        return report.fail(format!("the MCP server was not reached: {:?}", answer.text()));
    };
    report.equal("method", &seen["method"], &*request.method);
    report.equal("target", &seen["target"], &*String::from_utf8_lossy(&request.target));
    let in_pieces = request.headers.iter().any(|(name, _)| name == b"Transfer-Encoding");
    let body = if in_pieces { unchunk(&request.body) } else { request.body.clone() };
    report.equal("body length", &seen["body_length"], body.len());
    let hash = digest::digest(&digest::SHA256, &body);
    let hash = hash.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    report.equal("body hash", &seen["body_sha256"], &*hash);
    let sent = |name: &str| {
        let values = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        values.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>()
    };
    // nginx writes it in lower case.
    let lower_case = |values: Vec<String>| values.iter().map(|value| value.to_lowercase()).collect::<Vec<_>>();
    report.equal("Host", lower_case(received(&seen, "host")), lower_case(sent("host")));
    report.equal("Content-Type", received(&seen, "content-type"), sent("content-type"));
    report.equal("Authorization", received(&seen, "authorization"), Vec::<String>::new());
    for (name, value) in &identity.0 {
        let all = received(&seen, name);
        if value.is_empty() {
            report.holds(all.iter().all(String::is_empty), || format!("{name} is {all:?}, expected none"));
            report.holds(all.len() <= 1, || format!("{name} came {} times", all.len()));
        } else {
            report.equal(name, all, [value.as_str()]);
        }
    }
}

fn received(seen: &Value, name: &str) -> Vec<String> {
    let headers = seen["headers"].as_array().into_iter().flatten();
    let values = headers.filter(|header| header[0] == name).filter_map(|header| header[1].as_str());
    values.map(ToOwned::to_owned).collect()
}
