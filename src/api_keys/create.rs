//! Making a key. Everything that would make it useless is said now, not when the script fails at night.

use std::time::Duration;

use super::record::{Named, Record};
use super::{ApiKeyError, Registry};
use crate::authz::Policy;
use crate::domain::{ResourceUri, Scope, ScopeSet, Secret, SecretHash, UnixTime, api_key, opaque};
use crate::store::{Outcome, Transaction};

/// What a key is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// The resources that it is for.
    pub resources: Vec<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Its groups.
    pub groups: Vec<String>,
    /// How long it lives.
    pub lifetime: Lifetime,
}

/// How long a key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// 90 days, or the longest that is allowed.
    Default,
    /// So long.
    For(Duration),
    /// Until it is revoked.
    Unlimited,
}

/// A new key: the only time that it is shown.
#[derive(Debug)]
pub struct Created {
    /// Its id.
    pub id: String,
    /// The key itself.
    pub key: Secret,
    /// Its name.
    pub name: String,
    /// When it ends.
    pub expires_at: Option<UnixTime>,
    /// What its owner should know, though it is no mistake.
    pub warnings: Vec<String>,
}

/// So many resources, scopes or groups, each so long.
const MOST_ITEMS: usize = 50;
const LONGEST_ITEM: usize = 200;
const DEFAULT_LIFETIME: Duration = Duration::from_secs(90 * 86_400);

fn refused<T>(why: impl Into<String>) -> Result<T, ApiKeyError> {
    Err(ApiKeyError::Refused(why.into()))
}

impl Registry {
    /// Makes a key.
    pub async fn create(&self, wanted: Wanted) -> Result<Created, ApiKeyError> {
        let _writing = self.writing.lock().await;
        let now = self.now();
        if self.known.known() >= Self::MOST_KEYS {
            return Err(ApiKeyError::TooMany(Self::MOST_KEYS));
        }
        let (record, warnings, key) = self.fresh(wanted, now)?;
        let id = format!("K{}", opaque::new_id(&*self.parts.random)?);
        let named = Named { id: id.clone() };
        let outcome = Transaction::new()
            .create(&Record::key(&id), &record, record.forgotten_at())
            .create(&Named::key(&record.name), &named, record.ends_at)
            .commit(&*self.parts.store, now)
            .await?;
        if outcome == Outcome::Conflict {
            return Err(ApiKeyError::NameTaken(record.name));
        }
        let (name, expires_at) = (record.name.clone(), record.ends_at);
        self.known.put(record.into_facts(id.clone(), None));
        Ok(Created { id, key, name, expires_at, warnings })
    }

    fn fresh(&self, wanted: Wanted, now: UnixTime) -> Result<(Record, Vec<String>, Secret), ApiKeyError> {
        if !api_key::is_name(&wanted.name) {
            return refused("the name must be 1 to 64 lower-case letters, digits, ., - and _, a letter or digit first");
        }
        let ends_at = self.lifetime(wanted.lifetime)?.map(|lifetime| now.plus(lifetime));
        let scopes = scopes(&wanted.scopes)?;
        let groups = groups(wanted.groups)?;
        let policies = self.policies(&wanted.resources)?;
        let warnings = policies.iter().filter_map(|(uri, policy)| lacking(uri, policy, &scopes)).collect();
        let key = api_key::new_key(&*self.parts.random)?;
        let resources = policies.into_iter().map(|(uri, _)| uri).collect();
        let hash = SecretHash::of(key.expose());
        let record =
            Record { hash, name: wanted.name, resources, scopes, groups, created_at: now, ends_at, revoked_at: None };
        Ok((record, warnings, key))
    }

    fn lifetime(&self, wanted: Lifetime) -> Result<Option<Duration>, ApiKeyError> {
        let longest = self.parts.max_lifetime;
        let too_long = |longest: Duration| {
            refused(format!("a key may live {} at most: see api_keys.max_lifetime", in_words(longest)))
        };
        match (wanted, longest) {
            (Lifetime::Default, longest) => Ok(Some(longest.unwrap_or(DEFAULT_LIFETIME).min(DEFAULT_LIFETIME))),
            (Lifetime::For(Duration::ZERO), _) => refused("a key that lives no time is of no use"),
            (Lifetime::For(lifetime), Some(longest)) if lifetime > longest => too_long(longest),
            (Lifetime::For(lifetime), _) => Ok(Some(lifetime)),
            (Lifetime::Unlimited, Some(longest)) => too_long(longest),
            (Lifetime::Unlimited, None) => Ok(None),
        }
    }

    /// Every resource with its policy. One that admits no keys would refuse this one each time.
    fn policies(&self, uris: &[String]) -> Result<Vec<(String, &Policy)>, ApiKeyError> {
        if uris.is_empty() || uris.len() > MOST_ITEMS {
            return refused(format!("name 1 to {MOST_ITEMS} resources"));
        }
        let mut found: Vec<(String, &Policy)> = Vec::new();
        for uri in uris {
            let (uri, policy) = self.policy(uri)?;
            if !found.iter().any(|(known, _)| *known == uri) {
                found.push((uri, policy));
            }
        }
        Ok(found)
    }

    fn policy(&self, uri: &str) -> Result<(String, &Policy), ApiKeyError> {
        let wanted = ResourceUri::parse(uri).ok();
        let found = wanted.as_ref().and_then(|_| self.parts.policies.document_by_uri(uri));
        let same_path = |policy: &Policy| {
            wanted.as_ref().is_some_and(|wanted| policy.resource.path_prefix() == wanted.path_prefix())
        };
        match found.filter(|found| same_path(found.policy)) {
            None => refused(format!("{} is no resource of this service", shown(uri))),
            Some(found) if !found.policy.allow_api_keys => refused(format!(
                "{} does not admit API keys; set allow_api_keys = true for this resource",
                found.resource_text()
            )),
            Some(found) => Ok((found.resource_text().to_owned(), found.policy)),
        }
    }
}

fn scopes(written: &[String]) -> Result<ScopeSet, ApiKeyError> {
    if written.len() > MOST_ITEMS {
        return refused(format!("a key has {MOST_ITEMS} scopes at most"));
    }
    let read = |text: &String| match Scope::parse(text).filter(|_| text.len() <= LONGEST_ITEM) {
        Some(scope) => Ok(scope),
        None => refused(format!("{} is no scope", shown(text))),
    };
    written.iter().map(read).collect()
}

fn groups(written: Vec<String>) -> Result<Vec<String>, ApiKeyError> {
    let sound = |text: &str| !text.is_empty() && text.len() <= LONGEST_ITEM && !text.chars().any(char::is_control);
    match written.iter().find(|text| !sound(text)) {
        _ if written.len() > MOST_ITEMS => refused(format!("a key has {MOST_ITEMS} groups at most")),
        Some(text) => refused(format!("{} is no group", shown(text))),
        None => Ok(written),
    }
}

fn lacking(uri: &str, policy: &Policy, scopes: &ScopeSet) -> Option<String> {
    let satisfied = |one: &crate::authz::policy::RequiredScope| one.satisfied_by.iter().any(|by| scopes.contains(by));
    let missing: Vec<&str> =
        policy.required_scopes.iter().filter(|one| !satisfied(one)).map(|one| one.scope.as_str()).collect();
    (!missing.is_empty())
        .then(|| format!("{uri} requires the scope {}, so it will refuse this key", missing.join(" and ")))
}

/// Cut and on one line: it is said back to whoever wrote it.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(LONGEST_ITEM).collect::<String>())
}

/// As the operator writes it: `90d`.
pub fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let (length, unit) = units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length)).unwrap_or((1, "s"));
    format!("{}{unit}", seconds / length)
}
