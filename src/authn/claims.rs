//! The claims that are read (RFC 7519 §4.1, RFC 9068 §2.2, OIDC Core §5.1), still unverified.

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, Visitor};

use super::confirmation::WrittenConfirmation;

/// A claim set as presented. A member that occurs twice is an error: readers disagree on which one counts.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: Option<String>,
    #[serde(default)]
    pub(super) aud: Strings,
    pub(super) exp: NumericDate,
    #[serde(default, deserialize_with = "present")]
    pub(super) nbf: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    pub(super) iat: Option<NumericDate>,
    /// RFC 8693 §4.2; some issuers write an array.
    #[serde(default)]
    pub(super) scope: Strings,
    /// Entra and Okta.
    #[serde(default)]
    pub(super) scp: Strings,
    pub(super) client_id: Option<String>,
    pub(super) azp: Option<String>,
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) email_verified: Flag,
    pub(super) preferred_username: Option<String>,
    #[serde(default)]
    pub(super) groups: Strings,
    /// Keycloak tells the kind of token here: `Bearer`, `ID`, `Refresh`.
    pub(super) typ: Option<String>,
    /// RFC 9068 §2.2.
    #[serde(default)]
    pub(super) jti: Text,
    /// In our own tokens: the grant that this one was issued under.
    #[serde(default)]
    pub(super) grant: Text,
    #[serde(default)]
    pub(super) cnf: WrittenConfirmation,
    pub(super) nonce: Option<IgnoredAny>,
    pub(super) at_hash: Option<IgnoredAny>,
    pub(super) c_hash: Option<IgnoredAny>,
}

impl Claims {
    /// Marks that only ID tokens carry (OIDC Core §2, §3.3.2.11), and kinds of token that are no access tokens.
    pub(super) fn is_other_token(&self, typed_as_access_token: bool) -> bool {
        const OTHER_KINDS: [&str; 5] = ["ID", "Refresh", "Offline", "Logout", "Registration"];
        let kind = self.typ.as_deref().unwrap_or_default();
        let other_kind = OTHER_KINDS.iter().any(|other| kind.eq_ignore_ascii_case(other));
        let hashes = self.at_hash.is_some() || self.c_hash.is_some();
        let nonce_without_scope = self.nonce.is_some() && self.scope.0.is_empty() && self.scp.0.is_empty();
        other_kind || (!typed_as_access_token && (hashes || nonce_without_scope))
    }
}

/// A string, or an array of strings; other members of an array are left out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Strings(pub Vec<String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Strings;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a string or an array of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Strings, E> {
                Ok(Strings(vec![text.to_owned()]))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Strings, E> {
                Ok(Strings::default())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Strings, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element::<String>()? {
                    texts.push(text);
                }
                Ok(Strings(texts))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// `true`, or the text `"true"` as some issuers write it. Anything else is not verified.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Flag;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a boolean")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Flag, E> {
                Ok(Flag(text == "true"))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Flag, E> {
                Ok(Flag(false))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// A string; whatever else other issuers put there is none.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) Option<Box<str>>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Read {
            Text(Box<str>),
            Other(IgnoredAny),
        }

        Ok(match Read::deserialize(deserializer)? {
            Read::Text(text) => Self(Some(text)),
            Read::Other(_) => Self(None),
        })
    }
}

/// A claim that is there must hold a date: `null` is none.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NumericDate>, D::Error> {
    NumericDate::deserialize(deserializer).map(Some)
}

/// Seconds since the epoch, whole or not (RFC 7519 §2). No token was made before 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumericDate(pub u64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = NumericDate;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a number of seconds")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<NumericDate, E> {
                Ok(NumericDate(seconds))
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<NumericDate, E> {
                u64::try_from(seconds).map(NumericDate).map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
                let whole = std::time::Duration::try_from_secs_f64(seconds).map_err(E::custom)?;
                Ok(NumericDate(whole.as_secs()))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Claims, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn reads_every_form_that_issuers_write() {
        let claims = read(
            r#"{"iss":"i","exp":1.5e3,"nbf":0,"aud":"a","scope":["a","b"],"scp":"c d","email_verified":"true","groups":null}"#,
        )
        .unwrap();
        assert_eq!(claims.exp, NumericDate(1500));
        assert_eq!(claims.nbf, Some(NumericDate(0)));
        assert_eq!(claims.aud.0, ["a"]);
        assert_eq!(claims.scope.0, ["a", "b"]);
        assert!(claims.email_verified.0);
    }

    #[test]
    fn refuses_doubtful_claim_sets() {
        for json in [
            r#"{"exp":1}"#,
            r#"{"iss":"i"}"#,
            r#"{"iss":["i"],"exp":1}"#,
            r#"{"iss":"i","exp":"1"}"#,
            r#"{"iss":"i","exp":1,"exp":2}"#,
            r#"{"iss":"i","iss":"j","exp":1}"#,
            r#"{"iss":"i","exp":1,"aud":[1]}"#,
            r#"{"iss":"i","exp":1e300}"#,
            r#"{"iss":"i","exp":1,"nbf":-1}"#,
            r#"{"iss":"i","exp":1,"nbf":-0.5}"#,
            r#"{"iss":"i","exp":1,"nbf":null}"#,
            r#"{"iss":"i","exp":1,"iat":null}"#,
            "[]",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn tells_id_tokens_from_access_tokens() {
        let other = |json: &str, typed| read(json).unwrap().is_other_token(typed);
        assert!(other(r#"{"iss":"i","exp":1,"at_hash":"x"}"#, false));
        assert!(other(r#"{"iss":"i","exp":1,"nonce":"x"}"#, false));
        assert!(other(r#"{"iss":"i","exp":1,"typ":"ID","scope":"a"}"#, true));
        assert!(!other(r#"{"iss":"i","exp":1,"nonce":"x","scope":"openid"}"#, false));
        assert!(!other(r#"{"iss":"i","exp":1,"typ":"Bearer"}"#, false));
        assert!(!other(r#"{"iss":"i","exp":1,"at_hash":"x"}"#, true));
    }
}
