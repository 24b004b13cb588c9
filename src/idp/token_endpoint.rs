//! Asking a provider's token endpoint (RFC 6749 §4.1.3, §6), and what its errors mean for us.

use serde::Deserialize;
use url::Url;

use super::{IdpError, Registration, SecretIn};
use crate::domain::Secret;
use crate::outbound::{Call, Outbound, Reply, basic_credentials};

/// What a good answer holds.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the names of RFC 6749 §5.1")]
pub(super) struct Tokens {
    pub(super) access_token: Secret,
    pub(super) id_token: Option<Secret>,
    pub(super) refresh_token: Option<Secret>,
}

/// An answer as written; GitHub writes errors with status 200.
#[derive(Deserialize)]
struct Written {
    access_token: Option<String>,
    token_type: Option<String>,
    id_token: Option<String>,
    refresh_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Errors that are about this person or this sign-in. All others are about us: to take a wrong client secret for a
/// refusal would end every grant that asks.
const REFUSALS: [&str; 9] = [
    "invalid_grant",
    "access_denied",
    // Entra, and OIDC Core §3.1.2.6: the person has to do something, which nobody can at a refresh.
    "interaction_required",
    "login_required",
    "consent_required",
    "account_selection_required",
    // GitHub
    "bad_verification_code",
    "bad_refresh_token",
    "unverified_user_email",
];

impl Registration {
    /// Sends `fields` and our credentials; an answer without tokens is an error.
    pub(super) async fn ask(
        &self,
        outbound: &Outbound,
        endpoint: &Url,
        secret_in: SecretIn,
        fields: &[(&str, &str)],
    ) -> Result<Tokens, IdpError> {
        let mut fields = fields.to_vec();
        let mut basic = None;
        match (&self.client_secret, secret_in) {
            (Some(secret), SecretIn::Header) => basic = Some(basic_credentials(&self.client_id, secret)),
            (Some(secret), SecretIn::Body) => {
                fields.extend([("client_id", &*self.client_id), ("client_secret", secret.expose())]);
            }
            (None, _) => fields.push(("client_id", &self.client_id)),
        }
        let mut call = Call::post_form(endpoint, fields);
        if let Some(credentials) = basic {
            call = call.authorization(credentials);
        }
        read(endpoint, &outbound.call(&call).await?)
    }
}

fn read(endpoint: &Url, reply: &Reply) -> Result<Tokens, IdpError> {
    let answered = || IdpError::Unavailable(format!("{endpoint} answered {}", reply.status));
    let ours_to_read = matches!(reply.status, 200 | 400..=428 | 430..=499);
    let written = serde_json::from_slice::<Written>(&reply.body).ok().filter(|_| ours_to_read).ok_or_else(answered)?;
    if let Some(error) = &written.error {
        return Err(refusal(endpoint, error, written.error_description.as_deref()));
    }
    if reply.status != 200 {
        return Err(answered());
    }
    let missing = || IdpError::Untrustworthy(format!("{endpoint} gave no access token of type Bearer"));
    let bearer = written.token_type.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    Ok(Tokens {
        access_token: written.access_token.filter(|_| bearer).map(Secret::new).ok_or_else(missing)?,
        id_token: written.id_token.map(Secret::new),
        refresh_token: written.refresh_token.filter(|token| !token.is_empty()).map(Secret::new),
    })
}

fn refusal(endpoint: &Url, error: &str, description: Option<&str>) -> IdpError {
    let said = format!("{endpoint} said {}: {}", shown(error), shown(description.unwrap_or_default()));
    if REFUSALS.contains(&error) { IdpError::Refused(said) } else { IdpError::Unavailable(said) }
}

/// Text from outside, fit for one line of a log: support asks for what stands there.
fn shown(text: &str) -> String {
    const MAX_LENGTH: usize = 200;
    text.chars().filter(|char| char.is_ascii_graphic() || *char == ' ').take(MAX_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, body: &str) -> String {
        let endpoint = Url::parse("https://idp.example.com/token").unwrap();
        match read(&endpoint, &Reply { status, body: body.into() }) {
            Ok(_) => "tokens".into(),
            Err(IdpError::Refused(_)) => "refused".into(),
            Err(IdpError::Unavailable(_)) => "unavailable".into(),
            Err(IdpError::Untrustworthy(_)) => "untrustworthy".into(),
        }
    }

    #[test]
    fn only_errors_about_the_person_are_refusals() {
        for error in REFUSALS {
            assert_eq!(outcome(400, &format!("{{\"error\":\"{error}\"}}")), "refused", "{error}");
            assert_eq!(
                outcome(200, &format!("{{\"error\":\"{error}\",\"access_token\":\"a\"}}")),
                "refused",
                "{error}"
            );
        }
        for error in ["invalid_client", "unauthorized_client", "invalid_request", "incorrect_client_credentials", "x"] {
            assert_eq!(outcome(401, &format!("{{\"error\":\"{error}\"}}")), "unavailable", "{error}");
        }
        for status in [429, 500, 503, 302] {
            assert_eq!(outcome(status, r#"{"error":"invalid_grant"}"#), "unavailable", "{status}");
        }
    }

    #[test]
    fn only_a_200_with_a_bearer_token_gives_tokens() {
        assert_eq!(outcome(200, r#"{"access_token":"a","token_type":"bearer"}"#), "tokens");
        assert_eq!(outcome(200, r#"{"access_token":"a"}"#), "tokens");
        assert_eq!(outcome(200, r#"{"access_token":"a","token_type":"DPoP"}"#), "untrustworthy");
        assert_eq!(outcome(200, "{}"), "untrustworthy");
        assert_eq!(outcome(200, "<html>"), "unavailable");
        assert_eq!(outcome(201, r#"{"access_token":"a"}"#), "unavailable");
        assert_eq!(outcome(400, r#"{"access_token":"a"}"#), "unavailable");
    }

    #[test]
    fn what_a_provider_says_is_one_bounded_line_in_the_log() {
        let text = format!("AADSTS50126:\r\n\u{1b}[31m{}", "x".repeat(1000));
        assert_eq!(shown(&text).len(), 200);
        assert!(shown(&text).starts_with("AADSTS50126:[31mxxx"));
    }
}
