//! How a client says who it is in a header (RFC 7617, RFC 6749 §2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use crate::domain::Secret;

/// The value of `Authorization`. Both halves are form-encoded first (RFC 6749 §2.3.1).
pub fn basic_credentials(client_id: &str, secret: &Secret) -> Secret {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_form_encoded_before_base64() {
        let value = basic_credentials("client id", &Secret::new("a:b%/ü"));
        let decoded = STANDARD.decode(value.expose().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), "client+id:a%3Ab%25%2F%C3%BC");
    }
}
