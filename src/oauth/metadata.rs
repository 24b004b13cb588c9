//! What clients learn about us (RFC 8414, and the document that OpenID Connect Discovery names). Values matter, and so
//! does what is absent: nothing is `null`, and what is off is not there.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{AuthorizationServer, Settings, assertion};
use crate::authn::Algorithm;
use crate::authn::dpop::ALGORITHMS;
use crate::authz::PolicySet;
use crate::domain::Scope;

/// Both documents, written once.
#[derive(Debug)]
pub(super) struct Documents {
    authorization_server: Bytes,
    openid_configuration: Bytes,
}

impl Documents {
    pub(super) fn new(settings: &Settings, origin: &str, policies: &PolicySet) -> Self {
        let mut document = endpoints(settings, origin);
        merge(&mut document, &what_is_supported(settings, policies));
        let authorization_server = Bytes::from(document.to_string());
        // Clients read this one with the schema of OpenID Connect, which asks for these. We issue no ID tokens.
        let algorithm = settings.signing_algorithm.as_str();
        let openid =
            json!({ "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": [algorithm] });
        merge(&mut document, &openid);
        Self { authorization_server, openid_configuration: Bytes::from(document.to_string()) }
    }
}

impl AuthorizationServer {
    /// The document at `/.well-known/oauth-authorization-server` (RFC 8414 §3.2).
    pub fn metadata(&self) -> Bytes {
        self.documents.authorization_server.clone()
    }

    /// The document at `/.well-known/openid-configuration`: many clients look only there.
    pub fn openid_configuration(&self) -> Bytes {
        self.documents.openid_configuration.clone()
    }

    /// The key set.
    pub fn jwks(&self) -> Bytes {
        self.keys.jwks()
    }
}

fn endpoints(settings: &Settings, origin: &str) -> Value {
    let at = |path: &str| format!("{origin}{path}");
    let mut endpoints = json!({
        "issuer": settings.issuer.as_str(),
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"),
        "revocation_endpoint": at("/revoke"),
    });
    if settings.features.registration {
        merge(&mut endpoints, &json!({ "registration_endpoint": at("/register") }));
    }
    if settings.features.introspection {
        merge(&mut endpoints, &json!({ "introspection_endpoint": at("/introspect") }));
    }
    endpoints
}

fn what_is_supported(settings: &Settings, policies: &PolicySet) -> Value {
    let features = &settings.features;
    let mut methods = vec!["none", "client_secret_basic", "client_secret_post"];
    let mut grants = vec!["authorization_code", "refresh_token"];
    let mut supported = json!({
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        // Clients must refuse us without it (MCP, Authorization Code Protection).
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": scopes(settings, policies),
        // RFC 9207 §3: with it, clients refuse answers without `iss`.
        "authorization_response_iss_parameter_supported": true,
        "dpop_signing_alg_values_supported": ALGORITHMS.map(Algorithm::as_str),
    });
    if features.client_documents {
        merge(&mut supported, &json!({ "client_id_metadata_document_supported": true }));
    }
    if features.client_credentials {
        grants.push("client_credentials");
    }
    if !settings.assertion_issuers.is_empty() {
        grants.push(assertion::GRANT_TYPE);
        merge(&mut supported, &json!({ "authorization_grant_profiles_supported": [assertion::PROFILE] }));
    }
    if !features.client_assertion_algorithms.is_empty() {
        methods.push("private_key_jwt");
        let algorithms = &features.client_assertion_algorithms;
        merge(&mut supported, &json!({ "token_endpoint_auth_signing_alg_values_supported": algorithms }));
        merge(&mut supported, &json!({ "revocation_endpoint_auth_signing_alg_values_supported": algorithms }));
    }
    let of_clients = json!({
        "grant_types_supported": grants,
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
    });
    merge(&mut supported, &of_clients);
    supported
}

/// Everything that any resource of ours offers, and the word by which clients ask for a refresh token.
fn scopes(settings: &Settings, policies: &PolicySet) -> Vec<String> {
    let ours = policies.iter().filter(|policy| policy.issuers.iter().any(|known| known.issuer == settings.issuer));
    let offered = ours.flat_map(|policy| policy.challenge_scopes().as_slice()).map(Scope::as_str);
    let mut scopes: Vec<String> = offered.chain(["offline_access"]).map(ToOwned::to_owned).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

fn merge(document: &mut Value, members: &Value) {
    if let (Some(document), Some(members)) = (document.as_object_mut(), members.as_object()) {
        document.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}
