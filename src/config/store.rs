//! `[store]`: where state lives.

use serde::Deserialize;

use super::ConfigError;
use crate::store::StoreUrl;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenStore {
    pub(super) url: Option<String>,
}

/// Survives restarts, and needs nothing beside it.
const DEFAULT: &str = "file:/data/mcp-forward-auth.redb";

pub(super) fn read(written: Option<&WrittenStore>, needed: bool) -> Result<Option<StoreUrl>, ConfigError> {
    let url = written.and_then(|written| written.url.as_deref());
    match (url, needed) {
        (Some(_), false) => {
            let rule = "nothing is stored without [authorization_server]";
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
