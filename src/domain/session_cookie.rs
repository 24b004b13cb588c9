//! The cookies that this service keeps on the hosts it protects (RFC 6265): how they are called, how one is found in
//! what a browser sent, and what is left of that for the upstream.

use super::{Scheme, SecretHash};

/// Every cookie of ours starts so, after the prefix that browsers enforce.
const OURS: &str = "mfa-";
/// Browsers take such a cookie only over TLS, for the whole host and for no other one (RFC 6265bis §4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// The name of our cookie `short` on a host that is reached by `scheme`. On plain http, which only loopback may be,
/// browsers refuse the prefix.
pub fn name(short: &str, scheme: Scheme) -> String {
    let prefix = if scheme == Scheme::Https { HOST_PREFIX } else { "" };
    format!("{prefix}{OURS}{short}")
}

/// The name of the cookie that holds the session at `resource`. Resources of one host have one each: one must not see
/// what is good for another.
pub fn of_session(resource: &str, scheme: Scheme) -> String {
    const ENOUGH: usize = 16;
    let hash = SecretHash::of(resource);
    name(&format!("at-{}", hash.as_str().get(..ENOUGH).unwrap_or_default()), scheme)
}

/// The value of the cookie `name`, if it is there exactly once: two of that name are two senders.
pub fn find<'c>(cookies: &'c str, name: &str) -> Option<&'c str> {
    let mut values = pairs(cookies).filter(|(known, _)| *known == name).map(|(_, value)| value);
    let found = values.next()?;
    (values.next().is_none() && !found.is_empty()).then_some(found)
}

/// What is left for the upstream: every cookie that is none of ours.
pub fn without_ours(cookies: &str) -> String {
    let others = cookies.split(';').map(str::trim).filter(|pair| !pair.is_empty() && !is_ours(name_of(pair)));
    others.collect::<Vec<_>>().join("; ")
}

fn is_ours(name: &str) -> bool {
    // Browsers compare this prefix without case, and some frameworks all names.
    let host_prefixed = name.get(..HOST_PREFIX.len()).filter(|start| start.eq_ignore_ascii_case(HOST_PREFIX));
    let short = host_prefixed.and_then(|start| name.get(start.len()..)).unwrap_or(name);
    short.get(..OURS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OURS))
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default().trim()
}

fn pairs(cookies: &str) -> impl Iterator<Item = (&str, &str)> {
    cookies.split(';').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_resource_has_a_name_of_its_own_and_https_the_prefix() {
        let notes = of_session("https://mcp.example.com/notes", Scheme::Https);
        assert!(notes.starts_with("__Host-mfa-at-") && notes.len() == 30, "{notes}");
        assert_ne!(notes, of_session("https://mcp.example.com/mail", Scheme::Https));
        assert!(of_session("http://localhost:8080/mcp", Scheme::Http).starts_with("mfa-at-"));
    }

    #[test]
    fn a_cookie_counts_only_when_it_is_there_once() {
        for (cookies, found) in [
            ("a=1; n=2", Some("2")),
            ("n=2;a=1", Some("2")),
            ("n=", None),
            ("n", None),
            ("N=2", None),
            ("xn=2", None),
            ("n=1; n=2", None),
            ("n=2; n=2", None),
            ("a=n=2", None),
            ("", None),
        ] {
            assert_eq!(find(cookies, "n"), found, "{cookies}");
        }
    }

    #[test]
    fn the_upstream_gets_every_cookie_but_ours() {
        for (cookies, left) in [
            ("a=1; __Host-mfa-at-x=2; b=3", "a=1; b=3"),
            ("mfa-at-x=2", ""),
            ("__host-MFA-at-x=2;a=1", "a=1"),
            ("__Host-mfa-session=2; mfa-browser=1;;  ", ""),
            ("a=1;b=\"2\" ; plain", "a=1; b=\"2\"; plain"),
            ("__Host-other=1; mfa=1; xmfa-at=1", "__Host-other=1; mfa=1; xmfa-at=1"),
            ("mfa-at-x", ""),
            ("", ""),
        ] {
            assert_eq!(without_ours(cookies), left, "{cookies}");
        }
    }
}
