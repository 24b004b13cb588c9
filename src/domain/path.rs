//! The path that is judged. What a proxy and an upstream could read differently is refused, not repaired.

use std::fmt;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambiguity {
    /// Does not start with `/` (absolute form, `*`, empty).
    NotOriginForm,
    /// `.` or `..` as a segment, also percent-encoded.
    DotSegment,
    /// `//`: some proxies merge it.
    EmptySegment,
    /// `%2F`, `%5C` or a backslash.
    EncodedSlash,
    /// `%25`: a second decoding would read something else.
    DoubleEncoding,
    /// `%` without two hex digits.
    InvalidEncoding,
    /// A letter, digit or plain character written as `%xx`: the same path in another spelling (RFC 3986 §6.2.2.2).
    NeedlessEncoding,
    /// `;` or `%3B`: path parameters, which some upstreams cut off.
    PathParameter,
    /// `#`, `%23` or `%3F`.
    HiddenDelimiter,
    /// Control characters, NUL, spaces, raw non-ASCII, or bytes that proxies rewrite.
    UnsafeByte,
    /// Percent-encoded bytes that are not UTF-8.
    NotUtf8,
    /// Longer than [`RequestPath::MAX_LENGTH`].
    TooLong,
    /// Spelled as a configured resource, but in another case: some proxies ignore case, upstreams may not.
    CaseVariant,
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotOriginForm => "the path does not start with a slash",
            Self::DotSegment => "the path holds a dot segment",
            Self::EmptySegment => "the path holds an empty segment",
            Self::EncodedSlash => "the path holds an encoded slash or a backslash",
            Self::DoubleEncoding => "the path is encoded twice",
            Self::InvalidEncoding => "the path holds an invalid percent-encoding",
            Self::NeedlessEncoding => "the path encodes characters that need no encoding",
            Self::PathParameter => "the path holds a semicolon",
            Self::HiddenDelimiter => "the path holds a fragment or an encoded delimiter",
            Self::UnsafeByte => "the path holds bytes that proxies and servers read differently",
            Self::NotUtf8 => "the path is not UTF-8",
            Self::TooLong => "the path is too long",
            Self::CaseVariant => "the path differs from a resource only in case",
        })
    }
}

/// A path with exactly one reading, as the client sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestPath<'a>(&'a str);

impl<'a> RequestPath<'a> {
    /// Longest path accepted, in bytes. MCP endpoints are short; nginx stops at 8 KiB by default.
    pub const MAX_LENGTH: usize = 8 * 1024;

    /// Takes a path (without query) if it has one reading only.
    pub fn parse(path: &'a [u8]) -> Result<Self, Ambiguity> {
        if path.first() != Some(&b'/') {
            return Err(Ambiguity::NotOriginForm);
        }
        if path.len() > Self::MAX_LENGTH {
            return Err(Ambiguity::TooLong);
        }
        refuse_odd_bytes(path)?;
        refuse_odd_segments(path)?;
        std::str::from_utf8(path).map(Self).map_err(|_| Ambiguity::UnsafeByte)
    }

    /// The path as text, starting with `/`.
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

fn refuse_odd_bytes(path: &[u8]) -> Result<(), Ambiguity> {
    let mut rest = path;
    let mut encoded_non_ascii = false;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'%' => {
                let (decoded, tail) = decode(rest)?;
                encoded_non_ascii |= refuse_encoded(decoded)?;
                rest = tail;
            }
            b'\\' => return Err(Ambiguity::EncodedSlash),
            b';' => return Err(Ambiguity::PathParameter),
            b'#' | b'?' => return Err(Ambiguity::HiddenDelimiter),
            b'/' => {}
            plain if is_path_character(*plain) => {}
            _ => return Err(Ambiguity::UnsafeByte),
        }
    }
    if encoded_non_ascii && percent_encoding::percent_decode(path).decode_utf8().is_err() {
        return Err(Ambiguity::NotUtf8);
    }
    Ok(())
}

/// The byte that two hex digits mean, and what follows them.
fn decode(rest: &[u8]) -> Result<(u8, &[u8]), Ambiguity> {
    let [high, low, tail @ ..] = rest else { return Err(Ambiguity::InvalidEncoding) };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match (digit(high), digit(low)) {
        (Some(high), Some(low)) => Ok((high << 4 | low, tail)),
        _ => Err(Ambiguity::InvalidEncoding),
    }
}

/// `Ok(true)` when the encoded byte is part of a non-ASCII character.
fn refuse_encoded(decoded: u8) -> Result<bool, Ambiguity> {
    match decoded {
        b'/' | b'\\' => Err(Ambiguity::EncodedSlash),
        b'%' => Err(Ambiguity::DoubleEncoding),
        b'.' => Err(Ambiguity::DotSegment),
        b';' => Err(Ambiguity::PathParameter),
        b'#' | b'?' => Err(Ambiguity::HiddenDelimiter),
        0..0x20 | 0x7f => Err(Ambiguity::UnsafeByte),
        plain if is_path_character(plain) => Err(Ambiguity::NeedlessEncoding),
        other => Ok(!other.is_ascii()),
    }
}

/// `pchar` of RFC 3986 §3.3 without `%` and `;`.
const fn is_path_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}

/// A trailing slash is not an empty segment in this sense: every proxy and server keeps it.
fn refuse_odd_segments(path: &[u8]) -> Result<(), Ambiguity> {
    let inner = path.strip_prefix(b"/").unwrap_or(path);
    if inner.is_empty() {
        return Ok(());
    }
    let inner = inner.strip_suffix(b"/").unwrap_or(inner);
    for segment in inner.split(|byte| *byte == b'/') {
        match segment {
            b"" => return Err(Ambiguity::EmptySegment),
            b"." | b".." => return Err(Ambiguity::DotSegment),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_plain_paths_as_they_are() {
        for path in ["/", "/mcp", "/mcp/", "/a.b/c-d_e~f", "/mcp/%C3%A9", "/mcp/a%20b", "/.well-known/x", "/@a:b,c=d"] {
            assert_eq!(RequestPath::parse(path.as_bytes()).map(RequestPath::as_str), Ok(path));
        }
    }

    #[test]
    fn refuses_every_path_with_two_readings() {
        use Ambiguity::*;
        for (path, why) in [
            (&b""[..], NotOriginForm),
            (b"*", NotOriginForm),
            (b"http://a/", NotOriginForm),
            (b"/mcp/../admin", DotSegment),
            (b"/mcp/./x", DotSegment),
            (b"/mcp/..", DotSegment),
            (b"/mcp/%2e%2e/admin", DotSegment),
            (b"/mcp%2e", DotSegment),
            (b"/mcp/..%2fadmin", EncodedSlash),
            (b"/mcp%5cadmin", EncodedSlash),
            (b"/mcp\\admin", EncodedSlash),
            (b"//mcp", EmptySegment),
            (b"/mcp//x", EmptySegment),
            (b"/mcp//", EmptySegment),
            (b"//", EmptySegment),
            (b"/mcp%252fx", DoubleEncoding),
            (b"/mcp%25", DoubleEncoding),
            (b"/mcp%zz", InvalidEncoding),
            (b"/mcp%2", InvalidEncoding),
            (b"/%6d%63%70", NeedlessEncoding),
            (b"/mcp%3Ax", NeedlessEncoding),
            (b"/public/..;/mcp", PathParameter),
            (b"/mcp%3Bx", PathParameter),
            (b"/mcp#frag", HiddenDelimiter),
            (b"/mcp%3fx", HiddenDelimiter),
            (b"/mcp%00", UnsafeByte),
            (b"/mcp%0d%0a", UnsafeByte),
            (b"/mcp\0", UnsafeByte),
            (b"/mcp x", UnsafeByte),
            (b"/mcp\xc3\xa9", UnsafeByte),
            (b"/mcp\"", UnsafeByte),
            (b"/mcp/%ff", NotUtf8),
            (b"/mcp/%c0%ae", NotUtf8),
        ] {
            assert_eq!(RequestPath::parse(path), Err(why), "{}", String::from_utf8_lossy(path));
        }
    }

    #[test]
    fn refuses_a_path_over_the_limit() {
        let longest = format!("/{}", "a".repeat(RequestPath::MAX_LENGTH - 1));
        assert!(RequestPath::parse(longest.as_bytes()).is_ok());
        assert_eq!(RequestPath::parse(format!("{longest}a").as_bytes()), Err(Ambiguity::TooLong));
    }
}
