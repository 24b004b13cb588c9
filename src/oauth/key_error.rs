//! What can be wrong with signing keys.

use std::time::Duration;

use super::key_pair::UnusableKey;
use super::key_ring::BrokenKey;
use super::{ErrorCode, OAuthError};
use crate::store::StoreError;

/// Why keys could not be had or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key.
    #[error(transparent)]
    Broken(#[from] BrokenKey),
    /// The next key is so new that verifiers may not know it.
    #[error("the next key was published only a moment ago; wait {0:?} or rotate at once")]
    TooSoon(Duration),
    /// Others changed the keys at the same time, again and again.
    #[error("the keys were changed by others at the same time")]
    Busy,
}

impl From<UnusableKey> for KeyError {
    fn from(error: UnusableKey) -> Self {
        Self::Broken(error.into())
    }
}

impl From<KeyError> for OAuthError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            KeyError::Broken(_) | KeyError::TooSoon(_) | KeyError::Busy => {
                Self::new(ErrorCode::ServerError, "the server cannot sign").because(&error)
            }
        }
    }
}
