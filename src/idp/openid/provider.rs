//! The code flow with PKCE (OIDC Core §3.1), userinfo (§5.3), and asking again by refresh token (§12).

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use super::dialect::Dialect;
use super::id_token::{self, Expected, IdToken};
use super::metadata::{Metadata, Published};
use super::profile::Profile;
use super::{access_token, request};
use crate::authn::TokenFault;
use crate::authn::key_set::KeySet;
use crate::authn::signed::{Signed, verify_signature};
use crate::domain::{Issuer, Person, ScopeSet, Secret, UnixTime};
use crate::idp::token_endpoint::Tokens;
use crate::idp::{
    Callback, IdentityProvider, IdpError, Named, Registration, SecretIn, SignInStart, SignedIn, Surroundings,
};
use crate::outbound::Call;

/// What every provider that speaks OpenID Connect is told.
#[derive(Debug, Clone)]
pub(in crate::idp) struct OpenIdSettings {
    pub(in crate::idp) issuer: Issuer,
    pub(in crate::idp) registration: Registration,
    /// Besides `openid`.
    pub(in crate::idp) scopes: ScopeSet,
    pub(in crate::idp) groups: GroupsClaims,
    pub(in crate::idp) assume_email_verified: bool,
    /// Ask for a refresh token by scope, if the provider has that scope.
    pub(in crate::idp) offline_access: bool,
    /// Ask for consent each time (`prompt=consent`).
    pub(in crate::idp) ask_consent: bool,
}

/// Where groups stand.
#[derive(Debug, Clone)]
pub(in crate::idp) struct GroupsClaims {
    /// Dotted paths or JSON pointers.
    paths: Vec<String>,
    /// The operator named them: userinfo is asked when the ID token has none.
    named: bool,
}

impl GroupsClaims {
    /// What the operator named, or else what this kind of provider may have.
    pub(in crate::idp) fn new<const N: usize>(named: Vec<String>, usual: [&str; N]) -> Self {
        if named.is_empty() {
            Self { paths: usual.map(ToOwned::to_owned).to_vec(), named: false }
        } else {
            Self { paths: named, named: true }
        }
    }
}

/// A provider that speaks OpenID Connect.
#[derive(Debug)]
pub(in crate::idp) struct OpenIdProvider<D> {
    named: Named,
    settings: OpenIdSettings,
    dialect: D,
    published: Published,
    surroundings: Surroundings,
}

#[async_trait]
impl<D: Dialect> IdentityProvider for OpenIdProvider<D> {
    fn name(&self) -> &str {
        &self.named.name
    }

    fn label(&self) -> &str {
        &self.named.label
    }

    async fn authorization_url(&self, start: &SignInStart) -> Result<Url, IdpError> {
        let metadata = self.published.metadata(&self.dialect, self.surroundings.clock.now()).await?;
        Ok(request::authorization_url(&metadata.value, &self.settings, &self.dialect, start))
    }

    async fn redeem(&self, callback: Callback, now: UnixTime) -> Result<SignedIn, IdpError> {
        let published = self.published.metadata(&self.dialect, now).await?;
        let metadata = &published.value;
        request::check_answer(metadata, &self.dialect, callback.iss.as_deref())?;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", callback.code.expose()),
            ("redirect_uri", &callback.start.redirect_uri),
            ("code_verifier", callback.start.code_verifier.expose()),
        ];
        let tokens = self.ask(metadata, &fields).await?;
        let token = self.id_token(metadata, &tokens, Some(&callback.start.nonce), now).await?;
        let token = token.ok_or_else(|| IdpError::Untrustworthy("the provider gave no ID token".into()))?;
        let person = self.person(metadata, token, &tokens, now).await?;
        Ok(SignedIn { person, refresh_token: tokens.refresh_token })
    }

    async fn ask_again(&self, person: &Person, refresh_token: &Secret, now: UnixTime) -> Result<SignedIn, IdpError> {
        if person.provider != self.named.name {
            return Err(IdpError::Untrustworthy("the person belongs to another provider".into()));
        }
        let published = self.published.metadata(&self.dialect, now).await?;
        let metadata = &published.value;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        let tokens = self.ask(metadata, &fields).await?;
        let now_known = match self.id_token(metadata, &tokens, None, now).await? {
            Some(token) if token.subject != person.subject => return Err(another_person()),
            Some(token) => self.person(metadata, token, &tokens, now).await?,
            None => self.person_by_userinfo(metadata, person, &tokens).await?,
        };
        Ok(SignedIn { person: now_known, refresh_token: tokens.refresh_token.or_else(|| Some(refresh_token.clone())) })
    }
}

impl<D: Dialect> OpenIdProvider<D> {
    pub(in crate::idp) fn new(named: Named, settings: OpenIdSettings, dialect: D, surroundings: &Surroundings) -> Self {
        let published = Published::new(settings.issuer.clone(), surroundings.outbound.clone());
        Self { named, settings, dialect, published, surroundings: surroundings.clone() }
    }

    async fn ask(&self, metadata: &Metadata, fields: &[(&str, &str)]) -> Result<Tokens, IdpError> {
        let registration = &self.settings.registration;
        let by_metadata = || {
            let body_only =
                metadata.takes_secret_by("client_secret_post") && !metadata.takes_secret_by("client_secret_basic");
            if body_only { SecretIn::Body } else { SecretIn::Header }
        };
        let secret_in = registration.secret_in.unwrap_or_else(by_metadata);
        registration.ask(&self.surroundings.outbound, &metadata.token_endpoint, secret_in, fields).await
    }

    /// The ID token among `tokens`, proven.
    async fn id_token(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        nonce: Option<&Secret>,
        now: UnixTime,
    ) -> Result<Option<IdToken>, IdpError> {
        let Some(token) = &tokens.id_token else { return Ok(None) };
        let (signed, key_issuer) = self.signed(metadata, token, now).await?;
        let expected = Expected {
            dialect: &self.dialect,
            metadata_issuer: &metadata.issuer,
            key_issuer: key_issuer.as_deref(),
            client_id: &self.settings.registration.client_id,
            nonce,
            access_token: &tokens.access_token,
            now,
            leeway: self.surroundings.leeway,
        };
        id_token::check(signed, &expected).map(Some)
    }

    /// Claims of a JWT that one of the provider's keys signed, and whose key that is. An unknown key may be a new one.
    async fn signed<C: DeserializeOwned>(
        &self,
        metadata: &Metadata,
        token: &Secret,
        now: UnixTime,
    ) -> Result<(Signed<C>, Option<String>), IdpError> {
        let verify = |set: &KeySet| verify_signature::<C>(token.expose(), set, &metadata.algorithms);
        let mut keys = self.published.keys(metadata, now).await?;
        let mut verified = verify(&keys.value.set);
        if matches!(verified, Err(TokenFault::UnknownKey))
            && let Some(newer) = self.published.newer_keys(&keys, metadata, now).await?
        {
            keys = newer;
            verified = verify(&keys.value.set);
        }
        let signed = verified.map_err(|fault| IdpError::Untrustworthy(format!("ID token: {fault}")))?;
        let key_issuer = keys.value.issuer_of(signed.key_id.as_deref()).map(ToOwned::to_owned);
        Ok((signed, key_issuer))
    }

    /// Who the ID token is about, with what userinfo adds where the token lacks it.
    async fn person(
        &self,
        metadata: &Metadata,
        token: IdToken,
        tokens: &Tokens,
        now: UnixTime,
    ) -> Result<Person, IdpError> {
        let IdToken { subject, mut profile, .. } = token;
        if self.dialect.reads_access_token()
            && let Some(more) = self.access_token_profile(metadata, &subject, tokens, now).await
        {
            profile = profile.completed_by(more);
        }
        if self.lacks_claims(&profile)
            && let Some(endpoint) = self.userinfo_endpoint(metadata)
        {
            profile = profile.completed_by(self.userinfo(endpoint, &tokens.access_token, &subject).await?);
        }
        Ok(self.described(&profile, &subject))
    }

    /// A refresh without an ID token. Without userinfo as well, the provider's word is that it took the refresh token.
    async fn person_by_userinfo(
        &self,
        metadata: &Metadata,
        person: &Person,
        tokens: &Tokens,
    ) -> Result<Person, IdpError> {
        let Some(endpoint) = self.userinfo_endpoint(metadata) else { return Ok(person.clone()) };
        let profile = self.userinfo(endpoint, &tokens.access_token, &person.subject).await?;
        Ok(self.described(&profile, &person.subject))
    }

    fn userinfo_endpoint<'m>(&self, metadata: &'m Metadata) -> Option<&'m Url> {
        metadata.userinfo_endpoint.as_ref().filter(|_| self.dialect.asks_userinfo())
    }

    fn lacks_claims(&self, profile: &Profile) -> bool {
        let verification = profile.has("email_verified") || self.settings.assume_email_verified;
        let groups = &self.settings.groups;
        let groups = !groups.named || profile.has_all(&groups.paths);
        !profile.has("email") || !verification || !groups
    }

    fn described(&self, profile: &Profile, subject: &str) -> Person {
        let person = profile.person(&self.named.name, subject, &self.settings.groups.paths);
        let mut person = self.dialect.correct(profile, person);
        person.email_verified |= self.settings.assume_email_verified;
        person.email_verified &= person.email.is_some();
        person
    }

    async fn access_token_profile(
        &self,
        metadata: &Metadata,
        subject: &str,
        tokens: &Tokens,
        now: UnixTime,
    ) -> Option<Profile> {
        let signed = self.signed::<access_token::Claims>(metadata, &tokens.access_token, now).await;
        let (signed, _) = signed.inspect_err(|error| tracing::debug!(%error, "the access token says no more")).ok()?;
        signed.claims.profile_of(subject, &metadata.issuer, &self.settings.registration.client_id, now)
    }

    /// `sub` must be the ID token's, or the claims are somebody else's (OIDC Core §5.3.2).
    async fn userinfo(&self, endpoint: &Url, access_token: &Secret, subject: &str) -> Result<Profile, IdpError> {
        let bearer = Secret::new(format!("Bearer {}", access_token.expose()));
        let reply = self.surroundings.outbound.call(&Call::get(endpoint).authorization(bearer)).await?;
        match reply.status {
            200 => {}
            401 => return Err(IdpError::Refused(format!("{endpoint} does not take the access token"))),
            status => return Err(IdpError::Unavailable(format!("{endpoint} answered {status}"))),
        }
        let claims: Map<String, Value> = serde_json::from_slice(&reply.body)
            .map_err(|_| IdpError::Untrustworthy(format!("{endpoint} answered no JSON object")))?;
        if claims.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(another_person());
        }
        Ok(Profile::new(claims))
    }
}

fn another_person() -> IdpError {
    IdpError::Untrustworthy("the provider answered about another person".into())
}
