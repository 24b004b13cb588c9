//! The token must have been issued for this very resource (RFC 8707 §2, RFC 9068 §4), by an issuer accepted here.

use crate::authn::Identity;
use crate::authz::{Matched, Reason};

/// `iss` must be accepted by the resource; `aud` must hold its URI or an audience configured for that issuer, or be vouched
/// for by the operator where an opaque token has none.
pub fn check(matched: &Matched<'_>, identity: &Identity) -> Result<(), Reason> {
    let resource = matched.resource_text();
    if identity.is_api_key() {
        // No issuer stands behind it, and the audiences configured for issuers are none of its business.
        let is_ours = |audience: &String| is_same_resource(audience, resource);
        return if identity.audiences().iter().any(is_ours) { Ok(()) } else { Err(Reason::WrongAudience) };
    }
    let accepted = matched.policy.issuers.iter().find(|accepted| accepted.issuer == *identity.issuer());
    let accepted = accepted.ok_or(Reason::UnknownIssuer)?;
    let names_us = |audience: &String| is_same_resource(audience, resource) || accepted.audiences.contains(audience);
    let is_ours = identity.audience_is_vouched() || identity.audiences().iter().any(names_us);
    if is_ours { Ok(()) } else { Err(Reason::WrongAudience) }
}

/// Equal, up to one trailing slash: both spellings lie under the same path prefix, clients add and drop it freely, and
/// two resources that differ only there cannot be configured.
fn is_same_resource(audience: &str, resource: &str) -> bool {
    audience == resource
        || audience.strip_suffix('/').unwrap_or(audience) == resource.strip_suffix('/').unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trailing_slash_may_differ() {
        assert!(is_same_resource("https://a/mcp", "https://a/mcp"));
        assert!(is_same_resource("https://a/mcp/", "https://a/mcp"));
        assert!(is_same_resource("https://a", "https://a/"));
        for other in ["https://a/mcp//", "https://a/mcpx", "https://a/", "https://a/mcp/x", "HTTPS://A/mcp", ""] {
            assert!(!is_same_resource(other, "https://a/mcp"), "{other}");
        }
    }
}
