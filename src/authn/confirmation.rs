//! What a token is bound to (`cnf`, RFC 7800 §3.1): who presents it must prove to hold that.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny};

/// A SHA-256 digest of a key or of a certificate.
#[derive(Debug, Clone, Copy)]
pub struct Thumbprint([u8; 32]);

/// What has to be proven; everything that is named here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confirmation {
    /// `jkt`: a key, proven with DPoP (RFC 9449 §6.1).
    pub key: Option<Thumbprint>,
    /// `x5t#S256`: a client certificate, proven in the TLS handshake (RFC 8705 §3.1).
    pub certificate: Option<Thumbprint>,
}

impl Confirmation {
    /// Whether anything has to be proven.
    pub const fn is_bound(&self) -> bool {
        self.key.is_some() || self.certificate.is_some()
    }
}

impl Thumbprint {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut thumbprint = [0; 32];
        thumbprint.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
        Self(thumbprint)
    }

    /// Reads base64url without padding.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// From the digest itself.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// In constant time, so that no comparison tells how much of a guess was right.
impl PartialEq for Thumbprint {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for Thumbprint {}

impl fmt::Display for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("no SHA-256 thumbprint"))
    }
}

/// The claim as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum WrittenConfirmation {
    /// There is none: whoever has the token may use it.
    #[default]
    Absent,
    /// A binding that can be checked.
    Known(Confirmation),
    /// A binding of another kind, or a malformed one: nobody can prove it here.
    Unknown,
}

impl WrittenConfirmation {
    /// What has to be proven.
    pub(super) fn known(self) -> Confirmation {
        match self {
            Self::Known(confirmation) => confirmation,
            Self::Absent | Self::Unknown => Confirmation::default(),
        }
    }
}

impl<'de> Deserialize<'de> for WrittenConfirmation {
    /// Members that mean nothing to us are ignored beside one that does (RFC 7800 §3.1); alone they are a binding that
    /// cannot be checked.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Members {
            jkt: Option<Thumbprint>,
            #[serde(rename = "x5t#S256")]
            certificate: Option<Thumbprint>,
        }

        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Read {
            Members(Members),
            Other(IgnoredAny),
        }

        Ok(match Read::deserialize(deserializer)? {
            Read::Members(Members { jkt: None, certificate: None }) | Read::Other(IgnoredAny) => Self::Unknown,
            Read::Members(Members { jkt, certificate }) => Self::Known(Confirmation { key: jkt, certificate }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    fn read(json: &str) -> WrittenConfirmation {
        #[derive(serde::Deserialize)]
        struct Claims {
            #[serde(default)]
            cnf: WrittenConfirmation,
        }
        serde_json::from_str::<Claims>(json).unwrap().cnf
    }

    #[test]
    fn a_binding_is_absent_known_or_refused() {
        let thumbprint = Thumbprint::parse(THUMBPRINT);
        let known = |key, certificate| WrittenConfirmation::Known(Confirmation { key, certificate });
        assert_eq!(read("{}"), WrittenConfirmation::Absent);
        assert_eq!(read(&format!(r#"{{"cnf":{{"jkt":"{THUMBPRINT}"}}}}"#)), known(thumbprint, None));
        assert_eq!(read(&format!(r#"{{"cnf":{{"jkt":"{THUMBPRINT}","x":1}}}}"#)), known(thumbprint, None));
        assert_eq!(read(&format!(r#"{{"cnf":{{"x5t#S256":"{THUMBPRINT}"}}}}"#)), known(None, thumbprint));
        let both = format!(r#"{{"cnf":{{"x5t#S256":"{THUMBPRINT}","jkt":"{THUMBPRINT}"}}}}"#);
        assert_eq!(read(&both), known(thumbprint, thumbprint));
        let twice = format!(r#"{{"cnf":{{"jkt":"{THUMBPRINT}","jkt":"{THUMBPRINT}"}}}}"#);
        let one_malformed = format!(r#"{{"cnf":{{"jkt":"{THUMBPRINT}","x5t#S256":"x"}}}}"#);
        for unknown in [
            r#"{"cnf":null}"#,
            r#"{"cnf":{}}"#,
            r#"{"cnf":"x"}"#,
            r#"{"cnf":[]}"#,
            r#"{"cnf":{"jkt":null}}"#,
            r#"{"cnf":{"jkt":""}}"#,
            r#"{"cnf":{"jkt":7}}"#,
            r#"{"cnf":{"kid":"a"}}"#,
            r#"{"cnf":{"jwk":{"kty":"EC"}}}"#,
            r#"{"cnf":{"x5t":"0ZcOCORZNYy"}}"#,
            &format!(r#"{{"cnf":{{"jkt":"{THUMBPRINT}="}}}}"#),
            &twice,
            &one_malformed,
        ] {
            assert_eq!(read(unknown), WrittenConfirmation::Unknown, "{unknown}");
        }
    }

    #[test]
    fn either_binding_alone_has_to_be_proven() {
        let thumbprint = Thumbprint::parse(THUMBPRINT);
        for (key, certificate, bound) in
            [(None, None, false), (thumbprint, None, true), (None, thumbprint, true), (thumbprint, thumbprint, true)]
        {
            assert_eq!(Confirmation { key, certificate }.is_bound(), bound, "{key:?} {certificate:?}");
        }
    }

    #[test]
    fn a_thumbprint_is_written_as_it_is_read() {
        assert_eq!(Thumbprint::parse(THUMBPRINT).unwrap().to_string(), THUMBPRINT);
        assert_eq!(Thumbprint::parse("AA"), None);
    }
}
