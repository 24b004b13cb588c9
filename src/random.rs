//! The injected source of randomness: nothing in the authorization server draws bytes from anywhere else.

use aws_lc_rs::rand;

/// The machine has no randomness to give; nothing secret can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the machine gives no random bytes")]
pub struct NoRandomness;

/// Gives unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The machine's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        rand::fill(bytes).map_err(|_| NoRandomness)
    }
}
