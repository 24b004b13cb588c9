//! Why a request was refused: one closed set, the same in answers, logs, metrics and documentation.

use std::fmt;

use crate::authn::TokenFault;
use crate::authn::dpop::ProofFault;

/// A stable reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No bearer token.
    MissingToken,
    /// A token that cannot be accepted from anyone.
    InvalidToken,
    /// A token that is bound to a key, without a good proof of that key.
    InvalidDpopProof,
    /// A token whose time is over.
    ExpiredToken,
    /// A token for another resource.
    WrongAudience,
    /// A token of an issuer that is not accepted here.
    UnknownIssuer,
    /// The e-mail address would be allowed, but the issuer does not vouch for it.
    EmailNotVerified,
    /// The right token of the wrong person.
    PrincipalNotAllowed,
    /// The right person with too small a token.
    InsufficientScope,
    /// The right person for the resource, but not for this operation.
    OperationNotAllowed,
    /// What is asked cannot be told, and there are rules about it.
    OperationUnknown,
    /// A condition of the resource or of a rule is not true.
    ConditionFalse,
    /// `Origin` is not in the allowlist.
    OriginNotAllowed,
    /// No configured resource covers the URL.
    UnknownResource,
    /// The path has more than one reading.
    AmbiguousPath,
    /// The proxy's request does not follow its contract.
    InvalidRequest,
    /// The caller is not a trusted proxy.
    UntrustedProxy,
    /// No keys to judge the token with: our own trouble.
    KeysUnavailable,
    /// No place to remember one more proof: our own trouble.
    ReplayMemoryFull,
    /// The issuer of an opaque token cannot be asked: our own trouble.
    IntrospectionUnavailable,
}

/// Kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 401: another token could change the answer.
    Unauthenticated,
    /// 403.
    Forbidden,
    /// 403: the request itself is at fault.
    Malformed,
    /// 503: our own trouble.
    Undecidable,
}

impl Reason {
    /// Every reason, for metrics that start at zero and for the documentation's test.
    pub const ALL: [Self; 20] = [
        Self::MissingToken,
        Self::InvalidToken,
        Self::InvalidDpopProof,
        Self::ExpiredToken,
        Self::WrongAudience,
        Self::UnknownIssuer,
        Self::EmailNotVerified,
        Self::PrincipalNotAllowed,
        Self::InsufficientScope,
        Self::OperationNotAllowed,
        Self::OperationUnknown,
        Self::ConditionFalse,
        Self::OriginNotAllowed,
        Self::UnknownResource,
        Self::AmbiguousPath,
        Self::InvalidRequest,
        Self::UntrustedProxy,
        Self::KeysUnavailable,
        Self::ReplayMemoryFull,
        Self::IntrospectionUnavailable,
    ];

    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::InvalidToken => "invalid_token",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::ExpiredToken => "expired_token",
            Self::WrongAudience => "wrong_audience",
            Self::UnknownIssuer => "unknown_issuer",
            Self::EmailNotVerified => "email_not_verified",
            Self::PrincipalNotAllowed => "principal_not_allowed",
            Self::InsufficientScope => "insufficient_scope",
            Self::OperationNotAllowed => "operation_not_allowed",
            Self::OperationUnknown => "operation_unknown",
            Self::ConditionFalse => "condition_false",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::UnknownResource => "unknown_resource",
            Self::AmbiguousPath => "ambiguous_path",
            Self::InvalidRequest => "invalid_request",
            Self::UntrustedProxy => "untrusted_proxy",
            Self::KeysUnavailable => "keys_unavailable",
            Self::ReplayMemoryFull => "replay_memory_full",
            Self::IntrospectionUnavailable => "introspection_unavailable",
        }
    }

    /// What kind of answer it leads to.
    pub const fn class(self) -> Class {
        match self {
            Self::MissingToken
            | Self::InvalidToken
            | Self::InvalidDpopProof
            | Self::ExpiredToken
            | Self::WrongAudience
            | Self::UnknownIssuer => Class::Unauthenticated,
            Self::EmailNotVerified
            | Self::PrincipalNotAllowed
            | Self::InsufficientScope
            | Self::OperationNotAllowed
            | Self::OperationUnknown
            | Self::ConditionFalse
            | Self::OriginNotAllowed
            | Self::UnknownResource
            | Self::UntrustedProxy => Class::Forbidden,
            Self::AmbiguousPath | Self::InvalidRequest => Class::Malformed,
            Self::KeysUnavailable | Self::ReplayMemoryFull | Self::IntrospectionUnavailable => Class::Undecidable,
        }
    }

    /// Whether it is said of a resource that was found, rather than before one was looked for.
    pub const fn names_resource(self) -> bool {
        !matches!(self, Self::UnknownResource | Self::AmbiguousPath | Self::InvalidRequest | Self::UntrustedProxy)
    }

    /// What a person reads. No token content, no claim value, and nothing that parses as a challenge parameter.
    pub const fn description(self) -> &'static str {
        match self {
            Self::MissingToken => "a bearer token is required",
            Self::InvalidToken => "the token is not valid",
            Self::InvalidDpopProof => "the DPoP proof is missing or not valid",
            Self::ExpiredToken => "the token has expired",
            Self::WrongAudience => "the token was issued for another resource",
            Self::UnknownIssuer => "the token comes from an issuer that is not accepted here",
            Self::EmailNotVerified => "the e-mail address is not verified",
            Self::PrincipalNotAllowed => "the caller may not use this resource",
            Self::InsufficientScope => "the token lacks a required scope",
            Self::OperationNotAllowed => "the caller may not do this with this resource",
            Self::OperationUnknown => "it cannot be told what the request asks for",
            Self::ConditionFalse => "a condition of this resource is not met",
            Self::OriginNotAllowed => "requests from this origin are not accepted",
            Self::UnknownResource => "no protected resource is configured for this URL",
            Self::AmbiguousPath => "the path can be read in more than one way",
            Self::InvalidRequest => "the proxy did not describe the request as its contract demands",
            Self::UntrustedProxy => "the caller is not a trusted proxy",
            Self::KeysUnavailable => "the keys to check the token with are not at hand",
            Self::ReplayMemoryFull => "too many DPoP proofs at once to tell whether this one was used before",
            Self::IntrospectionUnavailable => "the issuer of the token cannot be asked about it now",
        }
    }
}

impl From<TokenFault> for Reason {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Expired => Self::ExpiredToken,
            TokenFault::UnknownIssuer => Self::UnknownIssuer,
            TokenFault::Proof(ProofFault::MemoryFull) => Self::ReplayMemoryFull,
            TokenFault::Proof(_) => Self::InvalidDpopProof,
            TokenFault::MalformedCredential
            | TokenFault::TooLong
            | TokenFault::NotJwt
            | TokenFault::ForbiddenHeader
            | TokenFault::NotAccessToken
            | TokenFault::AlgorithmNotAllowed
            | TokenFault::UnknownKey
            | TokenFault::BadSignature
            | TokenFault::NotYetValid
            | TokenFault::BadClaims
            | TokenFault::NameTooLong
            | TokenFault::SenderConstrained
            | TokenFault::NotBound
            | TokenFault::MalformedApiKey
            | TokenFault::UnknownApiKey
            | TokenFault::NoCertificate
            | TokenFault::Revoked
            | TokenFault::Inactive => Self::InvalidToken,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
