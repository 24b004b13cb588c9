//! Proof keys (RFC 7636): S256 and nothing else (OAuth 2.1 §4.1.1, §7.5).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{OAuthError, Parameters};
use crate::domain::Secret;

/// A challenge of the method S256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge(String);

impl Challenge {
    /// What the request says; `plain`, which is also what no method means (RFC 7636 §4.3), is refused.
    pub(super) fn of_request(parameters: &Parameters) -> Result<Self, OAuthError> {
        let challenge = parameters.required("code_challenge")?;
        if parameters.optional("code_challenge_method") != Some("S256") {
            return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
        }
        if challenge.len() != 43 || !challenge.bytes().all(is_base64url) {
            return Err(OAuthError::invalid_request("code_challenge is no SHA-256 in base64url"));
        }
        Ok(Self(challenge.to_owned()))
    }

    /// The challenge of a verifier.
    pub(super) fn of_verifier(verifier: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes())))
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Whether `verifier` is what `challenge` was made from (RFC 7636 §4.6); its form is part of the proof (§4.1).
pub(super) fn fits(verifier: &str, challenge: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(sound);
    well_formed && Secret::new(challenge).matches(Challenge::of_verifier(verifier).0.as_bytes())
}

pub(super) const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_fits_and_nothing_else() {
        assert!(fits(VERIFIER, CHALLENGE));
        assert!(!fits(CHALLENGE, CHALLENGE), "plain");
        for verifier in ["", "short", &"a".repeat(42), &"a".repeat(129), &format!("{} ", "a".repeat(42))] {
            assert!(!fits(verifier, &Challenge::of_verifier(verifier).0), "{verifier}");
        }
    }

    #[test]
    fn only_s256_is_a_challenge() {
        let read = |text: String| Challenge::of_request(&Parameters::parse(text.as_bytes()).unwrap());
        assert_eq!(read(format!("code_challenge={CHALLENGE}&code_challenge_method=S256")).unwrap().0, CHALLENGE);
        for text in [
            String::new(),
            format!("code_challenge={CHALLENGE}"),
            format!("code_challenge={CHALLENGE}&code_challenge_method=plain"),
            format!("code_challenge={CHALLENGE}&code_challenge_method=s256"),
            "code_challenge=short&code_challenge_method=S256".into(),
            format!("code_challenge={CHALLENGE}%3D&code_challenge_method=S256"),
            "code_challenge_method=S256".into(),
        ] {
            assert!(read(text.clone()).is_err(), "{text}");
        }
    }
}
