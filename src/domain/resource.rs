//! Resource identifiers (RFC 8707 §2): one protected MCP server, named by its canonical URI.

use std::borrow::Cow;
use std::fmt;

use super::path::Ambiguity;
use super::{Authority, OriginalRequest, RequestPath, Scheme};

/// A configured resource: exact, or with one `*` label for every host beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceUri {
    scheme: Scheme,
    host: HostPattern,
    port: Option<u16>,
    path: Box<str>,
}

/// Which hosts a resource covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// This host.
    Exact(Box<str>),
    /// Exactly one label in front of this suffix, which starts with a dot.
    OneLabel(Box<str>),
}

impl HostPattern {
    /// Whether `host` (lower case) is covered.
    pub fn covers(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => &**name == host,
            Self::OneLabel(suffix) => {
                host.strip_suffix(&**suffix).is_some_and(|label| !label.is_empty() && !label.contains('.'))
            }
        }
    }
}

/// Why a text is no resource URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResourceUriError {
    /// Not `http://` or `https://`.
    #[error("it must be an absolute URL that starts with https:// (or http://)")]
    NotHttpUrl,
    /// The host cannot be read, or `*` stands where it may not.
    #[error("its host must be a name, or a name whose first label is `*`")]
    BadHost,
    /// Query or fragment (RFC 8707 §2).
    #[error("it must hold no query, fragment or user name")]
    HasExtras,
    /// The path has two readings.
    #[error("its path must be plain: no encoding, no dot or empty segments")]
    BadPath,
}

impl ResourceUri {
    /// Reads a canonical URI; scheme and host are lower-cased, the default port is dropped.
    pub fn parse(text: &str) -> Result<Self, ResourceUriError> {
        let (scheme, rest) = text.split_once("://").ok_or(ResourceUriError::NotHttpUrl)?;
        let scheme = match Scheme::parse(scheme.as_bytes()) {
            Some(parsed) if parsed.as_str().eq_ignore_ascii_case(scheme) => parsed,
            _ => return Err(ResourceUriError::NotHttpUrl),
        };
        if rest.contains(['?', '#']) {
            return Err(ResourceUriError::HasExtras);
        }
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(ResourceUriError::HasExtras);
        }
        let (host, port) = parse_host(authority, scheme)?;
        Ok(Self { scheme, host, port, path: parse_resource_path(path)?.into() })
    }

    /// The path without a trailing slash: the prefix that requests must have. Empty for a whole host.
    pub fn path_prefix(&self) -> &str {
        self.path.strip_suffix('/').unwrap_or(&self.path)
    }

    /// The path exactly as configured: empty, `/`, `/mcp` or `/mcp/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The port, unless it is the default one.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Which hosts are covered.
    pub const fn host(&self) -> &HostPattern {
        &self.host
    }

    /// Whether scheme, host and port of `request` are this resource's.
    pub fn covers_origin(&self, request: &OriginalRequest<'_>) -> bool {
        self.scheme == request.scheme() && self.covers_authority(request.authority())
    }

    /// Whether host and port are this resource's; documents are found without a scheme.
    pub fn covers_authority(&self, authority: &Authority<'_>) -> bool {
        self.port == authority.port() && self.host.covers(authority.host())
    }

    /// The identifier of the concrete resource on `host`: the audience that tokens must name.
    pub fn on_host(&self, host: &str) -> String {
        let port = self.port.map_or_else(String::new, |port| format!(":{port}"));
        format!("{}://{host}{port}{}", self.scheme, self.path)
    }

    /// The identifier itself, when the host is exact.
    pub fn exact(&self) -> Option<String> {
        match &self.host {
            HostPattern::Exact(host) => Some(self.on_host(host)),
            HostPattern::OneLabel(_) => None,
        }
    }
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host: Cow<'_, str> = match &self.host {
            HostPattern::Exact(host) => Cow::Borrowed(host),
            HostPattern::OneLabel(suffix) => Cow::Owned(format!("*{suffix}")),
        };
        formatter.write_str(&self.on_host(&host))
    }
}

fn parse_host(authority: &str, scheme: Scheme) -> Result<(HostPattern, Option<u16>), ResourceUriError> {
    let wildcard = authority.strip_prefix("*.");
    let parsed = Authority::parse(wildcard.unwrap_or(authority).as_bytes(), scheme);
    let parsed = parsed.ok_or(ResourceUriError::BadHost)?;
    let pattern = match wildcard {
        Some(_) => HostPattern::OneLabel(format!(".{}", parsed.host()).into()),
        None => HostPattern::Exact(parsed.host().into()),
    };
    Ok((pattern, parsed.port()))
}

/// Resource paths hold no percent-encoding, so that comparing them needs no decoding.
fn parse_resource_path(path: &str) -> Result<&str, ResourceUriError> {
    if path.is_empty() {
        return Ok(path);
    }
    match RequestPath::parse(path.as_bytes()) {
        Ok(_) if !path.contains('%') => Ok(path),
        _ => Err(ResourceUriError::BadPath),
    }
}

/// A path prefix of whole segments, without trailing slash; empty covers everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPrefix(Box<str>);

impl PathPrefix {
    /// Takes a plain path that starts with `/`; a trailing slash is dropped.
    pub fn parse(text: &str) -> Result<Self, ResourceUriError> {
        if !text.starts_with('/') {
            return Err(ResourceUriError::BadPath);
        }
        let path = parse_resource_path(text)?;
        Ok(Self(path.strip_suffix('/').unwrap_or(path).into()))
    }

    /// The prefix as text; empty for the whole host.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `path` lies under this prefix. A path that does so only when case is ignored is ambiguous:
    /// Caddy and some upstreams ignore case, so a stricter resource could be reached through a laxer one.
    pub fn covers(&self, path: RequestPath<'_>) -> Result<bool, Ambiguity> {
        let Some((head, tail)) = path.as_str().split_at_checked(self.0.len()) else { return Ok(false) };
        if !(tail.is_empty() || tail.starts_with('/')) || !head.eq_ignore_ascii_case(&self.0) {
            return Ok(false);
        }
        if *head == *self.0 { Ok(true) } else { Err(Ambiguity::CaseVariant) }
    }
}

impl From<&ResourceUri> for PathPrefix {
    fn from(resource: &ResourceUri) -> Self {
        Self(resource.path_prefix().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints_the_canonical_form() {
        for (text, canonical) in [
            ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp"),
            ("HTTPS://MCP.example.com:443/mcp", "https://mcp.example.com/mcp"),
            ("https://mcp.example.com", "https://mcp.example.com"),
            ("https://mcp.example.com/", "https://mcp.example.com/"),
            ("http://localhost:8080/mcp/", "http://localhost:8080/mcp/"),
            ("https://*.mcp.example.com:8443/mcp", "https://*.mcp.example.com:8443/mcp"),
        ] {
            assert_eq!(ResourceUri::parse(text).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn refuses_what_cannot_be_an_audience() {
        use ResourceUriError::*;
        for (text, why) in [
            ("mcp.example.com/mcp", NotHttpUrl),
            ("ftp://mcp.example.com", NotHttpUrl),
            ("wss://mcp.example.com", NotHttpUrl),
            ("https://mcp.example.com/mcp?x", HasExtras),
            ("https://mcp.example.com/mcp#x", HasExtras),
            ("https://user@mcp.example.com/", HasExtras),
            ("https://*/mcp", BadHost),
            ("https://a.*.example.com/mcp", BadHost),
            ("https://mcp*.example.com/mcp", BadHost),
            ("https:///mcp", BadHost),
            ("https://a/mcp/../x", BadPath),
            ("https://a//mcp", BadPath),
            ("https://a/m%20cp", BadPath),
        ] {
            assert_eq!(ResourceUri::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_wildcard_covers_exactly_one_label() {
        let resource = ResourceUri::parse("https://*.mcp.example.com/mcp").unwrap();
        assert!(resource.host().covers("notes.mcp.example.com"));
        for host in ["mcp.example.com", "a.b.mcp.example.com", "evilmcp.example.com", ".mcp.example.com"] {
            assert!(!resource.host().covers(host), "{host}");
        }
        assert_eq!(resource.on_host("notes.mcp.example.com"), "https://notes.mcp.example.com/mcp");
    }

    #[test]
    fn prefixes_match_whole_segments_and_refuse_case_variants() {
        let prefix = PathPrefix::parse("/mcp").unwrap();
        let covers = |path: &str| prefix.covers(RequestPath::parse(path.as_bytes()).unwrap());
        assert_eq!(covers("/mcp"), Ok(true));
        assert_eq!(covers("/mcp/"), Ok(true));
        assert_eq!(covers("/mcp/x"), Ok(true));
        assert_eq!(covers("/mcpx"), Ok(false));
        assert_eq!(covers("/"), Ok(false));
        assert_eq!(covers("/MCP/x"), Err(Ambiguity::CaseVariant));
        assert_eq!(PathPrefix::parse("/").unwrap().covers(RequestPath::parse(b"/any").unwrap()), Ok(true));
    }
}
