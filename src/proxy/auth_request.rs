//! nginx `auth_request`: the subrequest says nothing about the original unless configured to.
//!
//! nginx lets a client's own `X-Forwarded-*` through, so those are not read here.

use super::{Field, RequestHead, required};
use crate::domain::original_request::RawRequest;
use crate::domain::{Malformed, OriginalRequest};

/// `X-Original-Method` and the absolute `X-Original-URL`, each exactly once.
pub fn original_request(head: &dyn RequestHead) -> Result<OriginalRequest<'_>, Malformed> {
    let method = required(head, Field::OriginalMethod)?;
    let (url, name) = required(head, Field::OriginalUrl)?;
    let (scheme, authority, target) = split(url).ok_or(Malformed::Invalid(name))?;
    OriginalRequest::parse(&RawRequest { method, scheme: (scheme, name), authority: (authority, name), target })
}

/// Path and query.
pub fn original_target(head: &dyn RequestHead) -> Option<&[u8]> {
    split(head.field(Field::OriginalUrl).once()?).map(|(_, _, target)| target)
}

/// Splits by hand at `://` and the next `/`: a URL parser would normalise the path, and nginx forwards it raw.
fn split(url: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let scheme_end = url.windows(3).position(|window| window == b"://")?;
    let (scheme, rest) = url.split_at_checked(scheme_end)?;
    let rest = rest.strip_prefix(b"://")?;
    let authority_end = rest.iter().position(|byte| *byte == b'/')?;
    let (authority, target) = rest.split_at_checked(authority_end)?;
    Some((scheme, authority, target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ambiguity;
    use crate::proxy::head::RecordedHead;

    fn recorded(url: &[u8]) -> RecordedHead {
        RecordedHead::new("GET", "/auth/nginx")
            .with(Field::Host, "mcp.example.com")
            .with(Field::OriginalMethod, "POST")
            .with(Field::OriginalUrl, url)
            .with(Field::ForwardedUri, "/public")
            .with(Field::ForwardedHost, "evil.example")
            .with(Field::ForwardedMethod, "GET")
            .with(Field::ForwardedProto, "https")
    }

    #[test]
    fn reads_only_the_original_headers() {
        let head = recorded(b"http://mcp.example.com:8080/mcp?q=http://a/b");
        let request = original_request(&head).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.scheme().as_str(), "http");
        assert_eq!(request.authority().to_string(), "mcp.example.com:8080");
        assert_eq!(request.path().as_str(), "/mcp");
    }

    #[test]
    fn the_raw_path_is_judged_not_a_normalised_one() {
        let parsed = original_request(&recorded(b"http://mcp.example.com/mcp/../admin")).map(|_| ());
        assert_eq!(parsed, Err(Malformed::AmbiguousPath(Ambiguity::DotSegment)));
    }

    #[test]
    fn refuses_what_is_no_absolute_url() {
        for url in [&b"/mcp"[..], b"http://mcp.example.com", b"http:/mcp", b"", b"http://user@a/mcp", b"http:///mcp"] {
            let parsed = original_request(&recorded(url)).map(|_| ());
            assert_eq!(parsed, Err(Malformed::Invalid("X-Original-URL")), "{}", String::from_utf8_lossy(url));
        }
    }
}
