//! The headers that repeat what the body says (MCP 2026-07-28, Streamable HTTP). A client can send any lie in them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::Occurrence;

/// What is wrong with a mirrored header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Two readers could believe two values.
    #[error("{0} was sent more than once")]
    Repeated(&'static str),
    /// Neither visible ASCII nor Base64 of UTF-8 in its marks.
    #[error("{0} cannot be decoded")]
    Undecodable(&'static str),
    /// Header and body name different things.
    #[error("{0} says something else than the body")]
    Disagrees(&'static str),
    /// More of them than are read.
    #[error("there are too many of {0}, or they are too long")]
    TooMany(&'static str),
    /// Nothing to go by.
    #[error("{0} is missing")]
    Missing(&'static str),
}

/// Longer names are refused: nothing has them, and a header is bounded anyway.
const MAX_LENGTH: usize = 4096;

/// The value of a mirrored header, decoded; `None` when it did not come.
pub fn read<'a>(name: &'static str, occurrence: Occurrence<'a>) -> Result<Option<Cow<'a, str>>, HeaderFault> {
    match occurrence {
        Occurrence::Absent => Ok(None),
        Occurrence::Repeated => Err(HeaderFault::Repeated(name)),
        Occurrence::Once(value) => decode(value).map(Some).ok_or(HeaderFault::Undecodable(name)),
    }
}

/// Visible ASCII stands for itself, anything else comes as `=?base64?…?=`. The marks are case-sensitive; a value that only
/// looks like one is sent encoded, so what looks like one is one.
fn decode(value: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= MAX_LENGTH)?;
    let plain = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    match text.strip_prefix("=?base64?") {
        None => plain.then_some(Cow::Borrowed(text)),
        Some(rest) => {
            let decoded = STANDARD.decode(rest.strip_suffix("?=")?).ok()?;
            String::from_utf8(decoded).ok().map(Cow::Owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(value: &str) -> Option<String> {
        decode(value.as_bytes()).map(Cow::into_owned)
    }

    #[test]
    fn plain_and_encoded_values_are_read() {
        for (value, expected) in [
            ("delete_user", "delete_user"),
            ("file:///a,b c", "file:///a,b c"),
            ("=?base64?w7xiZXI=?=", "über"),
            ("=?base64?PT9iYXNlNjQ/eD89?=", "=?base64?x?="),
            ("=?BASE64?eA==?=", "=?BASE64?eA==?="),
            ("=?base64?eA==?=", "x"),
            ("=?base64??=", ""),
        ] {
            assert_eq!(decoded(value).as_deref(), Some(expected), "{value}");
        }
        let longest = "x".repeat(4096);
        assert_eq!(decoded(&longest), Some(longest));
    }

    #[test]
    fn what_cannot_be_decoded_has_no_value() {
        let long = "x".repeat(4097);
        for value in [
            "",
            "\u{fc}ber",
            "a\tb",
            "a\u{7f}",
            "=?base64?eA==",
            "=?base64?eA?=",
            "=?base64?e-_=?=",
            "=?base64?eB==?=",
            "=?base64?/w==?=",
            "=?base64? eA==?=",
            &long,
        ] {
            assert_eq!(decoded(value), None, "{value:?}");
        }
    }

    #[test]
    fn a_repeated_header_has_no_value_even_if_both_agree() {
        assert_eq!(read("Mcp-Name", Occurrence::Repeated), Err(HeaderFault::Repeated("Mcp-Name")));
        assert_eq!(read("Mcp-Name", Occurrence::Absent), Ok(None));
    }
}
