//! One line per refusal, and per allow when the operator asks for it. Written in batches by a thread of its own, so that
//! a slow terminal or disk never slows a decision. The thread wakes ten times a second, and at once when half of the room
//! is taken; lines that do not fit are counted, not waited for.

use std::cell::RefCell;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::decision_record::{DecisionRecord, Format};

/// Where decision lines go.
pub struct DecisionLog {
    shared: Arc<Shared>,
    format: Format,
}

struct Shared {
    pending: Mutex<Vec<u8>>,
    half_full: Condvar,
    out: Mutex<Box<dyn Write + Send>>,
    dropped: AtomicU64,
}

thread_local! {
    /// The line being written.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl DecisionLog {
    /// Lines waiting to be written, in bytes; more are dropped and counted.
    const MAX_PENDING: usize = 1024 * 1024;
    const FLUSH_EVERY: Duration = Duration::from_millis(100);

    /// Starts the writing thread.
    pub fn start(format: Format, out: impl Write + Send + 'static) -> std::io::Result<Self> {
        Self::start_flushing_every(Self::FLUSH_EVERY, format, out)
    }

    fn start_flushing_every(
        pause: Duration,
        format: Format,
        out: impl Write + Send + 'static,
    ) -> std::io::Result<Self> {
        let (pending, half_full, dropped) = (Mutex::default(), Condvar::new(), AtomicU64::new(0));
        let shared = Arc::new(Shared { pending, half_full, out: Mutex::new(Box::new(out)), dropped });
        let weak = Arc::downgrade(&shared);
        std::thread::Builder::new().name("decision-log".into()).spawn(move || {
            while let Some(shared) = weak.upgrade() {
                shared.wait_until_half_full(pause);
                shared.flush();
            }
        })?;
        Ok(Self { shared, format })
    }

    /// Queues one line.
    pub fn write(&self, record: &DecisionRecord<'_>) {
        LINE.with_borrow_mut(|line| {
            line.clear();
            record.write(self.format, line);
            line.push(b'\n');
            self.queue(line);
        });
    }

    fn queue(&self, line: &[u8]) {
        let mut pending = self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() + line.len() > Self::MAX_PENDING {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let was_half_full = is_half_full(&pending);
        pending.extend_from_slice(line);
        // Once for each batch: to wake a thread costs more than to write a line.
        if !was_half_full && is_half_full(&pending) {
            self.shared.half_full.notify_one();
        }
    }

    /// Lines that were lost because the output was too slow.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Writes what is pending, at shutdown. An output that hangs must not keep the process alive.
    pub fn flush_within(&self, at_most: Duration) {
        let (shared, (done, written)) = (Arc::clone(&self.shared), channel());
        let flush = move || {
            shared.flush();
            let _ = done.send(());
        };
        if std::thread::Builder::new().spawn(flush).is_ok() {
            let _ = written.recv_timeout(at_most);
        }
    }
}

fn is_half_full(pending: &[u8]) -> bool {
    pending.len() >= DecisionLog::MAX_PENDING / 2
}

impl Shared {
    fn wait_until_half_full(&self, at_most: Duration) {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.half_full.wait_timeout_while(pending, at_most, |pending| !is_half_full(pending));
    }

    /// Takes the output first, so that two flushes cannot change the order of lines.
    fn flush(&self) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if !batch.is_empty() {
            let _ = out.write_all(&batch).and_then(|()| out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Instant;

    use super::*;

    const AN_HOUR: Duration = Duration::from_secs(3600);
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Hands every batch over, and waits for as long as nobody takes it.
    struct Output(SyncSender<Vec<u8>>);

    impl Write for Output {
        fn write(&mut self, batch: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.send(batch.to_vec());
            Ok(batch.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The length of a line whose path fills it up to just this.
    const LINE: usize = 1024;

    fn log() -> (DecisionLog, Receiver<Vec<u8>>) {
        // Without room: a batch counts as written only once the test has taken it.
        let (output, batches) = sync_channel(0);
        (DecisionLog::start_flushing_every(AN_HOUR, Format::Json, Output(output)).unwrap(), batches)
    }

    fn write_lines(log: &DecisionLog, count: usize) {
        let line = vec![b'x'; LINE];
        (0..count).for_each(|_| log.queue(&line));
    }

    #[test]
    fn the_writer_wakes_when_half_of_the_room_is_taken_and_no_line_is_lost() {
        let (log, batches) = log();
        for _ in 0..8 {
            write_lines(&log, DecisionLog::MAX_PENDING / 2 / LINE);
            let written = batches.recv_timeout(PATIENCE).expect("the writer sleeps for an hour");
            assert_eq!(written.len(), DecisionLog::MAX_PENDING / 2);
        }
        assert_eq!(log.dropped(), 0);
    }

    #[test]
    fn lines_beyond_the_room_are_dropped_and_counted_and_those_before_are_kept() {
        let (log, batches) = log();
        let room = DecisionLog::MAX_PENDING / LINE;
        // The writer takes the first half and hangs on the output, which is not read.
        write_lines(&log, room / 2);
        let deadline = Instant::now() + PATIENCE;
        while !log.shared.pending.lock().unwrap().is_empty() {
            assert!(Instant::now() < deadline, "the writer sleeps for an hour");
            std::thread::yield_now();
        }
        write_lines(&log, room + 7);
        assert_eq!(log.dropped(), 7);
        assert_eq!(batches.recv().unwrap().len(), DecisionLog::MAX_PENDING / 2);
        assert_eq!(batches.recv().unwrap().len(), DecisionLog::MAX_PENDING);
    }
}
