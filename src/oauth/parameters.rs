//! Parameters of a form or a query: each at most once (RFC 6749 §3.1), `resource` excepted (RFC 8707 §2).

use super::OAuthError;

/// Decoded parameters of one request. Parameters without a value are treated as absent (RFC 6749 §3.1).
#[derive(Clone, Default)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
}

/// Values may be secrets; only names are shown.
impl std::fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

impl Parameters {
    /// Largest body or query read, in bytes.
    pub const MAX_LENGTH: usize = 64 * 1024;
    /// Most parameters read. Each is compared with those before it, and no request of ours has more than twenty.
    const MOST: usize = 100;

    /// These, for requests that we make of ourselves.
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        Self { pairs: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
    }

    /// Reads `application/x-www-form-urlencoded` text; refuses repeated parameters.
    pub fn parse(text: &[u8]) -> Result<Self, OAuthError> {
        if text.len() > Self::MAX_LENGTH {
            return Err(OAuthError::invalid_request("the request is too long"));
        }
        let mut parameters = Self::default();
        for (name, value) in url::form_urlencoded::parse(text) {
            if parameters.pairs.len() >= Self::MOST {
                return Err(OAuthError::invalid_request("the request has too many parameters"));
            }
            if name != "resource" && parameters.pairs.iter().any(|(known, _)| *known == name) {
                return Err(OAuthError::invalid_request("a parameter is there more than once"));
            }
            parameters.pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(parameters)
    }

    /// The value of `name`, unless absent or empty.
    pub fn optional(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of `name`; its absence is the client's mistake.
    pub fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.optional(name).ok_or_else(|| OAuthError::invalid_request(format!("the parameter {name} is missing")))
    }

    /// All of them, as a query.
    pub fn to_query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.pairs);
        query.finish()
    }

    /// Every value of `name`, for `resource`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.pairs.iter().filter(move |(known, _)| known == name);
        values.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_parameters_that_comparing_them_takes_long_are_refused() {
        let many = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join("&");
        assert!(Parameters::parse(many(100).as_bytes()).is_ok());
        assert!(Parameters::parse(many(101).as_bytes()).is_err());
        assert!(Parameters::parse("resource&".repeat(101).as_bytes()).is_err());
    }

    #[test]
    fn repeated_parameters_are_refused_resource_excepted() {
        assert!(Parameters::parse(b"code=a&code=a").is_err());
        assert!(Parameters::parse(b"code=&code=a").is_err());
        let read = Parameters::parse(b"resource=a&resource=b&state=&scope=a+b").unwrap();
        assert_eq!(read.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(read.optional("state"), None);
        assert_eq!(read.optional("scope"), Some("a b"));
        assert!(read.required("code").unwrap_err().description.contains("code"));
    }
}
