//! What happens, counted for the metrics and told to the log in one line each. Never a token, a code or a secret.

use std::sync::Arc;

use super::assertion;
use super::grant::{Grant, GrantEnd};
use super::pending::Purpose;
use super::{AuthorizationServer, ErrorCode, OAuthError, TokenAnswer};
use crate::domain::{Person, Tally};

/// Counts of what happened since the start.
#[derive(Debug, Clone)]
pub struct Happenings {
    /// Sign-ins, by provider and outcome.
    pub sign_ins: Arc<Tally<2>>,
    /// Answers to token requests, by grant type and outcome: `issued`, or the error code.
    pub tokens: Arc<Tally<2>>,
    /// Registrations, by outcome: `registered`, or the error code.
    pub registrations: Arc<Tally<1>>,
    /// Grants that ended before their time, by cause.
    pub grants_ended: Arc<Tally<1>>,
}

/// How a sign-in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignInOutcome {
    /// A client gets a code.
    LetIn,
    /// Somebody signed in to our own pages.
    OwnPages,
    /// Somebody signed in who may not use the resource.
    NotAllowed,
    /// The person did not agree.
    Denied,
    /// The identity provider refused, or the person stopped there.
    Refused,
    /// The identity provider, or our store, did not answer.
    Unavailable,
    /// The provider's answer was not to be believed, or something of ours is broken.
    Failed,
}

impl SignInOutcome {
    /// Those that a provider has a part in.
    const AT_PROVIDER: [Self; 6] =
        [Self::LetIn, Self::OwnPages, Self::NotAllowed, Self::Refused, Self::Unavailable, Self::Failed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::LetIn => "let_in",
            Self::OwnPages => "own_pages",
            Self::NotAllowed => "not_allowed",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }
}

impl From<&OAuthError> for SignInOutcome {
    fn from(error: &OAuthError) -> Self {
        match error.code {
            ErrorCode::AccessDenied | ErrorCode::LoginRequired | ErrorCode::ConsentRequired => Self::Refused,
            ErrorCode::TemporarilyUnavailable | ErrorCode::TooManyRequests => Self::Unavailable,
            ErrorCode::ServerError
            | ErrorCode::InvalidRequest
            | ErrorCode::InvalidClient
            | ErrorCode::InvalidGrant
            | ErrorCode::UnauthorizedClient
            | ErrorCode::UnsupportedGrantType
            | ErrorCode::UnsupportedResponseType
            | ErrorCode::InvalidScope
            | ErrorCode::InvalidTarget
            | ErrorCode::InvalidRedirectUri
            | ErrorCode::InvalidClientMetadata
            | ErrorCode::InvalidDpopProof
            | ErrorCode::InvalidToken => Self::Failed,
        }
    }
}

/// One sign-in that came to its end.
pub(super) struct SignInEnd<'a> {
    pub(super) outcome: SignInOutcome,
    /// What it was for.
    pub(super) purpose: &'a Purpose,
    /// Where; before a provider was chosen there is none.
    pub(super) provider: Option<&'a str>,
    /// Who, when that is known.
    pub(super) person: Option<&'a Person>,
    /// What the outcome leaves open.
    pub(super) cause: Option<&'a str>,
}

const GRANT_TYPES: [&str; 5] =
    ["authorization_code", "refresh_token", "client_credentials", assertion::GRANT_TYPE, "other"];
/// Stands where there is no provider: nobody's name, since configured names are not empty.
const NO_PROVIDER: &str = "";

impl Happenings {
    pub(super) fn new<'n>(providers: impl Iterator<Item = &'n str>) -> Self {
        let outcomes = |provider| SignInOutcome::AT_PROVIDER.map(|outcome| [provider, outcome.as_str()]);
        let denied = [NO_PROVIDER, SignInOutcome::Denied.as_str()];
        let codes = || ErrorCode::NAMES.into_iter();
        let answers = GRANT_TYPES
            .into_iter()
            .flat_map(|kind| std::iter::once([kind, "issued"]).chain(codes().map(move |code| [kind, code])));
        Self {
            sign_ins: Arc::new(Tally::new(providers.flat_map(outcomes).chain([denied]))),
            tokens: Arc::new(Tally::new(answers)),
            registrations: Arc::new(Tally::new(std::iter::once("registered").chain(codes()).map(|name| [name]))),
            grants_ended: Arc::new(Tally::new(GrantEnd::ALL.map(|cause| [cause.as_str()]))),
        }
    }
}

impl AuthorizationServer {
    /// What happened since the start.
    pub const fn happenings(&self) -> &Happenings {
        &self.happenings
    }

    /// A registration was answered.
    pub fn note_registration(&self, error: Option<&OAuthError>) {
        self.happenings.registrations.add([error.map_or("registered", |error| error.code.as_str())]);
    }

    pub(super) fn note_tokens(&self, grant_type: Option<&str>, answer: &Result<TokenAnswer, OAuthError>) {
        let known = GRANT_TYPES.into_iter().find(|known| grant_type == Some(known));
        let outcome = answer.as_ref().map_or_else(|error| error.code.as_str(), |_| "issued");
        self.happenings.tokens.add([known.unwrap_or("other"), outcome]);
    }

    pub(super) fn note_sign_in(&self, end: &SignInEnd<'_>) {
        let outcome = end.outcome.as_str();
        self.happenings.sign_ins.add([end.provider.unwrap_or(NO_PROVIDER), outcome]);
        let (client, resource) = match end.purpose {
            Purpose::Client(request) => (Some(&*request.client), Some(&*request.resource)),
            Purpose::Connections => (None, None),
        };
        let subject = end.person.map(Person::subject_claim);
        let (provider, subject, cause) = (end.provider, subject.as_deref(), end.cause);
        if matches!(end.outcome, SignInOutcome::Unavailable | SignInOutcome::Failed) {
            tracing::warn!(outcome, provider, subject, client, resource, cause, "sign-in");
        } else {
            tracing::info!(outcome, provider, subject, client, resource, cause, "sign-in");
        }
    }

    pub(super) fn note_grant_end(&self, id: &str, grant: &Grant, cause: GrantEnd) {
        self.happenings.grants_ended.add([cause.as_str()]);
        let (client, resource, subject) = (&*grant.client, &*grant.resource, grant.person.subject_claim());
        tracing::info!(cause = cause.as_str(), grant = id, subject, client, resource, "a grant ended");
    }
}
