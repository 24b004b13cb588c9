//! What waits between `/authorize` and the code. What is parked is what was asked and what was decided about it; both
//! are looked at again on resuming, so it works on any replica and after a change of the configuration.

use serde::{Deserialize, Serialize};

use super::problem::{Problem, ProblemKind};
use super::prompt::Wishes;
use super::resources::Offer;
use super::return_address::ReturnAddress;
use super::{AuthorizationServer, Browser, Client};
use crate::authz::Matched;
use crate::domain::{ScopeSet, SecretHash, UnixTime};
use crate::store::{self, Outcome, StoreError, Stored, Table, Transaction, Versioned};

/// Somebody in a browser, on the way to a code or to our own pages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PendingAuthorization {
    /// Whose browser.
    pub(super) browser: SecretHash,
    /// What for.
    pub(super) purpose: Purpose,
    /// How far.
    pub(super) stage: Stage,
}

/// What somebody signs in for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    /// To let a client use a resource.
    Client(Box<AuthorizationRequest>),
    /// To see and end what they let clients do.
    Connections,
}

/// A request that was found good.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AuthorizationRequest {
    pub(super) client: String,
    pub(super) return_to: ReturnAddress,
    pub(super) resource: String,
    pub(super) scopes: ScopeSet,
    /// `code_challenge`, of the method S256.
    pub(super) challenge: String,
    /// The client wants the person to be asked, whatever we remember (`prompt=consent`).
    pub(super) always_ask: bool,
    /// Nothing is taken for known: what one person let the client do is shown to another.
    #[serde(default)]
    pub(super) ask_for_all: bool,
    /// `dpop_jkt`: the key that the code is to be bound to.
    #[serde(default)]
    pub(super) dpop_jkt: Option<String>,
    /// What the identity provider is to do.
    pub(super) wishes: Wishes,
}

/// How far it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// The person has not answered yet.
    AwaitingConsent,
    /// The person is at the identity provider.
    AwaitingSignIn(SignIn),
    /// The provider's answer to the sign-in with this `state` is being looked at: never twice.
    SigningIn { state: SecretHash },
    /// Somebody signed in who may not use the resource.
    NotAllowed {
        provider: String,
        person: String,
        email_not_verified: bool,
        /// Their approval, which need not be that of whoever tries next.
        #[serde(default)]
        consent: Consent,
    },
    /// The client has its answer.
    Finished(Ending),
}

/// A sign-in under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SignIn {
    pub(super) provider: String,
    /// The hash of the `state` that the provider will send back.
    pub(super) state: SecretHash,
    /// What it started with, sealed.
    pub(super) start: String,
    pub(super) wishes: Wishes,
    pub(super) consent: Consent,
}

/// By what right the person is sent to sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Consent {
    /// Approved on our page, which showed everything.
    #[default]
    Given,
    /// Approved on a page that showed as new what was new for this person; somebody else must be asked for everything.
    GivenBy { person: String },
    /// Approved some other time by this person; somebody else must be asked.
    Remembered { person: String },
}

impl Consent {
    /// The only person for whom it counts, if it does not count for everybody.
    pub(super) fn only_for(&self) -> Option<&str> {
        match self {
            Self::Given => None,
            Self::GivenBy { person } | Self::Remembered { person } => Some(person),
        }
    }
}

/// The answer that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ending {
    /// A code.
    Code,
    /// The person said no.
    Denied,
    /// An error, or nothing that could be told.
    Failed,
}

impl Stored for PendingAuthorization {
    const TABLE: Table = Table::PendingAuthorizations;
}

/// A request that was looked at again.
pub(super) struct Resumed<'a> {
    pub(super) client: Client,
    pub(super) matched: Matched<'a>,
    pub(super) scopes: ScopeSet,
}

impl AuthorizationServer {
    /// The flow `id`, if it belongs to `browser`.
    pub(super) async fn pending(
        &self,
        id: &str,
        browser: Browser<'_>,
        now: UnixTime,
    ) -> Result<Versioned<PendingAuthorization>, Problem> {
        let found = store::read::<PendingAuthorization>(&*self.store, id, now).await?;
        let pending = found.ok_or(ProblemKind::Expired)?;
        if browser.is(&pending.value.browser) { Ok(pending) } else { Err(ProblemKind::OtherBrowser.into()) }
    }

    /// Moves a flow on, unless somebody else did so meanwhile. Its end stays where it was.
    pub(super) async fn advance(
        &self,
        id: &str,
        pending: &Versioned<PendingAuthorization>,
        stage: Stage,
        now: UnixTime,
    ) -> Result<Outcome, StoreError> {
        moved(id, pending, stage).commit(&*self.store, now).await
    }

    /// Is the client still there, is the redirect URI still its own, is the resource still offered?
    pub(super) async fn resume(&self, request: &AuthorizationRequest, now: UnixTime) -> Result<Resumed<'_>, Problem> {
        let client = self.client_of(&request.client, &request.resource, now).await?;
        let client = client.ok_or(ProblemKind::UnknownClient)?;
        if client.redirect_named(&request.return_to.redirect_uri).is_none() {
            return Err(ProblemKind::UnknownRedirectUri.into());
        }
        let matched = self.resource(&request.resource).ok_or(ProblemKind::NoLongerOffered)?;
        let scopes = request.scopes.intersection(Offer::of(matched.policy, &client).available());
        if scopes.is_empty() && !request.scopes.is_empty() {
            return Err(ProblemKind::NoLongerOffered.into());
        }
        Ok(Resumed { client, matched, scopes })
    }
}

/// A flow that moves on, as the first step of a larger transaction.
pub(super) fn moved(id: &str, pending: &Versioned<PendingAuthorization>, stage: Stage) -> Transaction {
    let moved = PendingAuthorization { stage, ..pending.value.clone() };
    Transaction::new().update(id, pending.version, &moved, pending.expires_at)
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self { kind: ProblemKind::Unavailable, cause: Some(error.to_string()), detail: None }
    }
}
