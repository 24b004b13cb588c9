//! Redirect URIs: where an authorization answer may go (RFC 6749 §3.1.2, RFC 8252 §7, OAuth 2.1 §2.3.1).
//!
//! A URI is registered when it is one of three kinds, and has one reading:
//! 1. `https` on any host;
//! 2. `http` on this computer, written `127.0.0.1`, `[::1]` or `localhost` and in no other way;
//! 3. a scheme of an application that is on the operator's list.
//!
//! An answer goes to a registered URI by exact string. Only the port of the second kind may differ: native clients take
//! whatever port is free.

use serde::{Deserialize, Serialize};
use url::Url;

use super::CustomSchemes;
use crate::domain::{Authority, RequestPath, Scheme};

/// A registered redirect URI, kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// Why a redirect URI is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Longer than [`RedirectUri::MAX_LENGTH`].
    #[error("it is too long")]
    TooLong,
    /// A character that no URI holds (RFC 3986 §2), or `%` without two hex digits.
    #[error("it holds a character that a URI cannot hold")]
    NotUri,
    /// RFC 6749 §3.1.2.
    #[error("it holds a fragment")]
    Fragment,
    /// Exact strings only.
    #[error("it holds a wildcard")]
    Wildcard,
    /// `user@host` shows a host that is none.
    #[error("it holds a user name")]
    UserInfo,
    /// Not `https`, not a loopback, and not on the list.
    #[error("its scheme is not accepted")]
    Scheme,
    /// Plain text over a network.
    #[error("plain http is accepted for 127.0.0.1, [::1] and localhost only")]
    PlainHttp,
    /// Programs would read host, port, path or query in different ways.
    #[error("it can be read in more than one way")]
    Ambiguous,
}

/// The hosts of native clients, in their only spelling (RFC 8252 §7.3). `localhost` is among them because most clients
/// register it.
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// `http` on this computer, taken apart.
#[derive(PartialEq, Eq)]
struct Loopback<'a> {
    host: &'static str,
    tail: &'a str,
}

impl RedirectUri {
    /// Longest URI kept, in bytes.
    pub const MAX_LENGTH: usize = 2 * 1024;

    /// Takes a URI that answers may be sent to.
    pub fn parse(text: &str, schemes: &CustomSchemes) -> Result<Self, RedirectUriError> {
        check_characters(text)?;
        let (scheme, rest) = text.split_once(':').ok_or(RedirectUriError::Scheme)?;
        match scheme {
            "https" => check_https(text, rest)?,
            "http" => check_tail(Loopback::parse(text).ok_or(RedirectUriError::PlainHttp)?.tail)?,
            application if schemes.contains(application) => check_application(rest)?,
            _ => return Err(RedirectUriError::Scheme),
        }
        Ok(Self(text.to_owned()))
    }

    /// An address of our own, made from the configuration.
    pub(super) const fn of_our_own(text: String) -> Self {
        Self(text)
    }

    /// The URI as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `presented` is this URI: by exact string, and for loopback hosts with any port. The host must be the same
    /// one: another program may listen on the other address of `localhost`.
    pub fn matches(&self, presented: &str) -> bool {
        let same_but_port = || Loopback::parse(&self.0).is_some_and(|own| Loopback::parse(presented) == Some(own));
        self.0 == presented || same_but_port()
    }

    /// Whether answers go to a program on the person's own computer, which any program there may be.
    pub fn is_loopback(&self) -> bool {
        Loopback::parse(&self.0).is_some()
    }

    /// Where the answer goes, for people: the host, `this computer`, or the scheme of an application.
    pub fn shown_host(&self) -> String {
        if self.is_loopback() {
            return "this computer".to_owned();
        }
        match Url::parse(&self.0) {
            Ok(url) if url.scheme() == "https" => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}{port}", url.host_str().unwrap_or_default())
            }
            Ok(url) => url.scheme().to_owned(),
            Err(_) => String::new(),
        }
    }
}

impl<'a> Loopback<'a> {
    /// The one way to write it: no user name, no other form of the address, a plain port or none.
    fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let split = |host: &'static str| rest.strip_prefix(host).map(|rest| (host, rest));
        let (host, rest) = LOOPBACK_HOSTS.into_iter().find_map(split)?;
        let tail = match rest.strip_prefix(':') {
            None => rest,
            Some(rest) => {
                let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
                let (port, tail) = rest.split_at_checked(end)?;
                // `u16` bounds the port; a leading zero would be a second spelling of it.
                port.parse::<u16>().ok().filter(|_| !port.starts_with('0'))?;
                tail
            }
        };
        (tail.is_empty() || tail.starts_with(['/', '?'])).then_some(Self { host, tail })
    }
}

/// RFC 3986 §2: what is not in its alphabet (spaces, controls, backslashes, other scripts) is repaired differently by
/// every program that meets it.
fn check_characters(text: &str) -> Result<(), RedirectUriError> {
    if text.len() > RedirectUri::MAX_LENGTH {
        return Err(RedirectUriError::TooLong);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()+,;=%".contains(&byte);
    match text.bytes().find(|byte| !allowed(*byte)) {
        Some(b'#') => return Err(RedirectUriError::Fragment),
        Some(b'*') => return Err(RedirectUriError::Wildcard),
        Some(_) => return Err(RedirectUriError::NotUri),
        None => {}
    }
    let mut escapes = text.split('%').skip(1);
    let hex = |escape: &str| escape.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if escapes.all(hex) { Ok(()) } else { Err(RedirectUriError::NotUri) }
}

/// Two readers, ours and that of the browsers, must see the same host, port, path and query.
fn check_https(text: &str, rest: &str) -> Result<(), RedirectUriError> {
    let rest = rest.strip_prefix("//").ok_or(RedirectUriError::Ambiguous)?;
    let (authority, tail) = split_authority(rest);
    if authority.contains('@') {
        return Err(RedirectUriError::UserInfo);
    }
    let ours = Authority::parse(authority.as_bytes(), Scheme::Https).ok_or(RedirectUriError::Ambiguous)?;
    let theirs = Url::parse(text).map_err(|_| RedirectUriError::Ambiguous)?;
    let (path, query) = split_query(tail);
    let path = if path.is_empty() { "/" } else { path };
    let same = theirs.host_str() == Some(ours.host())
        && theirs.port() == ours.port()
        && theirs.path() == path
        && theirs.query() == query;
    if same && !authority.ends_with(':') { check_tail(tail) } else { Err(RedirectUriError::Ambiguous) }
}

/// `scheme:/path` or `scheme://name/path` (RFC 8252 §7.1); anything else is content rather than an address.
fn check_application(rest: &str) -> Result<(), RedirectUriError> {
    let Some(rest) = rest.strip_prefix("//") else {
        return if rest.starts_with('/') { check_tail(rest) } else { Err(RedirectUriError::Ambiguous) };
    };
    let (authority, tail) = split_authority(rest);
    if authority.contains('@') {
        return Err(RedirectUriError::UserInfo);
    }
    Authority::parse(authority.as_bytes(), Scheme::Https).ok_or(RedirectUriError::Ambiguous)?;
    check_tail(tail)
}

/// The path, when there is one, has one reading.
fn check_tail(tail: &str) -> Result<(), RedirectUriError> {
    let (path, _) = split_query(tail);
    if path.is_empty() || RequestPath::parse(path.as_bytes()).is_ok() {
        Ok(())
    } else {
        Err(RedirectUriError::Ambiguous)
    }
}

fn split_authority(rest: &str) -> (&str, &str) {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    rest.split_at_checked(end).unwrap_or((rest, ""))
}

fn split_query(tail: &str) -> (&str, Option<&str>) {
    tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)))
}

#[cfg(test)]
mod tests;
