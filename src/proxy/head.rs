//! What an adapter sees of a wire request.

use std::net::IpAddr;

use crate::domain::Occurrence;

/// The headers that are ever read. A closed list: whatever else a client sends cannot matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The credential (RFC 6750 §2.1).
    Authorization,
    /// The proof that goes with the credential (RFC 9449 §4.1).
    Dpop,
    /// `Host`.
    Host,
    /// Who the browser page belongs to (RFC 6454 §7).
    Origin,
    /// Marks a CORS preflight.
    AccessControlRequestMethod,
    /// Forward-auth: method.
    ForwardedMethod,
    /// Forward-auth: scheme.
    ForwardedProto,
    /// Forward-auth: host.
    ForwardedHost,
    /// Forward-auth: path and query.
    ForwardedUri,
    /// `auth_request`: method.
    OriginalMethod,
    /// `auth_request`: absolute URL.
    OriginalUrl,
    /// Client address, for logs only.
    ForwardedFor,
    /// Request id of the proxy.
    RequestId,
    /// For logs only.
    UserAgent,
    /// Shared secret of the proxy.
    ProxySecret,
    /// A browser's cookies, read where people sign in with one.
    Cookie,
    /// What a browser would like to have.
    Accept,
    /// How a browser came to send it (Fetch Metadata §2.2).
    SecFetchMode,
    /// Whose page had it sent (Fetch Metadata §2.4).
    SecFetchSite,
    /// What for (Fetch Metadata §2.1).
    SecFetchDest,
    /// The version of MCP that the client speaks.
    McpProtocolVersion,
    /// The method, repeated for proxies (MCP 2026-07-28).
    McpMethod,
    /// The tool, prompt or resource, repeated for proxies.
    McpName,
    /// Of the body that the proxy sent.
    ContentType,
    /// Of the body that the proxy sent.
    ContentEncoding,
    /// Envoy: whether the body was cut.
    PartialBody,
    /// Traefik's word for the certificate of the client.
    TlsClientCertificate,
    /// Envoy's.
    ForwardedClientCertificate,
    /// The standard's (RFC 9440 §2.2).
    ClientCertificate,
    /// ingress-nginx's.
    SslClientCertificate,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 30] = [
        Self::Authorization,
        Self::Dpop,
        Self::Host,
        Self::Origin,
        Self::AccessControlRequestMethod,
        Self::ForwardedMethod,
        Self::ForwardedProto,
        Self::ForwardedHost,
        Self::ForwardedUri,
        Self::OriginalMethod,
        Self::OriginalUrl,
        Self::ForwardedFor,
        Self::RequestId,
        Self::UserAgent,
        Self::ProxySecret,
        Self::Cookie,
        Self::Accept,
        Self::SecFetchMode,
        Self::SecFetchSite,
        Self::SecFetchDest,
        Self::McpProtocolVersion,
        Self::McpMethod,
        Self::McpName,
        Self::ContentType,
        Self::ContentEncoding,
        Self::PartialBody,
        Self::TlsClientCertificate,
        Self::ForwardedClientCertificate,
        Self::ClientCertificate,
        Self::SslClientCertificate,
    ];

    /// Those that may tell of a client certificate.
    pub const CERTIFICATES: [Self; 4] = [
        Self::TlsClientCertificate,
        Self::ForwardedClientCertificate,
        Self::ClientCertificate,
        Self::SslClientCertificate,
    ];

    /// The header's name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authorization => "Authorization",
            Self::Dpop => "DPoP",
            Self::Host => "Host",
            Self::Origin => "Origin",
            Self::AccessControlRequestMethod => "Access-Control-Request-Method",
            Self::ForwardedMethod => "X-Forwarded-Method",
            Self::ForwardedProto => "X-Forwarded-Proto",
            Self::ForwardedHost => "X-Forwarded-Host",
            Self::ForwardedUri => "X-Forwarded-Uri",
            Self::OriginalMethod => "X-Original-Method",
            Self::OriginalUrl => "X-Original-URL",
            Self::ForwardedFor => "X-Forwarded-For",
            Self::RequestId => "X-Request-Id",
            Self::UserAgent => "User-Agent",
            Self::ProxySecret => "X-Proxy-Secret",
            Self::Cookie => "Cookie",
            Self::Accept => "Accept",
            Self::SecFetchMode => "Sec-Fetch-Mode",
            Self::SecFetchSite => "Sec-Fetch-Site",
            Self::SecFetchDest => "Sec-Fetch-Dest",
            Self::McpProtocolVersion => "MCP-Protocol-Version",
            Self::McpMethod => "Mcp-Method",
            Self::McpName => "Mcp-Name",
            Self::ContentType => "Content-Type",
            Self::ContentEncoding => "Content-Encoding",
            Self::PartialBody => "x-envoy-auth-partial-body",
            Self::TlsClientCertificate => "X-Forwarded-Tls-Client-Cert",
            Self::ForwardedClientCertificate => "X-Forwarded-Client-Cert",
            Self::ClientCertificate => "Client-Cert",
            Self::SslClientCertificate => "ssl-client-cert",
        }
    }
}

/// A wire request without its body: bodies are waited for only where rules ask for operations.
pub trait RequestHead {
    /// The method of the wire request.
    fn method(&self) -> &str;
    /// Path and query of the wire request, as received.
    fn target(&self) -> &str;
    /// A header, as bytes: values need not be text.
    fn field(&self, field: Field) -> Occurrence<'_>;
    /// The headers `Mcp-Param-…` by the rest of their names, in lower case. Looked through only for conditions that ask.
    fn params(&self) -> Vec<(String, Occurrence<'_>)> {
        Vec::new()
    }
    /// The address of the caller.
    fn peer(&self) -> Option<IpAddr>;
}

/// A recorded request, for tests and benches.
#[derive(Debug, Clone, Default)]
pub struct RecordedHead {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers in order.
    pub fields: Vec<(Field, Vec<u8>)>,
    /// The caller.
    pub peer: Option<IpAddr>,
}

impl RecordedHead {
    /// A request line without headers, from loopback.
    pub fn new(method: &str, target: &str) -> Self {
        let peer = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        Self { method: method.into(), target: target.into(), fields: Vec::new(), peer }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((field, value.into()));
        self
    }
}

impl RequestHead for RecordedHead {
    fn method(&self) -> &str {
        &self.method
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn field(&self, field: Field) -> Occurrence<'_> {
        let mut found = self.fields.iter().filter(|(name, _)| *name == field);
        match (found.next(), found.next()) {
            (None, _) => Occurrence::Absent,
            (Some((_, value)), None) => Occurrence::Once(value),
            (Some(_), Some(_)) => Occurrence::Repeated,
        }
    }

    fn peer(&self) -> Option<IpAddr> {
        self.peer
    }
}
