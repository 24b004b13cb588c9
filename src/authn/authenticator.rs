//! Credential → [`Authentication`]: chooses the issuer, the keys, and remembers the outcome.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::cache::{CacheFigures, Generation, TokenCache};
use super::dpop::Replays;
use super::issuer_keys::LoadedKeys;
use super::unverified::UnverifiedToken;
use super::{
    Algorithm, ApiKeys, Authentication, BearerToken, Credential, Evidence, Identity, Introspection, IssuerKeys,
    RevokedTokens, Sessions, TokenFault, jwt, possession,
};
use crate::domain::{Issuer, PresentedKey, UnixTime};

/// An issuer whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// `iss`, exactly.
    pub issuer: Issuer,
    /// Algorithms it may sign with; none for an issuer whose tokens are all opaque.
    pub algorithms: Vec<Algorithm>,
    /// Where groups stand in its tokens, as dotted paths; empty means the claim `groups`.
    pub groups_claims: Vec<String>,
    /// The operator vouches for the e-mail addresses of an issuer that does not say `email_verified`.
    pub assume_email_verified: bool,
    /// Its keys.
    pub keys: Arc<IssuerKeys>,
}

/// Turns credentials into identities.
#[derive(Debug)]
pub struct Authenticator {
    issuers: Vec<IssuerSettings>,
    by_name: HashMap<Box<str>, usize>,
    cache: TokenCache,
    leeway: Duration,
    own: Option<Own>,
    keeps_claims: bool,
    sessions: Option<Arc<dyn Sessions>>,
    replays: Replays,
    api_keys: Option<Arc<ApiKeys>>,
    introspection: Option<Introspection>,
}

/// The issuer that is ourselves, and what was taken back of its tokens.
#[derive(Debug)]
struct Own {
    issuer: usize,
    revoked: Arc<dyn RevokedTokens>,
}

impl Authenticator {
    /// An issuer's clock may run this far behind ours when we judge whether a token is newer than our keys.
    const ISSUER_CLOCK_SKEW: Duration = Duration::from_secs(5);
    /// When a client may ask again while keys are being fetched.
    const RETRY_AFTER: Duration = Duration::from_secs(1);

    /// Accepts tokens of `issuers`; `leeway` bridges clocks that differ, `cache_bytes` bounds the memory of the cache.
    pub fn new(issuers: Vec<IssuerSettings>, leeway: Duration, cache_bytes: u64) -> Self {
        let by_name =
            issuers.iter().enumerate().map(|(index, settings)| (settings.issuer.as_str().into(), index)).collect();
        Self {
            issuers,
            by_name,
            cache: TokenCache::new(cache_bytes),
            leeway,
            own: None,
            keeps_claims: false,
            sessions: None,
            replays: Replays::default(),
            api_keys: None,
            introspection: None,
        }
    }

    /// Identities keep everything that their tokens claim, for conditions that ask for it.
    #[must_use]
    pub fn keeping_claims(self, keeps_claims: bool) -> Self {
        Self { keeps_claims, ..self }
    }

    /// Tokens of `issuer`, which is our own, are also looked up in `revoked`.
    #[must_use]
    pub fn with_revocation(self, issuer: &Issuer, revoked: Arc<impl RevokedTokens + 'static>) -> Self {
        let own = self.by_name.get(issuer.as_str()).map(|index| Own { issuer: *index, revoked });
        Self { own, ..self }
    }

    /// Browsers may present what `sessions` gave to them.
    #[must_use]
    pub fn with_sessions(self, sessions: Arc<impl Sessions + 'static>) -> Self {
        Self { sessions: Some(sessions), ..self }
    }

    /// Scripts and servers may present these keys.
    #[must_use]
    pub fn with_api_keys(self, keys: Arc<ApiKeys>) -> Self {
        Self { api_keys: Some(keys), ..self }
    }

    /// Opaque tokens are asked about.
    #[must_use]
    pub fn with_introspection(self, introspection: Introspection) -> Self {
        Self { introspection: Some(introspection), ..self }
    }

    /// Who is asked about opaque tokens, if anybody is.
    pub const fn introspection(&self) -> Option<&Introspection> {
        self.introspection.as_ref()
    }

    /// The same as [`Self::authenticate`] at the resource with this place in the configuration, which decides who may be asked
    /// about opaque tokens.
    pub fn authenticate_at(&self, resource: usize, credential: Credential<'_>, now: UnixTime) -> Authentication {
        let known = match (&self.introspection, credential) {
            (Some(introspection), Credential::Bearer(token) | Credential::Dpop(token)) => {
                introspection.known(resource, token, now)
            }
            _ => None,
        };
        known.unwrap_or_else(|| self.authenticate(credential, now))
    }

    /// Asks who presents `credential`, when [`Self::authenticate_at`] could not tell. This alone waits. What the token is bound to
    /// is proven afterwards: only the answer tells it, and a proof that was looked at before would be used up.
    pub async fn introspect(&self, resource: usize, credential: Credential<'_>, now: UnixTime) -> Authentication {
        match (&self.introspection, credential) {
            (Some(introspection), Credential::Bearer(token) | Credential::Dpop(token)) => {
                introspection.ask(resource, token, now).await
            }
            _ => self.authenticate(credential, now),
        }
    }

    /// Who presents the session `cookie` at `resource`. What is no session of ours there is no credential at all.
    pub fn authenticate_session(&self, resource: &str, cookie: &str, now: UnixTime) -> Authentication {
        let token = self.sessions.as_ref().and_then(|sessions| sessions.token_behind(resource, cookie));
        match token {
            None => Authentication::Anonymous,
            Some(token) => self.authenticate(Credential::bearer(token.expose().as_bytes()), now),
        }
    }

    /// Who presents `credential` at `now`. Never waits: what cannot be told from the keys at hand is undecidable.
    pub fn authenticate(&self, credential: Credential<'_>, now: UnixTime) -> Authentication {
        match credential {
            Credential::None => Authentication::Anonymous,
            Credential::Malformed(fault) => Authentication::Rejected(fault),
            Credential::Bearer(token) | Credential::Dpop(token) => {
                let generation = |issuer: usize| self.issuers.get(issuer).map_or(0, |known| known.keys.generation());
                match self.cache.verified(token, now, generation) {
                    Some(identity) => self.unless_revoked(identity),
                    None => self.verify(token, now).unwrap_or_else(Authentication::Rejected),
                }
            }
        }
    }

    /// The caller whose token is `identity`, once all is proven that it is bound to. Asked about every token that
    /// [`authenticate`](Self::authenticate) accepted and that is bound or was presented as if it were.
    pub fn prove(
        &self,
        identity: Arc<Identity>,
        credential: Credential<'_>,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Authentication {
        possession::check(identity, credential, evidence, (&self.replays, now))
    }

    /// The issuers, for readiness and metrics.
    pub fn issuers(&self) -> &[IssuerSettings] {
        &self.issuers
    }

    /// How many API keys are good, for metrics.
    pub fn living_api_keys(&self, now: UnixTime) -> usize {
        self.api_keys.as_ref().map_or(0, |keys| keys.living(now))
    }

    /// Cache figures, for metrics.
    pub fn cache_figures(&self) -> CacheFigures {
        self.cache.figures()
    }

    fn verify(&self, token: BearerToken<'_>, now: UnixTime) -> Result<Authentication, TokenFault> {
        // Never remembered beside tokens, so that a revocation counts from the next request on.
        if let Some(keys) = self.api_keys.as_ref().filter(|_| PresentedKey::is_meant(token.as_bytes())) {
            return keys.holder(token, now).map(Authentication::Verified);
        }
        let unverified = UnverifiedToken::parse(token)?;
        let index = *self.by_name.get(&*unverified.unverified_claims().iss).ok_or(TokenFault::UnknownIssuer)?;
        let settings = self.issuers.get(index).ok_or(TokenFault::UnknownIssuer)?;
        let algorithm = jwt::accepted_algorithm(&unverified, &settings.algorithms)?;
        jwt::check_claims(&unverified, now, self.leeway)?;
        let Some(loaded) = settings.keys.current() else {
            settings.keys.ask_for_refresh();
            return Ok(Authentication::Undecidable { retry_after: Self::RETRY_AFTER });
        };
        let Some(key) = loaded.set.find(unverified.unverified_key_id(), algorithm) else {
            return unknown_key(settings, &loaded, &unverified);
        };
        let generation = Generation { issuer: index, key_set: loaded.generation };
        if self.cache.is_known_forgery(token, generation) {
            return Err(TokenFault::BadSignature);
        }
        let claims = jwt::verify(unverified, key).inspect_err(|_| self.cache.remember_forgery(token, generation))?;
        let groups = custom_groups(token, &settings.groups_claims);
        let issuer = settings.issuer.clone();
        let own_token = self.own.as_ref().filter(|own| own.issuer == index).map(|_| claims.token_ids());
        let identity = Identity::new(issuer, claims, groups, settings.assume_email_verified)?;
        let identity = if self.keeps_claims { with_claims(identity, token) } else { identity };
        let identity = Arc::new(match own_token {
            Some(ids) => identity.with_own_token(ids),
            None => identity,
        });
        let usable_until = identity.expires_at().plus(self.leeway);
        self.cache.remember(token, Arc::clone(&identity), generation, usable_until);
        Ok(self.unless_revoked(identity))
    }

    /// Asked after the cache too, so that a revocation counts from the next request on.
    fn unless_revoked(&self, identity: Arc<Identity>) -> Authentication {
        match (identity.own_token(), &self.own) {
            (Some(ids), Some(own)) if own.revoked.is_revoked(ids) => Authentication::Rejected(TokenFault::Revoked),
            _ => Authentication::Verified(identity),
        }
    }
}

/// Asks for newer keys, and says what that means for this token: one issued before our keys were fetched cannot have
/// been signed with a key we lack; one issued since may have been, and refusing it would make its client throw it away.
fn unknown_key(
    settings: &IssuerSettings,
    loaded: &LoadedKeys,
    token: &UnverifiedToken<'_>,
) -> Result<Authentication, TokenFault> {
    settings.keys.ask_for_refresh();
    let issued_at = token.unverified_claims().iat.map(|date| UnixTime::from_secs(date.0));
    let newer_than_keys =
        issued_at.is_some_and(|issued_at| issued_at.plus(Authenticator::ISSUER_CLOCK_SKEW) >= loaded.fetched_at);
    if newer_than_keys {
        Ok(Authentication::Undecidable { retry_after: Authenticator::RETRY_AFTER })
    } else {
        Err(TokenFault::UnknownKey)
    }
}

/// The claims of a token whose signature was checked, all of them.
fn with_claims(identity: Identity, token: BearerToken<'_>) -> Identity {
    match super::unverified::claims_as_value(token) {
        Some(serde_json::Value::Object(members)) => identity.with_claims(members, token.as_bytes().len()),
        _ => identity,
    }
}

/// Groups from configured places (`realm_access.roles`), read only for issuers that need it.
fn custom_groups(token: BearerToken<'_>, paths: &[String]) -> Option<Vec<String>> {
    if paths.is_empty() {
        return None;
    }
    Some(groups_at(&super::unverified::claims_as_value(token).unwrap_or_default(), paths))
}

/// The groups at `paths` of `claims`.
pub fn groups_at(claims: &serde_json::Value, paths: &[String]) -> Vec<String> {
    let found = paths.iter().filter_map(|path| {
        path.split('.').try_fold(claims, |value, member| value.get(member)).or_else(|| claims.get(path.as_str()))
    });
    found.flat_map(strings).collect()
}

fn strings(value: &serde_json::Value) -> Vec<String> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items.iter().filter_map(|item| item.as_str().map(ToOwned::to_owned)).collect()
}
