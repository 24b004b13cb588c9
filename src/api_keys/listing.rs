//! What the operator sees of keys: everything but the keys.

use std::collections::HashMap;

use super::record::Record;
use super::{ApiKeyError, Registry};
use crate::domain::{ScopeSet, UnixTime};

/// A key as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is good.
    pub resources: Vec<String>,
    /// What it may do there.
    pub scopes: ScopeSet,
    /// Its groups.
    pub groups: Vec<String>,
    /// Since when.
    pub created: UnixTime,
    /// Until when; for ever when absent.
    pub expires: Option<UnixTime>,
    /// To the minute.
    pub last_used: Option<UnixTime>,
    /// Whether it is good.
    pub state: KeyState,
}

/// Whether a key is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is.
    Living,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl KeyState {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Living => "living",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// Some keys, and where to go on.
#[derive(Debug, Clone)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<KeyView>,
    /// Ask for the page after this one; absent after the last.
    pub next: Option<String>,
}

impl Registry {
    /// Most keys on one page.
    pub const MOST_PER_PAGE: usize = 500;

    /// Keys in the order of their ids, dead ones included.
    pub async fn list(&self, after: Option<&str>, limit: usize) -> Result<KeyPage, ApiKeyError> {
        let (now, limit) = (self.now(), limit.clamp(1, Self::MOST_PER_PAGE));
        let found = self.page(after, limit, now).await?;
        let next = if found.len() == limit { found.last().map(|(id, _)| id.clone()) } else { None };
        let uses: HashMap<String, UnixTime> = self.known.last_uses().into_iter().collect();
        let keys = found.into_iter().map(|(id, record)| {
            let last_used = uses.get(&id).copied();
            view(id, record, last_used, now)
        });
        Ok(KeyPage { keys: keys.collect(), next })
    }
}

fn view(id: String, record: Record, last_used: Option<UnixTime>, now: UnixTime) -> KeyView {
    let state = match (record.revoked_at, record.ends_at) {
        (Some(_), _) => KeyState::Revoked,
        (None, Some(end)) if end <= now => KeyState::Expired,
        (None, _) => KeyState::Living,
    };
    KeyView {
        id,
        name: record.name,
        resources: record.resources,
        scopes: record.scopes,
        groups: record.groups,
        created: record.created_at,
        expires: record.ends_at,
        last_used,
        state,
    }
}
