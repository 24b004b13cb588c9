//! Assertions of a company's identity provider about a person, a client and a resource: ID-JAG, the enterprise-managed
//! authorization of MCP. Every check of an assertion stands here; nothing of it is ever logged.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{AuthorizationServer, Client, ErrorCode, OAuthError};
use crate::authn::authenticator::groups_at;
use crate::authn::claims::{Flag, NumericDate, Strings};
use crate::authn::signed::{unverified_typed_claims, verify_typed_signature};
use crate::authn::{IssuerSettings, TokenFault};
use crate::domain::{Email, Person, ScopeSet, UnixTime};

/// `grant_type` (RFC 7523 §2.1).
pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// `authorization_grant_profiles_supported`
pub(super) const PROFILE: &str = "urn:ietf:params:oauth:grant-profile:id-jag";
/// `typ` of the header.
const TYPE: &str = "oauth-id-jag+jwt";

/// Longest assertion, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
const MAX_ID: usize = 256;
/// Longest time that an assertion may live: so long its `jti` is remembered.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Longest `sub` of our tokens, in bytes (OIDC Core §2).
const MAX_SUBJECT: usize = 255;

/// Whose assertions are taken.
#[derive(Debug, Clone)]
pub struct AssertionIssuer {
    /// What people of it are called in `sub`, before the colon.
    pub name: String,
    /// Clients that it may speak for; all that prove themselves when empty.
    pub clients: Vec<String>,
    /// Its name, its keys, and what its claims mean.
    pub trust: IssuerSettings,
}

/// What an assertion must say (ID-JAG §3.1; the extension's §4). A member that occurs twice is an error.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Strings,
    client_id: String,
    exp: NumericDate,
    iat: NumericDate,
    nbf: Option<NumericDate>,
    jti: String,
    resource: Option<Strings>,
    scope: Option<String>,
    auth_time: Option<NumericDate>,
    email: Option<String>,
    #[serde(default)]
    email_verified: Flag,
    preferred_username: Option<String>,
    name: Option<String>,
    #[serde(default)]
    groups: Strings,
    cnf: Option<IgnoredAny>,
}

/// The one claim that tells whose keys to try.
#[derive(Deserialize)]
struct Issued {
    iss: String,
}

/// An assertion that was found good. That it was not used before is still to be seen.
pub(super) struct Assertion {
    pub(super) person: Person,
    /// `iss`, with the issuer's own name for it; unique for as long as it is usable.
    pub(super) id: String,
    pub(super) issuer: String,
    pub(super) issued_at: UnixTime,
    pub(super) signed_in_at: UnixTime,
    pub(super) usable_until: UnixTime,
    pub(super) resource: Option<String>,
    /// Absent: it does not say.
    pub(super) scopes: Option<ScopeSet>,
}

impl AuthorizationServer {
    /// How long an assertion can wait before it is used.
    pub(super) fn longest_assertion(&self) -> Duration {
        if self.settings.assertion_issuers.is_empty() { Duration::ZERO } else { MAX_LIFETIME }
    }

    /// Every check that needs no store.
    pub(super) fn read_assertion(&self, token: &str, client: &Client, now: UnixTime) -> Result<Assertion, OAuthError> {
        if token.len() > MAX_LENGTH {
            return Err(bad("the assertion is too long"));
        }
        let unread = |fault: TokenFault| bad("the assertion cannot be read, or lacks a claim").because(&fault);
        let named: Issued = unverified_typed_claims(token, TYPE).map_err(unread)?;
        let mut issuers = self.settings.assertion_issuers.iter();
        let issuer = issuers.find(|known| *known.trust.issuer.as_str() == *named.iss);
        let issuer = issuer.ok_or_else(|| bad("the assertion comes from nobody who is trusted"))?;
        let stated: Claims = unverified_typed_claims(token, TYPE).map_err(unread)?;
        let claims = proven(token, &issuer.trust, UnixTime::from_secs(stated.iat.0))?;
        self.check(&claims, issuer, client)?;
        let usable_until = self.check_times(&claims, now)?;
        Ok(Assertion {
            person: person(token, &claims, issuer)?,
            id: format!("{}\n{}", issuer.trust.issuer, claims.jti),
            issuer: issuer.trust.issuer.to_string(),
            issued_at: UnixTime::from_secs(claims.iat.0),
            signed_in_at: UnixTime::from_secs(claims.auth_time.unwrap_or(claims.iat).0).min(now),
            usable_until,
            resource: only_resource(claims.resource)?,
            scopes: claims.scope.as_deref().map(ScopeSet::from_claim),
        })
    }

    fn check(&self, claims: &Claims, issuer: &AssertionIssuer, client: &Client) -> Result<(), OAuthError> {
        // One audience: what others take as well could be replayed by them.
        if !matches!(claims.aud.0.as_slice(), [only] if *only == *self.settings.issuer.as_str()) {
            return Err(bad("aud of the assertion must be the issuer of this server, alone"));
        }
        if claims.client_id != client.id {
            return Err(bad("the assertion was issued for another client"));
        }
        if !issuer.clients.is_empty() && !issuer.clients.contains(&client.id) {
            return Err(bad("its issuer may not speak for this client"));
        }
        if claims.jti.is_empty() || claims.jti.len() > MAX_ID {
            return Err(bad("jti of the assertion is empty or too long"));
        }
        // A bearer token would undo what the issuer wanted (RFC 7800 §3).
        if claims.cnf.is_some() {
            return Err(bad("the assertion is bound to a key, which is not supported"));
        }
        Ok(())
    }

    fn check_times(&self, claims: &Claims, now: UnixTime) -> Result<UnixTime, OAuthError> {
        let (end, issued_at) = (UnixTime::from_secs(claims.exp.0), UnixTime::from_secs(claims.iat.0));
        let leeway = self.settings.leeway;
        let usable_until = end.plus(leeway);
        if usable_until <= now {
            return Err(bad("the assertion has expired"));
        }
        if end > issued_at.plus(MAX_LIFETIME) {
            return Err(bad("the assertion lives too long: at most ten minutes"));
        }
        let starts = claims.nbf.map_or(issued_at, |date| UnixTime::from_secs(date.0).max(issued_at));
        if starts > now.plus(leeway) {
            return Err(bad("the assertion is not valid yet"));
        }
        Ok(usable_until)
    }
}

/// Keys that are missing are our trouble, and so are those that may have been published a moment ago.
fn proven(token: &str, issuer: &IssuerSettings, issued_at: UnixTime) -> Result<Claims, OAuthError> {
    /// By how much the issuer's clock may be behind ours.
    const SKEW: Duration = Duration::from_secs(60);
    let unavailable =
        || OAuthError::new(ErrorCode::TemporarilyUnavailable, "the keys of the issuer cannot be had now; try again");
    let Some(loaded) = issuer.keys.current() else {
        issuer.keys.ask_for_refresh();
        return Err(unavailable());
    };
    match verify_typed_signature::<Claims>(token, TYPE, &loaded.set, &issuer.algorithms) {
        Ok(signed) => Ok(signed.claims),
        Err(TokenFault::UnknownKey) => {
            issuer.keys.ask_for_refresh();
            let may_be_new = issued_at.plus(SKEW) >= loaded.fetched_at;
            Err(if may_be_new { unavailable() } else { bad("the assertion is signed with an unknown key") })
        }
        Err(fault) => Err(bad("the assertion is not signed as its issuer signs").because(&fault)),
    }
}

fn person(token: &str, claims: &Claims, issuer: &AssertionIssuer) -> Result<Person, OAuthError> {
    let paths = &issuer.trust.groups_claims;
    let groups = if paths.is_empty() {
        claims.groups.0.clone()
    } else {
        groups_at(&unverified_typed_claims::<Value>(token, TYPE).unwrap_or_default(), paths)
    };
    let is_sound = |text: &String| !text.is_empty() && text.len() <= MAX_SUBJECT && !text.chars().any(char::is_control);
    let person = Person {
        provider: issuer.name.clone(),
        subject: claims.sub.clone(),
        email: claims.email.as_deref().and_then(Email::parse),
        email_verified: claims.email_verified.0 || issuer.trust.assume_email_verified,
        user_name: claims.preferred_username.clone().filter(is_sound),
        name: claims.name.clone().filter(is_sound),
        groups: groups.into_iter().filter(is_sound).take(512).collect(),
    };
    if claims.sub.is_empty() || !is_sound(&person.subject_claim()) {
        return Err(bad("sub of the assertion is empty, too long, or holds control characters"));
    }
    Ok(person)
}

fn only_resource(resource: Option<Strings>) -> Result<Option<String>, OAuthError> {
    let Some(Strings(mut named)) = resource else { return Ok(None) };
    let only = named.pop().filter(|_| named.is_empty());
    only.map(Some).ok_or_else(|| bad("resource of the assertion must be one resource"))
}

/// `invalid_grant`: whatever does not fit (ID-JAG §4.3.2).
pub(super) fn bad(description: &'static str) -> OAuthError {
    OAuthError::invalid_grant(description)
}
