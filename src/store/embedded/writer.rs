//! The one thread that writes. Whatever waits while the disk is busy goes into the next write together, so that many
//! transactions share one wait for the disk; each is still judged and applied by itself, in turn.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::data::{Data, Written};
use super::session::{Judged, Session};
use crate::domain::UnixTime;
use crate::store::{Outcome, Step, StoreError};

/// Most that waits; more make their senders wait.
const QUEUE: usize = 256;

/// Something to write, and who waits for it.
struct Job {
    work: Work,
    reply: oneshot::Sender<Result<Done, StoreError>>,
}

enum Work {
    Commit { steps: Vec<Step>, now: UnixTime },
    Purge { now: UnixTime },
}

enum Done {
    Commit(Outcome),
    Purge(u64),
}

/// The sending end, and the thread.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(data: Arc<Data>) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || write_all(&data, waiting))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) async fn commit(&self, steps: Vec<Step>, now: UnixTime) -> Result<Outcome, StoreError> {
        match self.send(Work::Commit { steps, now }).await? {
            Done::Commit(outcome) => Ok(outcome),
            Done::Purge(_) => Err(gave_up()),
        }
    }

    pub(super) async fn purge(&self, now: UnixTime) -> Result<u64, StoreError> {
        match self.send(Work::Purge { now }).await? {
            Done::Purge(removed) => Ok(removed),
            Done::Commit(_) => Err(gave_up()),
        }
    }

    /// What was sent is done even if nobody waits for it any more.
    async fn send(&self, work: Work) -> Result<Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(gave_up)?;
        jobs.send(Job { work, reply }).await.map_err(|_| gave_up())?;
        answer.await.map_err(|_| gave_up())?
    }
}

/// What waits is still written; then the file is free.
impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn gave_up() -> StoreError {
    StoreError::Unavailable("the thread that writes gave up".into())
}

fn write_all(data: &Data, mut waiting: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(QUEUE);
    while waiting.blocking_recv_many(&mut batch, QUEUE) > 0 {
        // Should the engine panic, those who wait hear that their transaction is lost, and the next one may go better.
        let _ = catch_unwind(AssertUnwindSafe(|| write_batch(data, &mut batch)));
        batch.clear();
    }
}

fn write_batch(data: &Data, batch: &mut Vec<Job>) {
    let written = data.write(|transaction| {
        let mut session = Session::new(transaction)?;
        let done = batch.iter().map(|job| run(&mut session, &job.work)).collect::<Result<Vec<_>, _>>()?;
        Ok(Written { result: done, changed: session.finish()? })
    });
    match written {
        Ok(done) => batch.drain(..).zip(done).for_each(|(job, done)| drop(job.reply.send(done))),
        Err(error) => batch.drain(..).for_each(|job| drop(job.reply.send(Err(error.clone())))),
    }
}

fn run(session: &mut Session<'_>, work: &Work) -> Judged<Done> {
    match work {
        Work::Commit { steps, now } => Ok(session.commit(steps, *now)?.map(Done::Commit)),
        Work::Purge { now } => Ok(Ok(Done::Purge(session.purge(*now)?))),
    }
}
