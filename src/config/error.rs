//! One line per mistake: key, value, rule, fix.

use std::fmt;

/// A mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    key: String,
    value: Option<String>,
    rule: String,
    fix: String,
}

impl ConfigError {
    /// `key` holds `value`, which breaks `rule`; `fix` says what to write.
    pub fn new(key: impl Into<String>, value: Option<&str>, rule: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.map(printable), rule: rule.into(), fix: fix.into() }
    }

    /// The same with a number or boolean, shown as it is written.
    pub fn unquoted(
        key: impl Into<String>,
        value: impl fmt::Display,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { key: key.into(), value: Some(value.to_string()), rule: rule.into(), fix: fix.into() }
    }

    /// A mistake in a value that must not be shown.
    pub fn secret(key: impl Into<String>, rule: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { key: key.into(), value: Some("[redacted]".into()), rule: rule.into(), fix: fix.into() }
    }
}

/// Quoted and cut, so that a message stays one line; a password in a URL is left out.
fn printable(value: &str) -> String {
    const MAX_CHARS: usize = 120;
    let cut: String = without_password(value).chars().take(MAX_CHARS).collect();
    format!("{cut:?}")
}

fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://[redacted]{}", rest.strip_prefix(user).unwrap_or_default()),
        None => value.to_owned(),
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(formatter, " = {value}")?;
        }
        write!(formatter, ": {}; {}", self.rule, self.fix)
    }
}

/// Every mistake that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// Adds a mistake.
    pub fn add(&mut self, error: ConfigError) {
        self.0.push(error);
    }

    /// Whether all is well.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the value, or notes the mistake.
    pub fn keep<T>(&mut self, outcome: Result<T, ConfigError>) -> Option<T> {
        outcome.map_err(|error| self.add(error)).ok()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(formatter, "{gap}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
