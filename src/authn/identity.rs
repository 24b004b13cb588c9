//! Who is calling, proven. Made only from verified claims.

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::claims::{Claims, Strings};
use super::jwt::VerifiedClaims;
use crate::domain::{Email, Issuer, Scope, ScopeSet, UnixTime};

/// A verified caller.
#[derive(Debug, Clone)]
pub struct Identity {
    issuer: Issuer,
    subject: String,
    client: Option<String>,
    email: Option<Email>,
    email_verified: bool,
    user_name: Option<String>,
    groups: Vec<String>,
    scopes: ScopeSet,
    audiences: Vec<String>,
    expires_at: UnixTime,
    headers: IdentityHeaders,
}

/// The identity as header values, ready to be sent: made once per token, copied by reference on every request.
#[derive(Debug, Clone, Default)]
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

impl Identity {
    /// Reads verified claims of `issuer`. `assume_email_verified` is the operator's word for issuers that do not say.
    pub(super) fn new(
        issuer: Issuer,
        claims: VerifiedClaims,
        groups: Option<Vec<String>>,
        assume_email_verified: bool,
    ) -> Self {
        let claims = claims.into_inner();
        let email = claims.email.as_deref().and_then(Email::parse);
        let mut identity = Self {
            issuer,
            scopes: scopes(&claims),
            expires_at: UnixTime::from_secs(claims.exp.0),
            email_verified: claims.email_verified.0 || assume_email_verified,
            email,
            subject: claims.sub.unwrap_or_default(),
            client: claims.client_id.or(claims.azp),
            user_name: claims.preferred_username.filter(|name| !name.is_empty()),
            groups: groups.unwrap_or(claims.groups.0),
            audiences: claims.aud.0,
            headers: IdentityHeaders::default(),
        };
        identity.headers = IdentityHeaders::of(&identity);
        identity
    }

    /// `iss`.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// `sub`, unique within the issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The OAuth client that was given the token.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The e-mail address that the issuer vouches for.
    pub fn verified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| self.email_verified)
    }

    /// An address that the issuer repeats without vouching for it: good for a reason in a log, never for access.
    pub fn unverified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| !self.email_verified)
    }

    /// `preferred_username`.
    pub fn user_name(&self) -> Option<&str> {
        self.user_name.as_deref()
    }

    /// Groups as the issuer names them.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Granted scopes.
    pub const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// `aud`.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// `exp`.
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// The prepared header values.
    pub const fn headers(&self) -> &IdentityHeaders {
        &self.headers
    }

    /// Rough size in memory, in bytes, for the cache's bound.
    pub(super) fn weight(&self) -> usize {
        let lists: usize = self.groups.iter().chain(&self.audiences).map(|text| text.len() + 32).sum();
        let scopes: usize = self.scopes.as_slice().iter().map(|scope| scope.as_str().len() + 24).sum();
        512 + 2 * self.subject.len() + lists * 2 + scopes * 2
    }

    /// An identity that no token proved, for tests and benches of what follows authentication.
    #[cfg(test)]
    pub(crate) fn for_test(issuer: &str, claims: &str) -> Self {
        let claims: Claims = serde_json::from_str(claims).unwrap();
        Self::new(Issuer::parse(issuer).unwrap(), VerifiedClaims::for_test(claims), None, false)
    }
}

/// `scope` and `scp`, as one string or as an array; both count when both are there.
fn scopes(claims: &Claims) -> ScopeSet {
    let Strings(scope) = &claims.scope;
    let Strings(scp) = &claims.scp;
    scope.iter().chain(scp).flat_map(|text| text.split(' ')).filter_map(Scope::parse).collect()
}

/// Everything but visible ASCII, and `%` itself so that decoding gives back the same text.
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
/// The comma separates items.
const UNSAFE_IN_LIST: &AsciiSet = &UNSAFE.add(b',');

impl IdentityHeaders {
    /// Bytes for one list header. The whole answer must stay under 4 KiB (nginx `proxy_buffer_size`).
    const MAX_LIST: usize = 768;
    /// Bytes for one single-valued header.
    const MAX_VALUE: usize = 320;

    fn of(identity: &Identity) -> Self {
        let email = identity.verified_email().map(Email::as_str);
        let user = email.or_else(|| plain_user_name(identity)).unwrap_or(&identity.subject);
        Self {
            user: single(user),
            email: single(email.unwrap_or_default()),
            groups: list(identity.groups.iter().map(String::as_str), ",", UNSAFE_IN_LIST),
            scopes: list(identity.scopes.as_slice().iter().map(Scope::as_str), " ", UNSAFE),
            subject: single(&identity.subject),
            issuer: single(identity.issuer.as_str()),
            client: single(identity.client().unwrap_or_default()),
        }
    }
}

/// A user name with an `@` could pass for an e-mail address that nobody verified; the subject is shown instead.
fn plain_user_name(identity: &Identity) -> Option<&str> {
    identity.user_name().filter(|name| !name.contains('@'))
}

/// A value that is too long is left out whole: half a name could be somebody else's.
fn single(text: &str) -> Bytes {
    let encoded = utf8_percent_encode(text, UNSAFE).to_string();
    if encoded.len() > IdentityHeaders::MAX_VALUE { Bytes::new() } else { Bytes::from(encoded) }
}

/// Items that do not fit are left out whole, from the end.
fn list<'a>(items: impl Iterator<Item = &'a str>, separator: &str, escape: &'static AsciiSet) -> Bytes {
    let mut text = String::new();
    for item in items.filter(|item| !item.is_empty()) {
        let encoded = utf8_percent_encode(item, escape).to_string();
        if text.len() + separator.len() + encoded.len() > IdentityHeaders::MAX_LIST {
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
