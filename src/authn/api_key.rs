//! API keys: what a script or a server presents that cannot sign in. Which there are is handed in; a request looks them
//! up in memory by the hash of what it presents, and the key itself is kept nowhere.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::{BearerToken, Identity, TokenFault};
use crate::domain::{Issuer, PresentedKey, ScopeSet, SecretHash, UnixTime};

/// What is known of a key.
#[derive(Debug, Clone)]
pub struct ApiKeyFacts {
    /// By which its use is noted.
    pub id: String,
    /// Of the key itself.
    pub hash: SecretHash,
    /// Subject and client, after `api-key:`.
    pub name: String,
    /// The resources that it is for, by their exact URIs.
    pub resources: Vec<String>,
    /// What it may do there.
    pub scopes: ScopeSet,
    /// Groups that its holder counts as a member of.
    pub groups: Vec<String>,
    /// From then on it is refused.
    pub expires_at: UnixTime,
    /// It was taken back, and is remembered so that its refusal says so.
    pub revoked: bool,
    /// When it was presented last, as far as is known.
    pub last_used: Option<UnixTime>,
}

/// Every key that may be presented, by hash.
pub struct ApiKeys {
    issuer: Issuer,
    current: ArcSwap<ByHash>,
    /// Serialises writers; readers never see it.
    writing: Mutex<()>,
}

type ByHash = HashMap<SecretHash, Arc<Known>, foldhash::quality::RandomState>;

#[derive(Debug)]
struct Known {
    id: String,
    holder: Result<Arc<Identity>, TokenFault>,
    /// Shared with the entry that takes this one's place, so that no use is lost between the two.
    last_used: Arc<AtomicU64>,
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ApiKeys({} known)", self.known())
    }
}

impl ApiKeys {
    /// None yet. Identities of keys name `issuer`.
    pub fn new(issuer: Issuer) -> Self {
        Self { issuer, current: ArcSwap::default(), writing: Mutex::default() }
    }

    /// These are all keys from now on.
    pub fn replace(&self, all: impl IntoIterator<Item = ApiKeyFacts>) {
        self.change(|old, new| new.extend(all.into_iter().map(|facts| self.entry(old, facts))));
    }

    /// One more key, or what became of a known one.
    pub fn put(&self, facts: ApiKeyFacts) {
        self.change(|old, new| {
            new.clone_from(old);
            new.extend([self.entry(old, facts)]);
        });
    }

    /// The id of the key with this hash.
    pub fn id_of(&self, hash: &SecretHash) -> Option<String> {
        self.current.load().get(hash).map(|known| known.id.clone())
    }

    /// How many are known, dead ones included.
    pub fn known(&self) -> usize {
        self.current.load().len()
    }

    /// How many are good at `now`.
    pub fn living(&self, now: UnixTime) -> usize {
        self.current.load().values().filter(|known| known.holder_at(now).is_ok()).count()
    }

    /// The minute of the last use of every key that was used, by id.
    pub fn last_uses(&self) -> Vec<(String, UnixTime)> {
        let current = self.current.load();
        let used = |known: &Arc<Known>| known.last_used().map(|minute| (known.id.clone(), minute));
        current.values().filter_map(used).collect()
    }

    /// The holder of the key that `token` is. The checksum is looked at first: garbage costs less than a good key.
    pub(super) fn holder(&self, token: BearerToken<'_>, now: UnixTime) -> Result<Arc<Identity>, TokenFault> {
        let key = PresentedKey::parse(token.as_bytes()).ok_or(TokenFault::MalformedApiKey)?;
        let current = self.current.load();
        // The hash of 256 random bits tells nobody anything, so how long it takes to find it does neither.
        let known = current.get(&key.hash()).ok_or(TokenFault::UnknownApiKey)?;
        let holder = known.holder_at(now)?;
        known.note_use(now);
        Ok(Arc::clone(holder))
    }

    fn entry(&self, old: &ByHash, facts: ApiKeyFacts) -> (SecretHash, Arc<Known>) {
        let last_used = old.get(&facts.hash).map(|known| Arc::clone(&known.last_used)).unwrap_or_default();
        last_used.fetch_max(facts.last_used.map_or(0, UnixTime::as_secs), Ordering::Relaxed);
        let holder = if facts.revoked {
            Err(TokenFault::Revoked)
        } else {
            Identity::of_api_key(self.issuer.clone(), &facts).map(Arc::new)
        };
        (facts.hash, Arc::new(Known { id: facts.id, holder, last_used }))
    }

    fn change(&self, step: impl FnOnce(&ByHash, &mut ByHash)) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = ByHash::default();
        step(&self.current.load(), &mut new);
        self.current.store(Arc::new(new));
    }
}

impl Known {
    fn holder_at(&self, now: UnixTime) -> Result<&Arc<Identity>, TokenFault> {
        let holder = self.holder.as_ref().map_err(|fault| *fault)?;
        if now < holder.expires_at() { Ok(holder) } else { Err(TokenFault::Expired) }
    }

    /// To the minute, so that a busy key is written to memory once a minute, not on every request.
    fn note_use(&self, now: UnixTime) {
        let minute = now.as_secs() - now.as_secs() % 60;
        if self.last_used.load(Ordering::Relaxed) < minute {
            self.last_used.fetch_max(minute, Ordering::Relaxed);
        }
    }

    fn last_used(&self) -> Option<UnixTime> {
        let minute = self.last_used.load(Ordering::Relaxed);
        (minute > 0).then(|| UnixTime::from_secs(minute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::testing::TestKey;
    use crate::authn::{Algorithm, Authentication, Authenticator, Credential, IssuerKeys, IssuerSettings};
    use crate::domain::{Occurrence, Secret, api_key};
    use crate::random::SystemRandom;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    fn facts(key: &Secret) -> ApiKeyFacts {
        ApiKeyFacts {
            id: "K1".into(),
            hash: SecretHash::of(key.expose()),
            name: "backup".into(),
            resources: vec!["https://mcp.example.com/mcp".into()],
            scopes: ScopeSet::from_claim("mcp:read"),
            groups: vec!["robots".into()],
            expires_at: at(1000),
            revoked: false,
            last_used: None,
        }
    }

    fn ask(keys: &Arc<ApiKeys>, presented: &str, now: u64) -> Result<Arc<Identity>, TokenFault> {
        let authenticator =
            Authenticator::new(Vec::new(), std::time::Duration::ZERO, 1_000_000).with_api_keys(Arc::clone(keys));
        let header = format!("Bearer {presented}");
        let credential = Credential::from_authorization(Occurrence::Once(header.as_bytes()));
        match authenticator.authenticate(credential, at(now)) {
            Authentication::Verified(identity) => Ok(identity),
            Authentication::Rejected(fault) => Err(fault),
            Authentication::Anonymous | Authentication::Undecidable { .. } | Authentication::NotIntrospected { .. } => {
                panic!("a key is known or it is not")
            }
        }
    }

    fn known(facts: ApiKeyFacts) -> Arc<ApiKeys> {
        let keys = Arc::new(ApiKeys::new(Issuer::of_api_keys()));
        keys.put(facts);
        keys
    }

    #[test]
    fn a_key_is_its_holder_until_it_expires() {
        let key = api_key::new_key(&SystemRandom).unwrap();
        let keys = known(facts(&key));
        let holder = ask(&keys, key.expose(), 999).unwrap();
        assert!(holder.is_api_key());
        assert_eq!((holder.subject(), holder.client()), ("api-key:backup", Some("api-key:backup")));
        assert_eq!(holder.issuer().as_str(), "urn:mcp-forward-auth:api-keys");
        assert_eq!(&*holder.headers().user, b"api-key:backup");
        assert_eq!(ask(&keys, key.expose(), 1000).unwrap_err(), TokenFault::Expired);
        assert_eq!((keys.living(at(999)), keys.living(at(1000)), keys.known()), (1, 0, 1));
    }

    #[test]
    fn what_was_not_given_out_is_refused_by_its_form_or_as_unknown() {
        let (key, other) = (api_key::new_key(&SystemRandom).unwrap(), api_key::new_key(&SystemRandom).unwrap());
        let keys = known(facts(&key));
        assert_eq!(ask(&keys, other.expose(), 1).unwrap_err(), TokenFault::UnknownApiKey);
        for text in [key.expose().get(..52).unwrap(), "mfa_", "mfa_eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(ask(&keys, text, 1).unwrap_err(), TokenFault::MalformedApiKey, "{text}");
        }
        assert_eq!(ask(&keys, &key.expose().to_uppercase(), 1).unwrap_err(), TokenFault::NotJwt);
    }

    #[test]
    fn a_revocation_counts_at_once_and_says_so() {
        let key = api_key::new_key(&SystemRandom).unwrap();
        let keys = known(facts(&key));
        assert!(ask(&keys, key.expose(), 1).is_ok() && ask(&keys, key.expose(), 1).is_ok());
        keys.put(ApiKeyFacts { revoked: true, ..facts(&key) });
        assert_eq!(ask(&keys, key.expose(), 1).unwrap_err(), TokenFault::Revoked);
        keys.replace([]);
        assert_eq!(ask(&keys, key.expose(), 1).unwrap_err(), TokenFault::UnknownApiKey);
    }

    #[test]
    fn a_use_is_noted_to_the_minute_and_outlives_what_is_read_anew() {
        let key = api_key::new_key(&SystemRandom).unwrap();
        let keys = known(facts(&key));
        assert!(keys.last_uses().is_empty());
        ask(&keys, key.expose(), 179).unwrap();
        assert_eq!(keys.last_uses(), [("K1".to_owned(), at(120))]);
        keys.replace([ApiKeyFacts { last_used: Some(at(60)), ..facts(&key) }]);
        assert_eq!(keys.last_uses(), [("K1".to_owned(), at(120))], "what was noted later stays");
        ask(&keys, key.expose(), 1001).unwrap_err();
        assert_eq!(keys.last_uses(), [("K1".to_owned(), at(120))], "a refusal is no use");
    }

    #[test]
    fn no_token_of_an_issuer_may_bear_the_name_of_a_key() {
        let key = TestKey::new("k");
        let issuer = Issuer::parse("https://idp.example.com").unwrap();
        let keys = IssuerKeys::default();
        let set = super::super::key_set::KeySet::parse(
            serde_json::json!({ "keys": [key.jwk()] }).to_string().as_bytes(),
            &[Algorithm::Es256],
        );
        keys.replace(set.unwrap(), at(1));
        let settings = IssuerSettings {
            issuer,
            algorithms: vec![Algorithm::Es256],
            groups_claims: Vec::new(),
            assume_email_verified: false,
            keys: Arc::new(keys),
        };
        let authenticator = Authenticator::new(vec![settings], std::time::Duration::ZERO, 1_000_000);
        let ask = |claim: &str, value: &str| {
            let mut claims = serde_json::json!({ "iss": "https://idp.example.com", "sub": "s", "exp": 100 });
            claims[claim] = value.into();
            let token = key.sign(&serde_json::json!({ "alg": "ES256", "kid": key.kid() }), &claims);
            authenticator.authenticate(Credential::bearer(token.as_bytes()), at(50))
        };
        for claim in ["sub", "client_id", "azp", "preferred_username"] {
            for value in ["api-key:backup", "api-key:", "API-KEY:backup"] {
                let outcome = ask(claim, value);
                assert!(matches!(outcome, Authentication::Rejected(TokenFault::BadClaims)), "{claim}: {outcome:?}");
            }
            let outcome = ask(claim, "backup");
            assert!(outcome.identity().is_some_and(|holder| !holder.is_api_key()), "{claim}: {outcome:?}");
        }
    }
}
