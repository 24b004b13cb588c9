//! What is told to a person on a page, because there is no client to tell, or none that may be told.

use super::client_document::ClientDocuments;
use super::{ErrorCode, OAuthError};

/// Why a browser goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What the page says.
    pub kind: ProblemKind,
    /// What the log says besides.
    pub cause: Option<String>,
    /// One sentence for whoever writes the client.
    pub detail: Option<String>,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Nobody is known by the `client_id`, or there is none.
    UnknownClient,
    /// The client's metadata document cannot be had.
    ClientDocumentUnavailable,
    /// The client's metadata document, or its address, breaks a rule.
    ClientDocumentRefused,
    /// The redirect URI is not the client's: answering there could hand a code to somebody else (RFC 6749 §4.1.2.1).
    UnknownRedirectUri,
    /// The link cannot be read.
    BadLink,
    /// It took too long, or the link is wrong.
    Expired,
    /// It was begun in another browser, or without cookies.
    OtherBrowser,
    /// It was answered already.
    AnsweredAlready,
    /// A form that is not ours.
    ForeignForm,
    /// The resource is protected no more, or the client may ask for it no more.
    NoLongerOffered,
    /// The identity provider does not answer.
    ProviderUnavailable,
    /// Nobody signed in: the identity provider refused, or the person stopped.
    NotSignedIn,
    /// Too often from one address.
    TooManyRequests,
    /// The person did not want to sign in, or may not.
    Declined,
    /// What we gave to the browser does not come back to us as it must.
    NotAccepted,
    /// Our own trouble.
    Unavailable,
}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self { kind, cause: None, detail: None }
    }
}

/// An error of our own trouble stays that; anything else about a page is a link that cannot be followed.
impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        let kind = if error.code == ErrorCode::TooManyRequests {
            ProblemKind::TooManyRequests
        } else if matches!(error.code, ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable) {
            ProblemKind::Unavailable
        } else {
            ProblemKind::BadLink
        };
        let cause = error.cause.unwrap_or_else(|| error.description.into_owned());
        Self { kind, cause: Some(cause), detail: None }
    }
}

impl Problem {
    /// Why a client could not be found. Only a client that a document describes is ever refused: its maker must
    /// learn which rule the document breaks, and nobody else can be told.
    pub(super) fn with_client(error: OAuthError) -> Self {
        let kind = if error.code == ErrorCode::InvalidClient {
            ProblemKind::ClientDocumentRefused
        } else if ClientDocuments::is_out_of_reach(&error) {
            ProblemKind::ClientDocumentUnavailable
        } else {
            return Self::from(error);
        };
        Self { kind, cause: error.cause, detail: Some(error.description.into_owned()) }
    }
}
