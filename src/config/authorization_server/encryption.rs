//! The keys that secrets at rest are sealed with: the present one, and older ones while they are replaced.

use super::{WrittenAuthorizationServer, key};
use crate::config::file::Strings;
use crate::config::{ConfigError, secret};
use crate::domain::Secret;
use crate::store::MasterKey;

/// Master keys as configured.
#[derive(Debug, Clone)]
pub struct EncryptionKeys {
    /// What is sealed with from now on; made and kept beside the store when absent.
    pub current: Option<MasterKey>,
    /// What was sealed with these can still be opened.
    pub older: Vec<MasterKey>,
}

pub(super) fn read(written: &WrittenAuthorizationServer) -> Result<EncryptionKeys, ConfigError> {
    let key = key("encryption_key");
    let current = secret::read(&key, written.encryption_key.as_deref(), written.encryption_key_file.as_deref())?;
    let current = current.map(|found| parse(&key, &found)).transpose()?;
    Ok(EncryptionKeys { current, older: older(written)? })
}

fn older(written: &WrittenAuthorizationServer) -> Result<Vec<MasterKey>, ConfigError> {
    let (Strings(texts), Strings(files)) = (&written.older_encryption_keys, &written.older_encryption_key_files);
    let key = key("older_encryption_key");
    let texts = texts.iter().map(|text| (Some(text.as_str()), None));
    let files = files.iter().map(|path| (None, Some(path.as_str())));
    let mut keys = Vec::new();
    for (text, file) in texts.chain(files) {
        if let Some(found) = secret::read(&key, text, file)? {
            keys.push(parse(&format!("{key}s"), &found)?);
        }
    }
    Ok(keys)
}

fn parse(key: &str, found: &Secret) -> Result<MasterKey, ConfigError> {
    MasterKey::parse(found.expose()).map_err(|mistake| ConfigError::secret(key, mistake.rule, mistake.fix))
}
