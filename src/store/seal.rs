//! What must be read again is stored sealed: encrypted and authenticated, so that a copy of the store alone is worth
//! nothing, and no sealed text passes for another.
//!
//! AES-256-GCM under a key of its own for every purpose; the record that it belongs to is authenticated with it. A sealed
//! text is base64url of `1 | id of the master key (4) | nonce (12) | encrypted | tag (16)`.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::MasterKey;
use crate::domain::Secret;
use crate::random::{NoRandomness, Random};

/// The form that this version writes.
const FORM: u8 = 1;
/// Form and id of the master key.
const HEAD_LENGTH: usize = 5;

/// Seals under the current master key; opens what was sealed under it or an older one.
#[derive(Clone)]
pub struct Sealer {
    current: MasterKey,
    older: Vec<MasterKey>,
    random: Arc<dyn Random>,
}

/// Why something cannot be sealed or opened. Says nothing of what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Without randomness nothing can be sealed.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// Too large, or the cryptography refused.
    #[error("it cannot be sealed")]
    Unsealable,
    /// A form that this version does not know, or no sealed text at all.
    #[error("it was not sealed by this version")]
    UnknownForm,
    /// The master key is not among those that were given.
    #[error("it was sealed under a master key that is not given; give that key as an older one")]
    UnknownKey,
    /// It was changed, or taken from another record.
    #[error("it was changed since it was sealed, or belongs to another record")]
    Broken,
}

impl Sealer {
    /// Seals under `current`. What was sealed under one of `older` can still be opened.
    pub fn new(current: MasterKey, older: Vec<MasterKey>, random: Arc<dyn Random>) -> Self {
        Self { current, older, random }
    }

    /// Seals under a key that is derived from `token` and from nothing else: only who presents the token again can have it
    /// opened, not even who holds the master key and the store.
    pub fn under_token(&self, token: &Secret) -> Result<Self, SealError> {
        let current = MasterKey::of_token(token.expose()).ok_or(SealError::Unsealable)?;
        Ok(Self { current, older: Vec::new(), random: Arc::clone(&self.random) })
    }

    /// Seals `plain` for `purpose` and `record`; it opens for no other. The purpose is part of the key: never change one.
    ///
    /// Nonces are random, which is safe for 2³² texts per key and purpose (NIST SP 800-38D §8.3).
    pub fn seal(&self, purpose: &'static str, record: &str, plain: &[u8]) -> Result<String, SealError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce)?;
        let head = head(&self.current);
        let key = key(&self.current, purpose)?;
        let mut sealed = plain.to_vec();
        let bound = Aad::from(bound_to(head, record));
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut sealed)
            .map_err(|_| SealError::Unsealable)?;
        Ok(URL_SAFE_NO_PAD.encode([head.as_slice(), &nonce, &sealed].concat()))
    }

    /// Opens what was sealed for `purpose` and `record`.
    pub fn open(&self, purpose: &'static str, record: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealError::UnknownForm)?;
        let (head, rest) = split_head(&bytes).ok_or(SealError::UnknownForm)?;
        let (nonce, encrypted) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::UnknownForm)?;
        let master = self.keys().find(|master| self::head(master) == head).ok_or(SealError::UnknownKey)?;
        let mut opened = encrypted.to_vec();
        let bound = Aad::from(bound_to(head, record));
        let plain = key(master, purpose)?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), bound, &mut opened)
            .map_err(|_| SealError::Broken)?;
        let length = plain.len();
        opened.truncate(length);
        Ok(opened)
    }

    /// Whether `sealed` is under the current master key; what is not should be sealed anew, so that the older key can go.
    pub fn is_current(&self, sealed: &str) -> bool {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap_or_default();
        split_head(&bytes).is_some_and(|(head, _)| head == self::head(&self.current))
    }

    fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sealer")
    }
}

fn head(master: &MasterKey) -> [u8; HEAD_LENGTH] {
    let [a, b, c, d] = master.id();
    [FORM, a, b, c, d]
}

fn split_head(bytes: &[u8]) -> Option<([u8; HEAD_LENGTH], &[u8])> {
    let (head, rest) = bytes.split_first_chunk()?;
    head.starts_with(&[FORM]).then_some((*head, rest))
}

/// Authenticated besides the contents. The purpose is in the key.
fn bound_to(head: [u8; HEAD_LENGTH], record: &str) -> Vec<u8> {
    [head.as_slice(), record.as_bytes()].concat()
}

fn key(master: &MasterKey, purpose: &str) -> Result<LessSafeKey, SealError> {
    master.subkey(purpose).ok_or(SealError::Unsealable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    const PLAIN: &[u8] = b"the private part of a key";

    fn key(letter: &str) -> MasterKey {
        MasterKey::parse(&format!("{}{}", letter.repeat(32), "0".repeat(32))).unwrap()
    }

    fn keeper(current: &str, older: &[&str]) -> Sealer {
        Sealer::new(key(current), older.iter().map(|letter| key(letter)).collect(), Arc::new(SystemRandom))
    }

    #[test]
    fn what_was_sealed_opens_for_the_same_purpose_and_record() {
        let keeper = keeper("a", &[]);
        for plain in [PLAIN, b"", &vec![0; 100_000]] {
            let sealed = keeper.seal("signing key", "id/1", plain).unwrap();
            assert_eq!(keeper.open("signing key", "id/1", &sealed).unwrap(), plain);
            assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        }
    }

    #[test]
    fn the_same_text_is_sealed_differently_every_time_and_its_contents_do_not_show() {
        let keeper = keeper("a", &[]);
        let seal = || URL_SAFE_NO_PAD.decode(keeper.seal("signing key", "1", PLAIN).unwrap()).unwrap();
        let (first, second) = (seal(), seal());
        assert_ne!(first[5..17], second[5..17], "the nonce");
        assert_ne!(first[17..], second[17..]);
        assert!(!first.windows(8).any(|part| PLAIN.windows(8).any(|plain| plain == part)));
    }

    #[test]
    fn another_purpose_another_record_or_another_key_does_not_open_it() {
        let keeper = keeper("a", &["b"]);
        let sealed = keeper.seal("signing key", "12", PLAIN).unwrap();
        let refused = [
            (keeper.open("sign-in", "12", &sealed), SealError::Broken),
            (keeper.open("signing key", "1", &sealed), SealError::Broken),
            (keeper.open("signing key", "123", &sealed), SealError::Broken),
            (keeper.open("signing key", "", &sealed), SealError::Broken),
            // What stands next to each other must not be shifted from one into the other.
            (keeper.open("signing key1", "2", &sealed), SealError::Broken),
            (self::keeper("c", &["b"]).open("signing key", "12", &sealed), SealError::UnknownKey),
        ];
        for (number, (outcome, error)) in refused.into_iter().enumerate() {
            assert_eq!(outcome, Err(error), "row {number}");
        }
    }

    #[test]
    fn no_bit_and_no_byte_can_be_changed_added_or_taken_away() {
        let keeper = keeper("a", &["b"]);
        let bytes = URL_SAFE_NO_PAD.decode(keeper.seal("signing key", "1", PLAIN).unwrap()).unwrap();
        let opens = |bytes: &[u8]| keeper.open("signing key", "1", &URL_SAFE_NO_PAD.encode(bytes)).is_ok();
        assert!(opens(&bytes));
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                assert!(!opens(&changed), "byte {place}, bit {bit}");
            }
            assert!(!opens(&bytes[..place]), "cut after {place}");
        }
        assert!(!opens(&[bytes.as_slice(), b"\0"].concat()));
        // The id of another key that is known: the right one is not tried then.
        let other = [&[FORM], key("b").id().as_slice(), &bytes[5..]].concat();
        assert_eq!(keeper.open("signing key", "1", &URL_SAFE_NO_PAD.encode(other)), Err(SealError::Broken));
    }

    #[test]
    fn what_is_no_sealed_text_is_refused() {
        let keeper = keeper("a", &[]);
        for text in ["", "AQ", "not base64!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "é"] {
            assert_eq!(keeper.open("signing key", "1", text), Err(SealError::UnknownForm), "{text}");
            assert!(!keeper.is_current(text));
        }
    }

    #[test]
    fn after_a_change_of_the_master_key_the_older_one_still_opens_but_does_not_seal() {
        let before = keeper("a", &[]);
        let old = before.seal("signing key", "1", PLAIN).unwrap();
        let after = keeper("b", &["c", "a"]);
        assert_eq!(after.open("signing key", "1", &old).unwrap(), PLAIN);
        assert!(before.is_current(&old) && !after.is_current(&old));
        let new = after.seal("signing key", "1", PLAIN).unwrap();
        assert!(after.is_current(&new));
        assert_eq!(before.open("signing key", "1", &new), Err(SealError::UnknownKey));
        assert_eq!(keeper("b", &[]).open("signing key", "1", &old), Err(SealError::UnknownKey));
    }

    #[test]
    fn what_is_sealed_under_a_token_opens_with_that_token_only() {
        let master = keeper("a", &[]);
        let token = |text: &str| master.under_token(&Secret::new(text)).unwrap();
        let sealed = token("mfr_one").seal("successor", "grant", b"mfr_two").unwrap();
        assert_eq!(token("mfr_one").open("successor", "grant", &sealed).unwrap(), b"mfr_two");
        // Whatever master key this process has: it plays no part.
        let elsewhere = keeper("b", &[]).under_token(&Secret::new("mfr_one")).unwrap();
        assert_eq!(elsewhere.open("successor", "grant", &sealed).unwrap(), b"mfr_two");
        assert_eq!(token("mfr_two").open("successor", "grant", &sealed), Err(SealError::UnknownKey));
        assert_eq!(master.open("successor", "grant", &sealed), Err(SealError::UnknownKey));
        assert_eq!(token("mfr_one").open("successor", "other", &sealed), Err(SealError::Broken));
    }

    #[test]
    fn a_token_that_looks_like_a_master_key_is_none() {
        let text = format!("{}{}", "a".repeat(32), "0".repeat(32));
        let sealed = keeper("a", &[]).seal("successor", "1", PLAIN).unwrap();
        let under_it = keeper("b", &[]).under_token(&Secret::new(text)).unwrap();
        assert_eq!(under_it.open("successor", "1", &sealed), Err(SealError::UnknownKey));
    }

    #[test]
    fn without_randomness_nothing_is_sealed() {
        struct Nothing;
        impl Random for Nothing {
            fn fill(&self, _: &mut [u8]) -> Result<(), NoRandomness> {
                Err(NoRandomness)
            }
        }
        let keeper = Sealer::new(key("a"), Vec::new(), Arc::new(Nothing));
        assert_eq!(keeper.seal("signing key", "1", PLAIN), Err(SealError::NoRandomness(NoRandomness)));
    }

    /// A text as the first version sealed it, and as an independent HKDF and AES-GCM did: later versions must open it.
    #[test]
    fn the_form_stays() {
        struct Counting;
        impl Random for Counting {
            fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
                bytes.iter_mut().zip(1..).for_each(|(byte, number)| *byte = number);
                Ok(())
            }
        }
        let keeper = Sealer::new(key("a"), Vec::new(), Arc::new(Counting));
        let sealed = "AXoqVmMBAgMEBQYHCAkKCwyKHlKDzuIoy8_q21f0uLXyA1ia-o7zYTSFq9w5i1GtcJ5VJvkE42zuEg";
        assert_eq!(keeper.seal("signing key", "id/1", PLAIN).unwrap(), sealed);
        assert_eq!(keeper.open("signing key", "id/1", sealed).unwrap(), PLAIN);
    }

    #[test]
    fn nothing_of_it_shows_when_printed() {
        assert_eq!(format!("{:?}", keeper("a", &["b"])), "Sealer");
    }
}
