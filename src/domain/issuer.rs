//! Issuer identifiers and the URLs that may be fetched (RFC 8414 §2).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// An issuer identifier. Kept and compared byte for byte (RFC 8414 §3.3, RFC 9207 §2.4): never normalised.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issuer(Arc<str>);

impl Issuer {
    /// Takes an `https` URL without query and fragment; plain `http` only on loopback.
    pub fn parse(text: &str) -> Result<Self, FetchUrlError> {
        let url = parse_fetch_url(text)?;
        if url.query().is_some() {
            return Err(FetchUrlError::HasQuery);
        }
        Ok(Self(text.into()))
    }

    /// Who stands behind API keys where there is no authorization server. [`Self::parse`] takes no such name, so no issuer
    /// can be configured under it.
    pub fn of_api_keys() -> Self {
        Self("urn:mcp-forward-auth:api-keys".into())
    }

    /// The identifier as a URL, for what is made of its parts.
    pub fn to_url(&self) -> Result<url::Url, url::ParseError> {
        url::Url::parse(&self.0)
    }

    /// The identifier exactly as configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a URL is not one that keys may be fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchUrlError {
    /// Not an absolute URL.
    #[error("it is not an absolute URL")]
    NotUrl,
    /// Plain text over a network: whoever sits on the path could swap the keys.
    #[error("it must be https (plain http is allowed on loopback only)")]
    NotHttps,
    /// User name, password or fragment.
    #[error("it must hold no user name, password or fragment")]
    HasExtras,
    /// A query in an issuer identifier (RFC 8414 §2).
    #[error("an issuer identifier must hold no query")]
    HasQuery,
}

/// The rule for every URL that keys or metadata come from.
pub fn parse_fetch_url(text: &str) -> Result<url::Url, FetchUrlError> {
    let url = url::Url::parse(text).map_err(|_| FetchUrlError::NotUrl)?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(FetchUrlError::HasExtras);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(FetchUrlError::NotHttps),
        _ => Err(FetchUrlError::NotUrl),
    }
}

/// Whether the host of `url` is this machine: `localhost` or a loopback address.
pub fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_exact_text() {
        for text in ["https://idp.example.com", "https://idp.example.com/", "https://IDP.example.com/realms/main"] {
            assert_eq!(Issuer::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_plain_http_off_loopback_and_extras() {
        use FetchUrlError::*;
        for (text, why) in [
            ("http://idp.example.com", NotHttps),
            ("http://localhost.evil.example", NotHttps),
            ("http://127.0.0.1.evil.example", NotHttps),
            ("idp.example.com", NotUrl),
            ("file:///etc/passwd", NotUrl),
            ("https://user@idp.example.com", HasExtras),
            ("https://idp.example.com/#x", HasExtras),
            ("https://idp.example.com/?x=1", HasQuery),
            (Issuer::of_api_keys().as_str(), NotUrl),
        ] {
            assert_eq!(Issuer::parse(text), Err(why), "{text}");
        }
        for text in ["http://127.0.0.1:8080", "http://localhost:9/realms/a", "http://[::1]:1"] {
            assert!(Issuer::parse(text).is_ok(), "{text}");
        }
    }
}
