//! Credentials in a file, as a program keeps them that is started anew for every use.

use std::path::PathBuf;

use async_trait::async_trait;
use rmcp::transport::auth::{AuthError, CredentialStore, StoredCredentials};

#[derive(Clone)]
pub struct FileStore(PathBuf);

impl FileStore {
    pub fn new(path: &str) -> Self {
        Self(PathBuf::from(path))
    }
}

fn failed(error: impl std::fmt::Display) -> AuthError {
    AuthError::InternalError(error.to_string())
}

#[async_trait]
impl CredentialStore for FileStore {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        match std::fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(failed),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Under another name first: two programs may save at once.
    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        let fresh = self.0.with_extension(std::process::id().to_string());
        let bytes = serde_json::to_vec(&credentials).map_err(failed)?;
        std::fs::write(&fresh, bytes).map_err(failed)?;
        std::fs::rename(&fresh, &self.0).map_err(failed)
    }

    async fn clear(&self) -> Result<(), AuthError> {
        std::fs::remove_file(&self.0).map_err(failed)
    }
}
