//! Where people sign in.

use serde::Deserialize;
use url::Url;

use super::{WrittenAuthorizationServer, is_local, key};
use crate::config::file::Strings;
use crate::config::{ConfigError, ConfigErrors, secret};
use crate::domain::issuer::parse_fetch_url;
use crate::domain::{Issuer, Secret};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct WrittenProvider {
    kind: Option<String>,
    name: Option<String>,
    label: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_secret_file: Option<String>,
    scopes: Strings,
    groups_claims: Strings,
    assume_email_verified: bool,
    hosted_domain: Option<String>,
    tenant: Option<String>,
    organizations: Strings,
    base_url: Option<String>,
}

/// An identity provider as configured.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Part of every subject, so it must never change.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What kind it is, with what only that kind has.
    pub kind: ProviderKind,
    /// Our client there; the development login needs none.
    pub client_id: String,
    /// Its secret; a public client has none.
    pub client_secret: Option<Secret>,
    /// Scopes asked for besides those that are needed.
    pub scopes: Vec<String>,
    /// Where groups stand, as dotted paths.
    pub groups_claims: Vec<String>,
    /// The operator vouches for its e-mail addresses.
    pub assume_email_verified: bool,
}

/// Kinds of identity providers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderKind {
    /// Any OpenID provider.
    Oidc(Issuer),
    /// Google; only this Workspace domain, when one is named.
    Google {
        /// `hd`
        hosted_domain: Option<String>,
    },
    /// Keycloak: an OpenID provider with roles.
    Keycloak(Issuer),
    /// Entra ID; this tenant.
    Entra {
        /// A tenant id or domain, or `organizations`, `common`.
        tenant: String,
    },
    /// GitHub, or GitHub Enterprise at its address; only members of these organisations, when some are named.
    Github {
        /// The server's address, when it is not github.com.
        base_url: Option<Url>,
        /// Logins of organisations.
        organizations: Vec<String>,
    },
    /// A form that believes any e-mail address: for development.
    Development,
}

impl Provider {
    /// Whether anybody in the world has an account there.
    pub(super) fn is_open_to_the_world(&self) -> bool {
        match &self.kind {
            ProviderKind::Google { hosted_domain } => hosted_domain.is_none(),
            ProviderKind::Github { base_url, organizations } => base_url.is_none() && organizations.is_empty(),
            ProviderKind::Entra { tenant } => matches!(tenant.as_str(), "common" | "organizations" | "consumers"),
            ProviderKind::Oidc(_) | ProviderKind::Keycloak(_) | ProviderKind::Development => false,
        }
    }
}

/// `[authorization_server.identity_provider]`, or several in `[[authorization_server.identity_providers]]`.
pub(super) fn read_all(written: &WrittenAuthorizationServer, errors: &mut ConfigErrors) -> Option<Vec<Provider>> {
    let one = written.identity_provider.iter().map(|one| (key("identity_provider"), one));
    let several = written.identity_providers.iter().enumerate();
    let several = several.map(|(index, one)| (key(&format!("identity_providers[{index}]")), one));
    let mut providers: Vec<Provider> = Vec::new();
    let mut complete = true;
    for (place, written) in one.chain(several) {
        match errors.keep(Reader { place: &place, written }.read()) {
            Some(provider) if providers.iter().any(|known| known.name == provider.name) => {
                let rule = "another identity provider has this name, and their people would be mixed up";
                errors.add(ConfigError::new(format!("{place}.name"), Some(&provider.name), rule, "set another name"));
            }
            Some(provider) => providers.push(provider),
            None => complete = false,
        }
    }
    if providers.is_empty() && complete {
        let fix = "add it with kind = \"oidc\", \"google\", \"github\", \"keycloak\", \"entra\" or \"development\"";
        errors.add(ConfigError::new(key("identity_provider"), None, "people must be able to sign in somewhere", fix));
        return None;
    }
    complete.then_some(providers)
}

/// It believes whatever is typed in.
pub(super) fn refuse_development_in_public(issuer: &Issuer, providers: &[Provider], errors: &mut ConfigErrors) {
    let development = providers.iter().any(|provider| provider.kind == ProviderKind::Development);
    if development && !is_local(issuer.as_str()) {
        let rule = "the development login believes any e-mail address, and this address is not on this machine";
        let fix = "use a real identity provider, or an issuer like \"http://localhost:8080\"";
        errors.add(ConfigError::new(key("issuer"), Some(issuer.as_str()), rule, fix));
    }
}

struct Reader<'c> {
    place: &'c str,
    written: &'c WrittenProvider,
}

impl Reader<'_> {
    fn error(&self, name: &str, value: Option<&str>, rule: &str, fix: &str) -> ConfigError {
        ConfigError::new(format!("{}.{name}", self.place), value, rule, fix)
    }

    fn read(&self) -> Result<Provider, ConfigError> {
        let written = self.written;
        let kind_name = written.kind.as_deref().unwrap_or_default();
        let kind = self.kind(kind_name)?;
        self.refuse_foreign_keys(&kind)?;
        Ok(Provider {
            name: self.name(kind_name)?,
            label: written.label.clone().unwrap_or_else(|| usual_label(&kind)),
            client_id: self.client_id(&kind)?,
            client_secret: self.client_secret(&kind)?,
            kind,
            scopes: written.scopes.0.clone(),
            groups_claims: written.groups_claims.0.clone(),
            assume_email_verified: written.assume_email_verified,
        })
    }

    fn kind(&self, kind: &str) -> Result<ProviderKind, ConfigError> {
        let written = self.written;
        match kind {
            "oidc" => self.issuer().map(ProviderKind::Oidc),
            "keycloak" => self.issuer().map(ProviderKind::Keycloak),
            "google" => Ok(ProviderKind::Google { hosted_domain: written.hosted_domain.clone() }),
            "entra" => self.tenant(),
            "github" => Ok(ProviderKind::Github {
                base_url: written.base_url.as_deref().map(|text| self.base_url(text)).transpose()?,
                organizations: written.organizations.0.clone(),
            }),
            "development" => Ok(ProviderKind::Development),
            other => {
                let value = Some(other).filter(|kind| !kind.is_empty());
                let rule = "it must be oidc, google, github, keycloak, entra or development";
                Err(self.error("kind", value, rule, "write kind = \"oidc\" for any OpenID provider"))
            }
        }
    }

    fn issuer(&self) -> Result<Issuer, ConfigError> {
        const FIX: &str = "write the issuer exactly as its metadata document does";
        let Some(text) = self.written.issuer.as_deref() else {
            return Err(self.error("issuer", None, "it is missing", FIX));
        };
        Issuer::parse(text).map_err(|error| self.error("issuer", Some(text), &error.to_string(), FIX))
    }

    fn tenant(&self) -> Result<ProviderKind, ConfigError> {
        const FIX: &str = "write the tenant's id, like \"11111111-2222-3333-4444-555555555555\"";
        let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        match self.written.tenant.as_deref() {
            None => Err(self.error("tenant", None, "it is missing", FIX)),
            Some(tenant) if tenant.is_empty() || !tenant.bytes().all(name) => {
                Err(self.error("tenant", Some(tenant), "it must be a tenant's id or domain", FIX))
            }
            Some(tenant) => Ok(ProviderKind::Entra { tenant: tenant.to_owned() }),
        }
    }

    fn base_url(&self, text: &str) -> Result<Url, ConfigError> {
        parse_fetch_url(text).map_err(|error| {
            self.error("base_url", Some(text), &error.to_string(), "write it like \"https://github.example.com\"")
        })
    }

    /// A key that only another kind has would be ignored, and may have been meant to restrict.
    fn refuse_foreign_keys(&self, kind: &ProviderKind) -> Result<(), ConfigError> {
        let written = self.written;
        let takes_issuer = matches!(kind, ProviderKind::Oidc(_) | ProviderKind::Keycloak(_));
        let github = matches!(kind, ProviderKind::Github { .. });
        let keys = [
            ("issuer", written.issuer.is_some(), takes_issuer),
            ("hosted_domain", written.hosted_domain.is_some(), matches!(kind, ProviderKind::Google { .. })),
            ("tenant", written.tenant.is_some(), matches!(kind, ProviderKind::Entra { .. })),
            ("base_url", written.base_url.is_some(), github),
            ("organizations", !written.organizations.0.is_empty(), github),
        ];
        match keys.into_iter().find(|(_, is_set, has_meaning)| *is_set && !*has_meaning) {
            None => Ok(()),
            Some((name, ..)) => {
                Err(self.error(name, None, "it has no meaning for this kind of identity provider", "remove it"))
            }
        }
    }

    fn name(&self, kind: &str) -> Result<String, ConfigError> {
        let name = self.written.name.as_deref().unwrap_or(kind);
        let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if (1..=32).contains(&name.len()) && name.bytes().all(letter) {
            return Ok(name.to_owned());
        }
        let rule = "it must be 1 to 32 lower-case letters, digits, - and _";
        Err(self.error("name", Some(name), rule, "write it like \"google\"; it is part of every subject"))
    }

    fn client_id(&self, kind: &ProviderKind) -> Result<String, ConfigError> {
        match self.written.client_id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => Ok(id.to_owned()),
            None if *kind == ProviderKind::Development => Ok(String::new()),
            None => {
                let rule = "it is missing, and the identity provider must know who asks";
                Err(self.error("client_id", None, rule, "register a client there and write its id"))
            }
        }
    }

    fn client_secret(&self, kind: &ProviderKind) -> Result<Option<Secret>, ConfigError> {
        let (key, written) = (format!("{}.client_secret", self.place), self.written);
        let found = secret::read(&key, written.client_secret.as_deref(), written.client_secret_file.as_deref())?;
        let needed = matches!(kind, ProviderKind::Google { .. } | ProviderKind::Github { .. });
        match found {
            None if needed => {
                let fix = "set client_secret_file to a file that holds it";
                Err(ConfigError::new(key, None, "it is missing, and this identity provider insists on it", fix))
            }
            found => Ok(found),
        }
    }
}

fn usual_label(kind: &ProviderKind) -> String {
    let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
    match kind {
        ProviderKind::Oidc(issuer) | ProviderKind::Keycloak(issuer) => host(issuer.as_str()).unwrap_or_default(),
        ProviderKind::Google { .. } => "Google".into(),
        ProviderKind::Entra { .. } => "Microsoft".into(),
        ProviderKind::Github { .. } => "GitHub".into(),
        ProviderKind::Development => "Development login".into(),
    }
}
