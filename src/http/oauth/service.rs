//! What the handlers of the authorization server share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;

use super::browser::Cookies;
use super::cors::Cors;
use super::limits::RateLimit;
use crate::domain::{Authority, Scheme};
use crate::http::pages::Pages;
use crate::oauth::{AuthorizationServer, Clients, OAuthError};
use crate::proxy::TrustedProxies;

/// The authorization server as it is served.
pub struct OAuthService {
    /// Decides.
    pub server: Arc<AuthorizationServer>,
    /// Knows clients.
    pub clients: Arc<Clients>,
    /// What people see.
    pub pages: Pages,
    /// Which browser is which.
    pub cookies: Cookies,
    /// Whose pages may call.
    pub cors: Cors,
    /// How often.
    pub limits: Limits,
    /// What scopes mean, in words.
    pub scope_descriptions: BTreeMap<String, String>,
    /// Whose word on the caller's address counts.
    pub trusted: TrustedProxies,
}

/// How often one address may do what costs storage or work.
#[derive(Debug, Clone)]
pub struct Limits {
    /// `/register`
    pub register: RateLimit,
    /// `/authorize`, `/sign-in`
    pub begin: RateLimit,
    /// `/token`, `/revoke`, `/introspect`: hosted clients come from few addresses, so this is generous.
    pub token: RateLimit,
}

impl Default for Limits {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            register: RateLimit::new(30, MINUTE),
            begin: RateLimit::new(120, MINUTE),
            token: RateLimit::new(1200, MINUTE),
        }
    }
}

impl OAuthService {
    /// Counts a request against `limit`.
    pub(super) fn admit(&self, limit: &RateLimit, request: &HttpRequest) -> Result<(), OAuthError> {
        limit.admit(super::limits::caller(request, &self.trusted))
    }

    /// Whether the request came to the issuer's own host. Cookies are kept there, so pages are shown nowhere else.
    pub(super) fn is_own_host(&self, request: &HttpRequest) -> bool {
        let issuer = self.server.settings().issuer.as_str();
        let authority = issuer.split_once("://").map_or(issuer, |(_, authority)| authority);
        let host = request.headers().get(header::HOST);
        host.is_some_and(|host| host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()))
    }

    /// Whether a form was posted by a page of ours; browsers say so (Fetch Metadata §2.4). One that does not know that
    /// header sends an origin, which is `null` from our own pages, too, since they send no referrer: then the token in
    /// the form has to tell.
    pub(super) fn is_own_form(&self, request: &HttpRequest) -> bool {
        let issuer = self.server.settings().issuer.as_str();
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        match (text("sec-fetch-site"), text("origin")) {
            (Some(site), _) => site == "same-origin",
            (None, None | Some("null")) => true,
            (None, Some(origin)) if self.is_own_host(request) => origin == issuer,
            // A protected host, whose scheme its proxy knows.
            (None, Some(origin)) => origin.split_once("://").map(|(_, authority)| authority) == text("host"),
        }
    }
}

/// The host that was asked. The port is read under either scheme: what is found does not depend on how the proxy was
/// reached.
pub(super) fn requested_host(request: &HttpRequest) -> Option<Authority<'_>> {
    let host = request.headers().get(header::HOST)?.as_bytes();
    Authority::parse(host, Scheme::Https)
}
