//! `[store]`: where state lives.

use serde::Deserialize;

use super::ConfigError;
use super::file::Written;
use crate::store::StoreUrl;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenStore {
    pub(super) url: Option<String>,
}

/// Survives restarts, and needs nothing beside it.
const DEFAULT: &str = "file:/data/mcp-forward-auth.redb";

pub(super) fn read(written: &Written) -> Result<Option<StoreUrl>, ConfigError> {
    let needed = written.authorization_server.is_some() || written.api_keys.is_some();
    let url = written.store.as_ref().and_then(|written| written.url.as_deref());
    match (url, needed) {
        (Some(_), false) => {
            let rule = "nothing is stored without [authorization_server] or [api_keys]";
            Err(ConfigError::new("store", None, rule, "remove this section"))
        }
        (None, false) => Ok(None),
        (url, true) => {
            let text = url.unwrap_or(DEFAULT);
            let read = StoreUrl::parse(text);
            read.map(Some).map_err(|mistake| ConfigError::new("store.url", Some(text), mistake.rule, mistake.fix))
        }
    }
}
