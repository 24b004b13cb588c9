//! What a token says about itself, before anything is proven. Used to choose a key and to refuse early, never to allow.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};

use super::claims::Claims;
use super::{Algorithm, BearerToken, TokenFault};

/// The parts of a JWS in compact form (RFC 7515 §3.1). Every accessor names what it is: unverified.
#[derive(Debug)]
pub(super) struct UnverifiedToken<'a, C = Claims> {
    signing_input: &'a str,
    signature: Vec<u8>,
    header: Header,
    claims: C,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default)]
    crit: Present,
    #[serde(default)]
    jku: Present,
    #[serde(default)]
    jwk: Present,
    #[serde(default)]
    x5u: Present,
}

/// Whether a member is there, with whatever value: `"crit":null` is no way around it.
#[derive(Debug, Default)]
pub(super) struct Present(pub(super) bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self(true))
    }
}

impl<'a> UnverifiedToken<'a> {
    /// Takes an access token apart.
    pub(super) fn parse(token: BearerToken<'a>) -> Result<Self, TokenFault> {
        Self::parse_text(token.as_b64token().ok_or(TokenFault::MalformedCredential)?)
    }
}

impl<'a, C: DeserializeOwned> UnverifiedToken<'a, C> {
    /// Takes any JWT apart; everything that can be refused by shape alone is refused here.
    pub(super) fn parse_text(token: &'a str) -> Result<Self, TokenFault> {
        Self::take_apart(token, Header::refuse_other_types)
    }

    /// The same of a JWT whose `typ` must be there and be this one (RFC 8725 §3.11).
    pub(super) fn parse_typed(token: &'a str, typ: &str) -> Result<Self, TokenFault> {
        Self::take_apart(token, |header| header.require_type(typ))
    }

    fn take_apart(token: &'a str, check: impl Fn(&Header) -> Result<(), TokenFault>) -> Result<Self, TokenFault> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(TokenFault::NotJwt)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenFault::NotJwt)?;
        let header = decode(header).ok_or(TokenFault::NotJwt)?;
        let header: Header = from_json(&header).ok_or(TokenFault::NotJwt)?;
        header.refuse_foreign_parameters()?;
        check(&header)?;
        let signature = decode(signature).ok_or(TokenFault::NotJwt)?;
        let payload = decode(payload).ok_or(TokenFault::NotJwt)?;
        let claims: C = from_json(&payload).ok_or(TokenFault::BadClaims)?;
        Ok(Self { signing_input, signature, header, claims })
    }

    /// `alg`, when it is one that can be verified at all.
    pub(super) fn unverified_algorithm(&self) -> Result<Algorithm, TokenFault> {
        Algorithm::parse(&self.header.alg).ok_or(TokenFault::AlgorithmNotAllowed)
    }

    /// `kid`.
    pub(super) fn unverified_key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Whether `typ` says access token (RFC 9068 §2.1).
    pub(super) fn typed_as_access_token(&self) -> bool {
        self.header.typ.as_deref().is_some_and(|typ| media_type(typ).eq_ignore_ascii_case("at+jwt"))
    }

    /// The claims.
    pub(super) const fn unverified_claims(&self) -> &C {
        &self.claims
    }

    /// What the signature covers.
    pub(super) const fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// The signature bytes.
    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The claims, once the caller has proven them.
    pub(super) fn into_claims(self) -> C {
        self.claims
    }
}

impl Header {
    /// `crit` asks for extensions that are not implemented (RFC 7515 §4.1.11); the others point at an attacker's key.
    fn refuse_foreign_parameters(&self) -> Result<(), TokenFault> {
        if self.crit.0 || self.jku.0 || self.jwk.0 || self.x5u.0 {
            return Err(TokenFault::ForbiddenHeader);
        }
        Ok(())
    }

    fn require_type(&self, wanted: &str) -> Result<(), TokenFault> {
        let is = self.typ.as_deref().is_some_and(|typ| media_type(typ).eq_ignore_ascii_case(wanted));
        if is { Ok(()) } else { Err(TokenFault::NotAccessToken) }
    }

    fn refuse_other_types(&self) -> Result<(), TokenFault> {
        match self.typ.as_deref().map(media_type) {
            None => Ok(()),
            Some(typ) if typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("jwt") => Ok(()),
            Some(_) => Err(TokenFault::NotAccessToken),
        }
    }
}

/// `application/` may be left out (RFC 7515 §4.1.9).
pub(super) fn media_type(typ: &str) -> &str {
    match typ.split_once('/') {
        Some((prefix, name)) if prefix.eq_ignore_ascii_case("application") => name,
        _ => typ,
    }
}

fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

/// Reads one JSON object in UTF-8. serde by itself takes an array for a struct, and any bytes in members it skips.
pub(super) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(json).ok().filter(|text| text.trim_ascii_start().starts_with('{'))?;
    serde_json::from_str(text).ok()
}

impl UnverifiedToken<'_> {
    /// The claims of an opaque token, in a form that is judged like a JWT without header.
    pub(super) const fn of_answer(claims: Claims) -> Self {
        let header = Header {
            alg: String::new(),
            kid: None,
            typ: None,
            crit: Present(false),
            jku: Present(false),
            jwk: Present(false),
            x5u: Present(false),
        };
        Self { signing_input: "", signature: Vec::new(), header, claims }
    }
}

/// Whether `token` begins as JWTs do, signed or encrypted ones: with a header, which is a JSON object.
pub(super) fn is_jwt(token: &str) -> bool {
    let header = token.split_once('.').and_then(|(header, _)| decode(header));
    header.is_some_and(|header| header.trim_ascii_start().starts_with(b"{"))
}

/// All claims as a tree, for issuers that keep groups in an unusual place.
pub(super) fn claims_as_value(token: BearerToken<'_>) -> Option<serde_json::Value> {
    from_json(&decode(token.as_b64token()?.split('.').nth(1)?)?)
}
