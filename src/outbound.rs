//! The one HTTP client: time limits, size caps, no redirects, https except on loopback.

use std::time::Duration;

use url::Url;

use crate::domain::issuer::{FetchUrlError, parse_fetch_url};

/// Fetches documents from servers that the operator named.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: reqwest::Client,
}

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The client could not be set up (no certificate store, for instance).
    #[error("the HTTP client cannot start: {0}")]
    Setup(String),
    /// The URL may not be fetched.
    #[error("{url} may not be fetched: {reason}")]
    Forbidden {
        /// The URL.
        url: String,
        /// The rule it breaks.
        reason: FetchUrlError,
    },
    /// No answer in time, connection refused, TLS trouble.
    #[error("{url} cannot be reached: {cause}")]
    Unreachable {
        /// The URL.
        url: Url,
        /// The innermost cause.
        cause: String,
    },
    /// An answer other than 200. Redirects are not followed: they would lead where the operator did not say.
    #[error("{url} answered {status}")]
    Status {
        /// The URL.
        url: Url,
        /// The status code.
        status: u16,
    },
    /// More than [`Outbound::MAX_BODY`] bytes.
    #[error("{url} answered with more than {max} bytes", max = Outbound::MAX_BODY)]
    TooLarge {
        /// The URL.
        url: Url,
    },
}

impl Outbound {
    /// Largest document read, in bytes. A key set of 256 RSA keys takes about 130 KB.
    pub const MAX_BODY: usize = 512 * 1024;
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
    const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

    /// Sets up the client.
    pub fn new() -> Result<Self, FetchError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Self::CONNECT_TIMEOUT)
            .timeout(Self::TOTAL_TIMEOUT)
            .user_agent(concat!("mcp-forward-auth/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| FetchError::Setup(innermost(&error)))?;
        Ok(Self { client })
    }

    /// Fetches `url`; only a 200 within the limits is a document.
    pub async fn get(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        parse_fetch_url(url.as_str()).map_err(|reason| FetchError::Forbidden { url: url.to_string(), reason })?;
        let unreachable =
            |error: reqwest::Error| FetchError::Unreachable { url: url.clone(), cause: innermost(&error) };
        let request = self.client.get(url.clone()).header("accept", "application/json");
        let mut response = request.send().await.map_err(unreachable)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status { url: url.clone(), status: response.status().as_u16() });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > Self::MAX_BODY {
                return Err(FetchError::TooLarge { url: url.clone() });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// The cause that says most: `connection refused` rather than `error sending request`.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
