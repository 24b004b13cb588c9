//! Any provider that speaks OpenID Connect and does what the standard says.

use std::sync::Arc;

use super::openid::{GroupsClaims, OpenIdProvider, OpenIdSettings, Standard};
use super::settings::{Kind, Named};
use super::{BuildError, IdentityProvider, Registration, Surroundings};
use crate::domain::{Issuer, ScopeSet};

/// What is to be said about a provider that speaks OpenID Connect.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// Exactly as the provider writes it in its metadata.
    pub issuer: Issuer,
    /// How we are registered there.
    pub registration: Registration,
    /// What is asked for besides `openid`.
    pub scopes: ScopeSet,
    /// Where groups stand, as dotted paths (`realm_access.roles`) or JSON pointers (`/realm_access/roles`). When empty,
    /// `groups` is read if it is there.
    pub groups_claims: Vec<String>,
    /// The operator vouches for the addresses of a provider that does not say `email_verified`.
    pub assume_email_verified: bool,
    /// Ask for a refresh token (`offline_access`, where it is offered), so that the provider can be asked again.
    pub offline_access: bool,
    /// Ask for consent each time (`prompt=consent`): some providers give no refresh token otherwise (OIDC Core §11).
    pub ask_consent: bool,
}

impl OidcSettings {
    /// What most operators want: e-mail and profile, and being able to ask again.
    pub fn new(issuer: Issuer, registration: Registration) -> Self {
        Self {
            issuer,
            registration,
            scopes: ScopeSet::from_claim("email profile"),
            groups_claims: Vec::new(),
            assume_email_verified: false,
            offline_access: true,
            ask_consent: false,
        }
    }
}

impl Kind for OidcSettings {
    /// The host: people know where they sign in.
    fn label(&self) -> String {
        let url = url::Url::parse(self.issuer.as_str()).ok();
        url.and_then(|url| url.host_str().map(ToOwned::to_owned)).unwrap_or_else(|| self.issuer.to_string())
    }

    fn is_open_to_the_world(&self) -> bool {
        false
    }

    fn build(self, named: Named, surroundings: &Surroundings) -> Result<Arc<dyn IdentityProvider>, BuildError> {
        let settings = OpenIdSettings {
            issuer: self.issuer,
            registration: self.registration,
            scopes: self.scopes,
            groups: GroupsClaims::new(self.groups_claims, ["groups"]),
            assume_email_verified: self.assume_email_verified,
            offline_access: self.offline_access,
            ask_consent: self.ask_consent,
        };
        Ok(Arc::new(OpenIdProvider::new(named, settings, Standard, surroundings)))
    }
}
