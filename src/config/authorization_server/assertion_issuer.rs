//! `[[authorization_server.assertion_issuers]]`: whose word about people is taken without their coming here.

use serde::Deserialize;

use super::{Provider, key};
use crate::authn::Algorithm;
use crate::config::file::Strings;
use crate::config::issuer::read_algorithms;
use crate::config::{ConfigError, ConfigErrors};
use crate::domain::Issuer;
use crate::domain::issuer::parse_fetch_url;
use url::Url;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct WrittenAssertionIssuer {
    name: String,
    issuer: String,
    jwks_uri: Option<String>,
    algorithms: Option<Strings>,
    clients: Strings,
    groups_claims: Strings,
    assume_email_verified: bool,
}

/// Somebody whose assertions are taken.
#[derive(Debug, Clone)]
pub struct AssertionIssuer {
    /// What stands before the colon in the subject of its people.
    pub name: String,
    /// `iss`
    pub issuer: Issuer,
    /// Its key set; discovered when absent.
    pub jwks_uri: Option<Url>,
    /// Algorithms it may sign with.
    pub algorithms: Vec<Algorithm>,
    /// Clients it may speak for; all that prove themselves when empty.
    pub clients: Vec<String>,
    /// Where groups stand.
    pub groups_claims: Vec<String>,
    /// The operator vouches for its e-mail addresses.
    pub assume_email_verified: bool,
}

/// Those that are sound; whatever is wrong with the others is noted.
pub(super) fn read_all(
    written: &[WrittenAssertionIssuer],
    own: Option<&Issuer>,
    providers: &[Provider],
    errors: &mut ConfigErrors,
) -> Vec<AssertionIssuer> {
    let mut read: Vec<AssertionIssuer> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let reader = Reader { index, written };
        let Some(issuer) = errors.keep(reader.read()) else { continue };
        let named = |name: &str| *name == *issuer.name;
        if providers.iter().any(|known| named(&known.name)) || read.iter().any(|known| named(&known.name)) {
            let rule = "somebody else has this name, and their people would be mixed up";
            errors.add(reader.error("name", Some(&issuer.name), rule, "set another name"));
        }
        if own == Some(&issuer.issuer) || read.iter().any(|known| known.issuer == issuer.issuer) {
            let rule = "it is this service itself, or listed twice";
            errors.add(reader.error(
                "issuer",
                Some(issuer.issuer.as_str()),
                rule,
                "name the company's identity provider",
            ));
        }
        read.push(issuer);
    }
    read
}

struct Reader<'w> {
    index: usize,
    written: &'w WrittenAssertionIssuer,
}

impl Reader<'_> {
    fn key(&self, name: &str) -> String {
        key(&format!("assertion_issuers[{}].{name}", self.index))
    }

    fn error(&self, name: &str, value: Option<&str>, rule: impl Into<String>, fix: &str) -> ConfigError {
        ConfigError::new(self.key(name), value, rule.into(), fix)
    }

    fn read(&self) -> Result<AssertionIssuer, ConfigError> {
        let written = self.written;
        let issuer = Issuer::parse(&written.issuer).map_err(|error| {
            let fix = "write the issuer exactly as its metadata document does, like \"https://idp.example.com\"";
            self.error("issuer", Some(&written.issuer), error.to_string(), fix)
        })?;
        let jwks_uri = written.jwks_uri.as_deref().map(|text| {
            let fix = "write an https URL, or leave it out to discover it";
            parse_fetch_url(text).map_err(|error| self.error("jwks_uri", Some(text), error.to_string(), fix))
        });
        let algorithms = match &written.algorithms {
            None => Algorithm::ALL.to_vec(),
            Some(Strings(names)) => read_algorithms(&self.key("algorithms"), names)?,
        };
        Ok(AssertionIssuer {
            name: self.name()?,
            issuer,
            jwks_uri: jwks_uri.transpose()?,
            algorithms,
            clients: written.clients.0.clone(),
            groups_claims: written.groups_claims.0.clone(),
            assume_email_verified: written.assume_email_verified,
        })
    }

    fn name(&self) -> Result<String, ConfigError> {
        let name = &self.written.name;
        let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if (1..=32).contains(&name.len()) && name.bytes().all(letter) {
            return Ok(name.clone());
        }
        let rule = "it must be 1 to 32 lower-case letters, digits, - and _";
        Err(self.error("name", Some(name), rule, "write it like \"corp\"; it is part of every subject"))
    }
}
