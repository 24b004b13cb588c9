//! The signing keys as stored: one record, so that every change to them is one compare-and-swap and two replicas that
//! start at once end with the same keys.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key_pair::{KeyPair, SigningAlgorithm, UnusableKey};
use super::seal::{Purpose, Seal, Unsealable};
use crate::domain::{UnixTime, opaque};
use crate::random::Random;
use crate::store::{Stored, Table};

/// All signing keys: `next` is published before it signs, `retired` ones until the last token they signed is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeyRing {
    pub(super) active: StoredKey,
    pub(super) active_since: UnixTime,
    pub(super) next: StoredKey,
    pub(super) retired: Vec<RetiredKey>,
}

/// A key with its private part sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredKey {
    pub(super) id: String,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) published_at: UnixTime,
    jwk: Value,
    /// The private part, sealed.
    private: String,
}

/// A key that signs no more. Its private part is gone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RetiredKey {
    jwk: Value,
    until: UnixTime,
}

/// Why there are no keys to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokenKey {
    /// The private part cannot be opened or sealed.
    #[error(transparent)]
    Sealed(#[from] Unsealable),
    /// The cryptography refused it.
    #[error(transparent)]
    Unusable(#[from] UnusableKey),
}

/// A signing key, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// `kid`
    pub id: String,
    /// The JWA name of what it is for.
    pub algorithm: String,
    /// What it does now.
    pub state: KeyState,
}

/// What a signing key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It signs.
    Active {
        /// Since when.
        since: UnixTime,
    },
    /// It is published, and signs after the next rotation.
    Next {
        /// Since when.
        published: UnixTime,
    },
    /// What it signed is good until it expires.
    Retired {
        /// When it is forgotten.
        until: UnixTime,
    },
}

impl Stored for KeyRing {
    const TABLE: Table = Table::SigningKeys;
}

impl StoredKey {
    pub(super) fn generate(
        algorithm: SigningAlgorithm,
        sealer: &dyn Seal,
        random: &dyn Random,
        now: UnixTime,
    ) -> Result<Self, BrokenKey> {
        let id = opaque::new_id(random).map_err(UnusableKey::from)?;
        let pair = KeyPair::generate(algorithm, random)?;
        let private = sealer.seal(Purpose::SigningKey, &id, &pair.to_pkcs8()?)?;
        Ok(Self { jwk: pair.jwk(&id)?, id, algorithm, published_at: now, private })
    }

    pub(super) fn open(&self, sealer: &dyn Seal) -> Result<KeyPair, BrokenKey> {
        let pkcs8 = sealer.open(Purpose::SigningKey, &self.id, &self.private)?;
        Ok(KeyPair::from_pkcs8(self.algorithm, &pkcs8)?)
    }

    /// The same key under the present master key; `None` when it is already.
    fn sealed_anew(&self, sealer: &dyn Seal) -> Result<Option<Self>, BrokenKey> {
        if sealer.is_current(&self.private) {
            return Ok(None);
        }
        let pkcs8 = sealer.open(Purpose::SigningKey, &self.id, &self.private)?;
        Ok(Some(Self { private: sealer.seal(Purpose::SigningKey, &self.id, &pkcs8)?, ..self.clone() }))
    }
}

impl KeyRing {
    /// Where it lives.
    pub(super) const KEY: &'static str = "ring";
    /// A key is published this long before it signs: verifiers fetch key sets every few minutes.
    pub(super) const LEAD: Duration = Duration::from_secs(15 * 60);

    pub(super) const fn new(active: StoredKey, next: StoredKey, now: UnixTime) -> Self {
        Self { active, active_since: now, next, retired: Vec::new() }
    }

    /// Whether the next key was published long enough ago.
    pub(super) fn may_rotate(&self, now: UnixTime) -> bool {
        now.since(self.next.published_at) >= Self::LEAD
    }

    /// Whether the active key is too old, or of an algorithm that is no longer wanted, and its successor is known.
    pub(super) fn is_due(&self, wanted: SigningAlgorithm, age: Option<Duration>, now: UnixTime) -> bool {
        let too_old = age.is_some_and(|age| now.since(self.active_since) >= age);
        let unwanted = self.active.algorithm != wanted && self.next.algorithm == wanted;
        (too_old || unwanted) && self.may_rotate(now)
    }

    /// The next key signs from now on; the active one is only published any more, for `overlap`.
    #[must_use]
    pub(super) fn rotated(self, fresh: StoredKey, overlap: Duration, now: UnixTime) -> Self {
        let mut retired = self.retired;
        retired.push(RetiredKey { jwk: self.active.jwk, until: now.plus(overlap) });
        Self { active: self.next, active_since: now, next: fresh, retired }
    }

    /// Forgets retired keys that have served their time; says whether there were any.
    pub(super) fn drop_outdated(&mut self, now: UnixTime) -> bool {
        let before = self.retired.len();
        self.retired.retain(|retired| now < retired.until);
        self.retired.len() < before
    }

    /// Seals anew what is not under the present master key; says whether there was any.
    pub(super) fn seal_anew(&mut self, sealer: &dyn Seal) -> Result<bool, BrokenKey> {
        let (active, next) = (self.active.sealed_anew(sealer)?, self.next.sealed_anew(sealer)?);
        let changed = active.is_some() || next.is_some();
        self.active = active.unwrap_or_else(|| self.active.clone());
        self.next = next.unwrap_or_else(|| self.next.clone());
        Ok(changed)
    }

    /// Every key that is published, the active one first.
    pub(super) fn views(&self, now: UnixTime) -> Vec<KeyView> {
        let text = |jwk: &Value, name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let view = |jwk: &Value, state| KeyView { id: text(jwk, "kid"), algorithm: text(jwk, "alg"), state };
        let active = view(&self.active.jwk, KeyState::Active { since: self.active_since });
        let next = view(&self.next.jwk, KeyState::Next { published: self.next.published_at });
        let retired = self.retired.iter().filter(|retired| now < retired.until);
        let retired = retired.map(|retired| view(&retired.jwk, KeyState::Retired { until: retired.until }));
        [active, next].into_iter().chain(retired).collect()
    }

    /// The key set as published (RFC 7517 §5).
    pub(super) fn jwks(&self, now: UnixTime) -> String {
        let retired = self.retired.iter().filter(|retired| now < retired.until).map(|retired| &retired.jwk);
        let keys: Vec<&Value> = [&self.active.jwk, &self.next.jwk].into_iter().chain(retired).collect();
        json!({ "keys": keys }).to_string()
    }
}
