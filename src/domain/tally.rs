//! Counts of what can happen in a known number of ways. Anything else is not counted: nothing that comes from outside
//! can add a count.

use std::sync::atomic::{AtomicU64, Ordering};

/// One count for each way, which is told by `N` names.
#[derive(Debug)]
pub struct Tally<const N: usize> {
    counts: Vec<([String; N], AtomicU64)>,
}

impl<const N: usize> Tally<N> {
    /// Every way at zero.
    pub fn new<'n>(ways: impl IntoIterator<Item = [&'n str; N]>) -> Self {
        let zero = |way: [&str; N]| (way.map(ToOwned::to_owned), AtomicU64::new(0));
        Self { counts: ways.into_iter().map(zero).collect() }
    }

    /// It happened once more.
    pub fn add(&self, way: [&str; N]) {
        if let Some((_, count)) = self.counts.iter().find(|(known, _)| *known == way) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every way with its count, in the order in which they were named.
    pub fn read(&self) -> impl Iterator<Item = (&[String; N], u64)> {
        self.counts.iter().map(|(way, count)| (way, count.load(Ordering::Relaxed)))
    }
}

impl Tally<1> {
    /// Ways of one name each.
    pub fn of(names: &[&str]) -> Self {
        Self::new(names.iter().map(|name| [*name]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_it_knows_and_nothing_else() {
        let tally = Tally::new([["google", "let_in"], ["google", "refused"]]);
        tally.add(["google", "refused"]);
        tally.add(["google", "refused"]);
        tally.add(["evil", "refused"]);
        let counts: Vec<u64> = tally.read().map(|(_, count)| count).collect();
        assert_eq!(counts, [0, 2]);
    }
}
