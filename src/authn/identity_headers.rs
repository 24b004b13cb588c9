//! The identity as header values: visible ASCII, bounded, and never what could be taken for somebody else.

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Identity, TokenFault};
use crate::domain::{Email, Scope};

/// The values ready to be sent: made once per token, copied by reference on every request.
#[derive(Debug, Clone)]
pub struct IdentityHeaders {
    /// E-mail when verified, else user name, else subject.
    pub user: Bytes,
    /// Verified e-mail.
    pub email: Bytes,
    /// Groups, separated by commas.
    pub groups: Bytes,
    /// Scopes, separated by spaces.
    pub scopes: Bytes,
    /// `sub`.
    pub subject: Bytes,
    /// `iss`.
    pub issuer: Bytes,
    /// `client_id` or `azp`.
    pub client: Bytes,
}

/// Everything but visible ASCII, and `%` itself so that decoding gives back the same text.
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
/// The comma separates items.
const UNSAFE_IN_LIST: &AsciiSet = &UNSAFE.add(b',');
/// A subject that looks like an e-mail address (`boss@corp.example`) is none that anybody verified.
const UNSAFE_BESIDE_EMAILS: &AsciiSet = &UNSAFE.add(b'@');

/// Bytes for one list header. The whole answer must stay under 4 KiB (nginx `proxy_buffer_size`).
const MAX_LIST: usize = 768;
/// Bytes for one single-valued header.
const MAX_VALUE: usize = 320;

impl IdentityHeaders {
    /// Empty ones.
    pub const NOBODY: Self = Self {
        user: Bytes::new(),
        email: Bytes::new(),
        groups: Bytes::new(),
        scopes: Bytes::new(),
        subject: Bytes::new(),
        issuer: Bytes::new(),
        client: Bytes::new(),
    };

    /// The values of `identity`, if each single one fits its header.
    pub(super) fn of(identity: &Identity) -> Result<Self, TokenFault> {
        let email = identity.verified_email().map(Email::as_str);
        Ok(Self {
            user: user(identity, email)?,
            email: single(email.unwrap_or_default(), UNSAFE)?,
            groups: list(identity.groups().iter().map(String::as_str), ",", UNSAFE_IN_LIST),
            scopes: list(identity.scopes().as_slice().iter().map(Scope::as_str), " ", UNSAFE),
            subject: single(identity.subject(), UNSAFE)?,
            issuer: single(identity.issuer().as_str(), UNSAFE)?,
            client: single(identity.client().unwrap_or_default(), UNSAFE)?,
        })
    }
}

/// Whether an issuer can be named to an MCP server.
pub fn fits_header(issuer: &str) -> bool {
    single(issuer, UNSAFE).is_ok()
}

/// An `@` stands in this header only within a verified e-mail address. A user name that holds one is passed over.
fn user(identity: &Identity, email: Option<&str>) -> Result<Bytes, TokenFault> {
    if let Some(email) = email {
        return single(email, UNSAFE);
    }
    let name = identity.user_name().filter(|name| !name.contains('@'));
    single(name.unwrap_or_else(|| identity.subject()), UNSAFE_BESIDE_EMAILS)
}

/// A value that is too long is a fault of the token: left out, it would make somebody nobody, and half a name could be
/// somebody else's.
fn single(text: &str, escape: &'static AsciiSet) -> Result<Bytes, TokenFault> {
    let encoded = utf8_percent_encode(text, escape).to_string();
    if encoded.len() > MAX_VALUE { Err(TokenFault::NameTooLong) } else { Ok(Bytes::from(encoded)) }
}

/// Items that do not fit are left out whole, from the end.
fn list<'a>(items: impl Iterator<Item = &'a str>, separator: &str, escape: &'static AsciiSet) -> Bytes {
    let mut text = String::new();
    for item in items.filter(|item| !item.is_empty()) {
        let encoded = utf8_percent_encode(item, escape).to_string();
        if text.len() + separator.len() + encoded.len() > MAX_LIST {
            continue;
        }
        if !text.is_empty() {
            text.push_str(separator);
        }
        text.push_str(&encoded);
    }
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn identity(claims: &str) -> Identity {
        Identity::for_test("https://idp.example.com", claims)
    }

    fn text(bytes: &Bytes) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn headers_hold_visible_ascii_only_and_lists_can_be_taken_apart() {
        let identity = identity(
            r#"{"iss":"i","exp":1,"sub":"a\u00e9\r\nX-Forwarded-User: root","groups":["R, D","50%","a b"],"scope":"b a"}"#,
        );
        let headers = identity.headers();
        assert_eq!(text(&headers.subject), "a%C3%A9%0D%0AX-Forwarded-User:%20root");
        assert_eq!(text(&headers.groups), "R%2C%20D,50%25,a%20b");
        assert_eq!(text(&headers.scopes), "a b");
        assert_eq!(text(&headers.email), "");
        assert_eq!(text(&headers.client), "");
    }

    #[test]
    fn user_is_the_verified_email_then_the_name_then_the_subject() {
        let user = |claims: &str| text(&identity(claims).headers().user).to_owned();
        assert_eq!(user(r#"{"iss":"i","exp":1,"sub":"s","email":"A@B.example","email_verified":true}"#), "a@b.example");
        assert_eq!(user(r#"{"iss":"i","exp":1,"sub":"s","email":"a@b.example","preferred_username":"al"}"#), "al");
        assert_eq!(user(r#"{"iss":"i","exp":1,"sub":"s","email":"a@b.example"}"#), "s");
        assert_eq!(user(r#"{"iss":"i","exp":1,"sub":"s","preferred_username":"boss@b.example"}"#), "s");
    }

    #[test]
    fn user_holds_an_at_sign_only_in_a_verified_email() {
        for (claims, user, subject) in [
            (json!({ "sub": "boss@b.example" }), "boss%40b.example", "boss@b.example"),
            (json!({ "sub": "boss%40b.example" }), "boss%2540b.example", "boss%2540b.example"),
            (json!({ "sub": "@", "preferred_username": "a@b" }), "%40", "@"),
            (json!({ "sub": "boss@b.example", "email": "boss@b.example" }), "boss%40b.example", "boss@b.example"),
            (json!({ "sub": "s@x", "email": "a@b.example", "email_verified": true }), "a@b.example", "s@x"),
            (json!({ "sub": "s\u{ff20}x" }), "s%EF%BC%A0x", "s%EF%BC%A0x"),
        ] {
            let mut all = claims.clone();
            all["iss"] = json!("i");
            all["exp"] = json!(1);
            let identity = identity(&all.to_string());
            let headers = identity.headers();
            assert_eq!((text(&headers.user), text(&headers.subject)), (user, subject), "{claims}");
        }
    }

    #[test]
    fn a_single_value_fits_or_is_a_fault() {
        for (value, fits) in [
            ("x".repeat(320), true),
            ("x".repeat(321), false),
            ("%".repeat(106), true),
            ("%".repeat(107), false),
            ("\u{e9}".repeat(53), true),
            ("\u{e9}".repeat(54), false),
        ] {
            let expected = if fits { Ok(()) } else { Err(TokenFault::NameTooLong) };
            assert_eq!(single(&value, UNSAFE).map(|_| ()), expected, "{value}");
        }
    }

    #[test]
    fn everything_stays_under_four_kilobytes() {
        let groups: Vec<String> = (0..500).map(|index| format!("\"group-{index:04}\"")).collect();
        let claims = format!(
            r#"{{"iss":"i","exp":1,"sub":"{0}","client_id":"{0}","preferred_username":"{0}","groups":[{1}],"scope":[{1}]}}"#,
            "s".repeat(255),
            groups.join(",")
        );
        let identity = identity(&claims);
        let headers = identity.headers();
        let all = [&headers.user, &headers.email, &headers.groups, &headers.scopes, &headers.subject];
        let total: usize = all.iter().chain(&[&headers.issuer, &headers.client]).map(|value| value.len()).sum();
        assert!(total < 3200, "{total}");
        assert!(text(&headers.groups).split(',').all(|group| group.len() == "group-0000".len()), "no group is cut");
    }
}
