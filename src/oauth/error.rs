//! The errors that OAuth has words for, and the one table of their status codes.

use std::borrow::Cow;

use crate::idp::IdpError;
use crate::random::NoRandomness;
use crate::store::StoreError;

/// An error code of RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 7009 §2.2.1, RFC 8707 §2,
/// RFC 9449 §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// Client authentication failed, or the client is unknown. Clients throw their registration away on it.
    InvalidClient,
    /// A code or refresh token is wrong, used, expired, or somebody else's.
    InvalidGrant,
    /// The client may not use this grant type.
    UnauthorizedClient,
    /// No such grant type here.
    UnsupportedGrantType,
    /// `response_type` is not `code`.
    UnsupportedResponseType,
    /// No requested scope is offered.
    InvalidScope,
    /// `resource` is none of ours, or not the one that was granted (RFC 8707 §2).
    InvalidTarget,
    /// The person, or a rule, said no.
    AccessDenied,
    /// `prompt=none`, and the person would have to sign in (OpenID Connect Core §3.1.2.6).
    LoginRequired,
    /// `prompt=none`, and the person would have to agree.
    ConsentRequired,
    /// Our fault.
    ServerError,
    /// Our trouble, or somebody's that we depend on: try again.
    TemporarilyUnavailable,
    /// No redirect URI of a registration is acceptable (RFC 7591 §3.2.2).
    InvalidRedirectUri,
    /// Another member of a registration is not acceptable.
    InvalidClientMetadata,
    /// A registration access token is wrong (RFC 6750 §3.1, RFC 7592 §3).
    InvalidToken,
    /// The proof of a key is missing or wrong (RFC 9449 §5).
    InvalidDpopProof,
    /// Too often; not a code of OAuth, so the answer is 429 with `temporarily_unavailable`.
    TooManyRequests,
}

impl ErrorCode {
    /// Every name, once.
    pub const NAMES: [&str; 15] = [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "invalid_scope",
        "invalid_target",
        "access_denied",
        "server_error",
        "temporarily_unavailable",
        "invalid_redirect_uri",
        "invalid_client_metadata",
        "invalid_token",
        "invalid_dpop_proof",
    ];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable | Self::TooManyRequests => "temporarily_unavailable",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidToken => "invalid_token",
            Self::InvalidDpopProof => "invalid_dpop_proof",
        }
    }

    /// The status of a JSON answer with this code (RFC 6749 §5.2).
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::AccessDenied => 403,
            Self::TooManyRequests => 429,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            Self::InvalidRequest
            | Self::InvalidGrant
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::UnsupportedResponseType
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::LoginRequired
            | Self::ConsentRequired
            | Self::InvalidRedirectUri
            | Self::InvalidDpopProof
            | Self::InvalidClientMetadata => 400,
        }
    }
}

/// An error with what the client's developer needs to know. Never holds a secret, nor text that came from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct OAuthError {
    /// The code.
    pub code: ErrorCode,
    /// One sentence; visible ASCII without `"` and `\` (RFC 6749 §5.2).
    pub description: Cow<'static, str>,
    /// What the log says besides: an inner cause that the client must not see.
    pub cause: Option<String>,
}

impl OAuthError {
    /// An error with its sentence.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into(), cause: None }
    }

    /// The same, with an inner cause for the log.
    #[must_use]
    pub fn because(mut self, cause: &dyn ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// `invalid_request`
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// `invalid_grant`
    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidGrant, description)
    }
}

/// A lost store is our trouble: never `invalid_client` or `invalid_grant`, on which clients throw things away.
impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        Self::new(ErrorCode::TemporarilyUnavailable, "the server cannot reach its records; try again").because(&error)
    }
}

impl From<NoRandomness> for OAuthError {
    fn from(error: NoRandomness) -> Self {
        Self::new(ErrorCode::ServerError, "the server cannot make secrets").because(&error)
    }
}

impl From<IdpError> for OAuthError {
    fn from(error: IdpError) -> Self {
        let (code, description) = match &error {
            IdpError::Unavailable(_) => (ErrorCode::TemporarilyUnavailable, "the identity provider does not answer"),
            IdpError::Refused(_) => (ErrorCode::AccessDenied, "the identity provider refused"),
            IdpError::Untrustworthy(_) => (ErrorCode::ServerError, "the identity provider's answer is not valid"),
        };
        Self::new(code, description).because(&error)
    }
}
