//! Identity assertions as an MCP server verifies them, against the key set that the service publishes.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::http::Request;
use super::service::Service;

/// The name, as upstreams read it.
pub const HEADER: &str = "X-Identity-Assertion";
pub const TYPE: &str = "identity-assertion+jwt";
/// Who signs in [`AUTHORIZATION_SERVER`].
pub const ISSUER: &str = "https://auth.example.com";
/// What has to be there for assertions: it holds the keys. Nobody signs in.
pub const AUTHORIZATION_SERVER: &str = r#"
[authorization_server]
issuer = "https://auth.example.com"

[authorization_server.identity_provider]
kind = "github"
client_id = "nobody-signs-in"
client_secret = "a-secret-that-is-never-sent"

[store]
url = "memory:"
"#;

/// What the assertion says, once type, signature, time, issuer and audience are found good.
#[allow(clippy::disallowed_methods, reason = "another implementation than the one under test")]
pub fn verified(service: &Service, assertion: &str, audience: &str) -> Result<Value, String> {
    let header = decode_header(assertion).map_err(|error| error.to_string())?;
    if header.typ.as_deref() != Some(TYPE) {
        return Err(format!("its type is {:?}", header.typ));
    }
    let document = Request::get("/jwks").host("auth.example.com").send(service.port);
    let keys: JwkSet = serde_json::from_slice(&document.body).map_err(|error| error.to_string())?;
    let key = header.kid.as_deref().and_then(|kid| keys.find(kid)).ok_or("no such key")?;
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.leeway = 0;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
    decode::<Value>(assertion, &key, &validation).map(|token| token.claims).map_err(|error| error.to_string())
}
