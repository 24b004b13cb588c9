//! McpAuth's providers: its Keycloak is an issuer of its own, and Google gets our authorization server in front of it.

use std::path::Path;

use toml::{Table, Value};

use super::mcpauth::{Given, Settings};
use super::{ConfigError, ConfigErrors, environment};
use crate::domain::Issuer;

/// Names a foreign issuer, whatever the provider is.
const NAMED_ISSUER: &str = "MCP_FORWARD_AUTH__ISSUERS__0__ISSUER";

/// Who vouches for people.
pub(super) enum Provider {
    /// An issuer whose tokens are accepted as they are.
    Issuer(String),
    /// People sign in at Google; the tokens are our own.
    Google {
        client_id: String,
        client_secret: String,
        /// Where state is kept, when that is said.
        store_url: Option<String>,
    },
}

pub(super) fn read(settings: &Settings<'_>, errors: &mut ConfigErrors) -> Option<Provider> {
    if let Some(issuer) = environment::get(settings.environment, NAMED_ISSUER) {
        return Some(Provider::Issuer(issuer.to_owned()));
    }
    let provider = settings.get("provider", "PROVIDER").unwrap_or_else(|| Given {
        key: "PROVIDER".to_owned(),
        value: if has_client(settings) { "google" } else { "internal" }.to_owned(),
    });
    let rule = match provider.value.as_str() {
        "keycloak" => return errors.keep(keycloak(settings)),
        "google" => return google(settings, errors),
        "internal" => "this version has no users of its own",
        _ => "McpAuth has no such provider",
    };
    let fix = format!("write keycloak or google, or name an issuer in {NAMED_ISSUER}");
    errors.add(ConfigError::new(provider.key, Some(&provider.value), rule, fix));
    None
}

impl Provider {
    /// Adds to the configuration what this provider needs. `own` is the sign-in host as an origin.
    pub(super) fn write(self, own: &str, written: &mut Table) {
        match self {
            Self::Issuer(issuer) => {
                // McpAuth wanted tokens for its own host.
                let issuer = table([("issuer", issuer.into()), ("audiences", Value::from(vec![own]))]);
                written.insert("issuers".to_owned(), Value::from(vec![issuer]));
            }
            Self::Google { client_id, client_secret, store_url } => {
                let google = table([
                    ("kind", "google".into()),
                    ("client_id", client_id.into()),
                    ("client_secret", client_secret.into()),
                ]);
                let own = table([("issuer", own.into()), ("identity_provider", google.into())]);
                written.insert("authorization_server".to_owned(), own.into());
                if let Some(url) = store_url {
                    written.insert("store".to_owned(), table([("url", url.into())]).into());
                }
            }
        }
    }

    /// Whether the tokens are ours, and so which scopes they hold.
    pub(super) const fn is_ours(&self) -> bool {
        matches!(self, Self::Google { .. })
    }
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn client_id(settings: &Settings<'_>) -> Option<Given> {
    settings.get("clientID", "CLIENT_ID").or_else(|| settings.get("googleClientID", "GOOGLE_CLIENT_ID"))
}

fn client_secret(settings: &Settings<'_>) -> Option<Given> {
    settings.get("clientSecret", "CLIENT_SECRET").or_else(|| settings.get("googleClientSecret", "GOOGLE_CLIENT_SECRET"))
}

fn has_client(settings: &Settings<'_>) -> bool {
    client_id(settings).is_some() || client_secret(settings).is_some()
}

fn google(settings: &Settings<'_>, errors: &mut ConfigErrors) -> Option<Provider> {
    let needed = |given: Option<Given>, key: &str| {
        let fix = "copy it from the OAuth client in the Google Cloud console";
        let rule = "it is missing, and Google must know who asks";
        given.map(|given| given.value).ok_or_else(|| ConfigError::new(key, None, rule, fix))
    };
    let client_id = errors.keep(needed(client_id(settings), "CLIENT_ID"));
    let client_secret = errors.keep(needed(client_secret(settings), "CLIENT_SECRET"));
    let store_url = errors.keep(settings.get("dataDir", "").map(|given| store_in(&given)).transpose());
    Some(Provider::Google { client_id: client_id?, client_secret: client_secret?, store_url: store_url? })
}

/// The store in McpAuth's data directory, which may be relative to where it is started.
fn store_in(directory: &Given) -> Result<String, ConfigError> {
    let whole = std::path::absolute(Path::new(&directory.value).join("mcp-forward-auth.redb"));
    let text = whole.ok().and_then(|path| path.to_str().map(|path| format!("file:{path}")));
    text.ok_or_else(|| {
        let rule = "the directory cannot be told from here";
        ConfigError::new(&*directory.key, Some(&directory.value), rule, "write it whole, like /data")
    })
}

fn keycloak(settings: &Settings<'_>) -> Result<Provider, ConfigError> {
    let scheme = settings.or("keycloakAuthProtocol", "KEYCLOAK_AUTH_PROTOCOL", "https");
    let host = settings.or("keycloakAuthHost", "KEYCLOAK_AUTH_HOST", "localhost");
    let port = settings.or("keycloakAuthPort", "KEYCLOAK_AUTH_PORT", "8080");
    let realm = settings.or("keycloakRealm", "KEYCLOAK_REALM", "master");
    let default_port = matches!((scheme.as_str(), port.as_str()), ("https", "443") | ("http", "80"));
    let port = if default_port { String::new() } else { format!(":{port}") };
    let issuer = format!("{scheme}://{host}{port}/realms/{realm}");
    match Issuer::parse(&issuer) {
        Ok(_) => Ok(Provider::Issuer(issuer)),
        Err(error) => {
            let key =
                "KEYCLOAK_AUTH_PROTOCOL, KEYCLOAK_AUTH_HOST, KEYCLOAK_AUTH_PORT and KEYCLOAK_REALM make the issuer";
            let fix = "correct the one that is wrong";
            Err(ConfigError::new(key, Some(&issuer), error.to_string(), fix))
        }
    }
}
