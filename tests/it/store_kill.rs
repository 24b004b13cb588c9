//! The embedded store in a process that is killed without warning, again and again: what was acknowledged is there, nothing
//! is half written, and the file opens every time.
//!
//! The process is this very test program, told to run [`the_storm`] only, on a file that its environment names.

use std::io::{BufRead as _, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_forward_auth::domain::UnixTime;
use mcp_forward_auth::store::{Change, EmbeddedStore, Expectation, OpenError, Outcome, Step, Store as _, Table};

use crate::support::process::TempDir;

const FILE: &str = "STORE_STORM_FILE";
/// Tasks that commit at the same time.
const TASKS: u64 = 4;
/// A transaction removes what this many transactions before it wrote.
const KEPT: u64 = 5;
/// Three tables that only make sense together.
const TABLES: [Table; 3] = [Table::Codes, Table::Grants, Table::RefreshTokens];
const NOW: UnixTime = UnixTime::from_secs(1000);

fn key(task: u64, number: u64) -> String {
    format!("{task}/{number:08}")
}

fn put(table: Table, key: String, number: u64, expires_at: Option<UnixTime>) -> Step {
    let change = Change::Put { value: number.to_string().into_bytes(), expires_at };
    Step { table, key, expectation: Expectation::Anything, change }
}

/// Of transaction `number`: one record in each table, what ends at once, and the counter, compared with its version.
fn transaction(task: u64, number: u64, counted: Expectation) -> Vec<Step> {
    let mut steps = vec![put(Table::Clients, task.to_string(), number, None)];
    steps[0].expectation = counted;
    steps.extend(TABLES.map(|table| put(table, key(task, number), number, None)));
    steps.push(put(Table::Sessions, key(task, number), number, Some(NOW)));
    if let Some(old) = number.checked_sub(KEPT) {
        let delete = |table| Step { change: Change::Delete, ..put(table, key(task, old), 0, None) };
        steps.extend(TABLES.map(delete));
    }
    steps
}

/// The number of the last transaction of `task`, and its version.
async fn last(store: &EmbeddedStore, task: u64) -> Option<(u64, u64)> {
    let counter = store.get(Table::Clients, &task.to_string(), NOW).await.unwrap()?;
    Some((String::from_utf8(counter.value).unwrap().parse().unwrap(), counter.version))
}

/// Goes on where the last storm ended, for `length` transactions of each task, and says what was acknowledged.
fn storm(file: &Path, length: u64, said: Arc<std::sync::Mutex<dyn Write + Send>>) {
    let store = Arc::new(EmbeddedStore::open(file).unwrap());
    let blow = |task: u64| {
        let (store, said) = (Arc::clone(&store), Arc::clone(&said));
        async move {
            for _ in 0..length {
                let last = last(&store, task).await;
                let number = last.map_or(0, |(number, _)| number + 1);
                let counted = last.map_or(Expectation::Absent, |(_, version)| Expectation::Version(version));
                let outcome = store.commit(transaction(task, number, counted), NOW).await.unwrap();
                assert_eq!(outcome, Outcome::Committed);
                said.lock().unwrap().write_all(format!("ack {task} {number}\n").as_bytes()).unwrap();
                if number % 7 == 0 {
                    store.purge(NOW).await.unwrap();
                }
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(blow(task))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// What the storms of a file acknowledged: per task, the number of transactions.
#[derive(Default)]
struct Acknowledged([u64; TASKS as usize]);

impl Acknowledged {
    /// Says whether `line` acknowledges something.
    fn read(&mut self, line: &str) -> bool {
        let Some(rest) = line.strip_prefix("ack ") else { return false };
        let (task, number) = rest.split_once(' ').unwrap();
        self.0[task.parse::<usize>().unwrap()] = number.parse::<u64>().unwrap() + 1;
        true
    }

    /// Opens the file and compares. What is there is what the next storm goes on from.
    fn check(&mut self, file: &Path, round: &str) {
        let store = EmbeddedStore::open(file).unwrap_or_else(|error| panic!("{round}: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for (task, acknowledged) in (0..).zip(&mut self.0) {
                let there = last(&store, task).await.map_or(0, |(number, _)| number + 1);
                // One may have been done and not yet acknowledged.
                assert!(
                    (*acknowledged..=*acknowledged + 1).contains(&there),
                    "{round}: {there} transactions of task {task} are there, {acknowledged} were acknowledged"
                );
                whole(&store, task, there, round).await;
                *acknowledged = there;
            }
            while store.purge(NOW).await.unwrap() > 0 {}
            assert_eq!(store.count(Table::Sessions).await.unwrap(), 0, "{round}: what ended can be found");
        });
    }
}

/// After `count` transactions of `task`, every table holds the records of the last few, and nothing else.
async fn whole(store: &EmbeddedStore, task: u64, count: u64, round: &str) {
    let expected: Vec<_> = (count.saturating_sub(KEPT)..count).map(|number| (key(task, number), number)).collect();
    for table in TABLES {
        let listed = store.list(table, &format!("{task}/"), None, 1000, NOW).await.unwrap();
        let number = |value: Vec<u8>| String::from_utf8(value).unwrap().parse::<u64>().unwrap();
        let listed: Vec<_> = listed.into_iter().map(|(key, record)| (key, number(record.value))).collect();
        assert_eq!(listed, expected, "{round}: {table:?} of task {task}");
    }
}

/// A short storm; or, in a process that is going to be killed, one without an end.
#[test]
fn the_storm() {
    match std::env::var_os(FILE) {
        Some(file) => storm(Path::new(&file), u64::MAX, Arc::new(std::sync::Mutex::new(std::io::stdout()))),
        None => {
            let folder = TempDir::new();
            let file = folder.path().join("state.redb");
            let said = Arc::new(std::sync::Mutex::new(Vec::new()));
            storm(&file, 20, Arc::clone(&said) as _);
            let mut acknowledged = Acknowledged::default();
            let said = String::from_utf8(said.lock().unwrap().clone()).unwrap();
            assert!(said.lines().all(|line| acknowledged.read(line)));
            assert_eq!(acknowledged.0, [20; 4]);
            acknowledged.check(&file, "a storm that ended");
        }
    }
}

fn start_storm(file: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "store_kill::the_storm", "--nocapture", "--test-threads=1"]).env(FILE, file);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Starts a storm, and kills it `delay` after its acknowledgement of this number. Says what it acknowledged until its end.
fn kill_after(file: &Path, acknowledgements: u64, delay: Duration, acknowledged: &mut Acknowledged) {
    let mut child = start_storm(file);
    // The test program's own first line has no end.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut seen = 0;
    while seen < acknowledgements {
        let line = lines.next().expect("the storm ended by itself");
        seen += u64::from(acknowledged.read(after_the_test_programs_words(&line)));
    }
    let killed_at = Instant::now() + delay;
    while Instant::now() < killed_at {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    for line in lines {
        acknowledged.read(after_the_test_programs_words(&line));
    }
    assert!(!child.wait().unwrap().success(), "it did not end by itself");
}

/// `test store_kill::the_storm ... ` stands before the first line.
fn after_the_test_programs_words(line: &str) -> &str {
    line.find("ack ").map_or(line, |place| &line[place..])
}

/// The same sequence in every run; when exactly the process dies is up to the machine.
fn random(seed: &mut u64, below: u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 11) % below
}

#[test]
fn a_hundred_kills_lose_nothing_that_was_acknowledged_and_leave_nothing_half_written() {
    let folder = TempDir::new();
    let file = folder.path().join("state.redb");
    let (mut acknowledged, mut seed) = (Acknowledged::default(), 1);
    for round in 0..100 {
        let delay = Duration::from_micros(random(&mut seed, 3000));
        kill_after(&file, 1 + random(&mut seed, 20), delay, &mut acknowledged);
        acknowledged.check(&file, &format!("round {round}"));
    }
    assert!(acknowledged.0.iter().all(|count| *count > 100), "{:?}", acknowledged.0);
}

#[test]
fn kills_during_the_very_first_start_leave_a_file_that_opens_or_none() {
    let mut seed = 2;
    for round in 0..20 {
        let folder = TempDir::new();
        let file = folder.path().join("made/state.redb");
        let mut acknowledged = Acknowledged::default();
        kill_after(&file, 0, Duration::from_micros(random(&mut seed, 40_000)), &mut acknowledged);
        acknowledged.check(&file, &format!("round {round}"));
    }
}

#[test]
fn a_second_process_is_refused_while_the_first_one_lives() {
    let folder = TempDir::new();
    let file = folder.path().join("state.redb");
    let mut child = start_storm(&file);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("ack ")));
    let error = EmbeddedStore::open(&file).unwrap_err();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(error, OpenError::InUse { place: file.display().to_string() });
    EmbeddedStore::open(&file).unwrap();
}
