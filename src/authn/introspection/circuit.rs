//! An issuer that fails again and again is left alone for a moment: nobody waits for what will not come.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(super) struct Circuit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    paused_until: Option<Instant>,
    probing: bool,
}

/// The leave to ask. One that is dropped without a word counts as nothing.
#[derive(Debug)]
pub(super) struct Turn<'c> {
    circuit: &'c Circuit,
    is_probe: bool,
}

impl Circuit {
    /// So many failures in a row begin a pause.
    const FAILURES: u32 = 3;
    /// How long a pause is. Then one may try, and only that one until it is known what came of it.
    const PAUSE: Duration = Duration::from_secs(1);

    /// Leave to ask at `now`, if there is no pause.
    pub(super) fn enter(&self, now: Instant) -> Option<Turn<'_>> {
        let mut state = self.state();
        let is_probe = state.failures >= Self::FAILURES;
        if is_probe && (state.probing || state.paused_until.is_some_and(|until| now < until)) {
            return None;
        }
        state.probing |= is_probe;
        Some(Turn { circuit: self, is_probe })
    }

    /// How often it failed in a row.
    pub(super) fn failures(&self) -> u32 {
        self.state().failures
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// It failed at `now`; tells how often in a row by now.
    pub(super) fn failed(self, now: Instant) -> u32 {
        let mut state = self.circuit.state();
        state.failures = state.failures.saturating_add(1);
        state.paused_until = Some(now + Circuit::PAUSE);
        state.failures
    }

    /// It went well; tells how often it had failed before.
    pub(super) fn succeeded(self) -> u32 {
        std::mem::take(&mut self.circuit.state().failures)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.circuit.state().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_row_pause_and_one_at_a_time_tries_again() {
        let (circuit, start) = (Circuit::default(), Instant::now());
        let later = start + Circuit::PAUSE;
        for count in 1..=2 {
            assert_eq!(circuit.enter(start).unwrap().failed(start), count);
        }
        assert_eq!(circuit.enter(start).unwrap().succeeded(), 2);
        for count in 1..=3 {
            assert_eq!(circuit.enter(start).unwrap().failed(start), count);
        }
        assert!(circuit.enter(start).is_none());
        let probe = circuit.enter(later).unwrap();
        assert!(circuit.enter(later).is_none(), "one at a time");
        drop(probe);
        assert_eq!(circuit.enter(later).unwrap().failed(later), 4);
        assert!(circuit.enter(later).is_none());
        assert_eq!(circuit.enter(later + Circuit::PAUSE).unwrap().succeeded(), 4);
        assert_eq!(circuit.failures(), 0);
        let both = (circuit.enter(later), circuit.enter(later));
        assert!(both.0.is_some() && both.1.is_some());
    }

    #[test]
    fn those_under_way_when_the_pause_begins_end_it_when_they_succeed() {
        let (circuit, now) = (Circuit::default(), Instant::now());
        let early = circuit.enter(now).unwrap();
        for _ in 0..3 {
            circuit.enter(now).unwrap().failed(now);
        }
        assert!(circuit.enter(now).is_none());
        early.succeeded();
        assert!(circuit.enter(now).is_some());
    }
}
