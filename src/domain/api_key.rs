//! API keys as they are written: `mfa_`, 256 random bits in base62, and a checksum. Scanners find a leaked one by its
//! form, and a mistyped or invented one is refused without being looked up.

use super::{Secret, SecretHash};
use crate::random::{NoRandomness, Random};

/// What has the form of an API key. It never prints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedKey<'a>(&'a str);

impl std::fmt::Debug for PresentedKey<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// What every key starts with.
pub const PREFIX: &str = "mfa_";
/// What subject and client of a key start with; its name follows. No token of an issuer may claim such a name.
pub const PRINCIPAL: &str = "api-key:";
/// How scanners find one.
pub const PATTERN: &str = r"\bmfa_[0-9A-Za-z]{49}\b";

/// 256 bits need so many digits.
const RANDOM_DIGITS: usize = 43;
/// 32 bits need so many digits.
const CHECKSUM_DIGITS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl<'a> PresentedKey<'a> {
    /// Whether `token` is meant to be an API key, well written or not.
    pub fn is_meant(token: &[u8]) -> bool {
        token.starts_with(PREFIX.as_bytes())
    }

    /// Takes what has the form, checksum included. Nothing is known of it yet: anybody can compute a checksum.
    pub fn parse(token: &'a [u8]) -> Option<Self> {
        if token.len() != PREFIX.len() + RANDOM_DIGITS + CHECKSUM_DIGITS {
            return None;
        }
        let text = std::str::from_utf8(token).ok()?;
        let (random, checksum) = text.strip_prefix(PREFIX)?.split_at_checked(RANDOM_DIGITS)?;
        let is_base62 = random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_base62 && checksum == checksum_of(random)).then_some(Self(text))
    }

    /// What is stored in its place.
    pub fn hash(self) -> SecretHash {
        SecretHash::of(self.0)
    }
}

/// A fresh key.
pub fn new_key(random: &dyn Random) -> Result<Secret, NoRandomness> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes)?;
    let random = base62(&mut bytes, RANDOM_DIGITS);
    Ok(Secret::new(format!("{PREFIX}{random}{}", checksum_of(&random))))
}

/// 1 to 64 lower-case letters, digits, `.`, `-` and `_`, a letter or digit first: it goes into headers, logs and rules.
pub fn is_name(text: &str) -> bool {
    const MAX_LENGTH: usize = 64;
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    let sound = |byte: u8| letter(byte) || b".-_".contains(&byte);
    text.len() <= MAX_LENGTH && text.bytes().all(sound) && text.bytes().next().is_some_and(letter)
}

/// Whether `text` could be taken for an API key by rules or by people, who may not look at case.
pub fn is_principal(text: &str) -> bool {
    text.get(..PRINCIPAL.len()).is_some_and(|start| start.eq_ignore_ascii_case(PRINCIPAL))
}

fn checksum_of(random: &str) -> String {
    base62(&mut crc32(random.as_bytes()).to_be_bytes(), CHECKSUM_DIGITS)
}

/// CRC-32 as in ISO 3309 and PNG. It finds slips of the hand and keeps nobody out.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32| sum >> 1 ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}

/// The lowest `digits` digits of a big-endian number, which is used up.
fn base62(number: &mut [u8], digits: usize) -> String {
    let mut text: Vec<char> = (0..digits).map(|_| last_digit(number)).collect();
    text.reverse();
    text.into_iter().collect()
}

/// Divides by 62 and tells the remainder.
fn last_digit(number: &mut [u8]) -> char {
    let rest = number.iter_mut().fold(0_u16, |rest, byte| {
        let value = rest << 8 | u16::from(*byte);
        *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
        value % 62
    });
    DIGITS.get(usize::from(rest)).map_or('0', |digit| char::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    struct Fixed(u8);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn the_checksum_is_the_common_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(base62(&mut 62_u32.pow(5).to_be_bytes(), CHECKSUM_DIGITS), "100000");
        assert_eq!(base62(&mut u32::MAX.to_be_bytes(), CHECKSUM_DIGITS), "4gfFC3");
    }

    /// 2^256 - 1 in base 62, as computed with another program.
    #[test]
    fn no_bit_of_the_256_is_lost() {
        let all = new_key(&Fixed(0xff)).unwrap();
        assert!(all.expose().starts_with("mfa_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"));
        let none = new_key(&Fixed(0)).unwrap();
        assert!(none.expose().starts_with(&format!("mfa_{}", "0".repeat(43))));
    }

    #[test]
    fn fresh_keys_differ_and_have_the_form() {
        let keys: Vec<Secret> = (0..200).map(|_| new_key(&SystemRandom).unwrap()).collect();
        for key in &keys {
            let read = PresentedKey::parse(key.expose().as_bytes()).unwrap();
            assert!(read.hash().fits(key.expose()) && key.expose().len() == 53, "{}", key.expose());
            assert_eq!(format!("{read:?} {key:?}"), "[redacted] [redacted]");
        }
        let mut texts: Vec<&str> = keys.iter().map(Secret::expose).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), keys.len());
    }

    #[test]
    fn any_single_slip_is_found() {
        let key = new_key(&SystemRandom).unwrap();
        let bytes = key.expose().as_bytes();
        for place in 0..bytes.len() {
            for other in DIGITS.iter().chain(b"-_. ") {
                let mut slipped = bytes.to_vec();
                slipped[place] = *other;
                assert_eq!(PresentedKey::parse(&slipped).is_some(), slipped == bytes, "{place}");
            }
            assert!(PresentedKey::parse(&bytes[..place]).is_none());
            if place > 0 && bytes[place - 1] != bytes[place] {
                let mut swapped = bytes.to_vec();
                swapped.swap(place - 1, place);
                assert!(PresentedKey::parse(&swapped).is_none(), "{place}");
            }
        }
    }

    #[test]
    fn what_is_written_otherwise_is_no_key() {
        let key = new_key(&SystemRandom).unwrap();
        let key = key.expose();
        for text in [
            key.to_uppercase(),
            key.to_lowercase(),
            format!("{key} "),
            format!(" {key}"),
            format!("{key}0"),
            key.replacen("mfa_", "mfr_", 1),
            key.replacen("mfa_", "MFA_", 1),
            "mfa_".into(),
            String::new(),
            format!("mfa_{}", "é".repeat(24)),
            format!("mfa_{}é", "0".repeat(47)),
            format!("mfa_{}", "\0".repeat(49)),
        ] {
            assert!(PresentedKey::parse(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(PresentedKey::parse(&[&b"mfa_"[..], &[0xff; 49]].concat()).is_none());
    }

    #[test]
    fn names_are_plain_and_nobody_else_may_be_called_so() {
        for name in ["backup", "a", "0", "nightly-report_2.old", &"a".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "Backup", "-a", ".a", "a b", "a:b", "a/b", "a\n", "é", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
        for text in ["api-key:backup", "api-key:", "API-Key:backup"] {
            assert!(is_principal(text), "{text}");
        }
        for text in ["api-key", "api-keys:backup", " api-key:x", "é:", ""] {
            assert!(!is_principal(text), "{text}");
        }
    }
}
