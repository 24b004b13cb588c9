//! What the client presented (RFC 6750 §2.1). Only the `Authorization` header counts: `?access_token=` is ignored.

use super::TokenFault;
use crate::domain::Occurrence;

/// A credential as presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// None, or one of a scheme that is not ours.
    None,
    /// A bearer token, not yet looked into.
    Bearer(BearerToken<'a>),
    /// A token with the promise of a proof (RFC 9449 §7.1), not yet looked into.
    Dpop(BearerToken<'a>),
    /// Something that must not be guessed at.
    Malformed(TokenFault),
}

/// A bearer token of acceptable size, not yet looked into. It never prints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BearerToken<'a>(&'a [u8]);

impl std::fmt::Debug for BearerToken<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl<'a> BearerToken<'a> {
    /// Longest token accepted, in bytes.
    pub const MAX_LENGTH: usize = 16 * 1024;

    /// The token itself.
    pub(super) const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The token as text, when it is one `b64token` (RFC 6750 §2.1). Asked only about tokens that are not in the cache:
    /// looking at every byte would take a tenth of a cached decision.
    pub(super) fn as_b64token(self) -> Option<&'a str> {
        let sound = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        std::str::from_utf8(self.0).ok().filter(|token| !token.is_empty() && token.as_bytes().iter().all(sound))
    }
}

impl<'a> Credential<'a> {
    /// Reads the `Authorization` header. Two of them are refused: proxies disagree on which one counts.
    pub fn from_authorization(header: Occurrence<'a>) -> Self {
        let value = match header {
            Occurrence::Absent => return Self::None,
            Occurrence::Repeated => return Self::Malformed(TokenFault::MalformedCredential),
            Occurrence::Once(value) => value,
        };
        let value = value.trim_ascii();
        let scheme_end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, token) = value.split_at_checked(scheme_end).unwrap_or((value, b""));
        if scheme.eq_ignore_ascii_case(b"bearer") {
            Self::bearer(token.trim_ascii_start())
        } else if scheme.eq_ignore_ascii_case(b"dpop") {
            Self::dpop(token.trim_ascii_start())
        } else {
            Self::other(scheme)
        }
    }

    pub(super) fn bearer(token: &'a [u8]) -> Self {
        if token.is_empty() {
            return Self::Malformed(TokenFault::MalformedCredential);
        }
        if token.len() > BearerToken::MAX_LENGTH {
            return Self::Malformed(TokenFault::TooLong);
        }
        Self::Bearer(BearerToken(token))
    }

    fn dpop(token: &'a [u8]) -> Self {
        match Self::bearer(token) {
            Self::Bearer(token) => Self::Dpop(token),
            other @ (Self::None | Self::Dpop(_) | Self::Malformed(_)) => other,
        }
    }

    /// Whether the client promised a proof.
    pub const fn is_dpop(&self) -> bool {
        matches!(self, Self::Dpop(_))
    }

    /// `Basic` and the like are no credential for us. A list (`Bearer one,Bearer two`, as Envoy joins two headers) never
    /// gets here: its scheme is `Bearer` and its token holds a comma.
    fn other(scheme: &[u8]) -> Self {
        let known = scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        if known { Self::None } else { Self::Malformed(TokenFault::MalformedCredential) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> Credential<'_> {
        Credential::from_authorization(Occurrence::Once(value))
    }

    #[test]
    fn the_scheme_ignores_case_and_extra_spaces() {
        for value in ["Bearer abc", "bearer abc", "BEARER   abc", " Bearer abc "] {
            assert_eq!(read(value.as_bytes()), Credential::Bearer(BearerToken(b"abc")), "{value}");
        }
    }

    #[test]
    fn a_token_with_a_proof_is_another_credential() {
        for value in ["DPoP abc", "dpop abc", "DPOP   abc", " DPoP abc "] {
            assert_eq!(read(value.as_bytes()), Credential::Dpop(BearerToken(b"abc")), "{value}");
        }
        assert_eq!(read(b"DPoP"), Credential::Malformed(TokenFault::MalformedCredential));
    }

    #[test]
    fn other_schemes_are_no_credential() {
        assert_eq!(read(b"Basic YTpi"), Credential::None);
        assert_eq!(read(b""), Credential::None);
        assert_eq!(Credential::from_authorization(Occurrence::Absent), Credential::None);
    }

    #[test]
    fn what_could_be_read_two_ways_is_malformed() {
        let malformed = Credential::Malformed(TokenFault::MalformedCredential);
        assert_eq!(Credential::from_authorization(Occurrence::Repeated), malformed);
        for value in [&b"Bearer"[..], b"Bearer ", b"abc,def x"] {
            assert_eq!(read(value), malformed, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn only_one_b64token_is_ever_looked_into() {
        for token in ["abc", "a.b-c_d~e+f/g=="] {
            assert_eq!(BearerToken(token.as_bytes()).as_b64token(), Some(token));
        }
        for token in [&b"one,Bearer two"[..], b"a b", b"a\tb", b"\xff", b"", b"a\"b"] {
            assert_eq!(BearerToken(token).as_b64token(), None, "{}", String::from_utf8_lossy(token));
        }
    }

    #[test]
    fn a_token_over_the_limit_is_refused_and_never_printed() {
        let longest = format!("Bearer {}", "a".repeat(BearerToken::MAX_LENGTH));
        assert!(matches!(read(longest.as_bytes()), Credential::Bearer(_)));
        assert!(!format!("{:?}", read(longest.as_bytes())).contains("aaa"));
        let longer = format!("{longest}a");
        assert_eq!(read(longer.as_bytes()), Credential::Malformed(TokenFault::TooLong));
    }
}
