//! Browsers as a client of ours (`browser_sign_in`): known to nobody but this process, so no endpoint takes its name.

use super::RedirectUri;
use super::{AuthorizationServer, Client, ClientAuthentication, ClientSource, GrantType, OAuthError};
use crate::authz::{BrowserSessions, Matched};
use crate::domain::UnixTime;

/// Its `client_id`: in tokens, in `allowed_clients`, in listings. No configured client can have it.
pub const BROWSER: &str = "browser";

impl AuthorizationServer {
    /// Where a browser comes back to, on the protected host.
    const RETURN: &'static str = "/sign-in/return";

    /// The client that a flow for `resource` is about.
    pub(super) async fn client_of(
        &self,
        id: &str,
        resource: &str,
        now: UnixTime,
    ) -> Result<Option<Client>, OAuthError> {
        if id != BROWSER {
            return self.clients.find(id, now).await;
        }
        Ok(self.signs_browsers_in(resource).map(|matched| browser_client(&matched)))
    }

    /// The resource `uri`, if people use it with a browser.
    pub(super) fn signs_browsers_in(&self, uri: &str) -> Option<Matched<'_>> {
        self.resource(uri).filter(|matched| matched.policy.sessions == BrowserSessions::Here)
    }

    /// The only address of that client: each resource has its own.
    pub(super) fn return_address(matched: &Matched<'_>) -> String {
        format!("{}{}", matched.origin(), Self::RETURN)
    }
}

/// The client as it is for one resource.
pub(super) fn browser_client(matched: &Matched<'_>) -> Client {
    Client {
        id: BROWSER.to_owned(),
        name: Some("Browser".to_owned()),
        redirect_uris: vec![RedirectUri::of_our_own(AuthorizationServer::return_address(matched))],
        authentication: ClientAuthentication::None,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: None,
        dpop_bound: false,
        source: ClientSource::Configuration { resources: Vec::new(), may_introspect: false },
    }
}
