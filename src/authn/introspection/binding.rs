//! What an answer says that its token is bound to (RFC 9449 §6.2, RFC 8705 §3.2): read as in JWTs, from the text itself.

use serde::Deserialize;

use crate::authn::confirmation::WrittenConfirmation;

/// Reads `cnf` of the answer `text`. The members of a tree would not do: it has forgotten what occurred twice.
pub(super) fn read(text: &str) -> Option<WrittenConfirmation> {
    #[derive(Deserialize)]
    struct Answer {
        /// `null` is not there, as with all members of an answer.
        cnf: Option<WrittenConfirmation>,
    }

    serde_json::from_str(text).ok().map(|Answer { cnf }| cnf.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::{Confirmation, Thumbprint};

    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    #[test]
    fn a_binding_is_that_of_a_jwt_but_for_null() {
        let thumbprint = Thumbprint::parse(THUMBPRINT);
        let known = |key, certificate| WrittenConfirmation::Known(Confirmation { key, certificate });
        for (cnf, expected) in [
            ("null", WrittenConfirmation::Absent),
            (r#"{"jkt":"T"}"#, known(thumbprint, None)),
            (r#"{"jkt":"T","kid":"a"}"#, known(thumbprint, None)),
            (r#"{"x5t#S256":"T"}"#, known(None, thumbprint)),
            (r#"{"x5t#S256":"T","jkt":"T"}"#, known(thumbprint, thumbprint)),
            (r#"{"jkt":"T","jkt":"T"}"#, WrittenConfirmation::Unknown),
            (r#"{"jkt":"T","x5t#S256":"x"}"#, WrittenConfirmation::Unknown),
            (r#"{"jkt":null}"#, WrittenConfirmation::Unknown),
            (r#"{"kid":"a"}"#, WrittenConfirmation::Unknown),
            (r#"{"jwk":{"kty":"EC"}}"#, WrittenConfirmation::Unknown),
            (r#"["T"]"#, WrittenConfirmation::Unknown),
            (r#""T""#, WrittenConfirmation::Unknown),
            ("false", WrittenConfirmation::Unknown),
            ("{}", WrittenConfirmation::Unknown),
        ] {
            let answer = format!(r#"{{"active":true,"cnf":{cnf},"sub":"alice"}}"#).replace('T', THUMBPRINT);
            assert_eq!(read(&answer), Some(expected), "{cnf}");
        }
        assert_eq!(read(r#"{"active":true}"#), Some(WrittenConfirmation::Absent));
        assert_eq!(read(r#"{"cnf":null,"cnf":{}}"#), None);
    }
}
