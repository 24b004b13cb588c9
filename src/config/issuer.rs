//! `[[issuers]]`.

use super::file::{Strings, WrittenIssuer};
use super::{AuthorizationServerConfig, ConfigError, ConfigErrors, IssuerConfig, introspection};
use crate::authn::Algorithm;
use crate::authn::identity_headers::fits_header;
use crate::domain::Issuer;
use crate::domain::issuer::parse_fetch_url;

/// Issuers where anybody in the world can get a token.
const OPEN_ISSUERS: [&str; 8] = [
    "https://accounts.google.com",
    "https://appleid.apple.com",
    "https://gitlab.com",
    "https://github.com/login/oauth",
    "https://token.actions.githubusercontent.com",
    "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    "https://www.facebook.com",
    "https://www.linkedin.com/oauth",
];

/// What was read of `[[issuers]]`.
#[derive(Debug, Default)]
pub(super) struct Issuers {
    /// The sound ones.
    pub(super) read: Vec<IssuerConfig>,
    /// The names of the others: resources that name them are not wrong for that.
    pub(super) refused: Vec<String>,
}

/// The issuers as written, after our own authorization server, when there is one.
pub(super) fn read_all(
    written: &[WrittenIssuer],
    own: Option<&AuthorizationServerConfig>,
    own_written: bool,
    errors: &mut ConfigErrors,
) -> Issuers {
    if written.is_empty() && !own_written {
        errors.add(ConfigError::new(
            "issuers",
            None,
            "at least one issuer is needed",
            "add [[issuers]] with issuer = \"https://…\", or an [authorization_server]",
        ));
    }
    let mut issuers = Issuers::default();
    issuers.read.extend(own.map(AuthorizationServerConfig::as_issuer));
    for (index, written) in written.iter().enumerate() {
        let Some(issuer) = errors.keep(read(index, written)) else {
            issuers.refused.push(written.issuer.clone());
            continue;
        };
        if issuers.read.iter().any(|known| known.issuer == issuer.issuer) {
            let key = format!("issuers[{index}].issuer");
            errors.add(ConfigError::new(key, Some(&written.issuer), "it is listed twice", "keep one of the two"));
        }
        issuers.read.push(issuer);
    }
    issuers
}

fn read(index: usize, written: &WrittenIssuer) -> Result<IssuerConfig, ConfigError> {
    let key = |name: &str| format!("issuers[{index}].{name}");
    let issuer = Issuer::parse(&written.issuer).map_err(|error| {
        let fix =
            "write the issuer exactly as its metadata document does, like \"https://idp.example.com/realms/main\"";
        ConfigError::new(key("issuer"), Some(&written.issuer), error.to_string(), fix)
    })?;
    if !fits_header(issuer.as_str()) {
        let fix = "is it the issuer of its metadata document?";
        return Err(ConfigError::new(key("issuer"), None, "it is too long for the header X-Auth-Issuer", fix));
    }
    let jwks_uri = written.jwks_uri.as_deref().map(|text| {
        parse_fetch_url(text).map_err(|error| {
            ConfigError::new(
                key("jwks_uri"),
                Some(text),
                error.to_string(),
                "write an https URL, or leave it out to discover it",
            )
        })
    });
    let introspection = introspection::read(index, written)?;
    let algorithms = match &written.algorithms {
        None => Algorithm::ALL.to_vec(),
        // All its tokens are opaque: no key of it is needed.
        Some(Strings(names)) if names.is_empty() && introspection.is_some() => Vec::new(),
        Some(Strings(names)) => read_algorithms(&key("algorithms"), names)?,
    };
    let open =
        written.open_to_the_world.unwrap_or_else(|| OPEN_ISSUERS.contains(&issuer.as_str().trim_end_matches('/')));
    Ok(IssuerConfig {
        issuer,
        jwks_uri: jwks_uri.transpose()?,
        audiences: written.audiences.0.clone(),
        algorithms,
        groups_claims: written.groups_claims.0.clone(),
        assume_email_verified: written.assume_email_verified,
        open_to_the_world: open,
        introspection,
        is_own: false,
    })
}

pub(super) fn read_algorithms(key: &str, names: &[String]) -> Result<Vec<Algorithm>, ConfigError> {
    let known = Algorithm::ALL.map(Algorithm::as_str).join(", ");
    let read = |name: &String| {
        Algorithm::parse(name).ok_or_else(|| {
            let rule = "it is no asymmetric signature algorithm";
            ConfigError::new(key, Some(name), rule, format!("choose from {known}"))
        })
    };
    let algorithms: Vec<Algorithm> = names.iter().map(read).collect::<Result<_, _>>()?;
    if algorithms.is_empty() {
        return Err(ConfigError::new(
            key,
            None,
            "the list is empty, so no token could be accepted",
            "leave it out for all",
        ));
    }
    Ok(algorithms)
}
