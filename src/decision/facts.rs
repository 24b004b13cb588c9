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
