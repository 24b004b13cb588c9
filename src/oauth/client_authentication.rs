//! How a client proves itself at the token, revocation and introspection endpoints (RFC 6749 §2.3, RFC 7523 §2.2).
//!
//! One method per request. `client_secret_basic` and `client_secret_post` are both taken, whichever was registered:
//! clients mix them up, and the secret is the same. Whatever is our own trouble is never `invalid_client`, on which
//! clients throw their registration away.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use percent_encoding::percent_decode_str;

use super::client_assertion::Assertion;
use super::{Client, ClientAuthentication, Clients, ErrorCode, OAuthError, Parameters};
use crate::domain::{Secret, SecretHash, UnixTime};

/// What a request presents, as it came.
#[derive(Debug)]
enum Presented<'a> {
    /// A client id alone.
    Id(String),
    /// A client id with a secret; Basic credentials have two readings.
    Secret { id: String, readings: Vec<Secret> },
    /// A signed assertion, which names the client itself.
    Assertion(&'a str),
}

/// The credentials of a Basic header.
struct Basic {
    id: String,
    /// The secret decoded as a form value (RFC 6749 §2.3.1), and as it is: half of all clients forget to encode it.
    readings: Vec<Secret>,
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Whether the client tried HTTP Basic: then `invalid_client` comes with `WWW-Authenticate` (RFC 6749 §5.2).
pub fn tried_basic(authorization: Option<&[u8]>) -> bool {
    authorization.is_some_and(|value| credentials_of("basic", value).is_some())
}

/// The credentials after `scheme`, which is given in lower case (RFC 9110 §11.4).
pub(super) fn credentials_of<'a>(scheme: &str, authorization: &'a [u8]) -> Option<&'a str> {
    let text = std::str::from_utf8(authorization).ok()?;
    let (name, credentials) = text.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| credentials.trim_matches(' '))
}

impl Clients {
    /// The client that sends a form to the token, revocation or introspection endpoint, proven by the method that it
    /// registered. `authorization` is the value of the one `Authorization` header.
    pub async fn authenticate(
        &self,
        form: &Parameters,
        authorization: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<Client, OAuthError> {
        match presented(form, authorization)? {
            Presented::Id(id) => self.known(&id, now).await.and_then(public),
            Presented::Secret { id, readings } => self.with_secret(&id, &readings, now).await,
            Presented::Assertion(token) => {
                let assertion = Assertion::read(token, &self.settings, now)?;
                let client = self.known(&assertion.client_id, now).await?;
                self.prove(&client, &assertion, now).await?;
                Ok(client)
            }
        }
    }

    async fn known(&self, id: &str, now: UnixTime) -> Result<Client, OAuthError> {
        self.find(id, now).await?.ok_or_else(|| refused("the client is unknown; register again"))
    }

    async fn with_secret(&self, id: &str, readings: &[Secret], now: UnixTime) -> Result<Client, OAuthError> {
        let found = self.find(id, now).await?;
        let hash = found.as_ref().and_then(|client| match &client.authentication {
            ClientAuthentication::Secret { hash, .. } => Some(hash.clone()),
            ClientAuthentication::None | ClientAuthentication::PrivateKeyJwt { .. } => None,
        });
        // A client that does not exist costs the same work as a wrong secret.
        let has_secret = hash.is_some();
        let hash = hash.unwrap_or_else(|| SecretHash::of(""));
        let fits = readings.iter().fold(false, |fits, reading| hash.fits(reading.expose()) | fits);
        match found {
            None => Err(refused("the client is unknown; register again")),
            Some(_) if !has_secret => Err(refused("the client does not prove itself with a secret")),
            Some(client) if fits => Ok(client),
            Some(_) => Err(refused("the client secret is wrong")),
        }
    }
}

fn public(client: Client) -> Result<Client, OAuthError> {
    match client.authentication {
        ClientAuthentication::None => Ok(client),
        ClientAuthentication::Secret { .. } => Err(refused("the client must send its secret")),
        ClientAuthentication::PrivateKeyJwt { .. } => Err(refused("the client must send a client_assertion")),
    }
}

/// `invalid_client`
pub(super) fn refused(description: impl Into<Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description)
}

/// Finds the one method that is used.
fn presented<'a>(form: &'a Parameters, authorization: Option<&[u8]>) -> Result<Presented<'a>, OAuthError> {
    let basic = authorization.and_then(|value| credentials_of("basic", value)).map(Basic::read).transpose()?;
    let (header_id, readings) = basic.map_or((None, Vec::new()), |basic| (Some(basic.id), basic.readings));
    let secret = form.optional("client_secret").map(Secret::new);
    let assertion = form.optional("client_assertion");
    let methods = [!readings.is_empty(), secret.is_some(), assertion.is_some()];
    if methods.into_iter().filter(|used| *used).count() > 1 {
        return Err(OAuthError::invalid_request("the client proves itself in more than one way"));
    }
    let id = named(header_id, form.optional("client_id"))?;
    let readings = secret.map_or(readings, |secret| vec![secret]);
    match (assertion, id) {
        (Some(assertion), id) => with_assertion(form, assertion, id.as_deref()),
        (None, None) => Err(OAuthError::invalid_request("the parameter client_id is missing")),
        // An empty secret is none: public clients send it.
        (None, Some(id)) if readings.is_empty() => Ok(Presented::Id(id)),
        (None, Some(id)) => Ok(Presented::Secret { id, readings }),
    }
}

/// The client that header and body name. The same in both is what SDKs send, and no second method.
fn named(header: Option<String>, body: Option<&str>) -> Result<Option<String>, OAuthError> {
    match (header, body) {
        (Some(header), Some(body)) if header != body => {
            Err(OAuthError::invalid_request("the header and the body name different clients"))
        }
        (Some(id), _) => Ok(Some(id)),
        (None, body) => Ok(body.map(ToOwned::to_owned)),
    }
}

/// RFC 7521 §4.2: `client_id` is not needed, and must not name anybody else.
fn with_assertion<'a>(form: &Parameters, assertion: &'a str, id: Option<&str>) -> Result<Presented<'a>, OAuthError> {
    if form.optional("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(OAuthError::invalid_request("client_assertion_type is not the one of JWT assertions"));
    }
    match id {
        Some(id) if Assertion::unverified_client_id(assertion).as_deref() != Some(id) => {
            Err(OAuthError::invalid_request("the assertion and the request name different clients"))
        }
        _ => Ok(Presented::Assertion(assertion)),
    }
}

impl Basic {
    fn read(credentials: &str) -> Result<Self, OAuthError> {
        let malformed = || OAuthError::invalid_request("the Basic credentials are malformed");
        let decoded = STANDARD.decode(credentials).or_else(|_| STANDARD_NO_PAD.decode(credentials));
        let text = String::from_utf8(decoded.map_err(|_| malformed())?).map_err(|_| malformed())?;
        let (id, secret) = text.split_once(':').ok_or_else(malformed)?;
        let mut readings: Vec<String> = form_decoded(secret).into_iter().chain([secret.to_owned()]).collect();
        readings.dedup();
        readings.retain(|reading| !reading.is_empty());
        let readings = readings.into_iter().map(Secret::new).collect();
        Ok(Self { id: form_decoded(id).ok_or_else(malformed)?, readings })
    }
}

fn form_decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}
