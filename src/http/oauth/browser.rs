//! Cookies: which browser this is, and who is signed in there. Both are random values; what they mean stands in the store.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;

use crate::domain::Secret;
use crate::domain::opaque::SecretHash;
use crate::oauth::Browser;

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

    /// The values that bind pending sign-ins to this browser, with spaces between.
    pub(super) fn browser(self, request: &HttpRequest) -> Option<Secret> {
        let values: Vec<String> = self.browsers(request).iter().map(|value| value.expose().to_owned()).collect();
        (!values.is_empty()).then(|| Secret::new(values.join(" ")))
    }

    fn browsers(self, request: &HttpRequest) -> Vec<Secret> {
        let mut found: Vec<Secret> = Vec::new();
        for (name, value) in pairs(request).filter(|(name, _)| name.starts_with(&self.name(BROWSER))) {
            let Some(value) = sound(value).filter(|value| name == self.name(&browser_name(value))) else { continue };
            if found.len() < Browser::MANY && !found.iter().any(|known| known.expose() == value.expose()) {
                found.push(value);
            }
        }
        found
    }

    /// The value behind which a signed-in person stands. One that is there with two values is nobody's.
    pub(super) fn session(self, request: &HttpRequest) -> Option<Secret> {
        let mut values = pairs(request).filter(|(name, _)| *name == self.name(SESSION)).map(|(_, value)| value);
        let first = values.next()?;
        if values.any(|other| other != first) { None } else { sound(first) }
    }

    /// Keeps what the browser has, and `fresh` besides, for as long as a session and a sign-in that begins at its end: both
    /// are lost with it. Each has a name of its own, so that of two tabs neither overwrites what the other was given.
    pub(super) fn keep_browser(
        self,
        request: &HttpRequest,
        fresh: Option<Secret>,
        session: std::time::Duration,
    ) -> Vec<Cookie<'static>> {
        let lifetime = whole_seconds(session) + Duration::hours(1);
        let values = self.browsers(request).into_iter().chain(fresh);
        values.map(|value| self.make(&browser_name(&value), &value, lifetime)).collect()
    }

    /// Lives as long as the session.
    pub(super) fn set_session(self, value: &Secret, lifetime: std::time::Duration) -> Cookie<'static> {
        self.make(SESSION, value, whole_seconds(lifetime))
    }

    /// Removes the session.
    pub(super) fn forget_session(self) -> Cookie<'static> {
        self.make(SESSION, &Secret::new(""), Duration::ZERO)
    }

    fn name(self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// `Lax`, because the identity provider's redirect back must bring it along.
    fn make(self, name: &str, value: &Secret, lifetime: Duration) -> Cookie<'static> {
        on_host(self.name(name), value, self.secure, lifetime)
    }
}

const BROWSER: &str = "mfa-browser-";
const SESSION: &str = "mfa-session";

/// Told from others by a piece of its hash, which tells nothing.
fn browser_name(value: &Secret) -> String {
    let tag: String = SecretHash::of(value.expose()).as_str().chars().take(8).collect();
    format!("{BROWSER}{tag}")
}

/// The cookies of a request, as they came. Nothing is decoded: `%5F%5FHost-…` is a cookie that every host of the domain may
/// set, and must not pass for the `__Host-…` that only we can (RFC 6265bis §4.1.3.2).
fn pairs(request: &HttpRequest) -> impl Iterator<Item = (&str, &str)> {
    let lines = request.headers().get_all(header::COOKIE).map(header::HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
}

/// Ours hold these bytes only.
fn sound(value: &str) -> Option<Secret> {
    const MAX_LENGTH: usize = 128;
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let good = !value.is_empty() && value.len() <= MAX_LENGTH && value.bytes().all(sound);
    good.then(|| Secret::new(value))
}

fn whole_seconds(time: std::time::Duration) -> Duration {
    Duration::seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 2))
}

/// A cookie on a protected host, whose scheme need not be the issuer's. `Lax`, because the way back to a page comes from
/// another site.
pub(super) fn on_protected_host(
    name: &str,
    value: &Secret,
    secure: bool,
    lifetime: std::time::Duration,
) -> Cookie<'static> {
    on_host(name.to_owned(), value, secure, whole_seconds(lifetime))
}

fn on_host(name: String, value: &Secret, secure: bool, lifetime: Duration) -> Cookie<'static> {
    Cookie::build(name, value.expose().to_owned())
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(lifetime)
        .finish()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const SESSION_LIFETIME: std::time::Duration = std::time::Duration::from_secs(8 * 3600);

    fn kept(issuer: &str, request: TestRequest, fresh: Option<&str>) -> Vec<String> {
        let fresh = fresh.map(Secret::new);
        let cookies = Cookies::of(issuer).keep_browser(&request.to_http_request(), fresh, SESSION_LIFETIME);
        cookies.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_cookie_is_read_by_its_exact_name_or_not_at_all() {
        let browser = format!("__Host-{}", browser_name(&Secret::new("v")));
        let (_, tag) = browser.rsplit_once('-').unwrap();
        for name in ["__Host-mfa-session", &*browser] {
            let other = name.replace("__Host-", "%5F%5FHost-");
            for (lines, value) in [
                (&[format!("{name}=v")][..], Some("v")),
                (&[format!("a=b;  {name}=v ; c")], Some("v")),
                (&["a=b".to_owned(), format!("{name}=v")], Some("v")),
                (&[format!("\u{fc}=\u{fc}; =; junk; {name}=v")], Some("v")),
                (&[format!("{name}=v; {name}=v")], Some("v")),
                (&[format!("{other}=w; {name}=v")], Some("v")),
                (&[format!("{other}=v")], None),
                (&[name.replace("mfa-", "mfa%2D") + "=v"], None),
                (&[name.replace("__Host-", "") + "=v"], None),
                (&[name.replace("__Host-", "__host-") + "=v"], None),
                (&[format!("x{name}=v")], None),
                (&[format!("{name} =v")], None),
                (&[format!("{name}=%76")], None),
                (&[format!("{name}=\"v\"")], None),
                (&[format!("{name}=")], None),
                (&[name.to_owned()], None),
                (&[format!("{name}={}", "v".repeat(129))], None),
            ] {
                let request = lines
                    .iter()
                    .fold(TestRequest::default(), |request, line| request.append_header(("cookie", line.as_bytes())));
                let (request, cookies) = (request.to_http_request(), Cookies::of("https://auth.example.com"));
                let read = if name.ends_with(tag) { cookies.browser(&request) } else { cookies.session(&request) };
                assert_eq!(read.as_ref().map(Secret::expose), value, "{lines:?}");
            }
        }
    }

    #[test]
    fn a_session_with_two_values_is_nobodys_and_a_browsers_cookie_bears_its_own_name() {
        let request = TestRequest::default().insert_header(("cookie", "__Host-mfa-session=v; __Host-mfa-session=w"));
        assert!(Cookies::of("https://auth.example.com").session(&request.to_http_request()).is_none());
        let foreign = format!("__Host-{}=w", browser_name(&Secret::new("v")));
        let request = TestRequest::default().insert_header(("cookie", foreign));
        assert!(Cookies::of("https://auth.example.com").browser(&request.to_http_request()).is_none());
    }

    #[test]
    fn cookies_are_out_of_reach_for_scripts_and_other_hosts() {
        let text = kept("https://auth.example.com", TestRequest::default(), Some("v")).concat();
        for attribute in ["__Host-mfa-browser-", "=v;", "HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=32400"]
        {
            assert!(text.contains(attribute), "{text} lacks {attribute}");
        }
        assert!(!text.contains("Domain"), "{text}");
    }

    #[test]
    fn plain_http_on_loopback_works_without_the_prefix() {
        let text = kept("http://localhost:8080", TestRequest::default(), Some("v")).concat();
        assert!(text.starts_with("mfa-browser-") && !text.contains("Secure"), "{text}");
    }

    #[test]
    fn of_two_tabs_neither_overwrites_what_the_other_was_given_and_both_are_kept_on() {
        let name = |text: &str| text.split('=').next().unwrap().to_owned();
        let issuer = "https://auth.example.com";
        let [one, two] = ["one", "two"].map(|value| kept(issuer, TestRequest::default(), Some(value)).concat());
        assert_ne!(name(&one), name(&two));
        let header = format!("{}=one; {}=two; __Host-mfa-browser-x=\"a b\"; mfa-browser-y=z", name(&one), name(&two));
        let request = TestRequest::default().insert_header(("cookie", header));
        assert_eq!(kept(issuer, request, None), [one, two], "renewed, and nothing else is taken for ours");
    }
}
