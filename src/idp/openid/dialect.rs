//! What one kind of provider does otherwise than OpenID Connect says. Each default below is what the standard says.

use std::fmt;

use super::id_token::IdToken;
use super::profile::Profile;
use crate::domain::{Issuer, Person};
use crate::idp::IdpError;

/// The ways of one kind of provider.
pub(in crate::idp) trait Dialect: Send + Sync + fmt::Debug {
    /// More parameters of the authorization request.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether `prompt=select_account` is known, though the metadata does not say so.
    fn knows_select_account(&self) -> bool {
        false
    }

    /// Whether `prompt=login` is known, where the metadata does not say.
    fn knows_login(&self) -> bool {
        true
    }

    /// Whether metadata fetched for `issuer` may name `named` (Discovery §4.3).
    fn metadata_may_name(&self, issuer: &Issuer, named: &str) -> bool {
        issuer.as_str() == named
    }

    /// Whether `iss` of the authorization answer is the issuer that the metadata names (RFC 9207 §2.4).
    fn answers_as(&self, metadata_issuer: &str, iss: &str) -> bool {
        metadata_issuer == iss
    }

    /// Whether an ID token comes from the issuer that the metadata names (OIDC Core §3.1.3.7, point 2); `key_issuer` is
    /// whose key signed it, where the key set says so.
    fn issued(&self, metadata_issuer: &str, token: &IdToken, _key_issuer: Option<&str>) -> bool {
        metadata_issuer == token.issuer
    }

    /// Conditions of the operator beyond a good ID token.
    fn admit(&self, _token: &IdToken) -> Result<(), IdpError> {
        Ok(())
    }

    /// Whether userinfo can say more than the ID token.
    fn asks_userinfo(&self) -> bool {
        true
    }

    /// Whether the access token is a JWT of the same issuer that says more about the person.
    fn reads_access_token(&self) -> bool {
        false
    }

    /// The last word on the person that the standard claims describe.
    fn correct(&self, _profile: &Profile, person: Person) -> Person {
        person
    }
}

/// A provider that does what the standard says.
#[derive(Debug)]
pub(in crate::idp) struct Standard;

impl Dialect for Standard {}
