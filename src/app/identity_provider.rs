//! Identity providers as configured → as they run.

use std::sync::Arc;

use super::StartError;
use crate::config::{AuthorizationServerConfig, Provider, ProviderKind};
use crate::domain::{Issuer, Scope, ScopeSet};
use crate::idp::development::DevelopmentSettings;
use crate::idp::entra::EntraSettings;
use crate::idp::github::GithubSettings;
use crate::idp::google::GoogleSettings;
use crate::idp::keycloak::KeycloakSettings;
use crate::idp::oidc::OidcSettings;
use crate::idp::{IdentityProvider, ProviderSettings, Registration, Surroundings};

/// The provider. Nothing is fetched yet.
pub(super) fn build(
    provider: &Provider,
    own: &AuthorizationServerConfig,
    surroundings: &Surroundings,
) -> Result<Arc<dyn IdentityProvider>, StartError> {
    let wrong = |error: &dyn std::fmt::Display| {
        StartError::Unusable(format!("authorization_server.identity_provider ({}): {error}", provider.name))
    };
    let settings = settings(provider, own).map_err(|error| wrong(&error))?;
    settings.build(&provider.name, Some(&provider.label), surroundings).map_err(|error| wrong(&error))
}

fn settings(provider: &Provider, own: &AuthorizationServerConfig) -> Result<ProviderSettings, url::ParseError> {
    Ok(match &provider.kind {
        ProviderKind::Oidc(issuer) => ProviderSettings::Oidc(oidc(provider, issuer)),
        ProviderKind::Keycloak(issuer) => ProviderSettings::Keycloak(keycloak(provider, issuer)),
        ProviderKind::Google { hosted_domain } => ProviderSettings::Google(GoogleSettings {
            registration: registration(provider),
            hosted_domains: hosted_domain.iter().cloned().collect(),
            offline_access: true,
            trust_other_addresses: provider.assume_email_verified,
            stand_in: None,
        }),
        ProviderKind::Entra { tenant } => ProviderSettings::Entra(entra(provider, tenant)),
        ProviderKind::Github { base_url, organizations } => {
            let usual = GithubSettings::new(registration(provider));
            let web_url = base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
            ProviderSettings::Github(GithubSettings {
                web_url: web_url.unwrap_or_else(|| usual.web_url.clone()),
                allowed_organizations: organizations.clone(),
                ..usual
            })
        }
        ProviderKind::Development => {
            ProviderSettings::Development(DevelopmentSettings { origin: own.issuer.to_url()? })
        }
    })
}

fn oidc(provider: &Provider, issuer: &Issuer) -> OidcSettings {
    let usual = OidcSettings::new(issuer.clone(), registration(provider));
    OidcSettings {
        scopes: with_more(&usual.scopes, provider),
        groups_claims: provider.groups_claims.clone(),
        assume_email_verified: provider.assume_email_verified,
        ..usual
    }
}

fn keycloak(provider: &Provider, issuer: &Issuer) -> KeycloakSettings {
    let usual = KeycloakSettings::new(issuer.clone(), registration(provider));
    KeycloakSettings {
        scopes: with_more(&usual.scopes, provider),
        groups_claims: or_usual(&provider.groups_claims, &usual.groups_claims),
        assume_email_verified: provider.assume_email_verified,
        ..usual
    }
}

fn entra(provider: &Provider, tenant: &str) -> EntraSettings {
    let usual = EntraSettings::new(tenant, registration(provider));
    EntraSettings {
        scopes: with_more(&usual.scopes, provider),
        groups_claims: or_usual(&provider.groups_claims, &usual.groups_claims),
        assume_email_verified: provider.assume_email_verified,
        ..usual
    }
}

fn registration(provider: &Provider) -> Registration {
    Registration {
        client_id: provider.client_id.clone(),
        client_secret: provider.client_secret.clone(),
        secret_in: None,
    }
}

fn with_more(usual: &ScopeSet, provider: &Provider) -> ScopeSet {
    let more: Vec<Scope> = provider.scopes.iter().filter_map(|scope| Scope::parse(scope)).collect();
    usual.union(&more)
}

fn or_usual(written: &[String], usual: &[String]) -> Vec<String> {
    if written.is_empty() { usual.to_vec() } else { written.to_vec() }
}
