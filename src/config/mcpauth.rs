//! McpAuth's flags and environment as a drop-in: the same ones start this service with the same address and paths.
//!
//! Variables are read only when `OAUTH_DOMAIN` is set and no file is given: names like `PORT` belong to everybody.

use toml::{Table, Value};

use super::mcpauth_provider::{self, Provider};
use super::sources::Gathered;
use super::{ConfigError, ConfigErrors, environment, mcpauth_flags, resource, scopes, server};
use crate::domain::Issuer;

const DEFAULT_PROTECTED_PATH: &str = "/mcp";
/// Its first templates ask here.
const FIRST_DECISION_PATH: &str = "/sse";

/// What McpAuth's flags and variables mean; `None` when they are not used.
pub(super) fn read(arguments: &[String], environment: &[(String, String)]) -> Result<Option<Gathered>, ConfigErrors> {
    let settings = Settings { flags: mcpauth_flags::read(arguments)?, environment };
    let Some(domain) = settings.get("oauthDomain", "OAUTH_DOMAIN") else {
        let rule = "it is missing, and the hosts beside it are what is protected";
        let missing = ConfigError::new("-oauthDomain", None, rule, "write it like \"oauth.example.com\"");
        return if arguments.is_empty() { Ok(None) } else { Err(missing.into()) };
    };
    let mut errors = ConfigErrors::default();
    let provider = mcpauth_provider::read(&settings, &mut errors);
    // Of a provider that was not understood nothing is known.
    let is_foreign = provider.as_ref().is_some_and(|provider| !provider.is_ours());
    settings.refuse_what_has_no_meaning(is_foreign, &mut errors);
    let written = Meaning {
        parent: errors.keep(parent_of(&domain)),
        domain: domain.value,
        paths: errors.keep(paths(&settings)).unwrap_or_default(),
        port: errors.keep(port(&settings)),
        level: errors.keep(level(&settings)),
        provider,
        emails: errors.keep(emails(&settings)).unwrap_or_default(),
        scopes: errors.keep(scopes_of(&settings, "requiredScopes", "REQUIRED_SCOPES")).unwrap_or_default(),
        offered: errors.keep(scopes_of(&settings, "allowedScopes", "ALLOWED_SCOPES")).unwrap_or_default(),
    };
    if errors.is_empty() {
        Ok(Some(Gathered { written: written.table(), warnings: settings.warnings(is_foreign) }))
    } else {
        Err(errors)
    }
}

/// What was read, each part on its own so that every mistake is told at once.
struct Meaning {
    domain: String,
    parent: Option<String>,
    /// The protected path first, then further ones that are asked for decisions.
    paths: Vec<String>,
    port: Option<u16>,
    level: Option<&'static str>,
    provider: Option<Provider>,
    emails: Vec<String>,
    scopes: Vec<String>,
    /// What tokens of ours may hold besides.
    offered: Vec<String>,
}

impl Meaning {
    fn table(self) -> Table {
        let port = self.port.unwrap_or_default();
        let (parent, path) = (self.parent.unwrap_or_default(), self.paths.first().cloned().unwrap_or_default());
        let own = format!("https://{}", self.domain.to_ascii_lowercase());
        let server = Table::from_iter([
            ("listen".to_owned(), Value::from(format!("0.0.0.0:{port}"))),
            ("metadata_url".to_owned(), Value::from(own.as_str())),
            ("also_decide_at".to_owned(), Value::from(self.paths)),
            ("contracts".to_owned(), Value::from(vec!["forward_auth"])),
        ]);
        // Every host beside the domain, whole, named by the protected path.
        let mut resource = Table::from_iter([
            ("url".to_owned(), Value::from(format!("https://*.{parent}{path}"))),
            ("also_paths".to_owned(), Value::from(vec!["/"])),
            ("required_scopes".to_owned(), Value::from(self.scopes.clone())),
        ]);
        let is_ours = self.provider.as_ref().is_some_and(Provider::is_ours);
        if is_ours && !self.offered.is_empty() {
            let more = self.offered.into_iter().filter(|scope| !self.scopes.contains(scope));
            let all: Vec<String> = self.scopes.iter().cloned().chain(more).collect();
            resource.insert("challenge_scopes".to_owned(), Value::from(all));
        }
        if !self.emails.is_empty() {
            resource.insert("allowed_emails".to_owned(), Value::from(self.emails));
        }
        let log = Table::from_iter([("level".to_owned(), Value::from(self.level.unwrap_or_default()))]);
        let mut written = Table::from_iter([
            ("server".to_owned(), server.into()),
            ("log".to_owned(), log.into()),
            ("resources".to_owned(), Value::from(vec![resource])),
        ]);
        if let Some(provider) = self.provider {
            provider.write(&own, &mut written);
        }
        written
    }
}

pub(super) struct Settings<'e> {
    flags: Vec<(String, String)>,
    pub(super) environment: &'e [(String, String)],
}

/// A value and the name under which it was given.
pub(super) struct Given {
    pub(super) key: String,
    pub(super) value: String,
}

impl Settings<'_> {
    /// The flag, else the variable. Of a repeated flag the last one counts, as in Go.
    pub(super) fn get(&self, flag: &str, variable: &str) -> Option<Given> {
        let as_flag = self.flags.iter().rev().find(|(name, value)| name == flag && !value.is_empty());
        let given = |key: String, value: &str| Given { key, value: value.to_owned() };
        match as_flag {
            Some((name, value)) => Some(given(format!("-{name}"), value)),
            None => environment::get(self.environment, variable).map(|value| given(variable.to_owned(), value)),
        }
    }

    /// The items of a list, each with the name under which it was given.
    fn list(&self, flag: &str, variable: &str) -> Vec<(String, String)> {
        let Some(given) = self.get(flag, variable) else { return Vec::new() };
        let items = given.value.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(|item| (given.key.clone(), item.to_owned())).collect()
    }

    pub(super) fn or(&self, flag: &str, variable: &str, default: &str) -> String {
        self.get(flag, variable).map_or_else(|| default.to_owned(), |given| given.value)
    }

    /// What would open or store something that this version cannot: ignoring it would surprise later.
    fn refuse_what_has_no_meaning(&self, is_foreign: bool, errors: &mut ConfigErrors) {
        const NO_USERS: &str = "this version has no users of its own";
        const NO_GOOGLE: &str = "nobody signs in at Google with this provider";
        const ALWAYS: [(&str, &str, &str); 6] = [
            ("devMode", "DEV_MODE", "it would send tokens in clear text"),
            ("useInternalAuth", "", NO_USERS),
            ("adminUsername", "", NO_USERS),
            ("adminEmail", "", NO_USERS),
            ("adminPassword", "", NO_USERS),
            ("", "AUTHORIZATION_BEARER_TOKEN", "this version accepts no token that an issuer did not sign"),
        ];
        const WITH_FOREIGN: [(&str, &str, &str); 3] = [
            ("dataDir", "", "nothing is stored with this provider"),
            ("googleClientID", "", NO_GOOGLE),
            ("googleClientSecret", "", NO_GOOGLE),
        ];
        let with_foreign = WITH_FOREIGN.into_iter().filter(|_| is_foreign);
        for (flag, variable, rule) in ALWAYS.into_iter().chain(with_foreign) {
            let given = self.get(flag, variable).filter(|given| !is_false(&given.value));
            errors.keep(given.map_or(Ok(()), |given| Err(ConfigError::new(given.key, None, rule, "remove it"))));
        }
    }

    /// McpAuth needs these with Keycloak, so they are there; nothing is lost without them.
    fn warnings(&self, is_foreign: bool) -> Vec<String> {
        const SETTINGS: [(&str, &str, &str); 3] = [
            ("clientID", "CLIENT_ID", "clients sign in at the issuer themselves"),
            ("clientSecret", "CLIENT_SECRET", "clients sign in at the issuer themselves"),
            ("allowedScopes", "ALLOWED_SCOPES", "the issuer decides which scopes it grants"),
        ];
        let given =
            |(flag, variable, why)| self.get(flag, variable).map(|given| format!("{} is not used: {why}", given.key));
        SETTINGS.into_iter().filter(|_| is_foreign).filter_map(given).collect()
    }
}

fn is_false(value: &str) -> bool {
    ["false", "f", "0"].iter().any(|no| value.eq_ignore_ascii_case(no))
}

/// The domain below which every host is protected.
fn parent_of(domain: &Given) -> Result<String, ConfigError> {
    let is_host = !domain.value.contains('/') && Issuer::parse(&format!("https://{}", domain.value)).is_ok();
    let parent = domain.value.split_once('.').map(|(_, parent)| parent).filter(|parent| parent.contains('.'));
    parent.filter(|_| is_host).map(ToOwned::to_owned).ok_or_else(|| {
        let rule = "every host beside it is protected, so it must be a host below a domain of your own";
        ConfigError::new(&*domain.key, Some(&domain.value), rule, "write it like \"oauth.example.com\"")
    })
}

fn paths(settings: &Settings<'_>) -> Result<Vec<String>, ConfigError> {
    match settings.get("path", "").or_else(|| settings.get("protectedPath", "PROTECTED_PATH")) {
        Some(path) => Ok(vec![server::decision_path(&path.key, &path.value)?]),
        None => Ok([DEFAULT_PROTECTED_PATH, FIRST_DECISION_PATH].map(ToOwned::to_owned).into()),
    }
}

fn port(settings: &Settings<'_>) -> Result<u16, ConfigError> {
    const DEFAULT: u16 = 11000;
    let Some(port) = settings.get("port", "PORT") else { return Ok(DEFAULT) };
    let parsed = port.value.parse().ok().filter(|port| *port != 0);
    parsed.ok_or_else(|| {
        let rule = "it must be a port number between 1 and 65535";
        ConfigError::new(port.key, Some(&port.value), rule, "leave it out for 11000")
    })
}

/// 0 is debug, 1 info, 2 errors only.
fn level(settings: &Settings<'_>) -> Result<&'static str, ConfigError> {
    let given = settings.get("logLevel", "LOG_LEVEL");
    match given.as_ref().map_or("1", |level| &level.value) {
        "0" => Ok("debug"),
        "1" => Ok("info"),
        "2" => Ok("error"),
        other => {
            let key = given.as_ref().map_or("LOG_LEVEL", |level| &level.key);
            Err(ConfigError::new(key, Some(other), "it must be 0, 1 or 2", "leave it out for 1"))
        }
    }
}

/// A list that is given but holds nothing names nobody, and must not be read as naming everybody.
fn emails(settings: &Settings<'_>) -> Result<Vec<String>, ConfigError> {
    let emails = settings.list("allowedEmails", "ALLOWED_EMAILS");
    if let (true, Some(given)) = (emails.is_empty(), settings.get("allowedEmails", "ALLOWED_EMAILS")) {
        let rule = "the list is empty, so it names nobody";
        return Err(ConfigError::new(given.key, Some(&given.value), rule, "name who may call, or remove it"));
    }
    for (key, email) in &emails {
        resource::read_email(key, email)?;
    }
    Ok(emails.into_iter().map(|(_, email)| email).collect())
}

fn scopes_of(settings: &Settings<'_>, flag: &str, variable: &str) -> Result<Vec<String>, ConfigError> {
    let names = settings.list(flag, variable);
    for (key, scope) in &names {
        scopes::read(key, scope)?;
    }
    Ok(names.into_iter().map(|(_, scope)| scope).collect())
}
