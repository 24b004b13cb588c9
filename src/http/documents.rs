//! Protected resource metadata (RFC 9728 §2). The content comes from the configuration; the request only chooses.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::head::ActixHead;
use super::{Service, error};
use crate::authz::Matched;
use crate::domain::{Authority, Scheme, Scope};
use crate::proxy::{Field, RequestHead as _};

#[derive(Serialize)]
struct ProtectedResource<'a> {
    resource: &'a str,
    authorization_servers: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<&'a str>,
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
}

/// The document of the resource at `path` of the requested host, or of the one that `?resource=` names: a redirect to
/// another host would otherwise lose which one was meant.
pub fn protected_resource(service: &Service, request: &HttpRequest, path: &str) -> HttpResponse {
    let named = url::form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "resource");
    let policies = &service.point.policies;
    let found = match named {
        Some((_, uri)) => policies.document_by_uri(&uri),
        None => requested_hosts(request).find_map(|authority| policies.document_on_host(&authority, path)),
    };
    match found {
        Some(matched) => document(&matched),
        None => error::not_found(),
    }
}

/// `Host`, with the port read under either scheme: documents do not depend on how the proxy was reached.
fn requested_hosts(request: &HttpRequest) -> impl Iterator<Item = Authority<'_>> {
    let host = ActixHead(request).field(Field::Host).once().map(<[u8]>::to_vec);
    let host: Option<&[u8]> =
        request.headers().get(header::HOST).map(header::HeaderValue::as_bytes).filter(|_| host.is_some());
    [Scheme::Https, Scheme::Http].into_iter().filter_map(move |scheme| Authority::parse(host?, scheme))
}

fn document(matched: &Matched<'_>) -> HttpResponse {
    let policy = matched.policy;
    let document = ProtectedResource {
        resource: matched.resource_text(),
        authorization_servers: policy.issuers.iter().map(|accepted| accepted.issuer.as_str()).collect(),
        scopes_supported: policy.challenge_scopes().as_slice().iter().map(Scope::as_str).collect(),
        bearer_methods_supported: ["header"],
        resource_name: policy.name.as_deref(),
    };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(document)
}
