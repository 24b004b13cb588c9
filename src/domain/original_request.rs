//! The request that the client sent to the proxy, as the proxy tells it.

use super::{Ambiguity, Authority, RequestPath, Scheme};

/// What is judged: method, scheme, authority and path, each normalised or refused exactly once.
/// The query is not kept: nothing is decided by it and it may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalRequest<'a> {
    method: &'a str,
    scheme: Scheme,
    authority: Authority<'a>,
    path: RequestPath<'a>,
}

/// Why there is no original request to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A header of the contract is missing: the proxy is not set up for this endpoint.
    #[error("the proxy sent no {0}")]
    Missing(&'static str),
    /// A header of the contract came more than once: a client may have added one.
    #[error("{0} was sent more than once")]
    Repeated(&'static str),
    /// A header of the contract cannot be read.
    #[error("{0} is not well formed")]
    Invalid(&'static str),
    /// The path has more than one reading.
    #[error("{0}")]
    AmbiguousPath(Ambiguity),
}

/// The parts as they came over the wire, still untrusted, with the name of the header each came from.
#[derive(Debug, Clone, Copy)]
pub struct RawRequest<'a> {
    /// Method and where it came from.
    pub method: (&'a [u8], &'static str),
    /// Scheme and where it came from.
    pub scheme: (&'a [u8], &'static str),
    /// Host with optional port and where it came from.
    pub authority: (&'a [u8], &'static str),
    /// Path with optional query.
    pub target: &'a [u8],
}

impl<'a> OriginalRequest<'a> {
    /// Reads the parts; the first one that is not well formed is the error.
    pub fn parse(raw: &RawRequest<'a>) -> Result<Self, Malformed> {
        let invalid = Malformed::Invalid;
        let method = parse_method(raw.method.0).ok_or(invalid(raw.method.1))?;
        let scheme = Scheme::parse(raw.scheme.0).ok_or(invalid(raw.scheme.1))?;
        let authority = Authority::parse(raw.authority.0, scheme).ok_or(invalid(raw.authority.1))?;
        let path = parse_target(raw.target).map_err(Malformed::AmbiguousPath)?;
        Ok(Self { method, scheme, authority, path })
    }

    /// The method, case kept (RFC 9110 §9.1: methods are case-sensitive).
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// The scheme that the proxy reported.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host and port.
    pub const fn authority(&self) -> &Authority<'a> {
        &self.authority
    }

    /// The path without the query.
    pub const fn path(&self) -> RequestPath<'a> {
        self.path
    }
}

/// Whether `text` could be a method.
pub fn is_method(text: &[u8]) -> bool {
    parse_method(text).is_some()
}

/// A method is a token (RFC 9110 §5.6.2); 32 bytes are more than any registered one needs.
fn parse_method(method: &[u8]) -> Option<&str> {
    const MAX_LENGTH: usize = 32;
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let sound = !method.is_empty() && method.len() <= MAX_LENGTH && method.iter().all(token);
    sound.then(|| std::str::from_utf8(method).ok()).flatten()
}

/// The query is checked only for a fragment and control bytes: a fragment would end it for some readers.
fn parse_target(target: &[u8]) -> Result<RequestPath<'_>, Ambiguity> {
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let (path, query) = target.split_at_checked(end).unwrap_or((target, b""));
    if query.contains(&b'#') {
        return Err(Ambiguity::HiddenDelimiter);
    }
    if query.iter().any(u8::is_ascii_control) {
        return Err(Ambiguity::UnsafeByte);
    }
    RequestPath::parse(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw<'a>(method: &'a str, scheme: &'a str, authority: &'a str, target: &'a str) -> RawRequest<'a> {
        RawRequest {
            method: (method.as_bytes(), "X-Forwarded-Method"),
            scheme: (scheme.as_bytes(), "X-Forwarded-Proto"),
            authority: (authority.as_bytes(), "X-Forwarded-Host"),
            target: target.as_bytes(),
        }
    }

    #[test]
    fn keeps_method_and_path_and_drops_the_query() {
        let request = OriginalRequest::parse(&raw("POST", "HTTPS", "MCP.example.com:443", "/mcp?x=1&y=%2F")).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.scheme(), Scheme::Https);
        assert_eq!(request.authority().to_string(), "mcp.example.com");
        assert_eq!(request.path().as_str(), "/mcp");
    }

    #[test]
    fn names_the_header_that_is_not_well_formed() {
        for (request, header) in [
            (raw("PO ST", "http", "a", "/"), "X-Forwarded-Method"),
            (raw("", "http", "a", "/"), "X-Forwarded-Method"),
            (raw("GET", "gopher", "a", "/"), "X-Forwarded-Proto"),
            (raw("GET", "http", "a,b", "/"), "X-Forwarded-Host"),
        ] {
            assert_eq!(OriginalRequest::parse(&request), Err(Malformed::Invalid(header)));
        }
    }

    #[test]
    fn a_fragment_in_the_query_is_ambiguous() {
        let parsed = OriginalRequest::parse(&raw("GET", "http", "a", "/mcp?q=1#frag"));
        assert_eq!(parsed, Err(Malformed::AmbiguousPath(Ambiguity::HiddenDelimiter)));
    }

    #[test]
    fn a_query_may_hold_what_a_path_may_not() {
        assert!(OriginalRequest::parse(&raw("GET", "http", "a", "/mcp?a=1?b=2&c=%26d;e//..")).is_ok());
    }
}
