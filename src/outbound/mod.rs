//! The HTTP clients: [`Outbound`] for what the operator named, [`Guarded`] for what strangers name. Both have time
//! limits, size caps and follow no redirects; nothing else in the program opens a connection.

mod address_rule;
mod basic;
mod for_json;
mod freshness;
pub mod guarded;
pub mod resolver;
mod single_flight;
mod watched;

use std::time::Duration;

pub use basic::basic_credentials;
pub use guarded::{Fetch, FetchFailure, Fetched, GuardSettings, Guarded};
pub use single_flight::SingleFlight;
pub use watched::WatchedFetch;

use url::Url;

use crate::domain::Secret;
use crate::domain::issuer::{FetchUrlError, parse_fetch_url};

/// Fetches documents from servers that the operator named.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: reqwest::Client,
}

/// A request to a server that the operator named: a GET, or a POST when there is a form.
#[derive(Debug)]
pub struct Call<'a> {
    url: &'a Url,
    accept: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    authorization: Option<Secret>,
    form: Option<Secret>,
}

/// What a server answered, whatever the status.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The body, within the limit.
    pub body: Vec<u8>,
}

impl<'a> Call<'a> {
    /// A GET of a JSON document.
    pub const fn get(url: &'a Url) -> Self {
        Self { url, accept: "application/json", headers: Vec::new(), authorization: None, form: None }
    }

    /// A POST of a form whose answer is JSON.
    pub fn post_form<'f>(url: &'a Url, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self { form: Some(Secret::new(form)), ..Self::get(url) }
    }

    /// The `Authorization` header.
    #[must_use]
    pub fn authorization(mut self, value: Secret) -> Self {
        self.authorization = Some(value);
        self
    }

    /// Another media type.
    #[must_use]
    pub const fn accept(mut self, media_type: &'static str) -> Self {
        self.accept = media_type;
        self
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
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
    /// More bytes than are read.
    #[error("{url} answered with more than {max} bytes")]
    TooLarge {
        /// The URL.
        url: Url,
        /// The limit.
        max: usize,
    },
    /// Something else than JSON.
    #[error("{url} answered with something else than JSON")]
    NotJson {
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
        let response = self.send(&Call::get(url)).await?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status { url: url.clone(), status: response.status().as_u16() });
        }
        read(url, response, Self::MAX_BODY).await
    }

    /// Sends `call` within the same limits; errors have bodies worth reading, so every status is an answer.
    pub async fn call(&self, call: &Call<'_>) -> Result<Reply, FetchError> {
        let response = self.send(call).await?;
        Ok(Reply { status: response.status().as_u16(), body: read(call.url, response, Self::MAX_BODY).await? })
    }

    async fn send(&self, call: &Call<'_>) -> Result<reqwest::Response, FetchError> {
        let url = call.url;
        parse_fetch_url(url.as_str()).map_err(|reason| FetchError::Forbidden { url: url.to_string(), reason })?;
        let mut request = match &call.form {
            None => self.client.get(url.clone()),
            Some(form) => {
                let request = self.client.post(url.clone()).body(form.expose().to_owned());
                request.header("content-type", "application/x-www-form-urlencoded")
            }
        };
        if let Some(value) = &call.authorization {
            request = request.header("authorization", value.expose());
        }
        request = request.header("accept", call.accept);
        for (name, value) in &call.headers {
            request = request.header(*name, *value);
        }
        request.send().await.map_err(|error| unreachable(url, &error))
    }
}

/// Reads a body up to the limit.
async fn read(url: &Url, mut response: reqwest::Response, max: usize) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(url, &error))? {
        if body.len() + chunk.len() > max {
            return Err(FetchError::TooLarge { url: url.clone(), max });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unreachable(url: &Url, error: &reqwest::Error) -> FetchError {
    FetchError::Unreachable { url: url.clone(), cause: innermost(error) }
}

/// The cause that says most: `connection refused` rather than `error sending request`.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
