//! Request ids for refusals that came without one: a random prefix for the process, then a number.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::proxy::{Field, RequestHead};

/// Makes request ids, and counts what may be logged.
#[derive(Debug)]
pub struct RequestIds {
    prefix: String,
    next: AtomicU64,
    allows: AtomicU64,
}

impl RequestIds {
    /// In hexadecimal digits.
    const LONGEST_NUMBER: usize = 16;

    /// A prefix of 64 random bits: two processes, or one before and after a restart, do not meet.
    pub fn new() -> Self {
        let mut random = [0; 8];
        // Without randomness ids may repeat after a restart, which hurts nobody but a reader of logs.
        let _ = aws_lc_rs::rand::fill(&mut random);
        Self {
            prefix: format!("{:016x}-", u64::from_ne_bytes(random)),
            next: AtomicU64::new(1),
            allows: AtomicU64::new(0),
        }
    }

    /// The proxy's id when it is a plain token, else a new one.
    pub fn of(&self, head: &dyn RequestHead) -> String {
        const MAX_LENGTH: usize = 128;
        let plain = |id: &&[u8]| !id.is_empty() && id.len() <= MAX_LENGTH && id.iter().all(u8::is_ascii_graphic);
        let given = head.field(Field::RequestId).once().filter(plain).and_then(|id| std::str::from_utf8(id).ok());
        given.map_or_else(|| self.make(), ToOwned::to_owned)
    }

    /// The next id.
    pub fn make(&self) -> String {
        let mut id = String::with_capacity(self.prefix.len() + Self::LONGEST_NUMBER);
        id.push_str(&self.prefix);
        let _ = write!(id, "{:x}", self.next.fetch_add(1, Ordering::Relaxed));
        id
    }

    /// Whether this allow is among the `per_mille` of a thousand that are logged, spread evenly.
    pub fn samples_allow(&self, per_mille: u16) -> bool {
        /// Has no factor in common with 1000, so that every remainder comes once in a thousand.
        const STEP: u64 = 617;
        match per_mille {
            0 => false,
            1000.. => true,
            share => self.allows.fetch_add(1, Ordering::Relaxed).wrapping_mul(STEP) % 1000 < u64::from(share),
        }
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_plain() {
        let (one, other) = (RequestIds::new(), RequestIds::new());
        let ids = [one.make(), one.make(), other.make()];
        assert!(ids[0] != ids[1] && ids[0] != ids[2]);
        assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')));
    }

    #[test]
    fn a_share_of_a_thousand_is_exactly_that_share() {
        let ids = RequestIds::new();
        let logged = |share| (0..1000).filter(|_| ids.samples_allow(share)).count();
        assert_eq!([logged(0), logged(1), logged(250), logged(1000)], [0, 1, 250, 1000]);
    }
}
