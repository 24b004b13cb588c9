//! The `WWW-Authenticate` challenge (RFC 6750 §3, RFC 9728 §5.1), on one line, `Bearer` first and alone; `DPoP` where a key
//! must be proven (RFC 9449 §7.1).

use std::fmt::Write as _;

use super::{Matched, Reason};
use crate::authn::dpop::ALGORITHMS;
use crate::authn::{Algorithm, Identity, TokenFault};
use crate::domain::{Scope, ScopeSet};

/// A challenge, written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    reason: Reason,
    code: Option<ErrorCode>,
    description: String,
    header: String,
}

/// The error codes of RFC 6750 §3.1 and RFC 9449 §7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorCode {
    InvalidRequest,
    InvalidToken,
    InvalidDpopProof,
    InsufficientScope,
}

impl ErrorCode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

impl Challenge {
    /// Nothing was presented: no error code (RFC 6750 §3.1, last paragraph).
    pub fn missing_token(matched: &Matched<'_>) -> Self {
        let scopes = matched.policy.challenge_scopes();
        Self::write(matched, Reason::MissingToken, None, Reason::MissingToken.description(), scopes)
    }

    /// A token was presented and is no good.
    pub fn refused_token(matched: &Matched<'_>, fault: TokenFault) -> Self {
        let code = if fault == TokenFault::MalformedCredential {
            ErrorCode::InvalidRequest
        } else if matches!(fault, TokenFault::Proof(_)) {
            ErrorCode::InvalidDpopProof
        } else {
            ErrorCode::InvalidToken
        };
        let scopes = matched.policy.challenge_scopes();
        Self::write(matched, fault.into(), Some(code), &fault.to_string(), scopes)
    }

    /// A good token, but not for this resource.
    pub fn foreign_token(matched: &Matched<'_>, reason: Reason) -> Self {
        let scopes = matched.policy.challenge_scopes();
        Self::write(matched, reason, Some(ErrorCode::InvalidToken), reason.description(), scopes)
    }

    /// The right person with too few scopes. Asks for granted and missing ones together: clients replace the scopes they
    /// have with those of the challenge, and would otherwise lose some.
    pub fn insufficient_scope(matched: &Matched<'_>, identity: &Identity, missing: &[&Scope]) -> Self {
        let wanted = if matched.policy.asks_for_other_names {
            matched.policy.challenge_scopes().clone()
        } else {
            identity.scopes().union(missing.iter().copied())
        };
        let reason = Reason::InsufficientScope;
        Self::write(matched, reason, Some(ErrorCode::InsufficientScope), reason.description(), &wanted)
    }

    /// The same for a client that must prove a key: the scheme `DPoP`, and what proofs may be signed with (RFC 9449 §7.1).
    #[must_use]
    pub(super) fn in_terms_of_dpop(mut self) -> Self {
        if let Some(parameters) = self.header.strip_prefix(Parameters::SCHEME) {
            let names = ALGORITHMS.map(Algorithm::as_str).join(" ");
            self.header = format!("DPoP{parameters}, algs=\"{names}\"");
        }
        self
    }

    /// Why.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What a person reads.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The `error` code for the body; a missing token has none, and the body says `invalid_token`, as clients expect.
    pub const fn error_code(&self) -> &'static str {
        match self.code {
            Some(code) => code.as_str(),
            None => ErrorCode::InvalidToken.as_str(),
        }
    }

    /// The header's value: visible ASCII and spaces only.
    pub fn header(&self) -> &str {
        &self.header
    }

    fn write(matched: &Matched<'_>, reason: Reason, code: Option<ErrorCode>, text: &str, scopes: &ScopeSet) -> Self {
        let mut header = Parameters::new();
        if let Some(code) = code {
            header.add("error", code.as_str());
            header.add("error_description", text);
        }
        header.add("resource_metadata", &matched.metadata_url());
        if !scopes.is_empty() {
            header.add("scope", &scopes.to_string());
        }
        Self { reason, code, description: text.to_owned(), header: header.0 }
    }
}

/// `Bearer name="value", …` with every value quoted safely.
struct Parameters(String);

impl Parameters {
    const SCHEME: &'static str = "Bearer";

    fn new() -> Self {
        Self(String::from(Self::SCHEME))
    }

    fn add(&mut self, name: &str, value: &str) {
        let separator = if self.0.len() == Self::SCHEME.len() { ' ' } else { ',' };
        let _ = write!(self.0, "{separator}{}{name}=\"", if separator == ',' { " " } else { "" });
        self.0.extend(value.chars().filter(|char| is_quotable(*char)));
        self.0.push('"');
    }
}

/// RFC 6750 §3: values hold `%x20-21 / %x23-5B / %x5D-7E`. Anything else is left out: a quote or a line break in a value
/// would let its author write parameters or headers of their own.
const fn is_quotable(char: char) -> bool {
    matches!(char, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e')
}
