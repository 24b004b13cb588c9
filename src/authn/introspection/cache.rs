//! What issuers said lately. Good tokens and bad ones are kept apart: a flood of bad ones drives no good one out.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::Found;
use crate::authn::{Identity, TokenFault};
use crate::domain::UnixTime;

/// A bounded memory of answers, by issuer and token.
pub(super) struct AnswerCache {
    verified: Cache<u128, Arc<Entry>>,
    refused: Cache<u128, (TokenFault, UnixTime)>,
    key: [u8; 16],
}

struct Entry {
    issuer: usize,
    token: Box<[u8]>,
    identity: Arc<Identity>,
    usable_until: UnixTime,
}

impl std::fmt::Debug for AnswerCache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "AnswerCache({} entries)", self.verified.entry_count())
    }
}

impl AnswerCache {
    /// Holds about 10,000 identities of usual size.
    const MAX_BYTES: u64 = 16 * 1024 * 1024;
    /// Of bad tokens only the fingerprint is kept: a few dozen bytes each.
    const MAX_REFUSED: u64 = 20_000;
    /// A client's retries do not reach the issuer, and a token that it learns of late is soon good.
    const REFUSED_FOR: Duration = Duration::from_secs(10);

    pub(super) fn new() -> Self {
        let mut key = [0; 16];
        // Without randomness others could make the fingerprint of somebody's token; no memory of bad ones costs only time.
        let random = aws_lc_rs::rand::fill(&mut key).is_ok();
        let weigh = |_: &u128, entry: &Arc<Entry>| {
            u32::try_from(entry.token.len() + entry.identity.weight()).unwrap_or(u32::MAX)
        };
        Self {
            verified: Cache::builder().max_capacity(Self::MAX_BYTES).weigher(weigh).build(),
            refused: Cache::builder()
                .max_capacity(if random { Self::MAX_REFUSED } else { 0 })
                .time_to_live(Self::REFUSED_FOR)
                .build(),
            key,
        }
    }

    /// What the issuer at `place` said of `token`, while it counts.
    pub(super) fn get(&self, place: usize, token: &str, now: UnixTime) -> Option<Found> {
        let fingerprint = self.fingerprint(place, token);
        let verified = self.verified.get(&fingerprint).filter(|entry| entry.is(place, token));
        if let Some(entry) = verified.filter(|entry| now < entry.usable_until) {
            return Some(Found::Verified(Arc::clone(&entry.identity)));
        }
        let (fault, until) = self.refused.get(&fingerprint)?;
        (now < until).then_some(Found::Refused(fault))
    }

    /// Remembers an answer: a good one for at most `remembered_for`, and never beyond `exp`.
    pub(super) fn remember(&self, place: usize, token: &str, found: &Found, now: UnixTime, remembered_for: Duration) {
        let fingerprint = self.fingerprint(place, token);
        match found {
            Found::Unavailable => {}
            Found::Refused(fault) => {
                self.verified.invalidate(&fingerprint);
                self.refused.insert(fingerprint, (*fault, now.plus(Self::REFUSED_FOR)));
            }
            Found::Verified(identity) => {
                self.refused.invalidate(&fingerprint);
                let usable_until = identity.expires_at().min(now.plus(remembered_for));
                if now < usable_until {
                    let (token, identity) = (token.as_bytes().into(), Arc::clone(identity));
                    let entry = Entry { issuer: place, token, identity, usable_until };
                    self.verified.insert(fingerprint, Arc::new(entry));
                }
            }
        }
    }

    /// Strangers choose tokens, so the fingerprint is a keyed 128-bit function (SipHash-2-4).
    fn fingerprint(&self, place: usize, token: &str) -> u128 {
        use std::hash::Hasher as _;

        use siphasher::sip128::Hasher128 as _;
        let mut hasher = siphasher::sip128::SipHasher24::new_with_key(&self.key);
        hasher.write_usize(place);
        hasher.write(token.as_bytes());
        hasher.finish128().as_u128()
    }
}

impl Entry {
    /// The whole token, in constant time: a fingerprint alone would let a collision be somebody else.
    fn is(&self, place: usize, token: &str) -> bool {
        self.issuer == place && aws_lc_rs::constant_time::verify_slices_are_equal(&self.token, token.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(expires_at: u64) -> Found {
        let claims = format!(r#"{{"iss":"i","exp":{expires_at},"sub":"alice"}}"#);
        Found::Verified(Arc::new(Identity::for_test("https://idp.example.com", &claims)))
    }

    fn word(found: Option<&Found>) -> &'static str {
        match found {
            None | Some(Found::Unavailable) => "nothing",
            Some(Found::Verified(_)) => "verified",
            Some(Found::Refused(_)) => "refused",
        }
    }

    #[test]
    fn an_answer_counts_for_its_issuer_and_its_token_until_its_time_is_over() {
        let (cache, at) = (AnswerCache::new(), UnixTime::from_secs);
        let thirty = Duration::from_secs(30);
        cache.remember(0, "alice", &verified(1000), at(100), thirty);
        cache.remember(0, "short", &verified(105), at(100), thirty);
        cache.remember(0, "never", &verified(1000), at(100), Duration::ZERO);
        cache.remember(0, "past", &verified(90), at(100), thirty);
        cache.remember(0, "bad", &Found::Refused(TokenFault::Inactive), at(100), thirty);
        cache.remember(0, "down", &Found::Unavailable, at(100), thirty);
        for (place, token, second, expected) in [
            (0, "alice", 100, "verified"),
            (0, "alice", 129, "verified"),
            (0, "alice", 130, "nothing"),
            (1, "alice", 100, "nothing"),
            (0, "alic", 100, "nothing"),
            (0, "short", 104, "verified"),
            (0, "short", 105, "nothing"),
            (0, "never", 100, "nothing"),
            (0, "past", 100, "nothing"),
            (0, "bad", 109, "refused"),
            (0, "bad", 110, "nothing"),
            (1, "bad", 100, "nothing"),
            (0, "down", 100, "nothing"),
        ] {
            assert_eq!(word(cache.get(place, token, at(second)).as_ref()), expected, "{token} of {place} at {second}");
        }
    }

    #[test]
    fn a_token_with_the_fingerprint_of_another_is_not_that_other() {
        let (cache, now) = (AnswerCache::new(), UnixTime::from_secs(1));
        cache.remember(0, "alice", &verified(9), now, Duration::from_secs(5));
        let alices = cache.verified.get(&cache.fingerprint(0, "alice")).unwrap();
        cache.verified.insert(cache.fingerprint(0, "mallory"), Arc::clone(&alices));
        cache.verified.insert(cache.fingerprint(1, "alice"), alices);
        assert_eq!(word(cache.get(0, "alice", now).as_ref()), "verified");
        assert_eq!(word(cache.get(0, "mallory", now).as_ref()), "nothing");
        assert_eq!(word(cache.get(1, "alice", now).as_ref()), "nothing");
    }

    #[test]
    fn the_last_answer_counts_and_a_flood_of_bad_tokens_is_bounded() {
        let (cache, now) = (AnswerCache::new(), UnixTime::from_secs(1));
        let (good, bad) = (verified(90), Found::Refused(TokenFault::Inactive));
        for (found, expected) in [(&good, "verified"), (&bad, "refused"), (&good, "verified")] {
            cache.remember(0, "alice", found, now, Duration::from_secs(30));
            assert_eq!(word(cache.get(0, "alice", now).as_ref()), expected);
        }
        for number in 0..3 * AnswerCache::MAX_REFUSED {
            cache.remember(0, &format!("bad-{number}"), &bad, now, Duration::from_secs(30));
        }
        cache.refused.run_pending_tasks();
        assert!(cache.refused.entry_count() <= AnswerCache::MAX_REFUSED);
        assert_eq!(word(cache.get(0, "alice", now).as_ref()), "verified");
    }
}
