//! Proofs that were seen: each counts once (RFC 9449 §11.1).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::authn::Thumbprint;
use crate::domain::UnixTime;

/// A bounded memory of proofs, in parts, so that callers with different keys do not wait for each other. All proofs of a
/// key are in one part: who floods the memory with proofs shuts out few others.
#[derive(Debug)]
pub struct Replays {
    parts: Vec<Mutex<Part>>,
    places: usize,
}

/// What became of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    /// It was new, and is known from now on.
    New,
    /// It was seen before.
    Seen,
    /// There is no place to remember it, so nobody can tell.
    Full,
}

#[derive(Debug, Default)]
struct Part {
    /// By fingerprint; until when a proof could be presented again.
    until: HashMap<[u8; 16], UnixTime, foldhash::fast::RandomState>,
    /// Nothing ends before: looking for what has ended is not worth it until then.
    next_end: Option<UnixTime>,
    /// What ended by then may be forgotten.
    cleared: UnixTime,
}

impl Default for Replays {
    /// Half a million proofs, about 30 MB when they are all there: nine thousand a second, of one key two hundred.
    fn default() -> Self {
        Self::new(32, 16 * 1024)
    }
}

impl Replays {
    /// `parts` of `places` each.
    pub fn new(parts: usize, places: usize) -> Self {
        Self { parts: (0..parts.max(1)).map(|_| Mutex::default()).collect(), places }
    }

    /// Remembers the proof `id` of `key` until `until`, when it cannot be presented any more.
    pub fn remember(&self, key: &Thumbprint, id: &str, until: UnixTime, now: UnixTime) -> Remembered {
        let fingerprint = fingerprint(key, id);
        let [first, second, ..] = key.as_bytes();
        let place = usize::from(u16::from_be_bytes([*first, *second])) % self.parts.len();
        let Some(part) = self.parts.get(place) else { return Remembered::Full };
        part.lock().unwrap_or_else(PoisonError::into_inner).remember(fingerprint, until, now, self.places)
    }
}

impl Part {
    fn remember(&mut self, fingerprint: [u8; 16], until: UnixTime, now: UnixTime, places: usize) -> Remembered {
        // Somebody else may have made room by a clock that was read after ours: what ended in between is over.
        let now = now.max(self.cleared);
        if until <= now || self.until.get(&fingerprint).is_some_and(|until| *until > now) {
            return Remembered::Seen;
        }
        if self.until.len() >= places && !self.make_room(now, places) {
            return Remembered::Full;
        }
        self.until.insert(fingerprint, until);
        self.next_end = Some(self.next_end.map_or(until, |end| end.min(until)));
        Remembered::New
    }

    fn make_room(&mut self, now: UnixTime, places: usize) -> bool {
        if self.next_end.is_some_and(|end| end > now) {
            return false;
        }
        self.cleared = now;
        self.until.retain(|_, until| *until > now);
        self.next_end = self.until.values().min().copied();
        self.until.len() < places
    }
}

/// Half of a SHA-256 digest: nobody finds two proofs with the same one. The key has a fixed length, so the two parts
/// cannot be cut in another way.
fn fingerprint(key: &Thumbprint, id: &str) -> [u8; 16] {
    let digest = *Thumbprint::of(&[key.as_bytes(), id.as_bytes()].concat()).as_bytes();
    let mut half = [0; 16];
    half.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1000);
    const LATER: UnixTime = UnixTime::from_secs(1060);

    #[test]
    fn a_proof_counts_once_for_its_key() {
        let replays = Replays::default();
        let [one, other] = [&b"one"[..], b"other"].map(Thumbprint::of);
        assert_eq!(replays.remember(&one, "a", LATER, NOW), Remembered::New);
        assert_eq!(replays.remember(&one, "a", LATER, NOW), Remembered::Seen);
        assert_eq!(replays.remember(&one, "b", LATER, NOW), Remembered::New);
        assert_eq!(replays.remember(&other, "a", LATER, NOW), Remembered::New);
        assert_eq!(replays.remember(&one, "a", LATER, UnixTime::from_secs(1059)), Remembered::Seen);
    }

    #[test]
    fn a_full_memory_takes_nothing_until_something_has_ended() {
        let replays = Replays::new(1, 2);
        let key = Thumbprint::of(b"key");
        assert_eq!(replays.remember(&key, "a", LATER, NOW), Remembered::New);
        assert_eq!(replays.remember(&key, "b", UnixTime::from_secs(1070), NOW), Remembered::New);
        assert_eq!(replays.remember(&key, "c", LATER, NOW), Remembered::Full);
        assert_eq!(replays.remember(&key, "a", LATER, NOW), Remembered::Seen);
        assert_eq!(replays.remember(&key, "c", LATER, UnixTime::from_secs(1059)), Remembered::Full);
        assert_eq!(replays.remember(&key, "c", UnixTime::from_secs(1120), LATER), Remembered::New);
        assert_eq!(replays.remember(&key, "d", UnixTime::from_secs(1120), LATER), Remembered::Full);
        assert_eq!(replays.remember(&key, "b", UnixTime::from_secs(1120), LATER), Remembered::Seen);
    }

    #[test]
    fn who_read_the_clock_before_room_was_made_cannot_use_again_what_was_forgotten() {
        let replays = Replays::new(1, 1);
        let key = Thumbprint::of(b"key");
        assert_eq!(replays.remember(&key, "a", LATER, NOW), Remembered::New);
        assert_eq!(replays.remember(&key, "b", UnixTime::from_secs(1120), LATER), Remembered::New);
        assert_eq!(replays.remember(&key, "a", LATER, UnixTime::from_secs(1059)), Remembered::Seen);
    }

    #[test]
    fn a_key_that_fills_its_part_leaves_room_for_others() {
        let replays = Replays::new(16, 4);
        let [flooding, other] = [[0; 32], [1; 32]].map(Thumbprint::from_digest);
        for number in 0..100 {
            replays.remember(&flooding, &number.to_string(), LATER, NOW);
        }
        assert_eq!(replays.remember(&flooding, "x", LATER, NOW), Remembered::Full);
        assert_eq!(replays.remember(&other, "x", LATER, NOW), Remembered::New);
    }

    #[test]
    fn a_key_has_sixteen_thousand_places_and_no_more() {
        let (replays, key) = (Replays::default(), Thumbprint::of(b"key"));
        let remembered = |number: u32| replays.remember(&key, &number.to_string(), LATER, NOW);
        assert!((0..16 * 1024).all(|number| remembered(number) == Remembered::New));
        assert_eq!(remembered(16 * 1024), Remembered::Full);
    }
}
