//! Protected resource metadata (RFC 9728 §2). The content comes from the configuration; the request only chooses.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::head::ActixHead;
use super::oauth::OAuthService;
use super::{Service, error, public};
use crate::authn::Algorithm;
use crate::authn::dpop::ALGORITHMS;
use crate::authz::Matched;
use crate::authz::policy_set::WELL_KNOWN;
use crate::domain::{Authority, Scheme, Scope};
use crate::proxy::{Field, RequestHead as _};

#[derive(Serialize)]
struct ProtectedResource<'a> {
    resource: &'a str,
    authorization_servers: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<&'a str>,
    bearer_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; 5],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dpop_bound_access_tokens_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
}

/// Anything under `/.well-known`: a resource's document, or 404 in JSON, whatever the method.
pub async fn well_known(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    let all = request.uri().path();
    let oauth = request.app_data::<web::Data<OAuthService>>();
    let ours = oauth.zip(all.strip_prefix("/.well-known"));
    if let Some(answer) = ours.and_then(|(oauth, name)| oauth.well_known(&request, name)) {
        return answer;
    }
    let path = all.strip_prefix(WELL_KNOWN);
    match path.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        None => error::not_found(),
        Some(resource_path) => protected_resource(&service, &request, resource_path),
    }
}

/// The document of the resource at `path` of the requested host, or of the one that `?resource=` names: a redirect to
/// another host would otherwise lose which one was meant.
fn protected_resource(service: &Service, request: &HttpRequest, path: &str) -> HttpResponse {
    let named = url::form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "resource");
    let policies = &service.point.policies;
    let head = ActixHead(request);
    let found = match (named, head.field(Field::Host).once()) {
        (Some((_, uri)), _) => policies.document_by_uri(&uri),
        (None, None) => None,
        // The port is read under either scheme: documents do not depend on how the proxy was reached.
        (None, Some(host)) => [Scheme::Https, Scheme::Http]
            .into_iter()
            .find_map(|scheme| policies.document_on_host(&Authority::parse(host, scheme)?, path)),
    };
    match found {
        None => error::not_found(),
        Some(_) if !public::reads(request) => error::method_not_allowed(),
        Some(matched) => document(&matched),
    }
}

fn document(matched: &Matched<'_>) -> HttpResponse {
    let policy = matched.policy;
    let document = ProtectedResource {
        resource: matched.resource_text(),
        authorization_servers: policy.issuers.iter().map(|accepted| accepted.issuer.as_str()).collect(),
        scopes_supported: policy.challenge_scopes().as_slice().iter().map(Scope::as_str).collect(),
        bearer_methods_supported: ["header"],
        dpop_signing_alg_values_supported: ALGORITHMS.map(Algorithm::as_str),
        dpop_bound_access_tokens_required: policy.dpop_required,
        resource_name: policy.name.as_deref(),
    };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(document)
}
