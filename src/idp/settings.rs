//! What an operator says about an identity provider, and the provider made of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::deadline::InTime;
use super::{IdentityProvider, development, entra, github, google, keycloak, oidc};
use crate::clock::Clock;
use crate::domain::Secret;
use crate::outbound::Outbound;
use crate::random::Random;

/// How we are registered at a provider.
#[derive(Debug, Clone)]
pub struct Registration {
    /// `client_id`
    pub client_id: String,
    /// `client_secret`; without one we are a public client there, and PKCE is our only proof.
    pub client_secret: Option<Secret>,
    /// How the secret is sent; as the provider's metadata says when absent.
    pub secret_in: Option<SecretIn>,
}

/// How a client secret is sent (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretIn {
    /// `client_secret_basic`
    Header,
    /// `client_secret_post`
    Body,
}

/// What a provider is called.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// Part of every subject, so it must never change.
    pub(super) name: String,
    /// What people read.
    pub(super) label: String,
}

/// What providers are built into.
#[derive(Clone)]
pub struct Surroundings {
    /// The HTTP client.
    pub outbound: Outbound,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub random: Arc<dyn Random>,
    /// Bridges clocks that differ.
    pub leeway: Duration,
    /// Every address at which this service can be reached: the issuer, the resources, the listeners. The development
    /// login insists that all of them are this machine's own.
    pub own_urls: Vec<String>,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Surroundings").field("own_urls", &self.own_urls).finish_non_exhaustive()
    }
}

/// Why settings make no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}; {fix}")]
pub struct BuildError {
    /// The setting to change.
    pub key: &'static str,
    /// What is wrong with it.
    pub reason: String,
    /// What to write instead.
    pub fix: &'static str,
}

impl BuildError {
    pub(super) fn new(key: &'static str, reason: impl Into<String>, fix: &'static str) -> Self {
        Self { key, reason: reason.into(), fix }
    }
}

/// Settings of one kind of provider.
pub(super) trait Kind {
    /// What people call a provider of this kind.
    fn label(&self) -> String;

    /// Whether anybody in the world can sign in there, so that resources must say whom they mean.
    fn is_open_to_the_world(&self) -> bool;

    /// What can be said against these settings before anything runs. Keys are those of the configuration.
    fn check(&self) -> Result<(), BuildError> {
        Ok(())
    }

    /// The provider, of settings that were checked.
    fn build(self, named: Named, surroundings: &Surroundings) -> Result<Arc<dyn IdentityProvider>, BuildError>;
}

/// One line per kind of provider.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal => $settings:ty,)+) => {
        /// Settings of a provider, by kind.
        #[derive(Debug, Clone)]
        pub enum ProviderSettings {
            $($(#[$doc])* $kind($settings),)+
        }

        impl ProviderSettings {
            /// Every kind, as `kind` names it in the configuration.
            pub const KINDS: &[&str] = &[$($name),+];

            /// The kind.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => $name,)+ }
            }

            /// Whether anybody in the world can sign in there, so that resources must say whom they mean.
            pub fn is_open_to_the_world(&self) -> bool {
                match self { $(Self::$kind(settings) => Kind::is_open_to_the_world(settings),)+ }
            }

            /// What people call it, when the operator does not say.
            pub fn label(&self) -> String {
                match self { $(Self::$kind(settings) => Kind::label(settings),)+ }
            }

            /// Whether a provider can be made of these settings, as far as that can be told without making it.
            pub fn check(&self) -> Result<(), BuildError> {
                match self { $(Self::$kind(settings) => Kind::check(settings),)+ }
            }

            fn make(self, named: Named, surroundings: &Surroundings) -> Result<Arc<dyn IdentityProvider>, BuildError> {
                match self { $(Self::$kind(settings) => Kind::build(settings, named, surroundings),)+ }
            }
        }
    };
}

kinds! {
    /// Any provider that speaks OpenID Connect.
    Oidc = "oidc" => oidc::OidcSettings,
    /// Google.
    Google = "google" => google::GoogleSettings,
    /// GitHub, or a GitHub Enterprise server.
    Github = "github" => github::GithubSettings,
    /// A realm of Keycloak.
    Keycloak = "keycloak" => keycloak::KeycloakSettings,
    /// Microsoft Entra ID.
    Entra = "entra" => entra::EntraSettings,
    /// A form that believes everything, on this machine only.
    Development = "development" => development::DevelopmentSettings,
}

impl ProviderSettings {
    /// The provider. Nothing is fetched yet.
    pub fn build(
        self,
        name: &str,
        label: Option<&str>,
        surroundings: &Surroundings,
    ) -> Result<Arc<dyn IdentityProvider>, BuildError> {
        // `:` separates the name from the subject: with one in it, two providers could share a subject.
        let sound = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
        if name.is_empty() || name.len() > 64 || !name.chars().all(sound) {
            let reason = "1 to 64 letters, digits, '-', '_' or '.' are needed";
            return Err(BuildError::new("name", reason, "write it like \"google\""));
        }
        self.check()?;
        let label = label.map_or_else(|| self.label(), ToOwned::to_owned);
        let provider = self.make(Named { name: name.to_owned(), label }, surroundings)?;
        Ok(Arc::new(InTime(provider)))
    }
}
