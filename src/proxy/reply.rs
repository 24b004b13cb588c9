//! Verdict → what the proxy understands. The one place where a decision becomes status, headers and body.

use bytes::Bytes;
use serde::Serialize;

use super::Contract;
use crate::authn::identity_headers::IdentityHeaders;
use crate::authz::reason::Class;
use crate::authz::{Challenge, Permit, Reason, Verdict};
use crate::domain::{Occurrence, session_cookie};

/// A neutral answer: `http/` copies it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<'v> {
    /// 200, empty body, every identity header.
    Allow {
        /// In the order of [`IDENTITY_HEADERS`]; empty where unknown.
        identity: [&'v Bytes; 8],
        /// Envoy is told to drop the client's token before the upstream sees it.
        remove_authorization: bool,
    },
    /// A browser is sent to sign in.
    SignIn {
        /// 302; nginx hands on nothing but a 401, and makes a redirect of that.
        status: u16,
        /// Where to, absolute.
        location: String,
    },
    /// 401, 403 or 503 with a JSON body.
    Refuse {
        /// The status code.
        status: u16,
        /// `WWW-Authenticate`.
        challenge: Option<&'v str>,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
        /// The body.
        body: Vec<u8>,
    },
}

/// What the upstream sees of the client's cookies. Proxies that are set up for it replace the client's by the answer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cookies {
    /// The client sent none.
    Absent,
    /// These, and none of ours.
    Others(String),
    /// None: there are no others. Envoy must be told so.
    Nothing,
}

impl Cookies {
    /// Keeps sessions from the upstream. Of several `Cookie` headers none is handed on: which of them an upstream reads is
    /// not known.
    pub fn without_ours(sent: Occurrence<'_>) -> Self {
        let others = match sent {
            Occurrence::Absent => return Self::Absent,
            Occurrence::Repeated => return Self::Nothing,
            Occurrence::Once(sent) => session_cookie::without_ours(std::str::from_utf8(sent).unwrap_or_default()),
        };
        if others.is_empty() { Self::Nothing } else { Self::Others(others) }
    }
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

/// What is said of nobody.
static NOBODY: IdentityHeaders = IdentityHeaders::NOBODY;

impl<'v> Reply<'v> {
    /// What `contract` is answered for `verdict`. `request_id` leads from an answer to its log line.
    pub fn to(contract: Contract, verdict: &'v Verdict, request_id: &str) -> Self {
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

    /// A browser is sent to `location`.
    pub fn sign_in(contract: Contract, location: String) -> Self {
        Self::SignIn { status: if contract == Contract::AuthRequest { 401 } else { 302 }, location }
    }

    /// The status code.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Allow { .. } => 200,
            Self::SignIn { status, .. } | Self::Refuse { status, .. } => *status,
        }
    }

    fn allow(contract: Contract, permit: &'v Permit) -> Self {
        let known = permit.identity().map_or(&NOBODY, |identity| identity.headers());
        let identity = [
            &known.user,
            &known.email,
            &known.groups,
            &known.scopes,
            &known.subject,
            &known.issuer,
            &known.client,
            permit.resource(),
        ];
        Self::Allow { identity, remove_authorization: contract == Contract::ExtAuthz }
    }

    fn challenge(status: u16, challenge: &'v Challenge, request_id: &str) -> Self {
        let body = Body {
            error: challenge.error_code(),
            error_description: challenge.description(),
            reason: challenge.reason().as_str(),
            request_id,
        };
        Self::Refuse { status, challenge: Some(challenge.header()), retry_after: None, body: body.to_json() }
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
