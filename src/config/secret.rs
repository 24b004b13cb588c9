//! Secrets: in the configuration, or in a file beside it (`…_file`), never both.

use super::ConfigError;
use crate::domain::Secret;

/// The secret under `key`, from its text or from the file that `{key}_file` names.
pub(super) fn read(key: &str, text: Option<&str>, file: Option<&str>) -> Result<Option<Secret>, ConfigError> {
    match (text, file) {
        (Some(_), Some(_)) => {
            Err(ConfigError::secret(key, format!("{key}_file is set as well"), "keep one of the two"))
        }
        (Some(text), None) => not_empty(key, text).map(Some),
        (None, Some(path)) => {
            let key = format!("{key}_file");
            let text = std::fs::read_to_string(path).map_err(|error| {
                let rule = format!("the file cannot be read: {error}");
                ConfigError::new(&*key, Some(path), rule, "name a file that this user may read")
            })?;
            not_empty(&key, &text).map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// Files end with a line break that is no part of the secret.
fn not_empty(key: &str, text: &str) -> Result<Secret, ConfigError> {
    match text.trim() {
        "" => Err(ConfigError::secret(key, "it is empty", "write the secret")),
        text => Ok(Secret::new(text)),
    }
}
