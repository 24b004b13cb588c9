//! `[[resources.tool_rules]]`.

use super::ConfigError;
use super::condition;
use super::file::{Strings, WrittenToolRule};
use super::resource::{read_email, read_mode};
use super::scopes::{self, Implied};
use crate::authz::OperationRule;
use crate::authz::policy::Principals;
use crate::domain::Glob;

/// One rule, whose keys stand under `place`.
pub(super) fn read(place: &str, written: &WrittenToolRule, implied: &Implied) -> Result<OperationRule, ConfigError> {
    let rule = OperationRule {
        methods: methods(place, written)?,
        names: globs(&format!("{place}.names"), written.names.as_ref())?,
        except_names: globs(&format!("{place}.except_names"), Some(&written.except_names))?,
        deny: written.deny,
        required_scopes: required_scopes(place, written, implied)?,
        principals: principals(place, written)?,
        condition: condition::read(&format!("{place}.condition"), written.condition.as_deref())?,
        mode: read_mode(&format!("{place}.mode"), written.mode.as_deref())?,
    };
    refuse_contradiction(place, &rule)?;
    Ok(rule)
}

/// Calls of tools, unless other methods are named.
fn methods(place: &str, written: &WrittenToolRule) -> Result<Vec<Glob>, ConfigError> {
    match &written.methods {
        None => Ok(Glob::parse("tools/call").into_iter().collect()),
        methods => globs(&format!("{place}.methods"), methods.as_ref()),
    }
}

fn globs(key: &str, written: Option<&Strings>) -> Result<Vec<Glob>, ConfigError> {
    let Some(Strings(texts)) = written else { return Ok(Vec::new()) };
    if texts.is_empty() && !key.ends_with("except_names") {
        let rule = "the list is empty, so the rule is about nothing";
        return Err(ConfigError::new(key, None, rule, "leave it out, or name what the rule is about"));
    }
    let read = |text: &String| {
        let fix = "write a name, with * for any run of characters";
        Glob::parse(text).ok_or_else(|| ConfigError::new(key, Some(text), "it must not be empty", fix))
    };
    texts.iter().map(read).collect()
}

fn required_scopes(
    place: &str,
    written: &WrittenToolRule,
    implied: &Implied,
) -> Result<Vec<crate::authz::policy::RequiredScope>, ConfigError> {
    let key = format!("{place}.required_scopes");
    let read = |text: &String| scopes::read(&key, text).map(|scope| implied.requirement(scope));
    written.required_scopes.0.iter().map(read).collect()
}

/// A list that is written but empty names nobody, and must not be read as naming everybody.
fn principals(place: &str, written: &WrittenToolRule) -> Result<Option<Principals>, ConfigError> {
    let lists = [
        ("allowed_emails", &written.allowed_emails),
        ("allowed_groups", &written.allowed_groups),
        ("allowed_users", &written.allowed_users),
        ("allowed_subjects", &written.allowed_subjects),
        ("allowed_clients", &written.allowed_clients),
    ];
    if lists.iter().all(|(_, list)| list.is_none()) {
        return Ok(None);
    }
    if let Some((name, _)) = lists.iter().find(|(_, list)| list.as_ref().is_some_and(|list| list.0.is_empty())) {
        let rule = "the list is empty, so it names nobody";
        return Err(ConfigError::new(format!("{place}.{name}"), None, rule, "name who may, or write deny = true"));
    }
    let [emails, groups, users, subjects, clients] = lists.map(|(_, list)| list.clone().unwrap_or_default().0);
    let key = format!("{place}.allowed_emails");
    let emails = emails.iter().map(|text| read_email(&key, text)).collect::<Result<_, _>>()?;
    Ok(Some(Principals { emails, groups, users, subjects, clients, anyone: false }))
}

fn refuse_contradiction(place: &str, rule: &OperationRule) -> Result<(), ConfigError> {
    let demands = rule.principals.is_some() || !rule.required_scopes.is_empty() || rule.condition.is_some();
    match (rule.deny, demands) {
        (true, true) => {
            let fault = "nobody may, so required_scopes, condition and the allowed_… lists have no effect";
            Err(ConfigError::unquoted(format!("{place}.deny"), true, fault, "remove it or them"))
        }
        (false, false) => {
            let fault = "the rule demands nothing";
            let fix = "add required_scopes, an allowed_… list, a condition or deny = true, or remove the rule";
            Err(ConfigError::new(place, None, fault, fix))
        }
        _ => Ok(()),
    }
}
