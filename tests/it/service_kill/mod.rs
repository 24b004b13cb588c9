//! The service in a process that is killed without warning, a hundred times, while people sign in and clients get and
//! refresh tokens: what was answered counts after every start, and nothing counts twice.

mod visitor;
mod worker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::oauth_attacks::house::{DEVELOPMENT, House, config};
use crate::support::ports;
use crate::support::process::TempDir;
use worker::{Ledger, Worker};

/// Half of the kills, so that two storms blow at once.
const KILLS: usize = 50;
/// Clients that come at the same time.
const WORKERS: usize = 4;

#[test]
fn a_service_that_is_killed_keeps_its_word() {
    storms(0);
}

#[test]
fn a_service_that_is_killed_at_other_moments_keeps_its_word() {
    storms(5);
}

fn storms(shift: usize) {
    let folder = TempDir::new();
    let (port, store) = (ports::free(), format!("file:{}", folder.path().join("store").display()));
    let settings = config(port, DEVELOPMENT, &store);
    let mut workers: Vec<Worker> = (0..WORKERS).map(|number| Worker::new(number, port)).collect();
    let mut interrupted = BTreeMap::new();
    for round in 0..KILLS {
        let mut house = House::start_configured(port, &settings);
        let answers = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let working: Vec<_> =
                workers.iter_mut().map(|worker| scope.spawn(|| worker.work_until_the_end(&answers))).collect();
            // Not after a time but after so many answers: then each kill meets work.
            let enough = 4 + (round * 11 + shift) % 37;
            while answers.load(Ordering::SeqCst) < enough
                && !working.iter().any(std::thread::ScopedJoinHandle::is_finished)
            {
                std::thread::sleep(Duration::from_micros(200));
            }
            house.service.process.kill();
        });
        for worker in &workers {
            *interrupted.entry(worker.step_name()).or_insert(0) += 1;
        }
    }
    let house = House::start_configured(port, &settings);
    let ledgers: Vec<Ledger> = workers.into_iter().map(Worker::finish).collect();
    for (number, ledger) in ledgers.iter().enumerate() {
        ledger.check(number, &house);
    }
    // Each takes a tenth of the time and more; a replay is too rare to be met by some kill of every run.
    for step in ["authorize", "consent", "sign in", "redeem", "refresh", "retry"] {
        assert!(interrupted.contains_key(step), "no kill met {step}: {interrupted:?}");
    }
}
