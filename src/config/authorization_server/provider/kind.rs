//! What was written → the settings of each kind. What is not written is as `new` of the settings has it.

use super::Reader;
use crate::config::ConfigError;
use crate::config::file::Strings;
use crate::domain::issuer::parse_fetch_url;
use crate::domain::{Issuer, Scope, ScopeSet};
use crate::idp::ProviderSettings;
use crate::idp::development::DevelopmentSettings;
use crate::idp::entra::EntraSettings;
use crate::idp::github::GithubSettings;
use crate::idp::google::GoogleSettings;
use crate::idp::keycloak::KeycloakSettings;
use crate::idp::oidc::OidcSettings;

impl Reader<'_> {
    /// `None`: a development login without an issuer of ours.
    pub(super) fn settings(&self, kind: &str) -> Result<Option<ProviderSettings>, ConfigError> {
        Ok(match kind {
            "google" => Some(ProviderSettings::Google(self.google()?)),
            "github" => Some(ProviderSettings::Github(self.github()?)),
            "keycloak" => Some(ProviderSettings::Keycloak(self.keycloak()?)),
            "entra" => Some(ProviderSettings::Entra(self.entra()?)),
            "development" => {
                let origin = self.issuer.and_then(|issuer| issuer.to_url().ok());
                origin.map(|origin| ProviderSettings::Development(DevelopmentSettings { origin }))
            }
            _ => Some(ProviderSettings::Oidc(self.oidc()?)),
        })
    }

    fn oidc(&self) -> Result<OidcSettings, ConfigError> {
        let written = self.written;
        let mut settings = OidcSettings::new(self.issuer_there()?, self.registration(false)?);
        settings.scopes = self.with_more(&settings.scopes)?;
        settings.groups_claims = self.list("groups_claims", written.groups_claims.as_ref())?;
        set(&mut settings.assume_email_verified, written.assume_email_verified);
        set(&mut settings.offline_access, written.offline_access);
        set(&mut settings.ask_consent, written.ask_consent);
        Ok(settings)
    }

    fn keycloak(&self) -> Result<KeycloakSettings, ConfigError> {
        let written = self.written;
        let mut settings = KeycloakSettings::new(self.issuer_there()?, self.registration(false)?);
        settings.scopes = self.with_more(&settings.scopes)?;
        settings.groups_claims = self.list("groups_claims", written.groups_claims.as_ref())?;
        set(&mut settings.assume_email_verified, written.assume_email_verified);
        set(&mut settings.offline_access, written.offline_access);
        Ok(settings)
    }

    fn google(&self) -> Result<GoogleSettings, ConfigError> {
        let written = self.written;
        let mut settings = GoogleSettings::new(self.registration(true)?);
        settings.hosted_domains = self.list("hosted_domains", written.hosted_domains.as_ref())?;
        set(&mut settings.trust_other_addresses, written.assume_email_verified);
        set(&mut settings.offline_access, written.offline_access);
        Ok(settings)
    }

    fn entra(&self) -> Result<EntraSettings, ConfigError> {
        let written = self.written;
        let Some(tenant) = written.tenant.as_deref() else {
            let fix = "write the tenant's id, like \"11111111-2222-3333-4444-555555555555\"";
            return Err(self.error("tenant", None, "it is missing", fix));
        };
        let mut settings = EntraSettings::new(tenant, self.registration(false)?);
        settings.scopes = self.with_more(&settings.scopes)?;
        settings.groups_claims = self.list("groups_claims", written.groups_claims.as_ref())?;
        settings.allowed_tenants = self.list("allowed_tenants", written.allowed_tenants.as_ref())?;
        settings.verified_domains = self.list("verified_domains", written.verified_domains.as_ref())?;
        set(&mut settings.assume_email_verified, written.assume_email_verified);
        set(&mut settings.refuse_groups_overage, written.refuse_groups_overage);
        set(&mut settings.offline_access, written.offline_access);
        if let Some(authority) = self.url("authority", written.authority.as_deref())? {
            settings.authority = authority;
        }
        Ok(settings)
    }

    fn github(&self) -> Result<GithubSettings, ConfigError> {
        let written = self.written;
        let mut settings = GithubSettings::new(self.registration(true)?);
        settings.allowed_organizations = self.list("organizations", written.organizations.as_ref())?;
        set(&mut settings.organizations, written.read_organizations);
        if let Some(url) = self.url("base_url", written.base_url.as_deref())? {
            settings.web_url = url;
        }
        settings.api_url = self.url("api_url", written.api_url.as_deref())?;
        Ok(settings)
    }

    fn issuer_there(&self) -> Result<Issuer, ConfigError> {
        const FIX: &str = "write the issuer exactly as its metadata document does";
        let Some(text) = self.written.issuer.as_deref() else {
            return Err(self.error("issuer", None, "it is missing", FIX));
        };
        Issuer::parse(text).map_err(|error| self.error("issuer", Some(text), &error.to_string(), FIX))
    }

    /// A list that restricts must not be empty: to have read nothing and to let everybody in would be one.
    fn list(&self, name: &str, written: Option<&Strings>) -> Result<Vec<String>, ConfigError> {
        match written {
            None => Ok(Vec::new()),
            Some(Strings(items)) if items.iter().all(|item| item.trim().is_empty()) => {
                Err(self.error(name, None, "the list is empty", "name at least one, or remove the key"))
            }
            Some(Strings(items)) => Ok(items.clone()),
        }
    }

    fn with_more(&self, usual: &ScopeSet) -> Result<ScopeSet, ConfigError> {
        let written = self.written.scopes.iter().flat_map(|Strings(scopes)| scopes);
        let read = |text: &String| {
            Scope::parse(text).ok_or_else(|| {
                let rule = "it must be a scope: visible ASCII without spaces, quotes and backslashes";
                self.error("scopes", Some(text), rule, "write each scope as an item of its own")
            })
        };
        let more: Vec<Scope> = written.map(read).collect::<Result<_, _>>()?;
        Ok(usual.union(&more))
    }

    fn url(&self, name: &str, written: Option<&str>) -> Result<Option<String>, ConfigError> {
        let Some(text) = written else { return Ok(None) };
        let fix = "write an https URL, like \"https://github.example.com\"";
        let url = parse_fetch_url(text).map_err(|error| self.error(name, Some(text), &error.to_string(), fix))?;
        Ok(Some(url.as_str().trim_end_matches('/').to_owned()))
    }
}

fn set(setting: &mut bool, written: Option<bool>) {
    if let Some(written) = written {
        *setting = written;
    }
}
