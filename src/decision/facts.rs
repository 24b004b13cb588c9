//! What rules about requests look at.

use crate::authz::RequestFacts;
use crate::domain::original_request::is_method;
use crate::domain::{Occurrence, OriginalRequest, UnixTime};
use crate::proxy::{Field, RequestHead};

/// A repeated `Origin` is read as one that no allowlist holds.
///
/// What passes as a preflight needs no token, so only what every proxy takes for one does: one origin, one method. The
/// proxies answer those themselves; anything else in that guise would be let through to the upstream.
pub fn request_facts<'a>(
    request: &'a OriginalRequest<'a>,
    head: &'a dyn RequestHead,
    now: UnixTime,
) -> RequestFacts<'a> {
    let origin = match head.field(Field::Origin) {
        Occurrence::Absent => None,
        Occurrence::Once(origin) => Some(origin),
        Occurrence::Repeated => Some(&b""[..]),
    };
    let preflight = request.method() == "OPTIONS"
        && origin.is_some_and(|origin| !origin.is_empty())
        && head.field(Field::AccessControlRequestMethod).once().is_some_and(is_method)
        && head.field(Field::Authorization) == Occurrence::Absent;
    RequestFacts { origin, preflight, dpop: false, request: Some(request), now }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::original_request::RawRequest;
    use crate::proxy::head::RecordedHead;

    const ORIGIN: (Field, &str) = (Field::Origin, "https://app.example.com");
    const METHOD: (Field, &str) = (Field::AccessControlRequestMethod, "POST");

    fn asked(method: &'static str, fields: &[(Field, &str)]) -> (Option<Vec<u8>>, bool) {
        let head =
            fields.iter().fold(RecordedHead::new("GET", "/auth"), |head, (field, value)| head.with(*field, *value));
        let raw = RawRequest {
            method: (method.as_bytes(), "method"),
            scheme: (b"https", "scheme"),
            authority: (b"mcp.example.com", "authority"),
            target: b"/mcp",
        };
        let request = OriginalRequest::parse(&raw).unwrap();
        let facts = request_facts(&request, &head, UnixTime::from_secs(1));
        (facts.origin.map(<[u8]>::to_vec), facts.preflight)
    }

    #[test]
    fn only_what_every_proxy_takes_for_a_preflight_is_one() {
        for (sentence, method, fields, preflight) in [
            ("a preflight", "OPTIONS", vec![ORIGIN, METHOD], true),
            ("another method", "POST", vec![ORIGIN, METHOD], false),
            ("no origin", "OPTIONS", vec![METHOD], false),
            ("an empty origin", "OPTIONS", vec![(Field::Origin, ""), METHOD], false),
            ("two origins", "OPTIONS", vec![ORIGIN, ORIGIN, METHOD], false),
            ("no method asked for", "OPTIONS", vec![ORIGIN], false),
            ("two of them", "OPTIONS", vec![ORIGIN, METHOD, METHOD], false),
            ("one that is none", "OPTIONS", vec![ORIGIN, (Field::AccessControlRequestMethod, "a b")], false),
            ("a credential", "OPTIONS", vec![ORIGIN, METHOD, (Field::Authorization, "Bearer x")], false),
            ("an empty credential", "OPTIONS", vec![ORIGIN, METHOD, (Field::Authorization, "")], false),
        ] {
            assert_eq!(asked(method, &fields).1, preflight, "{sentence}");
        }
    }

    #[test]
    fn a_repeated_origin_is_one_that_no_list_holds() {
        assert_eq!(asked("POST", &[]).0, None);
        assert_eq!(asked("POST", &[ORIGIN]).0, Some(b"https://app.example.com".to_vec()));
        assert_eq!(asked("POST", &[ORIGIN, ORIGIN]).0, Some(Vec::new()));
    }
}
