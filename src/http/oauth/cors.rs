//! CORS from the service itself, for deployments whose proxy does not answer for it. Never with credentials: the
//! endpoints that are let in here know no cookies.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

/// Origins whose pages may call the endpoints that scripts need.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    origins: Vec<String>,
}

impl Cors {
    const HEADERS: &str = "Authorization, DPoP, Content-Type, Accept, MCP-Protocol-Version";
    const METHODS: &str = "GET, POST, PUT, DELETE, OPTIONS";
    const PREFLIGHT_SECONDS: &str = "600";

    /// Lets pages of `origins` in; `*` is every page.
    pub const fn new(origins: Vec<String>) -> Self {
        Self { origins }
    }

    /// The answer to a preflight, if this is one from an origin that is let in.
    pub(super) fn preflight(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let is_preflight = request.method() == actix_web::http::Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let allowed = self.allowed(request).filter(|_| is_preflight)?;
        let mut response = HttpResponse::NoContent().finish();
        let headers = response.headers_mut();
        insert(headers, header::ACCESS_CONTROL_ALLOW_METHODS, Self::METHODS);
        insert(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, Self::HEADERS);
        insert(headers, header::ACCESS_CONTROL_MAX_AGE, Self::PREFLIGHT_SECONDS);
        allow(headers, &allowed);
        Some(response)
    }

    /// Lets the calling page read the answer, if it may.
    pub(super) fn open(&self, request: &HttpRequest, response: &mut HttpResponse) {
        if let Some(allowed) = self.allowed(request) {
            insert(response.headers_mut(), header::ACCESS_CONTROL_EXPOSE_HEADERS, "WWW-Authenticate");
            allow(response.headers_mut(), &allowed);
        }
    }

    /// What `Access-Control-Allow-Origin` says to this page.
    fn allowed(&self, request: &HttpRequest) -> Option<HeaderValue> {
        let origin = request.headers().get(header::ORIGIN)?;
        if self.origins.iter().any(|known| known == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins.iter().any(|known| known.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }
}

fn allow(headers: &mut HeaderMap, origin: &HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    insert(headers, header::VARY, "Origin");
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
