//! Where the answer to an authorization request goes (RFC 6749 §4.1.2, RFC 9207 §2).

use serde::{Deserialize, Serialize};
use url::Url;
use url::form_urlencoded::Serializer;

use super::OAuthError;
use crate::domain::{Issuer, Secret};

/// A redirect URI that was found to be the client's, and its `state`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReturnAddress {
    /// As the client sent it.
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
}

impl ReturnAddress {
    pub(super) fn with_code(&self, issuer: &Issuer, code: &Secret) -> String {
        self.with(issuer, &[("code", code.expose())])
    }

    /// An error in the client's own hands (RFC 6749 §4.1.2.1).
    pub(super) fn with_error(&self, issuer: &Issuer, error: &OAuthError) -> String {
        self.with(issuer, &[("error", error.code.as_str()), ("error_description", &error.description)])
    }

    /// `iss` is in every answer (RFC 9207 §2). The URI itself stays byte for byte what was registered; what it holds
    /// as a query stays (RFC 6749 §3.1.2).
    fn with(&self, issuer: &Issuer, parameters: &[(&str, &str)]) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(parameters);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", issuer.as_str());
        let gap = match self.redirect_uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{gap}{}", self.redirect_uri, query.finish())
    }

    /// What a person should look at: the host, or the scheme where there is no host.
    pub(super) fn host(&self) -> String {
        let Ok(url) = Url::parse(&self.redirect_uri) else { return self.redirect_uri.clone() };
        match (url.scheme(), url.host_str(), url.port()) {
            ("https" | "http", Some(host), Some(port)) => format!("{host}:{port}"),
            ("https" | "http", Some(host), None) => host.to_owned(),
            (scheme, Some(host), _) => format!("{scheme}://{host}"),
            (scheme, None, _) => format!("{scheme}:"),
        }
    }

    /// Whether the answer goes to whatever program listens on the person's own machine.
    pub(super) fn is_loopback(&self) -> bool {
        Url::parse(&self.redirect_uri).is_ok_and(|url| crate::domain::issuer::is_loopback(&url))
    }

    /// Whether only one party can receive the answer. Any program may listen on loopback or claim a scheme, so an
    /// approval for those is never taken for the next time (RFC 8252 §8.6).
    pub(super) fn names_its_owner(&self) -> bool {
        Url::parse(&self.redirect_uri).is_ok_and(|url| url.scheme() == "https") && !self.is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(redirect_uri: &str, state: Option<&str>) -> ReturnAddress {
        ReturnAddress { redirect_uri: redirect_uri.into(), state: state.map(Into::into) }
    }

    #[test]
    fn the_registered_uri_is_kept_and_the_answer_is_added() {
        let issuer = Issuer::parse("https://auth.example.com").unwrap();
        let tail = "code=c%2B1&state=a%26b&iss=https%3A%2F%2Fauth.example.com";
        for (uri, gap) in [
            ("https://client.example/cb", "?"),
            ("https://client.example/cb?x=1", "&"),
            ("https://client.example/cb?", ""),
            ("http://127.0.0.1:3000", "?"),
            ("cursor://anysphere.cursor-mcp/oauth/callback", "?"),
        ] {
            let answer = address(uri, Some("a&b")).with_code(&issuer, &Secret::new("c+1"));
            assert_eq!(answer, format!("{uri}{gap}{tail}"));
        }
        let refused = address("https://c.example/cb", None).with_error(&issuer, &OAuthError::invalid_request("no"));
        assert_eq!(
            refused,
            "https://c.example/cb?error=invalid_request&error_description=no&iss=https%3A%2F%2Fauth.example.com"
        );
    }

    #[test]
    fn a_person_sees_who_gets_the_answer() {
        for (uri, host, loopback, owner) in [
            ("https://client.example/cb", "client.example", false, true),
            ("https://client.example:8443/cb", "client.example:8443", false, true),
            ("http://127.0.0.1:3000/cb", "127.0.0.1:3000", true, false),
            ("http://localhost:3000/cb", "localhost:3000", true, false),
            ("https://localhost/cb", "localhost", true, false),
            ("cursor://anysphere.cursor-mcp/cb", "cursor://anysphere.cursor-mcp", false, false),
            ("com.example.app:/cb", "com.example.app:", false, false),
        ] {
            let address = address(uri, None);
            assert_eq!(
                (address.host().as_str(), address.is_loopback(), address.names_its_owner()),
                (host, loopback, owner)
            );
        }
    }
}
