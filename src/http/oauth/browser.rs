//! Cookies: which browser this is, and who is signed in there. Both are random values; what they mean stands in the store.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

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

    /// Lives as long as a pending sign-in may.
    pub(super) fn set_browser(self, value: &Secret) -> Cookie<'static> {
        self.make("mfa-browser", value, Duration::hours(1))
    }

    /// Lives as long as the session.
    pub(super) fn set_session(self, value: &Secret, lifetime: std::time::Duration) -> Cookie<'static> {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        self.make("mfa-session", value, Duration::seconds(seconds))
    }

    /// Removes the session.
    pub(super) fn forget_session(self) -> Cookie<'static> {
        self.make("mfa-session", &Secret::new(""), Duration::ZERO)
    }

    fn name(self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    fn read(self, request: &HttpRequest, name: &str) -> Option<Secret> {
        const MAX_LENGTH: usize = 128;
        let cookie = request.cookie(&self.name(name))?;
        Some(cookie.value()).filter(|value| !value.is_empty() && value.len() <= MAX_LENGTH).map(Secret::new)
    }

    /// `Lax`, because the identity provider's redirect back must bring it along.
    fn make(self, name: &str, value: &Secret, lifetime: Duration) -> Cookie<'static> {
        on_host(self.name(name), value, self.secure, lifetime)
    }
}

/// A cookie on a protected host, whose scheme need not be the issuer's. `Lax`, because the way back to a page comes from
/// another site.
pub(super) fn on_protected_host(
    name: &str,
    value: &Secret,
    secure: bool,
    lifetime: std::time::Duration,
) -> Cookie<'static> {
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    on_host(name.to_owned(), value, secure, Duration::seconds(seconds))
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
    use super::*;

    #[test]
    fn cookies_are_out_of_reach_for_scripts_and_other_hosts() {
        let text = Cookies::of("https://auth.example.com").set_browser(&Secret::new("v")).to_string();
        for attribute in ["__Host-mfa-browser=v", "HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=3600"] {
            assert!(text.contains(attribute), "{text} lacks {attribute}");
        }
        assert!(!text.contains("Domain"), "{text}");
    }

    #[test]
    fn plain_http_on_loopback_works_without_the_prefix() {
        let text = Cookies::of("http://localhost:8080").set_browser(&Secret::new("v")).to_string();
        assert!(text.starts_with("mfa-browser=v") && !text.contains("Secure"), "{text}");
    }
}
