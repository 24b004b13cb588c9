//! What must be read again is kept sealed: encrypted and authenticated, so that a copy of the store alone is worth
//! nothing. Who holds the key, and how it is derived, is not known here.

use std::fmt::Debug;

use crate::domain::Secret;
use crate::store::Sealer;

/// What is sealed. Each purpose has its own key, so that one sealed thing can never pass for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The private part of a signing key; belongs to its key id.
    SigningKey,
    /// What a sign-in at an identity provider started with; belongs to the pending authorization.
    SignIn,
    /// An identity provider's refresh token; belongs to the person.
    UpstreamToken,
    /// The refresh token that came after another; belongs to the grant.
    Successor,
    /// A browser's session; belongs to the resource.
    BrowserSession,
    /// What a browser carries from host to host while it signs in.
    BrowserStart,
}

impl Purpose {
    /// The name from which the key is derived; never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SigningKey => "signing key",
            Self::SignIn => "sign-in",
            Self::UpstreamToken => "upstream token",
            Self::Successor => "successor",
            Self::BrowserSession => "browser session",
            Self::BrowserStart => "browser start",
        }
    }
}

/// What was sealed cannot be opened: another key, another owner, or damage. Or nothing can be sealed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed for {} cannot be opened: is it the same master key?", .0.as_str())]
pub struct Unsealable(pub Purpose);

/// Seals and opens. What was sealed for one purpose and owner opens for no other.
pub trait Seal: Send + Sync + Debug {
    /// Whether `sealed` is under the operator's present key; what is not is sealed anew, so that an older key can go.
    fn is_current(&self, sealed: &str) -> bool;

    /// Seals under the operator's key.
    fn seal(&self, purpose: Purpose, owner: &str, plain: &[u8]) -> Result<String, Unsealable>;

    /// Opens what was sealed under the operator's key.
    fn open(&self, purpose: Purpose, owner: &str, sealed: &str) -> Result<Vec<u8>, Unsealable>;

    /// Seals under a key derived from `secret`, so that only who presents it can have it opened.
    fn seal_under(&self, secret: &Secret, purpose: Purpose, owner: &str, plain: &[u8]) -> Result<String, Unsealable>;

    /// Opens what was sealed under `secret`.
    fn open_under(&self, secret: &Secret, purpose: Purpose, owner: &str, sealed: &str) -> Result<Vec<u8>, Unsealable>;
}

/// The sealer of the store keeps these promises.
impl Seal for Sealer {
    fn is_current(&self, sealed: &str) -> bool {
        Self::is_current(self, sealed)
    }

    fn seal(&self, purpose: Purpose, owner: &str, plain: &[u8]) -> Result<String, Unsealable> {
        Self::seal(self, purpose.as_str(), owner, plain).map_err(|_| Unsealable(purpose))
    }

    fn open(&self, purpose: Purpose, owner: &str, sealed: &str) -> Result<Vec<u8>, Unsealable> {
        Self::open(self, purpose.as_str(), owner, sealed).map_err(|_| Unsealable(purpose))
    }

    fn seal_under(&self, secret: &Secret, purpose: Purpose, owner: &str, plain: &[u8]) -> Result<String, Unsealable> {
        let under = self.under_token(secret).map_err(|_| Unsealable(purpose))?;
        Self::seal(&under, purpose.as_str(), owner, plain).map_err(|_| Unsealable(purpose))
    }

    fn open_under(&self, secret: &Secret, purpose: Purpose, owner: &str, sealed: &str) -> Result<Vec<u8>, Unsealable> {
        let under = self.under_token(secret).map_err(|_| Unsealable(purpose))?;
        Self::open(&under, purpose.as_str(), owner, sealed).map_err(|_| Unsealable(purpose))
    }
}
