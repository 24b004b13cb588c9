//! Opaque values: codes, refresh tokens, registration tokens, ids. 256 random bits for whatever is a secret, and only
//! the hash of it is ever stored.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Secret;
use crate::random::{NoRandomness, Random};

/// A fresh secret of 256 bits in base64url, after `prefix`, by which scanners find leaks.
pub fn new_secret(prefix: &str, random: &dyn Random) -> Result<Secret, NoRandomness> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes)?;
    Ok(Secret::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
}

/// A fresh identifier of 128 bits in base64url: unguessable, and no secret.
pub fn new_id(random: &dyn Random) -> Result<String, NoRandomness> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A fresh key of 256 bits in hexadecimal.
pub fn new_hex_key(random: &dyn Random) -> Result<Secret, NoRandomness> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes)?;
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    Ok(Secret::new(digits.map(digit).collect::<String>()))
}

/// The SHA-256 of a secret, in base64url: what stores hold and use as keys.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// Hashes a presented or a fresh secret.
    pub fn of(secret: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, secret.as_bytes())))
    }

    /// The hash as text: a key in a store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `presented` is what was hashed; compares in constant time.
    pub fn fits(&self, presented: &str) -> bool {
        let other = Self::of(presented);
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

/// Not even the hash belongs in a log.
impl fmt::Debug for SecretHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hash]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn secrets_differ_carry_their_prefix_and_fit_only_their_own_hash() {
        let first = new_secret("mfr_", &SystemRandom).unwrap();
        let second = new_secret("mfr_", &SystemRandom).unwrap();
        assert!(first.expose().starts_with("mfr_") && first.expose().len() == 4 + 43);
        assert_ne!(first.expose(), second.expose());
        let hash = SecretHash::of(first.expose());
        assert!(hash.fits(first.expose()) && !hash.fits(second.expose()));
        assert_eq!(format!("{hash:?}"), "[hash]");
    }
}
