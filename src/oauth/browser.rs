//! The browser that a flow belongs to: a flow begun in one can be finished in no other.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::{Secret, SecretHash, opaque};
use crate::random::{NoRandomness, Random};

/// What a browser showed us. Both are secrets of ours that it keeps as cookies.
#[derive(Clone, Copy, Default)]
pub struct Browser<'a> {
    /// Binds flows to this browser; kept by it whether or not somebody is signed in. Several, with spaces between, when two
    /// tabs came here for the first time at the same moment: each got one, and each flow keeps to its own.
    pub cookie: Option<&'a str>,
    /// The session of the person who is signed in to our own pages.
    pub session: Option<&'a str>,
}

/// Secrets do not print.
impl std::fmt::Debug for Browser<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Browser(cookie: {}, session: {})", self.cookie.is_some(), self.session.is_some())
    }
}

impl<'a> Browser<'a> {
    /// Our cookies start so.
    const PREFIX: &'static str = "mfb_";
    /// Prefix, and 256 bits in base64url.
    const LENGTH: usize = 4 + 43;
    /// Most cookies of one browser that are looked at.
    pub const MANY: usize = 8;

    fn cookies(self) -> impl Iterator<Item = &'a str> {
        self.cookie.unwrap_or_default().split(' ').filter(|cookie| is_ours(cookie)).take(Self::MANY)
    }

    /// The hash of this browser's cookie, and the cookie itself when it has none yet and must be given one.
    pub(super) fn known_or_new(self, random: &dyn Random) -> Result<(SecretHash, Option<Secret>), NoRandomness> {
        if let Some(cookie) = self.cookies().next() {
            return Ok((SecretHash::of(cookie), None));
        }
        let fresh = opaque::new_secret(Self::PREFIX, random)?;
        Ok((SecretHash::of(fresh.expose()), Some(fresh)))
    }

    /// Whether this is the browser that `hash` was made for.
    pub(super) fn is(self, hash: &SecretHash) -> bool {
        self.cookies().any(|cookie| hash.fits(cookie))
    }

    /// The token that proves that a form about `subject` came from a page that this browser was shown: nobody who does
    /// not know the cookie can make it, and the store does not hold it.
    pub(super) fn form_token(self, subject: &str) -> Option<String> {
        self.cookies().next().map(|cookie| form_token(cookie, subject))
    }

    /// Whether `presented` is that token.
    pub(super) fn made_form(self, subject: &str, presented: &str) -> bool {
        self.cookies().any(|cookie| Secret::new(form_token(cookie, subject)).matches(presented.as_bytes()))
    }
}

fn form_token(cookie: &str, subject: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, cookie.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, format!("form {subject}").as_bytes()))
}

fn is_ours(cookie: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    cookie.len() == Browser::LENGTH && cookie.starts_with(Browser::PREFIX) && cookie.bytes().all(sound)
}
