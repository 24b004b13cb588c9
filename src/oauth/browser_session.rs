//! The session of a browser at one resource: an access token and what renews it, sealed into a cookie. Only this
//! service can open it, so whoever else gets to see it has no token; and it opens for its resource alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::browser_client::BROWSER;
use super::grant::GrantEnd;
use super::problem::{Problem, ProblemKind};
use super::seal::Purpose as Sealed;
use super::sign_in::cannot_seal;
use super::{AuthorizationServer, OAuthError, Parameters, TokenAnswer};
use crate::authn::{Authentication, Sessions};
use crate::authz::BrowserSessions;
use crate::domain::{Authority, Secret, UnixTime, session_cookie};

/// What is sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct BrowserSession {
    token: String,
    refresh: String,
    /// When the grant ends by itself, and the cookie with it.
    until: UnixTime,
}

/// A cookie to be set.
#[derive(Debug)]
pub struct SessionCookie {
    /// Its value.
    pub value: Secret,
    /// How long the browser keeps it.
    pub lifetime: Duration,
}

/// Where a resource keeps its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPlace {
    /// The resource.
    pub resource: String,
    /// The name of the cookie.
    pub cookie: String,
}

impl Sessions for AuthorizationServer {
    fn token_behind(&self, resource: &str, cookie: &str) -> Option<Secret> {
        self.open_session(resource, cookie).map(|session| Secret::new(session.token))
    }
}

impl AuthorizationServer {
    /// Browsers keep 4096 bytes of a cookie, name and attributes included (RFC 6265 §6.1), and drop it when it is longer.
    const MAX_COOKIE: usize = 3900;

    /// Every resource on `host` that keeps sessions.
    pub fn session_places(&self, host: &[u8]) -> Vec<SessionPlace> {
        let place = |policy: &crate::authz::Policy| {
            let scheme = policy.resource.scheme();
            let authority = Authority::parse(host, scheme)?;
            if policy.sessions != BrowserSessions::Here || !policy.resource.covers_authority(&authority) {
                return None;
            }
            let resource = policy.resource.on_host(authority.host());
            Some(SessionPlace { cookie: session_cookie::of_session(&resource, scheme), resource })
        };
        self.policies.iter().filter_map(place).collect()
    }

    /// Ends the session behind `cookie`, and with it every token of its grant.
    pub async fn end_session(&self, resource: &str, cookie: &str) -> Result<(), OAuthError> {
        let now = self.clock.now();
        let Some(session) = self.open_session(resource, cookie) else { return Ok(()) };
        if let Some(record) = self.refresh_token(&Secret::new(session.refresh), now).await? {
            self.end_grant(&record.value.grant, GrantEnd::Person, now).await?;
        }
        Ok(())
    }

    fn open_session(&self, resource: &str, cookie: &str) -> Option<BrowserSession> {
        let plain = self.sealer.open(Sealed::BrowserSession, resource, cookie).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// The session behind `cookie` as it goes on: `None` when it is over, no cookie when the one that is there is good.
    pub(super) async fn renew_session(
        &self,
        resource: &str,
        cookie: &str,
        now: UnixTime,
    ) -> Result<Option<Option<SessionCookie>>, Problem> {
        let Some(session) = self.open_session(resource, cookie) else { return Ok(None) };
        if let Authentication::Verified(_) = self.authenticate(&session.token, now) {
            return Ok(Some(None));
        }
        let Some(client) = self.client_of(BROWSER, resource, now).await? else { return Ok(None) };
        let form = Parameters::of(&[("refresh_token", &session.refresh)]);
        match self.refresh(&form, &client, None, now).await.map_err(Problem::from) {
            Ok(answer) => Ok(Some(Some(self.seal_session(resource, answer, session.until, now)?))),
            Err(problem) if problem.kind == ProblemKind::Unavailable => Err(problem),
            Err(_) => Ok(None),
        }
    }

    /// A cookie that would be dropped would send the browser here again and again.
    pub(super) fn seal_session(
        &self,
        resource: &str,
        answer: TokenAnswer,
        until: UnixTime,
        now: UnixTime,
    ) -> Result<SessionCookie, Problem> {
        let refresh = answer.refresh_token.ok_or(ProblemKind::Unavailable)?;
        let (token, refresh) = (answer.access_token.expose().to_owned(), refresh.expose().to_owned());
        let session = BrowserSession { token, refresh, until };
        let plain = serde_json::to_vec(&session).map_err(|error| cannot_seal(&error))?;
        let sealed = self.sealer.seal(Sealed::BrowserSession, resource, &plain).map_err(|error| cannot_seal(&error))?;
        if sealed.len() > Self::MAX_COOKIE {
            return Err(Problem {
                cause: Some("the session fits no cookie".into()),
                ..ProblemKind::NotAccepted.into()
            });
        }
        Ok(SessionCookie { value: Secret::new(sealed), lifetime: until.since(now) })
    }
}
