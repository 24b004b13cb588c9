//! Identity providers: where people sign in. Each kind is one file and one line in [`settings`]; all but GitHub and the
//! development login speak OpenID Connect, which stands once in `openid/`, and a kind says only what it does otherwise.
//!
//! # Quirks
//!
//! | kind | what it does otherwise | what we do |
//! |---|---|---|
//! | all | answers are as good as the server that sends them | one HTTP client: time limits, size cap, no redirects, https |
//! | all | errors at the token endpoint are about the person or about us | only the former are refusals, which end grants |
//! | OpenID Connect | `prompt=select_account` is an error to many | only where `prompt_values_supported` has it, else `login` |
//! | OpenID Connect | `offline_access` is an error where it is not known | asked for where `scopes_supported` has it |
//! | OpenID Connect | some give a refresh token only after consent (OIDC Core §11) | `ask_consent` adds `prompt=consent` |
//! | OpenID Connect | claims stand in the ID token or in userinfo | userinfo is asked for what the ID token lacks |
//! | OpenID Connect | `email_verified` is absent | not verified, unless `assume_email_verified` |
//! | OpenID Connect | a refresh gives an ID token, or none | it, or userinfo, must be about the same person |
//! | Google | no `offline_access` | `access_type=offline`, with `prompt=consent`: it gives one refresh token per consent |
//! | Google | no `prompt=login` | `select_account` in its place |
//! | Google | `iss` with or without `https://` | both |
//! | Google | `hd` in the request is a wish | the claim is checked |
//! | Google | vouches for addresses that it checked once, years ago | verified are `gmail.com` and Workspace only |
//! | Google | no groups | none |
//! | Keycloak | roles stand in the access token only | it is verified like an ID token and read |
//! | Keycloak | three places for groups and roles | `groups`, `realm_access.roles`, roles of our own client |
//! | Keycloak | no `select_account` | `login` |
//! | Keycloak | a plain refresh token dies with the session there | `offline_access` |
//! | Entra ID | metadata of many tenants names a template as issuer | filled with `tid`, for the token and for its key |
//! | Entra ID | `resource` is refused (AADSTS9010010) | never sent, to nobody |
//! | Entra ID | scopes of an API: `api://…/name`; userinfo refuses its tokens | passed as they stand; userinfo is not asked |
//! | Entra ID | addresses are what some tenant wrote down | verified by `xms_edov`, or by the operator's own domains |
//! | Entra ID | many accounts have `upn` or `preferred_username` only | taken as address, unverified as above |
//! | Entra ID | over 200 groups: `_claim_names`, `hasgroups` | no groups and a warning, or a refusal |
//! | GitHub | no OpenID Connect | `/user`, `/user/emails`, `/user/orgs`, `/user/teams` |
//! | GitHub | the token endpoint answers errors with 200, and a form unless told | `Accept`; `error` is looked for first |
//! | GitHub | `User-Agent` is needed; lists have pages | sent; pages are counted, links not followed |
//! | GitHub | logins change hands | the numeric id is the subject; so may names of organisations: name few |
//! | GitHub | OAuth apps get no refresh token, GitHub Apps do | asked again with the access token, or by refresh |
//! | GitHub | has sent `iss` at times (`…/login/oauth`) | checked when sent |
//! | GitHub | Enterprise servers: API under `/api/v3`, `*.ghe.com`: `api.` host | follows from `web_url`, or `api_url` |
//! | development | believes a form | built only when every address of ours is loopback |

mod deadline;
pub mod development;
pub mod entra;
pub mod github;
mod github_api;
pub mod google;
pub mod keycloak;
pub mod oidc;
mod openid;
pub mod settings;
mod token_endpoint;
mod watched;

use async_trait::async_trait;
use url::Url;

use crate::domain::{Person, Secret, UnixTime};
use crate::outbound::FetchError;

use development::DevelopmentLogin;
use settings::Named;
pub use settings::{BuildError, ProviderSettings, Registration, SecretIn, Surroundings};
pub use watched::WatchedProvider;

/// What a sign-in at an identity provider starts with. All of it is fresh for every sign-in.
#[derive(Debug, Clone)]
pub struct SignInStart {
    /// Comes back with the answer; binds it to one pending authorization.
    pub state: Secret,
    /// Comes back inside the ID token (OIDC Core §3.1.2.1).
    pub nonce: Secret,
    /// PKCE towards the provider (RFC 7636); the challenge is made from it.
    pub code_verifier: Secret,
    /// Our callback, as registered at the provider.
    pub redirect_uri: String,
    /// Ask for the account again, even if the provider remembers one (`prompt=select_account`).
    pub choose_account: bool,
    /// Have the person prove again who they are (`prompt=login`).
    pub sign_in_anew: bool,
    /// Whom to expect; the provider fills its form with it.
    pub login_hint: Option<String>,
}

/// The provider's answer at our callback, as it came; nothing of it is trusted yet.
#[derive(Debug, Clone)]
pub struct Callback {
    /// `code`
    pub code: Secret,
    /// `iss` (RFC 9207), when the provider sends it.
    pub iss: Option<String>,
    /// What the sign-in started with.
    pub start: SignInStart,
}

/// A sign-in that the provider vouches for.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// With what the provider can be asked again later, when it gave it.
    pub refresh_token: Option<Secret>,
}

/// Why nobody signed in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IdpError {
    /// The provider cannot be reached or answered out of order: our trouble or theirs, worth trying again.
    #[error("the identity provider does not answer: {0}")]
    Unavailable(String),
    /// The provider refused (`invalid_grant`, account disabled, consent withdrawn): final for this person.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// The answer is not to be believed: signature, `iss`, `aud`, `nonce`, missing claims.
    #[error("the identity provider's answer is not valid: {0}")]
    Untrustworthy(String),
}

impl From<FetchError> for IdpError {
    fn from(error: FetchError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Where people sign in.
#[async_trait]
pub trait IdentityProvider: Send + Sync + std::fmt::Debug {
    /// The configured name: part of every subject, so it must never change.
    fn name(&self) -> &str;

    /// What people call it: "Google".
    fn label(&self) -> &str;

    /// Where to send the browser.
    async fn authorization_url(&self, start: &SignInStart) -> Result<Url, IdpError>;

    /// The provider's answer → who signed in. Checks everything: `iss`, signature, `aud`, `nonce`, times.
    async fn redeem(&self, callback: Callback, now: UnixTime) -> Result<SignedIn, IdpError>;

    /// Asks the provider whether `person` is still theirs, and what is true of them now. The answer holds the refresh
    /// token to ask with next time: a rotated one, or the same.
    async fn ask_again(&self, person: &Person, refresh_token: &Secret, now: UnixTime) -> Result<SignedIn, IdpError>;

    /// The development login's form, of the one kind that has it.
    fn development_login(&self) -> Option<&DevelopmentLogin> {
        None
    }
}
