//! DNS rebinding and foreign web pages: a browser's `Origin` must be in the allowlist, when there is one
//! (MCP Streamable HTTP, security warning).

use crate::authz::{Policy, Reason};

/// Requests without `Origin` do not come from a web page. Origins are compared byte for byte (RFC 6454 §5).
pub fn check(policy: &Policy, origin: Option<&[u8]>) -> Result<(), Reason> {
    let allowed = |origin: &[u8]| policy.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin);
    match origin {
        Some(origin) if !policy.allowed_origins.is_empty() && !allowed(origin) => Err(Reason::OriginNotAllowed),
        _ => Ok(()),
    }
}
