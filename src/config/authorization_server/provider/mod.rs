//! Where people sign in.

mod kind;
mod written;

use super::{WrittenAuthorizationServer, is_local, key};
use crate::authz::Policy;
use crate::config::{ConfigError, ConfigErrors, secret};
use crate::domain::{Issuer, Secret};
use crate::idp::{ProviderSettings, Registration, SecretIn};
pub(super) use written::WrittenProvider;

/// An identity provider as configured.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Part of every subject, so it must never change.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What kind it is, with everything that is said about it.
    pub settings: ProviderSettings,
}

impl Provider {
    fn is_development(&self) -> bool {
        matches!(self.settings, ProviderSettings::Development(_))
    }
}

/// `[authorization_server.identity_provider]`, or several in `[[authorization_server.identity_providers]]`. Without an
/// `issuer` of ours, which is a mistake of its own, a development login cannot be read.
pub(super) fn read_all(
    written: &WrittenAuthorizationServer,
    issuer: Option<&Issuer>,
    errors: &mut ConfigErrors,
) -> Option<Vec<Provider>> {
    let one = written.identity_provider.iter().map(|one| (key("identity_provider"), one));
    let several = written.identity_providers.iter().enumerate();
    let several = several.map(|(index, one)| (key(&format!("identity_providers[{index}]")), one));
    let mut providers: Vec<Provider> = Vec::new();
    let mut complete = true;
    for (place, written) in one.chain(several) {
        match errors.keep(Reader { place: &place, written, issuer }.read()).flatten() {
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
    if providers.iter().any(Provider::is_development) && !is_local(issuer.as_str()) {
        let rule = "the development login believes any e-mail address, and this address is not on this machine";
        let fix = "use a real identity provider, or an issuer like \"http://localhost:8080\"";
        errors.add(ConfigError::new(key("issuer"), Some(issuer.as_str()), rule, fix));
    }
}

/// The same for what is protected with it: whoever reaches the resource could be anybody there.
pub(in crate::config) fn refuse_development_elsewhere(
    providers: &[Provider],
    policies: &[Policy],
    errors: &mut ConfigErrors,
) {
    let elsewhere = policies.iter().map(|policy| policy.resource.to_string()).find(|resource| !is_local(resource));
    if let Some(resource) = elsewhere.filter(|_| providers.iter().any(Provider::is_development)) {
        let rule = format!("the development login believes any e-mail address, and {resource} is not on this machine");
        let fix = "use a real identity provider, or resources like \"http://localhost:8080/mcp\"";
        errors.add(ConfigError::new(key("identity_provider.kind"), Some("development"), rule, fix));
    }
}

struct Reader<'c> {
    place: &'c str,
    written: &'c WrittenProvider,
    /// Our own.
    issuer: Option<&'c Issuer>,
}

impl Reader<'_> {
    fn error(&self, name: &str, value: Option<&str>, rule: &str, fix: &str) -> ConfigError {
        ConfigError::new(format!("{}.{name}", self.place), value, rule, fix)
    }

    fn read(&self) -> Result<Option<Provider>, ConfigError> {
        let kind = self.kind()?;
        self.refuse_foreign_keys(kind)?;
        let Some(settings) = self.settings(kind)? else { return Ok(None) };
        let name = self.name(kind)?;
        settings.check().map_err(|wrong| self.error(wrong.key, None, &wrong.reason, wrong.fix))?;
        let label = self.written.label.clone().unwrap_or_else(|| settings.label());
        Ok(Some(Provider { name, label, settings }))
    }

    fn kind(&self) -> Result<&'static str, ConfigError> {
        let written = self.written.kind.as_deref();
        ProviderSettings::KINDS.iter().copied().find(|kind| Some(*kind) == written).ok_or_else(|| {
            let rule = "it must be oidc, google, github, keycloak, entra or development";
            let value = written.filter(|kind| !kind.is_empty());
            self.error("kind", value, rule, "write kind = \"oidc\" for any OpenID provider")
        })
    }

    /// A key that only another kind has would be ignored, and may have been meant to restrict.
    fn refuse_foreign_keys(&self, kind: &str) -> Result<(), ConfigError> {
        match self.written.keys_of_some_kinds().into_iter().find(|key| key.is_set && !key.kinds.contains(&kind)) {
            None => Ok(()),
            Some(key) => {
                Err(self.error(key.name, None, "it has no meaning for this kind of identity provider", "remove it"))
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

    fn registration(&self, needs_secret: bool) -> Result<Registration, ConfigError> {
        Ok(Registration {
            client_id: self.client_id()?,
            client_secret: self.client_secret(needs_secret)?,
            secret_in: self.secret_in()?,
        })
    }

    fn client_id(&self) -> Result<String, ConfigError> {
        self.written.client_id.clone().filter(|id| !id.is_empty()).ok_or_else(|| {
            let rule = "it is missing, and the identity provider must know who asks";
            self.error("client_id", None, rule, "register a client there and write its id")
        })
    }

    fn client_secret(&self, is_needed: bool) -> Result<Option<Secret>, ConfigError> {
        let (key, written) = (format!("{}.client_secret", self.place), self.written);
        let found = secret::read(&key, written.client_secret.as_deref(), written.client_secret_file.as_deref())?;
        match found {
            None if is_needed => {
                let fix = "set client_secret_file to a file that holds it";
                Err(ConfigError::new(key, None, "it is missing, and this identity provider insists on it", fix))
            }
            found => Ok(found),
        }
    }

    /// The names of OpenID Connect Core §9.
    fn secret_in(&self) -> Result<Option<SecretIn>, ConfigError> {
        match self.written.client_authentication.as_deref() {
            None => Ok(None),
            Some("client_secret_basic") => Ok(Some(SecretIn::Header)),
            Some("client_secret_post") => Ok(Some(SecretIn::Body)),
            other => {
                let rule = "it must be \"client_secret_basic\" or \"client_secret_post\"";
                Err(self.error("client_authentication", other, rule, "leave it out to do as the metadata says"))
            }
        }
    }
}
