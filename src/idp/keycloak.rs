//! Keycloak: OpenID Connect, with groups and roles in places of its own.

use std::sync::Arc;

use super::openid::{Dialect, GroupsClaims, OpenIdProvider, OpenIdSettings};
use super::settings::{Kind, Named};
use super::{BuildError, IdentityProvider, Registration, Surroundings};
use crate::domain::{Issuer, ScopeSet};

/// What is to be said about a realm of Keycloak.
#[derive(Debug, Clone)]
pub struct KeycloakSettings {
    /// The realm's address: `https://keycloak.example.com/realms/main`.
    pub issuer: Issuer,
    /// How we are registered there.
    pub registration: Registration,
    /// What is asked for besides `openid`.
    pub scopes: ScopeSet,
    /// Where groups and roles stand, as dotted paths or JSON pointers. When empty: groups, roles of the realm, roles of our own client,
    /// all in one list. Whoever may name groups in Keycloak may name one like a role.
    pub groups_claims: Vec<String>,
    /// Take addresses as verified that Keycloak does not say are.
    pub assume_email_verified: bool,
    /// Ask for a refresh token that outlives the session at Keycloak (`offline_access`). The person needs the realm role
    /// of that name, which is a default role.
    pub offline_access: bool,
}

impl KeycloakSettings {
    /// What most operators want: groups and roles, and being able to ask again.
    pub fn new(issuer: Issuer, registration: Registration) -> Self {
        Self {
            issuer,
            registration,
            scopes: ScopeSet::from_claim("email profile"),
            groups_claims: Vec::new(),
            assume_email_verified: false,
            offline_access: true,
        }
    }
}

impl Kind for KeycloakSettings {
    fn label(&self) -> String {
        "Keycloak".to_owned()
    }

    fn is_open_to_the_world(&self) -> bool {
        false
    }

    fn check(&self) -> Result<(), BuildError> {
        if !self.issuer.as_str().contains("/realms/") {
            let fix = "write it like \"https://sso.example.com/realms/main\"";
            return Err(BuildError::new("issuer", "a realm's address ends in /realms/ and its name", fix));
        }
        Ok(())
    }

    fn build(self, named: Named, surroundings: &Surroundings) -> Result<Arc<dyn IdentityProvider>, BuildError> {
        let client_roles = format!("/resource_access/{}/roles", pointer_token(&self.registration.client_id));
        let settings = OpenIdSettings {
            groups: GroupsClaims::new(self.groups_claims, ["groups", "realm_access.roles", &client_roles]),
            issuer: self.issuer,
            registration: self.registration,
            scopes: self.scopes,
            assume_email_verified: self.assume_email_verified,
            offline_access: self.offline_access,
            ask_consent: false,
        };
        Ok(Arc::new(OpenIdProvider::new(named, settings, Keycloak, surroundings)))
    }
}

/// A member's name in a JSON pointer (RFC 6901 §3).
fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[derive(Debug)]
struct Keycloak;

impl Dialect for Keycloak {
    /// As it comes, Keycloak writes roles into the access token only.
    fn reads_access_token(&self) -> bool {
        true
    }
}
