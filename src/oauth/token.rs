//! `/token` (RFC 6749 §3.2): who asks, by what right, and the answer's form.

use serde_json::{Map, Value};

use super::assertion::GRANT_TYPE;
use super::possession::require_promised_key;
use super::{AuthorizationServer, Client, ErrorCode, GrantType, OAuthError, Parameters};
use crate::domain::{Occurrence, ScopeSet, Secret, UnixTime};

/// A successful answer (RFC 6749 §5.1). Holds secrets: to be sent with `Cache-Control: no-store`.
#[derive(Debug, Clone)]
pub struct TokenAnswer {
    /// `access_token`
    pub access_token: Secret,
    /// `expires_in`, in seconds.
    pub expires_in: u64,
    /// `refresh_token`, for clients that may refresh.
    pub refresh_token: Option<Secret>,
    /// `scope`: what the access token holds.
    pub scope: ScopeSet,
    /// The access token is bound to the key that the client proved.
    pub bound: bool,
}

impl TokenAnswer {
    /// The body, as JSON. What is absent is left out: clients choke on `null`.
    pub fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("access_token".into(), self.access_token.expose().into());
        body.insert("token_type".into(), if self.bound { "DPoP" } else { "Bearer" }.into());
        body.insert("expires_in".into(), self.expires_in.into());
        if let Some(refresh_token) = &self.refresh_token {
            body.insert("refresh_token".into(), refresh_token.expose().into());
        }
        if !self.scope.is_empty() {
            body.insert("scope".into(), self.scope.to_string().into());
        }
        body.into()
    }
}

impl AuthorizationServer {
    /// Answers a token request. `authorization` is the value of the one `Authorization` header, `proof` that of `DPoP`.
    pub async fn token(
        &self,
        form: &Parameters,
        authorization: Option<&[u8]>,
        proof: Occurrence<'_>,
    ) -> Result<TokenAnswer, OAuthError> {
        let answer = self.answer_token_request(form, authorization, proof).await;
        self.note_tokens(form.optional("grant_type"), &answer);
        answer
    }

    async fn answer_token_request(
        &self,
        form: &Parameters,
        authorization: Option<&[u8]>,
        proof: Occurrence<'_>,
    ) -> Result<TokenAnswer, OAuthError> {
        let now = self.clock.now();
        let client = self.clients.authenticate(form, authorization, now).await?;
        let key = self.proven_key(proof, now)?;
        require_promised_key(&client, key)?;
        match form.required("grant_type")? {
            "authorization_code" => {
                require(&client, GrantType::AuthorizationCode)?;
                self.redeem_code(form, &client, key, now).await
            }
            "refresh_token" => {
                require(&client, GrantType::RefreshToken)?;
                self.refresh(form, &client, key, now).await
            }
            "client_credentials" => {
                require(&client, GrantType::ClientCredentials)?;
                self.client_credentials(form, &client, key, now)
            }
            GRANT_TYPE if !self.settings.assertion_issuers.is_empty() => {
                self.redeem_assertion(form, &client, key, now).await
            }
            _ => Err(OAuthError::new(ErrorCode::UnsupportedGrantType, "there is no such grant type here")),
        }
    }
}

fn require(client: &Client, grant_type: GrantType) -> Result<(), OAuthError> {
    if client.grant_types.contains(&grant_type) {
        Ok(())
    } else {
        Err(OAuthError::new(ErrorCode::UnauthorizedClient, "the client may not use this grant type"))
    }
}

/// `expires_in` of something that ends at `end`.
pub(super) const fn seconds_until(end: UnixTime, now: UnixTime) -> u64 {
    end.since(now).as_secs()
}
