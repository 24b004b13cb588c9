//! What tests of the authorization server share.

pub(super) mod consistency;
pub(super) mod fixtures;
pub(super) mod provider;
pub(super) mod stores;
pub(super) mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) use fixtures::RESOURCE;
pub(super) use provider::{TestProvider, alice, person};
pub(super) use world::{Flow, World};

use crate::clock::Clock;
use crate::domain::UnixTime;
use crate::random::{NoRandomness, Random};
use crate::store::{MasterKey, Sealer};

/// A clock that stands still until it is moved.
pub(super) struct TestClock(AtomicU64);

impl TestClock {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(1_800_000_000))
    }

    pub(super) fn advance(&self, duration: Duration) {
        self.0.fetch_add(duration.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// The same bytes on every run (`SplitMix64`).
pub(super) struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    pub(super) fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.next().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
        Ok(())
    }
}

/// Seals under a master key that `letter` tells apart; opens what was sealed under the others.
pub(super) fn sealer(letter: char, older: &[char]) -> Arc<Sealer> {
    let key =
        |letter: &char| MasterKey::parse(&format!("{}{}", letter.to_string().repeat(32), "0".repeat(32))).unwrap();
    let older = older.iter().map(key).collect();
    Arc::new(Sealer::new(key(&letter), older, Arc::new(SeededRandom::new(u64::from(letter)))))
}
