//! `/authorize` (RFC 6749 §4.1.1, OAuth 2.1 §4.1.1): a request is judged and parked, and the person is asked. Nothing
//! else is written: any page can make any browser come here.

use super::pending::{AuthorizationRequest, PendingAuthorization, Purpose, Stage};
use super::pkce::Challenge;
use super::possession::key_of_request;
use super::problem::{Problem, ProblemKind};
use super::prompt::Prompt;
use super::resources::Offer;
use super::return_address::ReturnAddress;
use super::{AuthorizationServer, Browser, Client, ErrorCode, GrantType, OAuthError, Parameters};
use crate::domain::{Authority, Secret, UnixTime, opaque};
use crate::store::{Outcome, Table, Transaction};

/// What to do with the browser that came to `/authorize`.
#[derive(Debug)]
pub enum Authorize {
    /// Ask the person: 303 to `/consent?request=…`.
    Consent {
        /// The flow's id.
        request: String,
        /// The cookie to give to the browser, when it has none.
        browser: Option<Secret>,
    },
    /// Tell the client: 302 there.
    Redirect(String),
    /// Tell the person: there is no client that may be told.
    Page(Problem),
}

impl AuthorizationServer {
    /// Longest `state` that is kept.
    const MAX_STATE: usize = 4096;

    /// Judges an authorization request. `requested_host` says which resource is meant when none is named.
    pub async fn authorize(
        &self,
        parameters: &Parameters,
        requested_host: Option<&Authority<'_>>,
        browser: Browser<'_>,
    ) -> Authorize {
        let now = self.clock.now();
        let (client, return_to) = match self.client_and_address(parameters, now).await {
            Ok(found) => found,
            Err(problem) => return Authorize::Page(problem),
        };
        let judged = self.judge(parameters, requested_host, &client, &return_to);
        let parked = match judged {
            Ok((request, true)) => Err(self.answer_silently(&request, browser, now).await),
            Ok((request, false)) => self.park(request, browser, now).await,
            Err(error) => Err(error),
        };
        parked.unwrap_or_else(|error| Authorize::Redirect(return_to.with_error(&self.settings.issuer, &error)))
    }

    /// Client and redirect URI come first: until both are sound, an error must not be sent anywhere (RFC 6749
    /// §4.1.2.1).
    async fn client_and_address(
        &self,
        parameters: &Parameters,
        now: UnixTime,
    ) -> Result<(Client, ReturnAddress), Problem> {
        let id = parameters.optional("client_id").ok_or(ProblemKind::UnknownClient)?;
        let found = self.clients.find(id, now).await.map_err(Problem::with_client)?;
        let mut client = found.ok_or(ProblemKind::UnknownClient)?;
        if redirect_uri(parameters, &client).is_none() {
            let again = self.clients.find_again(&client, now).await.map_err(Problem::with_client)?;
            client = again.ok_or(ProblemKind::UnknownRedirectUri)?;
        }
        let redirect_uri = redirect_uri(parameters, &client).ok_or(ProblemKind::UnknownRedirectUri)?;
        let state = parameters.optional("state").map(ToOwned::to_owned);
        if state.as_ref().is_some_and(|state| state.len() > Self::MAX_STATE) {
            return Err(ProblemKind::BadLink.into());
        }
        Ok((client, ReturnAddress { redirect_uri, state }))
    }

    /// The request, and whether nobody may be asked for it.
    fn judge(
        &self,
        parameters: &Parameters,
        requested_host: Option<&Authority<'_>>,
        client: &Client,
        return_to: &ReturnAddress,
    ) -> Result<(AuthorizationRequest, bool), OAuthError> {
        check_response(parameters, client)?;
        let challenge = Challenge::of_request(parameters)?;
        let matched = match self.named_resource(parameters)? {
            Some(named) => named,
            None => self.resource_by_default(requested_host)?,
        };
        let scopes = Offer::of(matched.policy, client).narrow(parameters.optional("scope"))?;
        let Prompt { silent, always_ask, wishes } = Prompt::of_request(parameters)?;
        let request = AuthorizationRequest {
            client: client.id.clone(),
            return_to: return_to.clone(),
            resource: matched.resource_text().to_owned(),
            scopes,
            challenge: challenge.into_text(),
            always_ask,
            ask_for_all: false,
            dpop_jkt: key_of_request(parameters)?,
            wishes,
        };
        Ok((request, silent))
    }

    async fn park(
        &self,
        request: AuthorizationRequest,
        browser: Browser<'_>,
        now: UnixTime,
    ) -> Result<Authorize, OAuthError> {
        let purpose = Purpose::Client(Box::new(request));
        let (request, browser) = self.park_for(purpose, |_| Ok(Stage::AwaitingConsent), browser, now).await?;
        Ok(Authorize::Consent { request, browser })
    }

    /// Parks a flow under a fresh id, in the stage that `stage` makes for it.
    pub(super) async fn park_for(
        &self,
        purpose: Purpose,
        stage: impl FnOnce(&str) -> Result<Stage, OAuthError>,
        browser: Browser<'_>,
        now: UnixTime,
    ) -> Result<(String, Option<Secret>), OAuthError> {
        if self.store.count(Table::PendingAuthorizations).await? >= self.settings.max_pending {
            return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, "too many sign-ins wait; try again"));
        }
        let id = opaque::new_id(&*self.random)?;
        let (hash, cookie) = browser.known_or_new(&*self.random)?;
        let pending = PendingAuthorization { browser: hash, purpose, stage: stage(&id)? };
        let end = now.plus(self.settings.pending_lifetime);
        match Transaction::new().create(&id, &pending, Some(end)).commit(&*self.store, now).await? {
            Outcome::Committed => Ok((id, cookie)),
            Outcome::Conflict => Err(OAuthError::new(ErrorCode::ServerError, "the server made the same id twice")),
        }
    }
}

/// The presented redirect URI, if it is one of the client's; without one, the only one that the client has. Odd bytes
/// would end up in a `Location` header.
fn redirect_uri(parameters: &Parameters, client: &Client) -> Option<String> {
    let sound = |uri: &&str| uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains('#');
    match (parameters.optional("redirect_uri"), client.redirect_uris.as_slice()) {
        (Some(presented), _) => {
            client.redirect_named(presented).map(|_| presented).filter(sound).map(ToOwned::to_owned)
        }
        (None, [only]) => Some(only.as_str()).filter(sound).map(ToOwned::to_owned),
        (None, _) => None,
    }
}

fn check_response(parameters: &Parameters, client: &Client) -> Result<(), OAuthError> {
    if parameters.required("response_type")? != "code" {
        return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, "response_type must be code"));
    }
    if !client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "the client may not use codes"));
    }
    if parameters.optional("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::invalid_request("response_mode must be query"));
    }
    // A request object could say something else than what is read here (RFC 9101 §5).
    if parameters.optional("request").or(parameters.optional("request_uri")).is_some() {
        return Err(OAuthError::invalid_request("request objects are not supported"));
    }
    Ok(())
}
