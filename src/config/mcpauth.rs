//! McpAuth's environment as a drop-in: the same variables start this service with the same address and paths.
//!
//! Read only when `OAUTH_DOMAIN` is set and no configuration file is given: names like `PORT` belong to everybody.

use toml::{Table, Value};

use super::environment::get;
use super::{ConfigError, ConfigErrors};

const DEFAULT_PORT: &str = "11000";
const DEFAULT_PROTECTED_PATH: &str = "/mcp";

/// The configuration that McpAuth's variables mean; `None` when they are not used.
pub(super) fn table(environment: &[(String, String)]) -> Result<Option<Table>, ConfigErrors> {
    let Some(domain) = get(environment, "OAUTH_DOMAIN") else { return Ok(None) };
    let path = get(environment, "PROTECTED_PATH").unwrap_or(DEFAULT_PROTECTED_PATH);
    let Some((_, parent)) = domain.split_once('.').filter(|(_, parent)| parent.contains('.')) else {
        let rule = "every host beside it is protected, so it must be a host below a domain of your own";
        return Err(ConfigError::new("OAUTH_DOMAIN", Some(domain), rule, "write it like \"oauth.example.com\"").into());
    };
    let mut table = Table::new();
    table.insert("server".into(), server(environment, domain, path).into());
    table.insert("log".into(), log(environment)?.into());
    table.insert("issuers".into(), Value::Array(vec![issuer(environment, domain)?.into()]));
    table.insert("resources".into(), Value::Array(vec![resource(environment, parent, path).into()]));
    Ok(Some(table))
}

fn server(environment: &[(String, String)], domain: &str, path: &str) -> Table {
    let port = get(environment, "PORT").unwrap_or(DEFAULT_PORT);
    Table::from_iter([
        ("listen".to_owned(), Value::from(format!("0.0.0.0:{port}"))),
        ("metadata_url".to_owned(), Value::from(format!("https://{domain}"))),
        ("also_decide_at".to_owned(), Value::Array(vec![path.into()])),
        ("contracts".to_owned(), Value::Array(vec!["forward_auth".into()])),
    ])
}

/// 0 is debug, 1 info, 2 errors only.
fn log(environment: &[(String, String)]) -> Result<Table, ConfigErrors> {
    let level = match get(environment, "LOG_LEVEL") {
        Some("0") => "debug",
        None | Some("1") => "info",
        Some("2") => "error",
        Some(other) => {
            return Err(ConfigError::new("LOG_LEVEL", Some(other), "it must be 0, 1 or 2", "leave it out for 1").into());
        }
    };
    Ok(Table::from_iter([("level".to_owned(), Value::from(level))]))
}

/// Its Keycloak is an issuer of its own. Its Google sign-in needs an authorization server.
fn issuer(environment: &[(String, String)], domain: &str) -> Result<Table, ConfigErrors> {
    let named = get(environment, "MCP_FORWARD_AUTH__ISSUERS__0__ISSUER");
    let issuer = match (named, get(environment, "PROVIDER")) {
        (Some(issuer), _) => issuer.to_owned(),
        (None, Some("keycloak")) => keycloak(environment),
        (None, provider) => {
            let rule = "signing people in needs an authorization server, which this version does not have";
            let fix = "use PROVIDER=keycloak with KEYCLOAK_AUTH_HOST and KEYCLOAK_REALM, or set MCP_FORWARD_AUTH__ISSUERS__0__ISSUER";
            return Err(ConfigError::new("PROVIDER", Some(provider.unwrap_or("google")), rule, fix).into());
        }
    };
    let audiences = Value::Array(vec![format!("https://{domain}").into()]);
    Ok(Table::from_iter([("issuer".to_owned(), issuer.into()), ("audiences".to_owned(), audiences)]))
}

fn keycloak(environment: &[(String, String)]) -> String {
    let or = |name: &str, default: &'static str| get(environment, name).unwrap_or(default).to_owned();
    let (scheme, host) = (or("KEYCLOAK_AUTH_PROTOCOL", "https"), or("KEYCLOAK_AUTH_HOST", "localhost"));
    let (port, realm) = (or("KEYCLOAK_AUTH_PORT", "8080"), or("KEYCLOAK_REALM", "master"));
    let default_port = matches!((scheme.as_str(), port.as_str()), ("https", "443") | ("http", "80"));
    let port = if default_port { String::new() } else { format!(":{port}") };
    format!("{scheme}://{host}{port}/realms/{realm}")
}

/// Every host beside `OAUTH_DOMAIN`, whole, named by the protected path.
fn resource(environment: &[(String, String)], parent: &str, path: &str) -> Table {
    let mut table = Table::from_iter([
        ("url".to_owned(), Value::from(format!("https://*.{parent}{path}"))),
        ("also_paths".to_owned(), Value::Array(vec!["/".into()])),
    ]);
    for (key, name) in [("required_scopes", "REQUIRED_SCOPES"), ("allowed_emails", "ALLOWED_EMAILS")] {
        if let Some(list) = get(environment, name) {
            table.insert(key.to_owned(), list.into());
        }
    }
    table
}
