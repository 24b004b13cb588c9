//! Envoy `ext_authz` over HTTP (Istio and Envoy Gateway send the same): the check request *is* the original request,
//! with a prefix before its path.

use super::{Field, RequestHead, required};
use crate::domain::original_request::RawRequest;
use crate::domain::{Malformed, OriginalRequest};

/// `path_prefix` in Envoy's configuration.
pub const PREFIX: &str = "/auth/envoy";

/// The original path and query: what follows the prefix. Envoy appends it byte for byte.
pub fn original_target(target: &str) -> Option<&str> {
    let original = target.strip_prefix(PREFIX)?;
    (original.is_empty() || original.starts_with(['/', '?'])).then_some(original)
}

/// Method and target of the check request itself, `Host`, and `X-Forwarded-Proto`.
pub fn original_request(head: &dyn RequestHead) -> Result<OriginalRequest<'_>, Malformed> {
    OriginalRequest::parse(&RawRequest {
        method: (head.method().as_bytes(), "the method"),
        scheme: required(head, Field::ForwardedProto)?,
        authority: required(head, Field::Host)?,
        target: original_target(head.target()).unwrap_or_default().as_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ambiguity;
    use crate::proxy::head::RecordedHead;

    /// As Envoy 1.40 sends it.
    fn recorded(target: &str) -> RecordedHead {
        RecordedHead::new("POST", target)
            .with(Field::Host, "mcp.example.com")
            .with(Field::ForwardedProto, "https")
            .with(Field::ForwardedHost, "evil.example")
            .with(Field::ForwardedUri, "/public")
            .with(Field::ForwardedMethod, "GET")
    }

    #[test]
    fn reads_its_own_request_line_and_host() {
        let head = recorded("/auth/envoy/mcp?x=1");
        let request = original_request(&head).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.authority().host(), "mcp.example.com");
        assert_eq!(request.path().as_str(), "/mcp");
    }

    #[test]
    fn a_target_without_path_has_nothing_to_judge() {
        for target in ["/auth/envoy", "/auth/envoy?x=1"] {
            let parsed = original_request(&recorded(target)).map(|request| request.path().as_str().to_owned());
            assert_eq!(parsed, Err(Malformed::AmbiguousPath(Ambiguity::NotOriginForm)));
        }
    }

    #[test]
    fn a_path_that_climbs_out_of_the_prefix_is_refused() {
        let parsed = original_request(&recorded("/auth/envoy/../../health")).map(|_| ());
        assert_eq!(parsed, Err(Malformed::AmbiguousPath(Ambiguity::DotSegment)));
    }

    #[test]
    fn without_x_forwarded_proto_the_setting_is_named() {
        let mut head = recorded("/auth/envoy/mcp");
        head.fields.retain(|(field, _)| *field != Field::ForwardedProto);
        assert_eq!(original_request(&head), Err(Malformed::Missing("X-Forwarded-Proto")));
    }
}
