//! Verified identities by token, and tokens whose signature was found wrong.
//!
//! The cache remembers identities, not verdicts: policy runs on every request. An entry counts only while the key set
//! that proved it is the current one and `exp` has not passed, so rotation and expiry take effect at once.

use std::cell::RefCell;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use super::recent::Recent;
use super::{BearerToken, Identity};
use crate::domain::UnixTime;

thread_local! {
    static RECENT: RefCell<Recent<Entry>> = const { RefCell::new(Recent::new()) };
}

/// Names the next cache of this process.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// A bounded cache of what verification found out.
pub struct TokenCache {
    id: u64,
    verified: Cache<u64, Arc<Entry>, foldhash::fast::RandomState>,
    forgeries: Cache<u128, Generation>,
    fingerprint: foldhash::quality::RandomState,
    forgery_key: [u8; 16],
    hits: AtomicU64,
    misses: AtomicU64,
}

struct Entry {
    token: Box<[u8]>,
    identity: Arc<Identity>,
    generation: Generation,
    usable_until: UnixTime,
}

/// Which key set proved a token: the issuer's place in the configuration and the number of its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation {
    /// Index of the issuer.
    pub issuer: usize,
    /// Counts the key sets of that issuer.
    pub key_set: u64,
}

/// Cache figures since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheFigures {
    /// Identities held.
    pub entries: u64,
    /// Bytes held, roughly.
    pub bytes: u64,
    /// Look-ups answered.
    pub hits: u64,
    /// Look-ups not answered.
    pub misses: u64,
}

impl std::fmt::Debug for TokenCache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "TokenCache({} entries)", self.verified.entry_count())
    }
}

impl TokenCache {
    /// Forgeries are remembered this long: enough for a client's retry loop.
    const FORGERIES_FOR: Duration = Duration::from_secs(30);
    /// How many forgeries are remembered (40 bytes each, and the cache's own book-keeping).
    const MAX_FORGERIES: u64 = 10_000;

    /// Holds at most about `max_bytes` of tokens and identities.
    pub fn new(max_bytes: u64) -> Self {
        let weigh = |_: &u64, entry: &Arc<Entry>| {
            u32::try_from(entry.token.len() + entry.identity.weight()).unwrap_or(u32::MAX)
        };
        let mut forgery_key = [0; 16];
        // Without randomness the key would be guessable; an empty negative cache costs only time.
        let random = aws_lc_rs::rand::fill(&mut forgery_key).is_ok();
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            verified: Cache::builder()
                .max_capacity(max_bytes)
                .weigher(weigh)
                .build_with_hasher(foldhash::fast::RandomState::default()),
            forgeries: Cache::builder()
                .max_capacity(if random { Self::MAX_FORGERIES } else { 0 })
                .time_to_live(Self::FORGERIES_FOR)
                .build(),
            fingerprint: foldhash::quality::RandomState::default(),
            forgery_key,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The identity that `token` proved, if it still does. `current` tells the present key-set generation.
    pub(super) fn verified(
        &self,
        token: BearerToken<'_>,
        now: UnixTime,
        current: impl Fn(usize) -> u64,
    ) -> Option<Arc<Identity>> {
        let key = self.fingerprint.hash_one(token.as_bytes());
        let counts = |entry: &Entry| {
            entry.is(token) && now < entry.usable_until && current(entry.generation.issuer) == entry.generation.key_set
        };
        let recent = RECENT.with_borrow(|recent| {
            let entry = recent.get(self.id, key).filter(|entry| counts(entry));
            entry.map(|entry| Arc::clone(&entry.identity))
        });
        let identity = recent.or_else(|| self.shared(key, counts));
        let counter = if identity.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        identity
    }

    /// From the shared part. What is found there a second time is worth a thread's memory: a flood of tokens that come once
    /// takes none.
    fn shared(&self, key: u64, counts: impl Fn(&Entry) -> bool) -> Option<Arc<Identity>> {
        let entry = self.verified.get(&key).filter(|entry| counts(entry))?;
        let identity = Arc::clone(&entry.identity);
        RECENT.with_borrow_mut(|recent| recent.keep(self.id, key, entry));
        Some(identity)
    }

    /// Remembers what `token` proved, until `usable_until`.
    pub(super) fn remember(
        &self,
        token: BearerToken<'_>,
        identity: Arc<Identity>,
        generation: Generation,
        usable_until: UnixTime,
    ) {
        let key = self.fingerprint.hash_one(token.as_bytes());
        let entry = Entry { token: token.as_bytes().into(), identity, generation, usable_until };
        self.verified.insert(key, Arc::new(entry));
    }

    /// Whether the signature of `token` was found not to fit the keys of `generation` a moment ago.
    pub(super) fn is_known_forgery(&self, token: BearerToken<'_>, generation: Generation) -> bool {
        self.forgeries.get(&self.forgery_fingerprint(token)) == Some(generation)
    }

    /// Remembers a signature that does not fit. Only these: they alone cost as much as an acceptance.
    pub(super) fn remember_forgery(&self, token: BearerToken<'_>, generation: Generation) {
        self.forgeries.insert(self.forgery_fingerprint(token), generation);
    }

    /// Attackers choose these tokens, so the fingerprint is a keyed 128-bit function (SipHash-2-4).
    fn forgery_fingerprint(&self, token: BearerToken<'_>) -> u128 {
        siphasher::sip128::SipHasher24::new_with_key(&self.forgery_key).hash(token.as_bytes()).as_u128()
    }

    /// Figures for metrics.
    pub fn figures(&self) -> CacheFigures {
        CacheFigures {
            entries: self.verified.entry_count(),
            bytes: self.verified.weighted_size(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }
}

impl Entry {
    /// The whole token, in constant time: a fingerprint alone would let a collision be somebody else.
    fn is(&self, token: BearerToken<'_>) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.token, token.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::Credential;
    use crate::domain::Occurrence;

    fn token(text: &str) -> BearerToken<'_> {
        match Credential::from_authorization(Occurrence::Once(text.as_bytes())) {
            Credential::Bearer(token) => token,
            Credential::None | Credential::Dpop(_) | Credential::Malformed(_) => panic!("{text} is no bearer token"),
        }
    }

    #[test]
    fn a_token_with_the_fingerprint_of_another_is_not_that_other() {
        let now = UnixTime::from_secs(1);
        let cache = TokenCache::new(100_000);
        let (alice, mallory) = (token("Bearer alice"), token("Bearer mallory"));
        let identity = Identity::for_test("https://idp.example.com", r#"{"iss":"i","exp":9,"sub":"alice"}"#);
        let generation = Generation { issuer: 0, key_set: 1 };
        cache.remember(alice, Arc::new(identity), generation, UnixTime::from_secs(9));
        assert!(cache.verified(alice, now, |_| 1).is_some());
        let [place, other] = [alice, mallory].map(|token| cache.fingerprint.hash_one(token.as_bytes()));
        let alices = cache.verified.get(&place).unwrap();
        cache.verified.insert(other, Arc::clone(&alices));
        assert!(cache.verified(mallory, now, |_| 1).is_none());
        RECENT.with_borrow_mut(|recent| recent.keep(cache.id, other, alices));
        assert!(cache.verified(mallory, now, |_| 1).is_none());
    }

    #[test]
    fn what_a_thread_remembers_ends_with_the_token_and_with_the_keys() {
        let cache = TokenCache::new(100_000);
        let identity = Identity::for_test("https://idp.example.com", r#"{"iss":"i","exp":9,"sub":"alice"}"#);
        let generation = Generation { issuer: 0, key_set: 1 };
        cache.remember(token("Bearer alice"), Arc::new(identity), generation, UnixTime::from_secs(9));
        let ask =
            |second, key_set| cache.verified(token("Bearer alice"), UnixTime::from_secs(second), |_| key_set).is_some();
        assert_eq!(
            [(1, 1), (1, 1), (8, 1), (9, 1), (8, 2)].map(|(second, keys)| ask(second, keys)),
            [true, true, true, false, false]
        );
        assert!(RECENT.with_borrow(|recent| {
            let key = cache.fingerprint.hash_one(token("Bearer alice").as_bytes());
            recent.get(cache.id, key).is_some()
        }));
        assert!(TokenCache::new(100_000).verified(token("Bearer alice"), UnixTime::from_secs(1), |_| 1).is_none());
    }
}
