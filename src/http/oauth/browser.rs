//! Cookies: which browser this is, and who is signed in there. Both are random values; what they mean stands in the store.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;

use crate::domain::Secret;

/// The cookies of one deployment. Their names and attributes follow from the issuer's scheme.
#[derive(Debug, Clone, Copy)]
pub struct Cookies {
    /// The issuer is https. On plain http, which only loopback may be, browsers refuse the `__Host-` prefix.
    secure: bool,
}

impl Cookies {
    /// For an issuer with this URL.
    pub fn of(issuer: &str) -> Self {
        Self { secure: issuer.starts_with("https://") }
    }

    /// The value that binds pending sign-ins to this browser.
    pub(super) fn browser(self, request: &HttpRequest) -> Option<Secret> {
        self.read(request, "mfa-browser")
    }

    /// The value behind which a signed-in person stands.
    pub(super) fn session(self, request: &HttpRequest) -> Option<Secret> {
        self.read(request, "mfa-session")
    }

    /// Lives as long as what is bound to it may: a pending sign-in, or a session of this lifetime. It is set again
    /// whenever one begins, or it would end under them.
    pub(super) fn set_browser(self, value: &Secret, lifetime: std::time::Duration) -> Cookie<'static> {
        const PENDING: std::time::Duration = std::time::Duration::from_secs(60 * 60);
        self.make("mfa-browser", value, lifetime.max(PENDING))
    }

    /// Lives as long as the session.
    pub(super) fn set_session(self, value: &Secret, lifetime: std::time::Duration) -> Cookie<'static> {
        self.make("mfa-session", value, lifetime)
    }

    /// Removes the session.
    pub(super) fn forget_session(self) -> Cookie<'static> {
        self.make("mfa-session", &Secret::new(""), std::time::Duration::ZERO)
    }

    fn name(self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    fn read(self, request: &HttpRequest, name: &str) -> Option<Secret> {
        let lines = request.headers().get_all(header::COOKIE).map(header::HeaderValue::as_bytes);
        the_one(lines, self.name(name).as_bytes())
    }

    /// `Lax`, because the identity provider's redirect back must bring it along.
    fn make(self, name: &str, value: &Secret, lifetime: std::time::Duration) -> Cookie<'static> {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        Cookie::build(self.name(name), value.expose().to_owned())
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(seconds))
            .finish()
    }
}

/// The value of the cookie `name` in the lines of a request. Nothing is decoded: `%5F%5FHost-…` is a cookie that every
/// host of the domain may set, and must not pass for the `__Host-…` that only we can (RFC 6265bis §4.1.3.2). One that is
/// there with two values is nobody's.
fn the_one<'a>(lines: impl Iterator<Item = &'a [u8]>, name: &[u8]) -> Option<Secret> {
    const MAX_LENGTH: usize = 128;
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    let mut values = pairs.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="));
    let first = values.next()?;
    let sound = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    if first.is_empty() || first.len() > MAX_LENGTH || !first.iter().all(sound) || values.any(|other| other != first) {
        return None;
    }
    std::str::from_utf8(first).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_by_its_exact_name_or_not_at_all() {
        for (lines, value) in [
            (&["__Host-mfa-browser=v"][..], Some("v")),
            (&["a=b;  __Host-mfa-browser=v ; c"], Some("v")),
            (&["a=b", "__Host-mfa-browser=v"], Some("v")),
            (&["\u{fc}=\u{fc}; =; junk; __Host-mfa-browser=v"], Some("v")),
            (&["__Host-mfa-browser=v; __Host-mfa-browser=v"], Some("v")),
            (&["%5F%5FHost-mfa-browser=w; __Host-mfa-browser=v"], Some("v")),
            (&["__Host-mfa-browser=v; __Host-mfa-browser=w"], None),
            (&["__Host-mfa-browser=v", "__Host-mfa-browser=w"], None),
            (&["%5F%5FHost-mfa-browser=v"], None),
            (&["__Host-mfa%2Dbrowser=v"], None),
            (&["mfa-browser=v"], None),
            (&["__host-mfa-browser=v"], None),
            (&["x__Host-mfa-browser=v"], None),
            (&["__Host-mfa-browser =v"], None),
            (&["__Host-mfa-browser=%76"], None),
            (&["__Host-mfa-browser=\"v\""], None),
            (&["__Host-mfa-browser="], None),
            (&["__Host-mfa-browser"], None),
        ] {
            let read = the_one(lines.iter().map(|line| line.as_bytes()), b"__Host-mfa-browser");
            assert_eq!(read.as_ref().map(Secret::expose), value, "{lines:?}");
        }
        let long = format!("__Host-mfa-browser={}", "v".repeat(129));
        assert!(the_one(std::iter::once(long.as_bytes()), b"__Host-mfa-browser").is_none());
    }

    #[test]
    fn cookies_are_out_of_reach_for_scripts_and_other_hosts() {
        let text = Cookies::of("https://auth.example.com")
            .set_browser(&Secret::new("v"), std::time::Duration::ZERO)
            .to_string();
        for attribute in ["__Host-mfa-browser=v", "HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=3600"] {
            assert!(text.contains(attribute), "{text} lacks {attribute}");
        }
        assert!(!text.contains("Domain"), "{text}");
    }

    #[test]
    fn plain_http_on_loopback_works_without_the_prefix() {
        let text =
            Cookies::of("http://localhost:8080").set_browser(&Secret::new("v"), std::time::Duration::ZERO).to_string();
        assert!(text.starts_with("mfa-browser=v") && !text.contains("Secure"), "{text}");
    }
}
