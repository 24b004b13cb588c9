//! actix's request as the adapters see it.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

use crate::domain::Occurrence;
use crate::proxy::{Field, RequestHead};

/// A borrowed actix request.
#[derive(Debug)]
pub struct ActixHead<'a>(pub &'a HttpRequest);

impl RequestHead for ActixHead<'_> {
    fn method(&self) -> &str {
        self.0.method().as_str()
    }

    fn target(&self) -> &str {
        self.0.uri().path_and_query().map_or("", |target| target.as_str())
    }

    fn field(&self, field: Field) -> Occurrence<'_> {
        let mut values = self.0.headers().get_all(header_name(field));
        match (values.next(), values.next()) {
            (None, _) => Occurrence::Absent,
            (Some(value), None) => Occurrence::Once(value.as_bytes()),
            (Some(_), Some(_)) => Occurrence::Repeated,
        }
    }

    fn params(&self) -> Vec<(String, Occurrence<'_>)> {
        let headers = self.0.headers();
        let read = |name: &HeaderName| {
            let mut values = headers.get_all(name);
            let occurrence = match (values.next(), values.next()) {
                (None, _) => Occurrence::Absent,
                (Some(value), None) => Occurrence::Once(value.as_bytes()),
                (Some(_), Some(_)) => Occurrence::Repeated,
            };
            Some((name.as_str().strip_prefix("mcp-param-")?.to_owned(), occurrence))
        };
        headers.keys().filter_map(read).collect()
    }

    fn peer(&self) -> Option<IpAddr> {
        self.0.peer_addr().map(|address| address.ip())
    }
}

/// Names made once, so that a look-up parses nothing.
mod names {
    use actix_web::http::header::{self as known, HeaderName};

    pub(super) static FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
    pub(super) static FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
    pub(super) static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
    pub(super) static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    pub(super) static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    pub(super) static ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
    pub(super) static ORIGINAL_URL: HeaderName = HeaderName::from_static("x-original-url");
    pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    pub(super) static PROXY_SECRET: HeaderName = HeaderName::from_static("x-proxy-secret");
    pub(super) static MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
    pub(super) static MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
    pub(super) static MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");
    pub(super) static PARTIAL_BODY: HeaderName = HeaderName::from_static("x-envoy-auth-partial-body");
    pub(super) static TLS_CLIENT_CERTIFICATE: HeaderName = HeaderName::from_static("x-forwarded-tls-client-cert");
    pub(super) static FORWARDED_CLIENT_CERTIFICATE: HeaderName = HeaderName::from_static("x-forwarded-client-cert");
    pub(super) static CLIENT_CERTIFICATE: HeaderName = HeaderName::from_static("client-cert");
    pub(super) static SSL_CLIENT_CERTIFICATE: HeaderName = HeaderName::from_static("ssl-client-cert");
    pub(super) static CONTENT_TYPE: HeaderName = known::CONTENT_TYPE;
    pub(super) static CONTENT_ENCODING: HeaderName = known::CONTENT_ENCODING;
    pub(super) static AUTHORIZATION: HeaderName = known::AUTHORIZATION;
    pub(super) static DPOP: HeaderName = HeaderName::from_static("dpop");
    pub(super) static HOST: HeaderName = known::HOST;
    pub(super) static ORIGIN: HeaderName = known::ORIGIN;
    pub(super) static REQUEST_METHOD: HeaderName = known::ACCESS_CONTROL_REQUEST_METHOD;
    pub(super) static USER_AGENT: HeaderName = known::USER_AGENT;
    pub(super) static COOKIE: HeaderName = known::COOKIE;
    pub(super) static ACCEPT: HeaderName = known::ACCEPT;
    pub(super) static SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
    pub(super) static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    pub(super) static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
}

const fn header_name(field: Field) -> &'static HeaderName {
    match field {
        Field::Authorization => &names::AUTHORIZATION,
        Field::Dpop => &names::DPOP,
        Field::Host => &names::HOST,
        Field::Origin => &names::ORIGIN,
        Field::AccessControlRequestMethod => &names::REQUEST_METHOD,
        Field::ForwardedMethod => &names::FORWARDED_METHOD,
        Field::ForwardedProto => &names::FORWARDED_PROTO,
        Field::ForwardedHost => &names::FORWARDED_HOST,
        Field::ForwardedUri => &names::FORWARDED_URI,
        Field::OriginalMethod => &names::ORIGINAL_METHOD,
        Field::OriginalUrl => &names::ORIGINAL_URL,
        Field::ForwardedFor => &names::FORWARDED_FOR,
        Field::RequestId => &names::REQUEST_ID,
        Field::UserAgent => &names::USER_AGENT,
        Field::ProxySecret => &names::PROXY_SECRET,
        Field::McpProtocolVersion => &names::MCP_PROTOCOL_VERSION,
        Field::McpMethod => &names::MCP_METHOD,
        Field::McpName => &names::MCP_NAME,
        Field::ContentType => &names::CONTENT_TYPE,
        Field::ContentEncoding => &names::CONTENT_ENCODING,
        Field::PartialBody => &names::PARTIAL_BODY,
        Field::TlsClientCertificate => &names::TLS_CLIENT_CERTIFICATE,
        Field::ForwardedClientCertificate => &names::FORWARDED_CLIENT_CERTIFICATE,
        Field::ClientCertificate => &names::CLIENT_CERTIFICATE,
        Field::SslClientCertificate => &names::SSL_CLIENT_CERTIFICATE,
        Field::Cookie => &names::COOKIE,
        Field::Accept => &names::ACCEPT,
        Field::SecFetchMode => &names::SEC_FETCH_MODE,
        Field::SecFetchSite => &names::SEC_FETCH_SITE,
        Field::SecFetchDest => &names::SEC_FETCH_DEST,
    }
}
