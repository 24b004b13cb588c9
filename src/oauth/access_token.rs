//! Access tokens: signed JWTs by RFC 9068, with the grant inside so that a decision can tell that it is over.

use serde::Serialize;

use super::grant::Grant;
use super::key_pair::UnusableKey;
use super::possession::Binding;
use super::{AuthorizationServer, BROWSER, ErrorCode, OAuthError};
use crate::authn::Thumbprint;
use crate::authz::Matched;
use crate::domain::{Email, Person, ScopeSet, Secret, UnixTime, opaque};

/// A token and its end.
pub(super) struct AccessToken {
    pub(super) token: Secret,
    pub(super) expires_at: UnixTime,
}

/// What a token says (RFC 9068 §2.2).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    scope: &'a ScopeSet,
    iat: UnixTime,
    exp: UnixTime,
    jti: String,
    /// What the client has to prove with every use.
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Binding>,
    #[serde(flatten)]
    granted: Option<Granted<'a>>,
}

/// What a token of a grant says besides: who signed in (RFC 9068 §2.2.1, §2.2.2).
#[derive(Serialize)]
struct Granted<'a> {
    /// Private: by what the token can be taken back.
    grant: &'a str,
    auth_time: UnixTime,
    #[serde(flatten)]
    email: Option<EmailClaims<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<&'a str>,
}

#[derive(Serialize)]
struct EmailClaims<'a> {
    email: &'a Email,
    email_verified: bool,
}

impl From<UnusableKey> for OAuthError {
    fn from(error: UnusableKey) -> Self {
        Self::new(ErrorCode::ServerError, "the server cannot sign").because(&error)
    }
}

impl AuthorizationServer {
    /// Its `typ` (RFC 9068 §2.1).
    const TYPE: &'static str = "at+jwt";

    /// A token of the grant `id`, for its resource. It does not outlive the grant.
    pub(super) fn token_of_grant(
        &self,
        (id, grant): (&str, &Grant),
        scopes: &ScopeSet,
        matched: &Matched<'_>,
        proven: Option<Thumbprint>,
        now: UnixTime,
    ) -> Result<AccessToken, OAuthError> {
        let person = &grant.person;
        let granted = Granted {
            grant: id,
            auth_time: grant.signed_in_at,
            email: person.email.as_ref().map(|email| EmailClaims { email, email_verified: person.email_verified }),
            preferred_username: person.user_name.as_deref().filter(|name| name.len() <= 255),
            groups: groups(person, |group| matched.policy.speaks_of_group(group), most_of(&grant.client)),
        };
        let expires_at = now.plus(self.settings.access_token_lifetime).min(grant.ends_at);
        self.issue(&person.subject_claim(), &grant.client, matched, scopes, (now, expires_at), (Some(granted), proven))
    }

    /// A client's own token (RFC 9068 §2.2: `sub` is the client).
    pub(super) fn token_of_client(
        &self,
        client: &str,
        scopes: &ScopeSet,
        matched: &Matched<'_>,
        proven: Option<Thumbprint>,
        now: UnixTime,
    ) -> Result<AccessToken, OAuthError> {
        let expires_at = now.plus(self.settings.access_token_lifetime);
        self.issue(client, client, matched, scopes, (now, expires_at), (None, proven))
    }

    fn issue(
        &self,
        subject: &str,
        client: &str,
        matched: &Matched<'_>,
        scopes: &ScopeSet,
        (now, expires_at): (UnixTime, UnixTime),
        (granted, proven): (Option<Granted<'_>>, Option<Thumbprint>),
    ) -> Result<AccessToken, OAuthError> {
        let claims = Claims {
            iss: self.settings.issuer.as_str(),
            sub: subject,
            aud: matched.resource_text(),
            client_id: client,
            scope: scopes,
            iat: now,
            exp: expires_at,
            jti: opaque::new_id(&*self.random)?,
            cnf: proven.map(Binding::from),
            granted,
        };
        Ok(AccessToken { token: self.keys.sign(Self::TYPE, &claims)?, expires_at })
    }
}

/// A browser's token travels in a cookie, sealed: that makes it longer, and cookies are short.
fn most_of(client: &str) -> usize {
    if client == BROWSER { 1024 } else { 2048 }
}

/// Groups in so many bytes: tokens travel in a header of every request. Those that the resource asks for come first,
/// so that a member of many groups keeps the ones that let them in, and the ones that a condition keeps out.
fn groups(person: &Person, asked_for: impl Fn(&str) -> bool, most: usize) -> Vec<&str> {
    let (wanted, others): (Vec<&String>, Vec<&String>) = person.groups.iter().partition(|group| asked_for(group));
    let mut left = most;
    let mut fits = |group: &&String| {
        let cost = group.len() + 3;
        let fits = cost <= left;
        left -= if fits { cost } else { 0 };
        fits
    };
    wanted.into_iter().chain(others).filter(|group| fits(group)).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_groups_those_that_let_somebody_in_are_kept() {
        let mut groups_of_person: Vec<String> = (0..1000).map(|number| format!("group-{number}")).collect();
        groups_of_person.push("staff".into());
        let person = Person {
            provider: "p".into(),
            subject: "s".into(),
            email: None,
            email_verified: false,
            user_name: None,
            name: None,
            groups: groups_of_person,
        };
        let kept = groups(&person, |group| group == "staff", 2048);
        assert_eq!(kept.first(), Some(&"staff"));
        assert!(kept.iter().map(|group| group.len() + 3).sum::<usize>() <= 2048 && kept.len() > 100);
    }
}
