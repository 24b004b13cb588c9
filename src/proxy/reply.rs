//! Verdict → what the proxy understands. The one place where a decision becomes status, headers and body.

use bytes::Bytes;
use serde::Serialize;

use super::Contract;
use crate::authn::identity_headers::IdentityHeaders;
use crate::authz::reason::Class;
use crate::authz::{Challenge, Permit, Reason, Verdict};

/// A neutral answer: `http/` copies it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// 200, empty body, every identity header.
    Allow {
        /// In the order of [`IDENTITY_HEADERS`]; empty where unknown.
        identity: [Bytes; 8],
        /// Envoy is told to drop the client's token before the upstream sees it.
        remove_authorization: bool,
    },
    /// 401, 403 or 503 with a JSON body.
    Refuse {
        /// The status code.
        status: u16,
        /// `WWW-Authenticate`.
        challenge: Option<String>,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
        /// The body.
        body: Vec<u8>,
    },
}

/// The identity headers, all of them on every 200: a proxy that copies them overwrites what a client forged.
pub const IDENTITY_HEADERS: [&str; 8] = [
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Scopes",
    "X-Auth-Subject",
    "X-Auth-Issuer",
    "X-Auth-Client",
    "X-Auth-Resource",
];

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
    reason: &'a str,
    request_id: &'a str,
}

impl Reply {
    /// What `contract` is answered for `verdict`. `request_id` leads from an answer to its log line.
    pub fn to(contract: Contract, verdict: &Verdict, request_id: &str) -> Self {
        match verdict {
            Verdict::Permit(permit) => Self::allow(contract, permit),
            Verdict::Challenge(challenge) => Self::challenge(401, challenge, request_id),
            Verdict::Forbid(denial) => match denial.challenge() {
                Some(challenge) => Self::challenge(403, challenge, request_id),
                None => Self::refuse(403, denial.reason(), request_id),
            },
            Verdict::Undecidable { reason, retry_after } => {
                let mut reply = Self::refuse(503, *reason, request_id);
                if let Self::Refuse { retry_after: seconds, .. } = &mut reply {
                    *seconds = Some(retry_after.as_secs().max(1));
                }
                reply
            }
        }
    }

    /// The status code.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Allow { .. } => 200,
            Self::Refuse { status, .. } => *status,
        }
    }

    fn allow(contract: Contract, permit: &Permit) -> Self {
        let nobody = IdentityHeaders::default();
        let known = permit.identity().map_or(&nobody, |identity| identity.headers());
        let identity = [
            known.user.clone(),
            known.email.clone(),
            known.groups.clone(),
            known.scopes.clone(),
            known.subject.clone(),
            known.issuer.clone(),
            known.client.clone(),
            permit.resource().clone(),
        ];
        Self::Allow { identity, remove_authorization: contract == Contract::ExtAuthz }
    }

    fn challenge(status: u16, challenge: &Challenge, request_id: &str) -> Self {
        let body = Body {
            error: challenge.error_code(),
            error_description: challenge.description(),
            reason: challenge.reason().as_str(),
            request_id,
        };
        Self::Refuse { status, challenge: Some(challenge.header().to_owned()), retry_after: None, body: body.to_json() }
    }

    fn refuse(status: u16, reason: Reason, request_id: &str) -> Self {
        let error = match reason.class() {
            Class::Malformed => "invalid_request",
            Class::Undecidable => "temporarily_unavailable",
            Class::Unauthenticated | Class::Forbidden => "access_denied",
        };
        let body = Body { error, error_description: reason.description(), reason: reason.as_str(), request_id };
        Self::Refuse { status, challenge: None, retry_after: None, body: body.to_json() }
    }
}

impl Body<'_> {
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_else(|_| b"{}".to_vec())
    }
}
