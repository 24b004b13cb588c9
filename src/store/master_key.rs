//! The key from which all others that seal are derived: given by the operator, or made at the first start and kept in a
//! file for this user only.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Mistake, new_file};
use crate::random::Random;

/// Bytes of a master key.
const LENGTH: usize = 32;
/// Longest file read.
const MAX_FILE: u64 = 4096;

const MAKE_ONE: &str = "make one with: openssl rand -base64 32";

/// A master key. Only what is derived from it is kept, and nothing of it is ever shown.
#[derive(Clone)]
pub struct MasterKey {
    root: Prk,
    id: [u8; 4],
}

impl MasterKey {
    /// Reads 32 bytes in hexadecimal or in base64, with the one alphabet or the other, padded or not.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        let rule = "it must be 32 bytes, written as 64 hexadecimal digits or as 43 or 44 characters of base64";
        let bytes = bytes_of(text).ok_or_else(|| Mistake::new(rule, MAKE_ONE))?;
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err(Mistake::new("it is one byte repeated, which is no secret", MAKE_ONE));
        }
        Self::derive(b"mcp-forward-auth master key", &bytes).ok_or_else(|| Mistake::new(rule, MAKE_ONE))
    }

    /// Reads the key from the file at `path`; `None` when there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>, Mistake> {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&error)),
            Ok(metadata) if !metadata.is_file() => Err(Mistake::new("this is no regular file", "name a file")),
            Ok(_) => Self::parse(&read(path)?).map(Some),
        }
    }

    /// Reads the key from the file at `path`, which is made with a fresh key if it is not there. Of several processes that
    /// start at once, all read the same key.
    pub fn read_or_make(path: &Path, random: &dyn Random) -> Result<Self, Mistake> {
        if let Some(found) = Self::read(path)? {
            return Ok(found);
        }
        make(path, random)?;
        Self::parse(&read(path)?)
    }

    /// A key that whoever presents `token` has. Tokens hold 256 random bits, so that they need no stretching.
    pub(super) fn of_token(token: &str) -> Option<Self> {
        Self::derive(b"mcp-forward-auth token", token.as_bytes())
    }

    /// RFC 5869 §2.2. The salt keeps keys of different origin apart; it is no secret.
    fn derive(origin: &[u8], secret: &[u8]) -> Option<Self> {
        let root = Salt::new(HKDF_SHA256, origin).extract(secret);
        let mut id = [0; LENGTH];
        root.expand(&[b"id"], HKDF_SHA256).ok()?.fill(&mut id).ok()?;
        let id = *id.first_chunk()?;
        Some(Self { root, id })
    }

    /// Tells keys apart; says nothing about the key.
    pub(super) fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The key for one purpose (RFC 5869 §2.3): none of them leads to another.
    pub(super) fn subkey(&self, purpose: &str) -> Option<LessSafeKey> {
        let info: [&[u8]; 2] = [b"seal ", purpose.as_bytes()];
        let key = self.root.expand(&info, &AES_256_GCM).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(key)))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

fn bytes_of(text: &str) -> Option<[u8; LENGTH]> {
    let indifferent = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = match text.len() {
        64 => hexadecimal(text)?,
        43 | 44 => [alphabet::STANDARD, alphabet::URL_SAFE]
            .iter()
            .find_map(|alphabet| GeneralPurpose::new(alphabet, indifferent).decode(text).ok())?,
        _ => return None,
    };
    bytes.try_into().ok()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = text.as_bytes().iter().map(digit).collect::<Option<_>>()?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

fn make(path: &Path, random: &dyn Random) -> Result<(), Mistake> {
    let mut bytes = [0; LENGTH];
    random.fill(&mut bytes).map_err(|error| Mistake::new(error.to_string(), "see to the machine's random numbers"))?;
    let text = format!("{}\n", STANDARD.encode(bytes));
    new_file::make(path, text.as_bytes()).map_err(|error| {
        let rule = format!("no key can be written there: {error}");
        Mistake::new(rule, "name a file in a folder that this user may write, or give the key itself")
    })?;
    tracing::info!(path = %path.display(), "made a master key; keep a copy of it, apart from the store");
    Ok(())
}

fn read(path: &Path) -> Result<String, Mistake> {
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mode = file.metadata().map_err(|error| unreadable(&error))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let rule = format!("others than its owner may use the file (its mode is {mode:03o})");
        return Err(Mistake::new(rule, "give it the mode 600, and think about who may have read it"));
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    Ok(text)
}

fn unreadable(error: &io::Error) -> Mistake {
    Mistake::new(format!("the file cannot be read: {error}"), "name a file that this user may read")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;
    use crate::random::{NoRandomness, SystemRandom};
    use crate::store::testing::Folder;

    const BYTES: [u8; 32] = *b"\xfb\xff\xbf34567890123456789012345678901";

    fn refused(outcome: Result<MasterKey, Mistake>) -> String {
        outcome.unwrap_err().to_string()
    }

    #[test]
    fn a_key_is_read_in_hexadecimal_and_in_any_base64() {
        let hexadecimal = "fbffbf3334353637383930313233343536373839303132333435363738393031".to_owned();
        let base64 = STANDARD.encode(BYTES);
        assert!(base64.contains('+') && base64.contains('/') && base64.ends_with('='), "{base64}");
        let texts = [
            hexadecimal.to_uppercase(),
            hexadecimal,
            base64.trim_end_matches('=').to_owned(),
            base64.replace('+', "-").replace('/', "_"),
            format!("  {base64}\n"),
            base64,
        ];
        let ids: Vec<_> = texts.iter().map(|text| MasterKey::parse(text).unwrap().id()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
        assert_ne!(MasterKey::parse(&STANDARD.encode([&BYTES[1..], b"x"].concat())).unwrap().id(), ids[0]);
    }

    #[test]
    fn what_is_not_32_bytes_or_no_secret_is_refused_without_being_shown() {
        let texts = [
            String::new(),
            "correct horse battery staple".into(),
            "ab".repeat(31),
            "ab".repeat(33),
            format!("{}zz", "ab".repeat(31)),
            "é".repeat(32),
            STANDARD.encode([7; 31]),
            STANDARD.encode([7; 33]),
            format!("{}===", "A".repeat(41)),
            "00".repeat(32),
            STANDARD.encode([0xff; 32]),
        ];
        for text in texts {
            let message = refused(MasterKey::parse(&text));
            assert!(message.ends_with("make one with: openssl rand -base64 32"), "{message}");
            assert!(text.is_empty() || !message.contains(&text), "{message}");
        }
        assert_eq!(format!("{:?}", MasterKey::parse(&STANDARD.encode(BYTES)).unwrap()), "[redacted]");
    }

    #[test]
    fn a_key_is_made_once_for_this_user_only_and_read_from_then_on() {
        let folder = Folder::new();
        let path = folder.path().join("made/master.key");
        let key = MasterKey::read_or_make(&path, &SystemRandom).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(MasterKey::read_or_make(&path, &SystemRandom).unwrap().id(), key.id());
        assert_eq!(MasterKey::parse(&text).unwrap().id(), key.id(), "the operator may give the same key");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let other = MasterKey::read_or_make(&folder.path().join("other.key"), &SystemRandom).unwrap();
        assert_ne!(other.id(), key.id());
    }

    #[test]
    fn of_many_that_start_at_once_all_read_the_same_key() {
        let folder = Folder::new();
        let path = folder.path().join("master.key");
        let ids = std::thread::scope(|scope| {
            let read = || MasterKey::read_or_make(&path, &SystemRandom).unwrap().id();
            let threads: Vec<_> = (0..20).map(|_| scope.spawn(read)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    }

    #[test]
    fn a_file_that_others_may_use_is_refused() {
        let folder = Folder::new();
        let path = folder.path().join("master.key");
        MasterKey::read_or_make(&path, &SystemRandom).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o644, 0o620, 0o601] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let message = refused(MasterKey::read_or_make(&path, &SystemRandom));
            let rule = format!("others than its owner may use the file (its mode is {mode:03o})");
            assert_eq!(message, format!("{rule}; give it the mode 600, and think about who may have read it"));
        }
        for mode in [0o600, 0o400] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(MasterKey::read_or_make(&path, &SystemRandom).is_ok());
        }
    }

    #[test]
    fn a_file_that_holds_no_key_is_never_overwritten() {
        let folder = Folder::new();
        let path = folder.path().join("master.key");
        for contents in [b"".as_slice(), b"no key", b"\xff\xfe", &vec![b'a'; 100_000]] {
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            refused(MasterKey::read_or_make(&path, &SystemRandom));
            assert_eq!(fs::read(&path).unwrap(), contents);
        }
        assert!(refused(MasterKey::read_or_make(folder.path(), &SystemRandom)).starts_with("this is no regular file"));
        let below_a_file = refused(MasterKey::read_or_make(&path.join("key"), &SystemRandom));
        assert!(below_a_file.starts_with("the file cannot be read"), "{below_a_file}");
    }

    #[test]
    fn without_randomness_no_key_is_made() {
        struct Nothing;
        impl Random for Nothing {
            fn fill(&self, _: &mut [u8]) -> Result<(), NoRandomness> {
                Err(NoRandomness)
            }
        }
        let folder = Folder::new();
        let path = folder.path().join("master.key");
        assert!(refused(MasterKey::read_or_make(&path, &Nothing)).starts_with("the machine gives no random bytes"));
        assert!(!path.exists());
    }
}
