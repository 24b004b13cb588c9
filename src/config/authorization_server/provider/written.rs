//! An identity provider as written: the keys of all kinds, and which kind has which.

use serde::Deserialize;

use crate::config::file::Strings;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct WrittenProvider {
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
    pub(super) label: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) client_secret_file: Option<String>,
    pub(super) client_authentication: Option<String>,
    pub(super) scopes: Option<Strings>,
    pub(super) groups_claims: Option<Strings>,
    pub(super) assume_email_verified: Option<bool>,
    pub(super) offline_access: Option<bool>,
    pub(super) ask_consent: Option<bool>,
    pub(super) hosted_domains: Option<Strings>,
    pub(super) tenant: Option<String>,
    pub(super) allowed_tenants: Option<Strings>,
    pub(super) verified_domains: Option<Strings>,
    pub(super) refuse_groups_overage: Option<bool>,
    pub(super) authority: Option<String>,
    pub(super) organizations: Option<Strings>,
    pub(super) read_organizations: Option<bool>,
    pub(super) base_url: Option<String>,
    pub(super) api_url: Option<String>,
}

/// A key that not every kind has.
pub(super) struct KeyOfKinds {
    pub(super) name: &'static str,
    pub(super) is_set: bool,
    pub(super) kinds: &'static [&'static str],
}

impl WrittenProvider {
    pub(super) fn keys_of_some_kinds(&self) -> [KeyOfKinds; 20] {
        const OPENID: &[&str] = &["oidc", "google", "keycloak", "entra"];
        const REGISTERED: &[&str] = &["oidc", "google", "github", "keycloak", "entra"];
        const WITH_CLAIMS: &[&str] = &["oidc", "keycloak", "entra"];
        const WITH_ISSUER: &[&str] = &["oidc", "keycloak"];
        let key = |name, is_set, kinds| KeyOfKinds { name, is_set, kinds };
        [
            key("issuer", self.issuer.is_some(), WITH_ISSUER),
            key("client_id", self.client_id.is_some(), REGISTERED),
            key("client_secret", self.client_secret.is_some(), REGISTERED),
            key("client_secret_file", self.client_secret_file.is_some(), REGISTERED),
            key("client_authentication", self.client_authentication.is_some(), OPENID),
            key("scopes", self.scopes.is_some(), WITH_CLAIMS),
            key("groups_claims", self.groups_claims.is_some(), WITH_CLAIMS),
            key("assume_email_verified", self.assume_email_verified.is_some(), OPENID),
            key("offline_access", self.offline_access.is_some(), OPENID),
            key("ask_consent", self.ask_consent.is_some(), &["oidc"]),
            key("hosted_domains", self.hosted_domains.is_some(), &["google"]),
            key("tenant", self.tenant.is_some(), &["entra"]),
            key("allowed_tenants", self.allowed_tenants.is_some(), &["entra"]),
            key("verified_domains", self.verified_domains.is_some(), &["entra"]),
            key("refuse_groups_overage", self.refuse_groups_overage.is_some(), &["entra"]),
            key("authority", self.authority.is_some(), &["entra"]),
            key("organizations", self.organizations.is_some(), &["github"]),
            key("read_organizations", self.read_organizations.is_some(), &["github"]),
            key("base_url", self.base_url.is_some(), &["github"]),
            key("api_url", self.api_url.is_some(), &["github"]),
        ]
    }
}
