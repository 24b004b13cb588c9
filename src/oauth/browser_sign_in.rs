//! Signing a browser in to a resource (`browser_sign_in`): the authorization code flow with ourselves as the client.
//!
//! ```text
//! protected host: a page without session -> begin -> issuer's host: continue -> identity provider -> /callback
//!                 the page, with session <- return <- code and state -----------------------------------+
//! ```
//!
//! The proof key (RFC 7636) is a cookie on the protected host, and its challenge is sealed into what the browser carries
//! from host to host: an address of `return` works in the browser that began, and in no other.

use serde::{Deserialize, Serialize};

use super::browser_client::{BROWSER, browser_client};
use super::browser_session::SessionCookie;
use super::pending::{AuthorizationRequest, Purpose};
use super::problem::{Problem, ProblemKind};
use super::prompt::Wishes;
use super::resources::Offer;
use super::return_address::ReturnAddress;
use super::seal::Purpose as Sealed;
use super::sign_in::cannot_seal;
use super::{AuthorizationServer, Browser, Next, OAuthError, Parameters, SignInAnswer, pkce};
use crate::authz::{BrowserSessions, Matched};
use crate::domain::original_request::RawRequest;
use crate::domain::{OriginalRequest, Scheme, Secret, UnixTime, opaque, session_cookie};

/// A page that somebody wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    resource: String,
    scheme: Scheme,
    /// Absolute: the origin is the resource's own, whatever the rest says.
    pub url: String,
    target: String,
}

/// What becomes of a browser that wants a page.
#[derive(Debug)]
pub enum Begin {
    /// There is a session: back to the page, with a cookie if it was renewed.
    Back(Option<SessionCookie>),
    /// To the issuer's host.
    SignIn {
        /// The address.
        url: String,
        /// The proof key, to be kept as a cookie.
        nonce: Secret,
    },
    /// Nowhere.
    Page(Problem),
}

/// What a browser carries from host to host, sealed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    resource: String,
    target: String,
    challenge: String,
    until: UnixTime,
}

impl Visit {
    /// The cookie of the session.
    pub fn session_cookie(&self) -> String {
        session_cookie::of_session(&self.resource, self.scheme)
    }

    /// The cookie `short` beside it.
    pub fn cookie(&self, short: &str) -> String {
        session_cookie::name(short, self.scheme)
    }

    /// Whether cookies need TLS there.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }
}

impl AuthorizationServer {
    /// Longest path and query that a browser comes back to.
    const MAX_TARGET: usize = 2048;
    /// What sealed starts belong to.
    const START: &'static str = "browser";

    /// The page `target` (path and query) on `host`, if its resource signs browsers in. Anything that is read in two ways,
    /// or would leave the host, is none.
    pub fn visit(&self, host: &[u8], target: &str) -> Option<Visit> {
        if target.len() > Self::MAX_TARGET || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let found = [Scheme::Https, Scheme::Http].into_iter().find_map(|scheme| self.page(scheme, host, target))?;
        Some(Visit {
            resource: found.resource_text().to_owned(),
            scheme: found.policy.resource.scheme(),
            url: format!("{}{target}", found.origin()),
            target: target.to_owned(),
        })
    }

    fn page(&self, scheme: Scheme, host: &[u8], target: &str) -> Option<Matched<'_>> {
        let raw = RawRequest {
            method: (b"GET", "the method"),
            scheme: (scheme.as_str().as_bytes(), "the scheme"),
            authority: (host, "Host"),
            target: target.as_bytes(),
        };
        let found = self.policies.find(&OriginalRequest::parse(&raw).ok()?).ok()?;
        (found.policy.sessions == BrowserSessions::Here).then_some(found)
    }

    /// Begins, on the protected host. Tabs of one browser share the proof key `nonce`, or the one that began first could
    /// not finish.
    pub async fn begin_visit(&self, visit: &Visit, session: Option<&str>, nonce: Option<&str>) -> Begin {
        let now = self.clock.now();
        let renewed = match session {
            Some(cookie) => self.renew_session(&visit.resource, cookie, now).await,
            None => Ok(None),
        };
        match renewed {
            Ok(Some(cookie)) => Begin::Back(cookie),
            Ok(None) => self.send_to_issuer(visit, nonce, now).unwrap_or_else(|error| Begin::Page(error.into())),
            Err(problem) => Begin::Page(problem),
        }
    }

    fn send_to_issuer(&self, visit: &Visit, nonce: Option<&str>, now: UnixTime) -> Result<Begin, OAuthError> {
        let sound = |nonce: &&str| nonce.len() == 43 && nonce.bytes().all(pkce::is_base64url);
        let nonce = match nonce.filter(sound) {
            Some(nonce) => Secret::new(nonce),
            None => opaque::new_secret("", &*self.random)?,
        };
        let start = Start {
            resource: visit.resource.clone(),
            target: visit.target.clone(),
            challenge: pkce::Challenge::of_verifier(nonce.expose()).into_text(),
            until: now.plus(self.settings.pending_lifetime),
        };
        let plain = serde_json::to_vec(&start).map_err(|error| cannot_seal(&error))?;
        let sealed =
            self.sealer.seal(Sealed::BrowserStart, Self::START, &plain).map_err(|error| cannot_seal(&error))?;
        Ok(Begin::SignIn { url: format!("{}/sign-in/continue?start={sealed}", self.origin), nonce })
    }

    /// What `sealed` says, while it is good.
    pub fn start_of_visit(&self, sealed: &str) -> Result<Start, Problem> {
        let plain = self.sealer.open(Sealed::BrowserStart, Self::START, sealed).map_err(|_| ProblemKind::BadLink)?;
        let start: Start = serde_json::from_slice(&plain).map_err(|_| ProblemKind::BadLink)?;
        // The provider may take all of its time, and the code a little more.
        let end = start.until.plus(self.settings.code_lifetime);
        if self.clock.now() < end { Ok(start) } else { Err(ProblemKind::Expired.into()) }
    }

    /// What the sign-in is for, in the operator's words.
    pub fn purpose_of(&self, start: &Start) -> String {
        self.resource_name(&start.resource).unwrap_or_else(|| start.resource.clone())
    }

    /// Goes on, on the issuer's host: to the identity provider, as for any client. Nobody is asked for consent: the page
    /// belongs to the operator, and no program gets a token. The sealed start is the `state`.
    pub async fn continue_visit(
        &self,
        sealed: &str,
        start: &Start,
        provider: Option<&str>,
        browser: Browser<'_>,
    ) -> SignInAnswer {
        let request = self.request_for(sealed, start);
        let begun = match request {
            Ok(request) => self.begin_sign_in(Purpose::Client(Box::new(request)), provider, false, browser).await,
            Err(problem) => Err(problem),
        };
        match begun {
            Ok((url, browser)) => SignInAnswer { next: Next::Redirect(url.into()), browser },
            Err(problem) => SignInAnswer { next: Next::Page(problem), browser: None },
        }
    }

    fn request_for(&self, sealed: &str, start: &Start) -> Result<AuthorizationRequest, Problem> {
        let matched = self.signs_browsers_in(&start.resource).ok_or(ProblemKind::NoLongerOffered)?;
        Ok(AuthorizationRequest {
            client: BROWSER.to_owned(),
            return_to: ReturnAddress { redirect_uri: Self::return_address(&matched), state: Some(sealed.to_owned()) },
            resource: matched.resource_text().to_owned(),
            scopes: Offer::of(matched.policy, &browser_client(&matched)).by_default().clone(),
            challenge: start.challenge.clone(),
            always_ask: false,
            ask_for_all: false,
            dpop_jkt: None,
            wishes: Wishes::default(),
        })
    }

    /// The page that `start` was about, on the host that was asked now; none if that is another one.
    pub fn visit_of(&self, start: &Start, host: &[u8]) -> Option<Visit> {
        self.visit(host, &start.target).filter(|visit| visit.resource == start.resource)
    }

    /// Comes back to the protected host with a code, and with the proof key of the browser that began. `old` is the
    /// session that the new one replaces.
    pub async fn finish_visit(
        &self,
        visit: &Visit,
        start: &Start,
        parameters: &Parameters,
        nonce: Option<&str>,
        old: Option<&str>,
    ) -> Result<SessionCookie, Problem> {
        let now = self.clock.now();
        let nonce = nonce.filter(|nonce| pkce::fits(nonce, &start.challenge)).ok_or(ProblemKind::OtherBrowser)?;
        if parameters.optional("error").is_some() {
            return Err(ProblemKind::Declined.into());
        }
        let client = self.client_of(BROWSER, &visit.resource, now).await?.ok_or(ProblemKind::NoLongerOffered)?;
        let code = parameters.required("code")?;
        let form = Parameters::of(&[("code", code), ("code_verifier", nonce), ("resource", &visit.resource)]);
        let answer = self.redeem_code(&form, &client, None, now).await.map_err(|error| match Problem::from(error) {
            problem if problem.kind == ProblemKind::BadLink => {
                Problem { kind: ProblemKind::AnsweredAlready, ..problem }
            }
            problem => problem,
        })?;
        let until = now.plus(self.settings.session_lifetime);
        let cookie = self.seal_session(&visit.resource, answer, until, now)?;
        if let Some(old) = old {
            self.end_session(&visit.resource, old).await?;
        }
        Ok(cookie)
    }
}
