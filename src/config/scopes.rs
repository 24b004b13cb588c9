//! `[scopes.implies]`: which scope holds which others.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{Strings, WrittenScopes};
use super::{ConfigError, ConfigErrors};
use crate::authz::policy::RequiredScope;
use crate::domain::Scope;

/// For each scope, those that it implies directly.
#[derive(Debug, Default)]
pub(super) struct Implied(BTreeMap<Scope, Vec<Scope>>);

pub(super) fn read_implied(written: &WrittenScopes, errors: &mut ConfigErrors) -> Implied {
    let mut implied = BTreeMap::new();
    for (broad, Strings(narrow)) in &written.implies {
        let key = format!("scopes.implies.{broad:?}");
        let broad = errors.keep(read(&key, broad));
        let narrow: Vec<Scope> = narrow.iter().filter_map(|name| errors.keep(read(&key, name))).collect();
        if let Some(broad) = broad {
            implied.insert(broad, narrow);
        }
    }
    Implied(implied)
}

/// One scope under `key`.
pub(super) fn read(key: &str, text: &str) -> Result<Scope, ConfigError> {
    Scope::parse(text).ok_or_else(|| {
        let rule = "a scope is visible ASCII without spaces, quotes and backslashes";
        ConfigError::new(key, Some(text), rule, "write one scope per item, like \"mcp:read\"")
    })
}

impl Implied {
    /// `scope` and everything that implies it, directly or through others.
    pub(super) fn requirement(&self, scope: Scope) -> RequiredScope {
        let mut satisfied_by = BTreeSet::from([scope.clone()]);
        loop {
            let broader: Vec<Scope> = self
                .0
                .iter()
                .filter(|(broad, narrow)| {
                    !satisfied_by.contains(*broad) && narrow.iter().any(|scope| satisfied_by.contains(scope))
                })
                .map(|(broad, _)| broad.clone())
                .collect();
            if broader.is_empty() {
                return RequiredScope { scope, satisfied_by: satisfied_by.into_iter().collect() };
            }
            satisfied_by.extend(broader);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn implication_is_transitive_and_survives_circles() {
        let scope = |text: &str| Scope::parse(text).unwrap();
        let implied = Implied(BTreeMap::from([
            (scope("admin"), vec![scope("write")]),
            (scope("write"), vec![scope("read"), scope("admin")]),
        ]));
        let satisfied_by: Vec<String> =
            implied.requirement(scope("read")).satisfied_by.iter().map(ToString::to_string).collect();
        assert_eq!(satisfied_by, ["admin", "read", "write"]);
        assert_eq!(implied.requirement(scope("other")).satisfied_by, [scope("other")]);
    }
}
