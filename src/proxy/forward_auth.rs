//! Traefik `forwardAuth` and Caddy `forward_auth`: the original request stands in `X-Forwarded-*`.
//!
//! The decision URL's own query is never read: Caddy appends the client's.

use super::{Field, RequestHead, required};
use crate::domain::original_request::RawRequest;
use crate::domain::{Malformed, OriginalRequest};

/// Reads the four headers, each exactly once.
pub fn original_request(head: &dyn RequestHead) -> Result<OriginalRequest<'_>, Malformed> {
    OriginalRequest::parse(&RawRequest {
        method: required(head, Field::ForwardedMethod)?,
        scheme: required(head, Field::ForwardedProto)?,
        authority: required(head, Field::ForwardedHost)?,
        target: required(head, Field::ForwardedUri)?.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::head::RecordedHead;

    /// As Traefik 3.7 sends it, with what a client added and Traefik let through.
    fn recorded() -> RecordedHead {
        RecordedHead::new("GET", "/auth?x=fixed")
            .with(Field::Host, "127.0.0.1:11000")
            .with(Field::ForwardedFor, "127.0.0.1")
            .with(Field::ForwardedHost, "MCP.example.com:8080")
            .with(Field::ForwardedMethod, "POST")
            .with(Field::ForwardedProto, "http")
            .with(Field::ForwardedUri, "/mcp?x=1&y=%2F")
            .with(Field::OriginalUrl, "http://evil.example/public")
            .with(Field::OriginalMethod, "DELETE")
    }

    #[test]
    fn reads_only_the_forwarded_headers() {
        let head = recorded();
        let request = original_request(&head).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.authority().to_string(), "mcp.example.com:8080");
        assert_eq!(request.path().as_str(), "/mcp");
    }

    #[test]
    fn a_missing_or_repeated_header_is_refused_by_name() {
        for field in [Field::ForwardedMethod, Field::ForwardedProto, Field::ForwardedHost, Field::ForwardedUri] {
            let mut without = recorded();
            without.fields.retain(|(name, _)| *name != field);
            assert_eq!(original_request(&without), Err(Malformed::Missing(field.name())));
            let twice = recorded().with(field, "http");
            assert_eq!(original_request(&twice), Err(Malformed::Repeated(field.name())));
        }
    }
}
