//! Bodies: read whole, within a limit and a time.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, web};

use crate::domain::Occurrence;
use crate::oauth::{OAuthError, Parameters};

/// A client that sends slower than this is cut off.
const PATIENCE: Duration = Duration::from_secs(10);

/// The body as it came. One that is packed is refused rather than misread: a client whose secret seems to be wrong
/// throws its registration away.
pub(super) async fn read(request: &HttpRequest, payload: web::Payload) -> Result<web::Bytes, OAuthError> {
    let mut codings = request.headers().get_all(header::CONTENT_ENCODING);
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(OAuthError::invalid_request("the body must not be compressed"));
    }
    let reading = payload.to_bytes_limited(Parameters::MAX_LENGTH);
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(Ok(bytes))) => Ok(bytes),
        Ok(Ok(Err(_))) => Err(OAuthError::invalid_request("the body could not be read")),
        Ok(Err(_)) => Err(OAuthError::invalid_request("the body is too long")),
        Err(_) => Err(OAuthError::invalid_request("the body did not arrive in time")),
    }
}

/// The parameters of a form. Only forms are read: a JSON body from another site needs no preflight as `text/plain`.
pub(super) async fn form(request: &HttpRequest, payload: web::Payload) -> Result<Parameters, OAuthError> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OAuthError::invalid_request("the body must be application/x-www-form-urlencoded"));
    }
    Parameters::parse(&read(request, payload).await?)
}

/// The parameters of the query.
pub(super) fn query(request: &HttpRequest) -> Result<Parameters, OAuthError> {
    Parameters::parse(request.query_string().as_bytes())
}

/// The one `Authorization` header.
pub(super) fn authorization(request: &HttpRequest) -> Result<Option<Vec<u8>>, OAuthError> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let authorization = headers.next().map(|value| value.as_bytes().to_vec());
    if headers.next().is_some() {
        return Err(OAuthError::invalid_request("there is more than one Authorization header"));
    }
    Ok(authorization)
}

/// `DPoP` headers, kept until the work is done.
pub(super) struct SentProof(Vec<Vec<u8>>);

impl SentProof {
    pub(super) fn as_occurrence(&self) -> Occurrence<'_> {
        match self.0.as_slice() {
            [] => Occurrence::Absent,
            [only] => Occurrence::Once(only),
            _ => Occurrence::Repeated,
        }
    }
}

/// The proof of a key (RFC 9449 §5).
pub(super) fn proof(request: &HttpRequest) -> SentProof {
    SentProof(request.headers().get_all("dpop").take(2).map(|value| value.as_bytes().to_vec()).collect())
}
