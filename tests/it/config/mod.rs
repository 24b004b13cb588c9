//! The configuration: what it refuses and in which words, where it comes from, and that every shipped one loads.

mod authorization_server;
pub mod documents;
mod keys;
mod mcpauth;
mod mcpauth_google;
mod mistakes;
mod process;
mod sources;

use mcp_forward_auth::config::{Config, ConfigErrors, Overrides};

/// Reads with these variables and `--set` flags, without a file.
fn from(variables: &[(&str, &str)], set: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    Config::from_sources(&Overrides { set: owned(set), ..Overrides::default() }, &owned(variables))
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const URL: (&str, &str) = ("MCP_FORWARD_AUTH__RESOURCES__0__URL", "https://mcp.example.com/mcp");
const ISSUER: (&str, &str) = ("MCP_FORWARD_AUTH__ISSUERS__0__ISSUER", "https://idp.example.com");
