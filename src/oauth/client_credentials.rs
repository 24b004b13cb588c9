//! Clients in their own name (RFC 6749 §4.4): only those that the operator configured, for resources that the
//! configuration names. No grant, no refresh token: the client can always ask again.

use super::resources::{Offer, invalid_target};
use super::token::seconds_until;
use super::{AuthorizationServer, Client, ClientSource, ErrorCode, OAuthError, Parameters, TokenAnswer};
use crate::authn::Thumbprint;
use crate::authz::Matched;
use crate::authz::rule::principal::{Caller, admit};
use crate::domain::UnixTime;

impl AuthorizationServer {
    pub(super) fn client_credentials(
        &self,
        form: &Parameters,
        client: &Client,
        proven: Option<Thumbprint>,
        now: UnixTime,
    ) -> Result<TokenAnswer, OAuthError> {
        let ClientSource::Configuration { resources, .. } = &client.source else { return Err(not_for_you()) };
        if !client.is_confidential() {
            return Err(not_for_you());
        }
        let matched = self.resource_of_client(form, resources)?;
        admits_client(&matched, &client.id)?;
        let scope = Offer::of(matched.policy, client).narrow(form.optional("scope"))?;
        let access = self.token_of_client(&client.id, &scope, &matched, proven, now)?;
        let expires_in = seconds_until(access.expires_at, now);
        Ok(TokenAnswer { access_token: access.token, expires_in, refresh_token: None, scope, bound: proven.is_some() })
    }

    fn resource_of_client(&self, form: &Parameters, allowed: &[String]) -> Result<Matched<'_>, OAuthError> {
        let mut allowed = allowed.iter().filter_map(|uri| self.resource(uri));
        match self.named_resource(form)? {
            Some(named) if allowed.any(|allowed| allowed.resource == named.resource) => Ok(named),
            Some(_) => Err(invalid_target("the client may not use this resource")),
            None => {
                let only = allowed.next().filter(|_| allowed.next().is_none());
                only.ok_or_else(|| invalid_target("the request does not say for which resource; send resource"))
            }
        }
    }
}

/// The very rule that decides on requests: a token that it would refuse is not given out.
fn admits_client(matched: &Matched<'_>, id: &str) -> Result<(), OAuthError> {
    let caller = Caller {
        verified_email: None,
        unverified_email: None,
        groups: &[],
        user_name: None,
        subject: id,
        client: Some(id),
    };
    admit(&matched.policy.principals, caller).map_err(|reason| {
        OAuthError::new(ErrorCode::UnauthorizedClient, "the resource does not admit this client").because(&reason)
    })
}

fn not_for_you() -> OAuthError {
    OAuthError::new(ErrorCode::UnauthorizedClient, "only confidential clients from the configuration may do this")
}
