//! Who may be a client: registration, metadata documents, and clients of the operator.

use std::time::Duration;

use serde::Deserialize;

use super::key;
use crate::config::file::Strings;
use crate::config::server::duration;
use crate::config::{ConfigError, scopes, secret};
use crate::domain::{ScopeSet, Secret};
use crate::oauth::client_settings::HostPattern;
use crate::oauth::{CustomSchemes, RedirectUri};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct WrittenRegistration {
    enabled: Option<bool>,
    limit: Option<u64>,
    unused_lifetime: Option<String>,
    used_lifetime: Option<String>,
    custom_schemes: Option<Strings>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct WrittenClientDocuments {
    enabled: Option<bool>,
    allowed_hosts: Strings,
    denied_hosts: Strings,
    allow_loopback: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct WrittenClient {
    client_id: String,
    client_secret: Option<String>,
    client_secret_file: Option<String>,
    jwks_uri: Option<String>,
    name: Option<String>,
    redirect_uris: Strings,
    scopes: Option<Strings>,
    resources: Strings,
    client_credentials: bool,
    may_introspect: bool,
    dpop_bound_access_tokens: bool,
}

/// Dynamic registration (RFC 7591).
#[derive(Debug, Clone)]
pub struct Registration {
    /// Whether anybody may register.
    pub enabled: bool,
    /// At most so many registered clients.
    pub limit: u64,
    /// A registration that nobody signs in through ends after this long.
    pub unused_lifetime: Duration,
    /// A registration that was used ends so long after its last use; never when absent.
    pub used_lifetime: Option<Duration>,
    /// Custom URL schemes that redirects may have, besides https and loopback.
    pub custom_schemes: CustomSchemes,
}

/// Client id metadata documents.
#[derive(Debug, Clone)]
pub struct ClientDocuments {
    /// Whether a URL is taken for a client id.
    pub enabled: bool,
    /// Hosts that may describe clients; empty means any public one.
    pub allowed_hosts: Vec<HostPattern>,
    /// Hosts that may not.
    pub denied_hosts: Vec<HostPattern>,
    /// Documents on this machine are fetched as well: for development.
    pub allow_loopback: bool,
}

/// A client of the operator.
#[derive(Debug, Clone)]
pub struct ConfiguredClient {
    /// `client_id`
    pub id: String,
    /// The name that people see.
    pub name: Option<String>,
    /// How it proves itself.
    pub credential: ClientCredential,
    /// Where answers may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// Scopes it may ask for; absent means whatever the resource offers.
    pub scopes: Option<ScopeSet>,
    /// Resources that it may have tokens for without a person.
    pub resources: Vec<String>,
    /// May use `client_credentials`.
    pub client_credentials: bool,
    /// May introspect every token.
    pub may_introspect: bool,
    /// Never gets tokens without the proof of a key (RFC 9449 §5.2).
    pub dpop_bound: bool,
}

/// How a client of the operator proves itself.
#[derive(Debug, Clone)]
pub enum ClientCredential {
    /// Not at all: a public client.
    None,
    /// By a secret.
    Secret(Secret),
    /// By a key (`private_key_jwt`), found at this URL.
    KeySet(String),
}

pub(super) fn read_registration(written: &WrittenRegistration) -> Result<Registration, ConfigError> {
    const DEFAULT_LIMIT: u64 = 10_000;
    const DAY: u64 = 86_400;
    let unused = written.unused_lifetime.as_deref();
    let used = |text: &String| duration(&key("registration.used_lifetime"), Some(text), 0, DAY..=800 * DAY);
    Ok(Registration {
        enabled: written.enabled.unwrap_or(true),
        limit: written.limit.unwrap_or(DEFAULT_LIMIT),
        unused_lifetime: duration(&key("registration.unused_lifetime"), unused, 7 * DAY, 600..=400 * DAY)?,
        used_lifetime: written.used_lifetime.as_ref().map(used).transpose()?,
        custom_schemes: written.custom_schemes.as_ref().map_or_else(|| Ok(CustomSchemes::default()), custom_schemes)?,
    })
}

fn custom_schemes(Strings(schemes): &Strings) -> Result<CustomSchemes, ConfigError> {
    let wrong = schemes.iter().find(|scheme| CustomSchemes::parse([scheme.as_str()]).is_err());
    CustomSchemes::parse(schemes.iter().map(String::as_str)).map_err(|_| {
        let rule = "it must be the URL scheme of an application, in lower case and without \"://\"";
        let key = key("registration.custom_schemes");
        ConfigError::new(key, wrong.map(String::as_str), rule, "write it like \"cursor\"")
    })
}

pub(super) fn read_documents(written: &WrittenClientDocuments) -> Result<ClientDocuments, ConfigError> {
    Ok(ClientDocuments {
        enabled: written.enabled.unwrap_or(true),
        allowed_hosts: hosts("allowed_hosts", &written.allowed_hosts)?,
        denied_hosts: hosts("denied_hosts", &written.denied_hosts)?,
        allow_loopback: written.allow_loopback,
    })
}

/// A pattern that were left out would open a list: no allowed host admits every host, and no denied one denies none.
fn hosts(name: &str, Strings(texts): &Strings) -> Result<Vec<HostPattern>, ConfigError> {
    let host = |text: &String| {
        HostPattern::parse(text).ok_or_else(|| {
            let rule = "it must be a host name in lower case, without scheme and port";
            let key = key(&format!("client_documents.{name}"));
            ConfigError::new(key, Some(text), rule, "write it like \"claude.ai\"")
        })
    };
    texts.iter().map(host).collect()
}

pub(super) fn read_all(
    written: &[WrittenClient],
    schemes: &CustomSchemes,
) -> Result<Vec<ConfiguredClient>, ConfigError> {
    let mut clients: Vec<ConfiguredClient> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let client = Reader { index, written, schemes }.read()?;
        if clients.iter().any(|known| known.id == client.id) {
            let key = key(&format!("clients[{index}].client_id"));
            return Err(ConfigError::new(key, Some(&client.id), "it is listed twice", "keep one of the two"));
        }
        clients.push(client);
    }
    Ok(clients)
}

struct Reader<'c> {
    index: usize,
    written: &'c WrittenClient,
    schemes: &'c CustomSchemes,
}

impl Reader<'_> {
    fn key(&self, name: &str) -> String {
        key(&format!("clients[{}].{name}", self.index))
    }

    fn read(&self) -> Result<ConfiguredClient, ConfigError> {
        let written = self.written;
        let client = ConfiguredClient {
            id: self.id()?,
            name: written.name.clone(),
            credential: self.credential()?,
            redirect_uris: self.redirect_uris()?,
            scopes: self.scopes()?,
            resources: written.resources.0.clone(),
            client_credentials: written.client_credentials,
            may_introspect: written.may_introspect,
            dpop_bound: written.dpop_bound_access_tokens,
        };
        let public = matches!(client.credential, ClientCredential::None);
        if public && (client.client_credentials || client.may_introspect) {
            let rule = "a client without secret or key cannot prove that it is this one";
            return Err(ConfigError::new(self.key("client_secret"), None, rule, "set client_secret_file or jwks_uri"));
        }
        Ok(client)
    }

    /// URLs are ids of clients that describe themselves, and people are `provider:subject`: with a colon in its id, a
    /// client without a person could have somebody's subject.
    fn id(&self) -> Result<String, ConfigError> {
        let id = &self.written.client_id;
        let sound = !id.is_empty() && id.len() <= 255 && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if sound {
            return Ok(id.clone());
        }
        let rule = "it must be 1 to 255 visible ASCII characters without a colon";
        Err(ConfigError::new(self.key("client_id"), Some(id), rule, "write it like \"reports-job\""))
    }

    fn credential(&self) -> Result<ClientCredential, ConfigError> {
        const MIN_LENGTH: usize = 24;
        let (written, key) = (self.written, self.key("client_secret"));
        let found = secret::read(&key, written.client_secret.as_deref(), written.client_secret_file.as_deref())?;
        match (found, &written.jwks_uri) {
            (Some(_), Some(_)) => Err(ConfigError::secret(key, "jwks_uri is set as well", "keep one of the two")),
            (Some(found), None) if found.expose().len() < MIN_LENGTH => {
                let rule = format!("it must be at least {MIN_LENGTH} characters long");
                Err(ConfigError::secret(key, rule, "make one with: openssl rand -hex 32"))
            }
            (Some(found), None) => Ok(ClientCredential::Secret(found)),
            (None, Some(url)) => match crate::domain::issuer::parse_fetch_url(url) {
                Ok(_) => Ok(ClientCredential::KeySet(url.clone())),
                Err(error) => {
                    let fix = "write an https URL";
                    Err(ConfigError::new(self.key("jwks_uri"), Some(url), error.to_string(), fix))
                }
            },
            (None, None) => Ok(ClientCredential::None),
        }
    }

    fn redirect_uris(&self) -> Result<Vec<RedirectUri>, ConfigError> {
        let read = |text: &String| {
            RedirectUri::parse(text, self.schemes).map_err(|error| {
                let fix = "write it like \"https://app.example.com/callback\"";
                ConfigError::new(self.key("redirect_uris"), Some(text), error.to_string(), fix)
            })
        };
        self.written.redirect_uris.0.iter().map(read).collect()
    }

    fn scopes(&self) -> Result<Option<ScopeSet>, ConfigError> {
        let read = |Strings(names): &Strings| {
            names.iter().map(|name| scopes::read(&self.key("scopes"), name)).collect::<Result<ScopeSet, _>>()
        };
        self.written.scopes.as_ref().map(read).transpose()
    }
}
