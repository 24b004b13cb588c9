//! What a thread looked up last, before the cache that all threads share: no lock, and nothing is written that another
//! thread reads.

use std::sync::Arc;

/// Entries by the fingerprint of their token, in sets of two. A new one takes the place of the older one of its set.
pub(super) struct Recent<T> {
    sets: Vec<Set<T>>,
}

type Set<T> = [Option<Place<T>>; 2];

struct Place<T> {
    owner: u64,
    fingerprint: u64,
    entry: Arc<T>,
}

impl<T> Recent<T> {
    /// Twice as many entries: of tokens with their identities, at most about 10 MB for each thread.
    const SETS: u64 = 2048;

    /// Takes no memory until something is kept.
    pub(super) const fn new() -> Self {
        Self { sets: Vec::new() }
    }

    /// What `owner` kept under `fingerprint`. A process can have several caches: none sees what another proved.
    pub(super) fn get(&self, owner: u64, fingerprint: u64) -> Option<&T> {
        let places = self.sets.get(set_of(fingerprint))?;
        let found = places.iter().flatten().find(|place| place.is(owner, fingerprint))?;
        Some(&found.entry)
    }

    /// Keeps `entry`.
    pub(super) fn keep(&mut self, owner: u64, fingerprint: u64, entry: Arc<T>) {
        if self.sets.is_empty() {
            self.sets.resize_with(set_of(u64::MAX) + 1, || [None, None]);
        }
        let Some([first, second]) = self.sets.get_mut(set_of(fingerprint)) else { return };
        let known = first.as_ref().is_some_and(|place| place.is(owner, fingerprint));
        let older = first.replace(Place { owner, fingerprint, entry });
        if !known {
            *second = older;
        }
    }
}

impl<T> Place<T> {
    const fn is(&self, owner: u64, fingerprint: u64) -> bool {
        self.fingerprint == fingerprint && self.owner == owner
    }
}

fn set_of(fingerprint: u64) -> usize {
    usize::try_from(fingerprint % Recent::<()>::SETS).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_a_set_are_kept_and_the_older_one_goes() {
        let mut recent = Recent::new();
        let fingerprints = [7, 7 + Recent::<u8>::SETS, 7 + 2 * Recent::<u8>::SETS];
        for (number, fingerprint) in fingerprints.into_iter().enumerate() {
            recent.keep(1, fingerprint, Arc::new(number));
        }
        assert_eq!(fingerprints.map(|fingerprint| recent.get(1, fingerprint).copied()), [None, Some(1), Some(2)]);
    }

    #[test]
    fn the_same_fingerprint_is_kept_once_and_for_its_owner_only() {
        let mut recent = Recent::new();
        assert_eq!(recent.get(1, u64::MAX), None);
        recent.keep(1, u64::MAX - Recent::<u8>::SETS, Arc::new("neighbour"));
        recent.keep(1, u64::MAX, Arc::new("old"));
        recent.keep(1, u64::MAX, Arc::new("new"));
        assert_eq!(recent.get(1, u64::MAX), Some(&"new"));
        assert_eq!(recent.get(1, u64::MAX - Recent::<u8>::SETS), Some(&"neighbour"));
        assert_eq!(recent.get(2, u64::MAX), None);
    }
}
