//! `/introspect` (RFC 7662): whether a token is good, for resource servers that ask instead of verifying.

use serde_json::{Map, Value, json};

use super::grant::Grant;
use super::presented_token::PresentedToken;
use super::{AuthorizationServer, Client, ClientSource, ErrorCode, OAuthError, Parameters};
use crate::authn::Identity;
use crate::domain::{Email, UnixTime};
use crate::store;

/// The answer: nothing but `active: false`, or what the token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introspection(Map<String, Value>);

impl Introspection {
    fn inactive() -> Self {
        Self::of([("active", false.into())])
    }

    fn of<const N: usize>(members: [(&str, Value); N]) -> Self {
        Self(members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, v)| (name.into(), v)).collect())
    }

    /// The body, as JSON.
    pub fn to_json(&self) -> Value {
        self.0.clone().into()
    }

    /// Whether the token is good.
    pub fn is_active(&self) -> bool {
        self.0.get("active") == Some(&true.into())
    }
}

impl AuthorizationServer {
    /// Describes a token. Only to clients that prove who they are (RFC 7662 §2.1), and only their own tokens, unless
    /// the configuration lets them see all: anybody else would learn who uses what.
    pub async fn introspect(
        &self,
        form: &Parameters,
        authorization: Option<&[u8]>,
    ) -> Result<Introspection, OAuthError> {
        let now = self.clock.now();
        let client = self.clients.authenticate(form, authorization, now).await?;
        if !client.is_confidential() {
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "only confidential clients may introspect"));
        }
        let sees = |owner: Option<&str>| owner == Some(&client.id) || may_see_all(&client);
        match self.presented_token(form.required("token")?, now).await? {
            Some(PresentedToken::Access(identity)) if sees(identity.client()) => {
                Ok(if self.is_standing(&identity, now).await? {
                    self.describe(&identity)
                } else {
                    Introspection::inactive()
                })
            }
            Some(PresentedToken::Refresh { grant, live: true, .. })
                if sees(Some(&grant.client)) && grant.stands(now) =>
            {
                Ok(self.describe_grant(&grant))
            }
            Some(PresentedToken::Refresh { .. } | PresentedToken::Access(_)) | None => Ok(Introspection::inactive()),
        }
    }

    /// The memory knows what was revoked here; the store also what was revoked elsewhere a moment ago.
    async fn is_standing(&self, identity: &Identity, now: UnixTime) -> Result<bool, OAuthError> {
        if identity.is_api_key() {
            // It was looked up a moment ago, and is remembered nowhere else.
            return Ok(true);
        }
        let Some(ids) = identity.own_token() else { return Ok(false) };
        if let Some(jti) = ids.jti.as_deref()
            && store::read::<super::revocations::RevokedAccessToken>(&*self.store, jti, now).await?.is_some()
        {
            return Ok(false);
        }
        match ids.grant.as_deref() {
            None => Ok(true),
            Some(id) => {
                let found = store::read::<Grant>(&*self.store, id, now).await?;
                Ok(found.is_some_and(|found| found.value.stands(now)))
            }
        }
    }

    fn describe(&self, identity: &Identity) -> Introspection {
        let key = identity.confirmation().key;
        let text = |text: Option<&str>| text.map_or(Value::Null, Into::into);
        Introspection::of([
            ("active", true.into()),
            ("iss", self.settings.issuer.as_str().into()),
            ("sub", identity.subject().into()),
            ("aud", identity.audiences().first().map(String::as_str).into()),
            ("client_id", text(identity.client())),
            ("scope", identity.scopes().to_string().into()),
            ("exp", identity.expires_at().as_secs().into()),
            ("token_type", if key.is_some() { "DPoP" } else { "Bearer" }.into()),
            // RFC 9449 §6.2.
            ("cnf", key.map_or(Value::Null, |key| json!({ "jkt": key.to_string() }))),
            ("jti", text(identity.own_token().and_then(|ids| ids.jti.as_deref()))),
            ("username", text(identity.verified_email().map(Email::as_str).or(identity.user_name()))),
        ])
    }

    fn describe_grant(&self, grant: &Grant) -> Introspection {
        Introspection::of([
            ("active", true.into()),
            ("iss", self.settings.issuer.as_str().into()),
            ("sub", grant.person.subject_claim().into()),
            ("client_id", grant.client.clone().into()),
            ("scope", grant.scopes.to_string().into()),
            ("exp", grant.ends_at.as_secs().into()),
        ])
    }
}

fn may_see_all(client: &Client) -> bool {
    matches!(client.source, ClientSource::Configuration { may_introspect: true, .. })
}
