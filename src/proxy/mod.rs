//! One adapter per contract: what the proxy told us in, what it understands out. No web types.
//!
//! The contract is chosen by the path that was asked, never guessed from headers: clients can send any header, and
//! every proxy passes some other proxy's headers through. Adding one: a file beside these, a variant of [`Contract`].

pub mod auth_request;
pub mod browser;
pub mod ext_authz;
pub mod forward_auth;
pub mod head;
pub mod reply;
pub mod trusted;

pub use head::{Field, RequestHead};
pub use reply::Reply;
pub use trusted::TrustedProxies;

use crate::domain::{Malformed, Occurrence, OriginalRequest};

/// Who asks, and so where the original request stands and what may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contract {
    /// Traefik `forwardAuth`, Caddy `forward_auth`.
    ForwardAuth,
    /// Envoy `ext_authz` over HTTP.
    ExtAuthz,
    /// nginx `auth_request`.
    AuthRequest,
}

impl Contract {
    /// Every contract.
    pub const ALL: [Self; 3] = [Self::ForwardAuth, Self::ExtAuthz, Self::AuthRequest];

    /// The contract that owns `path`; `None` when `path` is no decision endpoint.
    /// Everything under `/auth` is one: nothing there may answer 200 for another reason.
    pub fn of_path(path: &str) -> Option<Result<Self, UnknownEndpoint>> {
        let rest = path.strip_prefix("/auth")?;
        match rest {
            "" => Some(Ok(Self::ForwardAuth)),
            "/nginx" => Some(Ok(Self::AuthRequest)),
            _ if ext_authz::original_target(path).is_some() => Some(Ok(Self::ExtAuthz)),
            _ if rest.starts_with('/') => Some(Err(UnknownEndpoint)),
            _ => None,
        }
    }

    /// Reads the original request out of what the proxy sent.
    pub fn original_request(self, head: &dyn RequestHead) -> Result<OriginalRequest<'_>, Malformed> {
        match self {
            Self::ForwardAuth => forward_auth::original_request(head),
            Self::ExtAuthz => ext_authz::original_request(head),
            Self::AuthRequest => auth_request::original_request(head),
        }
    }

    /// Path and query of the original request, as the proxy tells them; for going back there, never for a decision.
    pub fn original_target(self, head: &dyn RequestHead) -> Option<&[u8]> {
        match self {
            Self::ForwardAuth => head.field(Field::ForwardedUri).once(),
            Self::ExtAuthz => ext_authz::original_target(head.target()).map(str::as_bytes),
            Self::AuthRequest => auth_request::original_target(head),
        }
    }

    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForwardAuth => "forward_auth",
            Self::ExtAuthz => "ext_authz",
            Self::AuthRequest => "auth_request",
        }
    }
}

/// A path under `/auth` that no contract owns: refused, so that a misspelt endpoint never lets anything through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEndpoint;

/// A header of a contract: there exactly once, or the request is not judged.
fn required(head: &dyn RequestHead, field: Field) -> Result<(&[u8], &'static str), Malformed> {
    match head.field(field) {
        Occurrence::Once(value) => Ok((value, field.name())),
        Occurrence::Absent => Err(Malformed::Missing(field.name())),
        Occurrence::Repeated => Err(Malformed::Repeated(field.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_under_auth_is_a_decision_or_a_refusal() {
        for (path, contract) in [
            ("/auth", Some(Ok(Contract::ForwardAuth))),
            ("/auth/nginx", Some(Ok(Contract::AuthRequest))),
            ("/auth/envoy", Some(Ok(Contract::ExtAuthz))),
            ("/auth/envoy/", Some(Ok(Contract::ExtAuthz))),
            ("/auth/envoy/health", Some(Ok(Contract::ExtAuthz))),
            ("/auth/", Some(Err(UnknownEndpoint))),
            ("/auth/health", Some(Err(UnknownEndpoint))),
            ("/auth/nginx/", Some(Err(UnknownEndpoint))),
            ("/auth/envoyx", Some(Err(UnknownEndpoint))),
            ("/authorize", None),
            ("/health", None),
            ("/", None),
        ] {
            assert_eq!(Contract::of_path(path), contract, "{path}");
        }
    }
}
