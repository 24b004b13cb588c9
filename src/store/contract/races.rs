//! Many at once, each on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::testing::{at, put, run, written};
use crate::store::{Outcome, Store, Table};

const CODES: Table = Table::Codes;
const GRANTS: Table = Table::Grants;

/// Real threads, each with a runtime of its own, as the workers of the server are.
fn on_threads<T: Send>(count: usize, work: impl Fn(usize, &tokio::runtime::Runtime) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let start =
            |number| scope.spawn(move || work(number, &tokio::runtime::Builder::new_current_thread().build().unwrap()));
        let threads: Vec<_> = (0..count).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

pub(super) async fn of_fifty_that_race_for_one_record_exactly_one_wins_each_round(store: Arc<dyn Store>) {
    const THREADS: usize = 50;
    const ROUNDS: usize = 10;
    written(&*store, put(CODES, "raced for", "start")).await;
    let barrier = std::sync::Barrier::new(THREADS);
    let winners: [AtomicU64; ROUNDS] = std::array::from_fn(|_| AtomicU64::new(0));
    on_threads(THREADS, |number, runtime| {
        for (round, winners) in winners.iter().enumerate() {
            let record = runtime.block_on(store.get(CODES, "raced for", at(1))).unwrap().unwrap();
            barrier.wait();
            let mine = format!("{round} {number}");
            let steps = [
                put(CODES, "raced for", &mine).if_version(record.version),
                put(GRANTS, &format!("round {round}"), &mine).if_absent(),
                put(Table::Sessions, &mine, "x"),
            ];
            if runtime.block_on(run(&*store, steps, at(1))) == Outcome::Committed {
                winners.fetch_add(1, Ordering::SeqCst);
            }
            barrier.wait();
        }
    });
    assert_eq!(winners.map(AtomicU64::into_inner), [1; ROUNDS]);
    assert_eq!(store.count(GRANTS).await.unwrap(), 10);
    assert_eq!(store.count(Table::Sessions).await.unwrap(), 10, "losers wrote nothing");
    let last = store.list(GRANTS, "round 9", None, 1, at(1)).await.unwrap();
    assert_eq!(store.get(CODES, "raced for", at(1)).await.unwrap().unwrap().value, last[0].1.value);
}

pub(super) async fn nothing_is_lost_when_many_count_up_one_record(store: Arc<dyn Store>) {
    const THREADS: usize = 16;
    const TIMES: u64 = 20;
    written(&*store, put(CODES, "counter", "0")).await;
    let mut versions = on_threads(THREADS, |_, runtime| {
        let once = async || loop {
            let record = store.get(CODES, "counter", at(1)).await.unwrap().unwrap();
            let value: u64 = String::from_utf8(record.value).unwrap().parse().unwrap();
            let step = put(CODES, "counter", &(value + 1).to_string()).if_version(record.version);
            if run(&*store, [step], at(1)).await == Outcome::Committed {
                return value;
            }
        };
        (0..TIMES).map(|_| runtime.block_on(once())).collect::<Vec<_>>()
    })
    .concat();
    versions.sort_unstable();
    assert_eq!(versions, (0..320).collect::<Vec<_>>());
}
