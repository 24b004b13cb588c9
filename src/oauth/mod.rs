//! The authorization server: OAuth 2.1 for MCP clients in front of any identity provider. One file per endpoint over
//! one grant model; plain types in and out, no web framework; clock, randomness and store are handed in.
//!
//! ```text
//! /register -> Client        /authorize -> PendingAuthorization -> consent -> identity provider
//!                            /callback  -> Person -> Code        /token -> Grant -> access and refresh token
//! ```

pub mod client;
mod client_assertion;
pub mod client_authentication;
mod client_document;
mod client_keys;
pub mod client_listing;
mod client_metadata;
pub mod client_settings;
pub mod clients;
pub mod custom_schemes;
pub mod error;
pub mod parameters;
pub mod redirect_uri;
pub mod register;
pub mod registration_management;

pub mod authorization_server;
pub mod settings;

pub mod authorize;
pub mod browser;
pub mod browser_client;
pub mod browser_session;
pub mod browser_sign_in;
pub mod callback;
pub mod consent;
pub mod problem;
pub mod sign_in;

mod admission;
mod approve;
mod barrier;
mod code;
mod connections;
mod known_consent;
mod pending;
mod pkce;
mod possession;
mod prompt;
mod remembered_consent;
mod resources;
mod return_address;
mod session;

pub mod assertion;
pub mod token;

mod access_token;
mod assertion_grant;
mod client_credentials;
mod grant;
mod reassurance;
mod redeem;
mod refresh;
mod refresh_token;
mod turns;

pub mod grants;
pub mod happenings;
pub mod identity_assertion;
pub mod introspect;
pub mod metadata;
pub mod oversight;
mod readiness;
pub mod revocations;

mod presented_token;
mod revoke;

pub mod key_error;
pub mod key_pair;
pub mod key_ring;
pub mod seal;
pub mod signing_keys;

pub use assertion::AssertionIssuer;
pub use authorization_server::{AuthorizationServer, Parts};
pub use authorize::Authorize;
pub use browser::Browser;
pub use browser_client::BROWSER;
pub use browser_session::{SessionCookie, SessionPlace};
pub use browser_sign_in::{Begin, Start, Visit};
pub use callback::CallbackAnswer;
pub use client::{Client, ClientAuthentication, ClientSource, GrantType, SecretMethod};
pub use client_listing::{ClientKind, ClientPage, ClientView, Removal};
pub use client_settings::ClientSettings;
pub use clients::Clients;
pub use consent::{ConsentPage, Next, NotAllowed, Question};
pub use custom_schemes::CustomSchemes;
pub use error::{ErrorCode, OAuthError};
pub use grants::{Connections, Disconnected, GrantView, Page, Selection};
pub use happenings::Happenings;
pub use identity_assertion::IdentityAssertions;
pub use introspect::Introspection;
pub use key_error::KeyError;
pub use key_pair::SigningAlgorithm;
pub use key_ring::{KeyState, KeyView};
pub use oversight::GrantFilter;
pub use parameters::Parameters;
pub use problem::{Problem, ProblemKind};
pub use redirect_uri::RedirectUri;
pub use register::Registration;
pub use registration_management::RevokeGrantsOf;

pub use revocations::Revocations;
pub use seal::{Purpose, Seal, Unsealable};
pub use settings::{Features, Settings};
pub use sign_in::{ProviderChoice, SignInAnswer};
pub use signing_keys::{Rotation, SigningKeys};
pub use token::TokenAnswer;

#[cfg(test)]
mod client_tests;
#[cfg(test)]
#[expect(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    clippy::type_complexity,
    clippy::too_many_lines,
    clippy::as_conversions,
    reason = "a test wants one outcome of many, and a table has as many rows as there are cases"
)]
mod tests;
