//! The keys that our tokens are signed with: made at the first start, rotated by age and on command, and handed to the
//! verifying side of this very process.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use super::key_error::KeyError;
use super::key_pair::{KeyPair, SigningAlgorithm, UnusableKey};
use super::key_ring::{BrokenKey, KeyRing, KeyView, StoredKey};
use super::seal::Seal;
use crate::authn::key_set::KeySet;
use crate::authn::{Algorithm, IssuerKeys};
use crate::domain::{Secret, UnixTime};
use crate::random::Random;
use crate::store::{self, Outcome, Store, Transaction, Versioned};

/// What signing keys are made of and kept with.
pub struct KeySettings {
    /// What new keys are for.
    pub algorithm: SigningAlgorithm,
    /// A key signs this long; without it, until somebody rotates.
    pub rotation_age: Option<Duration>,
    /// A key is published this long after its last signature: the longest lifetime of what it signs, and clocks that differ.
    pub overlap: Duration,
}

/// How fast the active key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The published next key takes over; tokens signed before stay good.
    Orderly,
    /// The keys may be known to somebody: all of them are replaced, and every token signed before dies.
    AtOnce,
}

/// The keys in use.
pub struct SigningKeys {
    settings: KeySettings,
    store: Arc<dyn Store>,
    sealer: Arc<dyn Seal>,
    random: Arc<dyn Random>,
    current: ArcSwap<Signer>,
    verification: Arc<IssuerKeys>,
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SigningKeys({})", self.current.load().id)
    }
}

/// The active key, and what is published.
struct Signer {
    id: String,
    since: UnixTime,
    algorithm: SigningAlgorithm,
    pair: KeyPair,
    jwks: Bytes,
}

impl SigningKeys {
    const ATTEMPTS: usize = 8;

    /// Reads the keys, or makes them if there are none. Of several that start at once the first makes them.
    pub async fn open(
        settings: KeySettings,
        store: Arc<dyn Store>,
        sealer: Arc<dyn Seal>,
        random: Arc<dyn Random>,
        now: UnixTime,
    ) -> Result<Self, KeyError> {
        let ring = read_or_make(&settings, &*store, &*sealer, &*random, now).await?;
        let current = ArcSwap::from_pointee(Signer::new(&ring, &*sealer, now)?);
        let keys = Self { settings, store, sealer, random, current, verification: Arc::new(IssuerKeys::default()) };
        keys.publish(now);
        Ok(keys)
    }

    /// The key set document (RFC 7517 §5).
    pub fn jwks(&self) -> Bytes {
        self.current.load().jwks.clone()
    }

    /// Every key that is published, as the store has it.
    pub async fn list(&self, now: UnixTime) -> Result<Vec<KeyView>, KeyError> {
        let ring = store::read::<KeyRing>(&*self.store, KeyRing::KEY, now).await?;
        Ok(ring.map(|ring| ring.value.views(now)).unwrap_or_default())
    }

    /// `kid` of the key that signs.
    pub fn active_id(&self) -> String {
        self.current.load().id.clone()
    }

    /// Whether that is the key that signs.
    pub fn is_active(&self, id: &str) -> bool {
        self.current.load().id == id
    }

    /// For how long the active key has signed.
    pub fn age(&self, now: UnixTime) -> Duration {
        now.since(self.current.load().since)
    }

    /// The same keys for whoever judges our tokens in this process.
    pub fn verification(&self) -> Arc<IssuerKeys> {
        Arc::clone(&self.verification)
    }

    /// What our tokens may be signed with: anything that some key was ever made for.
    pub fn algorithms() -> Vec<Algorithm> {
        SigningAlgorithm::ALL.map(SigningAlgorithm::verification).into()
    }

    /// Signs `claims` as a JWT of the type `typ` (RFC 7519 §7.1, RFC 9068 §2.1).
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<Secret, UnusableKey> {
        let signer = self.current.load();
        let header = json!({ "alg": signer.algorithm.as_str(), "typ": typ, "kid": signer.id }).to_string();
        let claims = serde_json::to_vec(claims).map_err(|_| UnusableKey)?;
        let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = signer.pair.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(Secret::new(token))
    }

    /// Takes over what other replicas changed, forgets retired keys whose time is over, seals anew what is under an older
    /// master key, and rotates what is too old. To be called from time to time, and when a token names an unknown key.
    pub async fn tend(&self, now: UnixTime) -> Result<(), KeyError> {
        self.change(now, |ring| {
            let (wanted, age) = (self.settings.algorithm, self.settings.rotation_age);
            if ring.is_due(wanted, age, now) {
                return Ok(Some(self.rotated(ring, now)?));
            }
            let mut ring = ring;
            let outdated = ring.drop_outdated(now);
            let sealed_anew = ring.seal_anew(&*self.sealer)?;
            let stale_next = ring.next.algorithm != wanted;
            if stale_next {
                ring.next = self.fresh(now)?;
            }
            Ok((outdated || sealed_anew || stale_next).then_some(ring))
        })
        .await
    }

    /// Rotates on command.
    pub async fn rotate(&self, rotation: Rotation, now: UnixTime) -> Result<(), KeyError> {
        self.change(now, |ring| match rotation {
            Rotation::Orderly if !ring.may_rotate(now) => {
                Err(KeyError::TooSoon(KeyRing::LEAD.saturating_sub(now.since(ring.next.published_at))))
            }
            Rotation::Orderly => Ok(Some(self.rotated(ring, now)?)),
            Rotation::AtOnce => Ok(Some(KeyRing::new(self.fresh(now)?, self.fresh(now)?, now))),
        })
        .await
    }

    fn rotated(&self, ring: KeyRing, now: UnixTime) -> Result<KeyRing, KeyError> {
        let mut ring = ring.rotated(self.fresh(now)?, self.settings.overlap, now);
        ring.drop_outdated(now);
        Ok(ring)
    }

    fn fresh(&self, now: UnixTime) -> Result<StoredKey, BrokenKey> {
        StoredKey::generate(self.settings.algorithm, &*self.sealer, &*self.random, now)
    }

    /// Reads the ring, writes what `step` makes of it (`None`: leaves it), and takes the outcome into use.
    async fn change(
        &self,
        now: UnixTime,
        step: impl Fn(KeyRing) -> Result<Option<KeyRing>, KeyError>,
    ) -> Result<(), KeyError> {
        for _ in 0..Self::ATTEMPTS {
            let Versioned { value: ring, version, .. } =
                read_or_make_versioned(&self.settings, &*self.store, &*self.sealer, &*self.random, now).await?;
            let changed = match step(ring.clone())? {
                None => ring,
                Some(changed) => {
                    let write = Transaction::new().update(KeyRing::KEY, version, &changed, None);
                    if write.commit(&*self.store, now).await? == Outcome::Conflict {
                        continue;
                    }
                    changed
                }
            };
            self.current.store(Arc::new(Signer::new(&changed, &*self.sealer, now)?));
            self.publish(now);
            return Ok(());
        }
        Err(KeyError::Busy)
    }

    fn publish(&self, now: UnixTime) {
        if let Ok(set) = KeySet::parse(&self.jwks(), &Self::algorithms()) {
            self.verification.replace(set, now);
        }
    }
}

impl Signer {
    fn new(ring: &KeyRing, sealer: &dyn Seal, now: UnixTime) -> Result<Self, BrokenKey> {
        Ok(Self {
            id: ring.active.id.clone(),
            since: ring.active_since,
            algorithm: ring.active.algorithm,
            pair: ring.active.open(sealer)?,
            jwks: Bytes::from(ring.jwks(now)),
        })
    }
}

async fn read_or_make(
    settings: &KeySettings,
    store: &dyn Store,
    sealer: &dyn Seal,
    random: &dyn Random,
    now: UnixTime,
) -> Result<KeyRing, KeyError> {
    read_or_make_versioned(settings, store, sealer, random, now).await.map(|ring| ring.value)
}

async fn read_or_make_versioned(
    settings: &KeySettings,
    store: &dyn Store,
    sealer: &dyn Seal,
    random: &dyn Random,
    now: UnixTime,
) -> Result<Versioned<KeyRing>, KeyError> {
    for _ in 0..SigningKeys::ATTEMPTS {
        if let Some(ring) = store::read::<KeyRing>(store, KeyRing::KEY, now).await? {
            return Ok(ring);
        }
        let fresh = || StoredKey::generate(settings.algorithm, sealer, random, now);
        let made = KeyRing::new(fresh()?, fresh()?, now);
        // Whoever comes second reads what the first made.
        let _ = Transaction::new().create(KeyRing::KEY, &made, None).commit(store, now).await?;
    }
    Err(KeyError::Busy)
}
