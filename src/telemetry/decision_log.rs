//! One line per refusal, and per allow when the operator asks for it. Written in batches by a thread of its own, so that
//! a slow terminal or disk never slows a decision; lines that do not fit are counted, not waited for.

use std::cell::RefCell;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

use super::json_line::JsonLine;
use crate::domain::UnixTime;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Json,
    /// For people at a terminal.
    Console,
}

/// What is told of one decision. Never a token, a secret, a query or a whole claim set.
#[derive(Debug)]
pub struct DecisionRecord<'a> {
    /// When, in the form of RFC 3339, as in every other line.
    pub timestamp: String,
    /// `WARN` for refusals, `INFO` for allows, `ERROR` when undecidable.
    pub level: &'static str,
    /// Always `decision`.
    pub message: &'static str,
    /// `allow`, `unauthenticated`, `forbidden`, `undecidable`, `audit`.
    pub decision: &'static str,
    /// The reason code; absent for plain allows.
    pub reason: Option<&'static str>,
    /// More than the code says, for the operator only.
    pub detail: Option<String>,
    /// The resource.
    pub resource: Option<&'a str>,
    /// The original method.
    pub method: Option<&'a str>,
    /// The original path, without query.
    pub path: Option<&'a str>,
    /// The status answered.
    pub status: u16,
    /// Time taken, in milliseconds.
    pub duration_ms: f64,
    /// The client as the proxy reports it.
    pub client_ip: Option<&'a str>,
    /// `User-Agent`, cut.
    pub user_agent: Option<&'a str>,
    /// `iss`.
    pub issuer: Option<&'a str>,
    /// `client_id`.
    pub client: Option<&'a str>,
    /// `sub`.
    pub subject: Option<&'a str>,
    /// Which contract was asked.
    pub contract: &'static str,
    /// Leads from an answer to this line.
    pub request_id: &'a str,
}

/// Where decision lines go.
pub struct DecisionLog {
    shared: Arc<Shared>,
    format: Format,
}

struct Shared {
    pending: Mutex<Vec<u8>>,
    out: Mutex<Box<dyn Write + Send>>,
    dropped: AtomicU64,
}

thread_local! {
    /// The last second that was written out, and how: a busy second is written once.
    static LAST_SECOND: RefCell<(UnixTime, String)> = const { RefCell::new((UnixTime::from_secs(0), String::new())) };
    /// The line being written.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// `now` in the form of RFC 3339, to the second.
pub fn timestamp(now: UnixTime) -> String {
    LAST_SECOND.with_borrow_mut(|(second, text)| {
        if *second != now || text.is_empty() {
            text.clear();
            let _ = SystemTime.format_time(&mut Writer::new(text));
            text.truncate("2026-01-01T00:00:00".len());
            text.push('Z');
            *second = now;
        }
        text.clone()
    })
}

impl DecisionLog {
    /// Lines waiting to be written, in bytes; more are dropped and counted.
    const MAX_PENDING: usize = 1024 * 1024;
    const FLUSH_EVERY: Duration = Duration::from_millis(100);

    /// Starts the writing thread.
    pub fn start(format: Format, out: impl Write + Send + 'static) -> std::io::Result<Self> {
        let out: Mutex<Box<dyn Write + Send>> = Mutex::new(Box::new(out));
        let shared = Arc::new(Shared { pending: Mutex::default(), out, dropped: AtomicU64::new(0) });
        let weak = Arc::downgrade(&shared);
        std::thread::Builder::new().name("decision-log".into()).spawn(move || {
            while let Some(shared) = weak.upgrade() {
                shared.flush();
                drop(shared);
                std::thread::sleep(Self::FLUSH_EVERY);
            }
        })?;
        Ok(Self { shared, format })
    }

    /// Queues one line.
    pub fn write(&self, record: &DecisionRecord<'_>) {
        LINE.with_borrow_mut(|line| {
            line.clear();
            match self.format {
                Format::Json => write_json(line, record),
                Format::Console => write_console(line, record),
            }
            line.push(b'\n');
            self.queue(line);
        });
    }

    fn queue(&self, line: &[u8]) {
        let mut pending = self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() + line.len() > Self::MAX_PENDING {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        } else {
            pending.extend_from_slice(line);
        }
    }

    /// Lines that were lost because the output was too slow.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Writes what is pending, at shutdown.
    pub fn flush(&self) {
        self.shared.flush();
    }
}

impl Shared {
    /// Takes the output first, so that two flushes cannot change the order of lines.
    fn flush(&self) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if !batch.is_empty() {
            let _ = out.write_all(&batch).and_then(|()| out.flush());
        }
    }
}

/// What is absent is left out.
fn write_json(out: &mut Vec<u8>, record: &DecisionRecord<'_>) {
    let mut line = JsonLine::begin(out);
    line.text("timestamp", record.timestamp.as_str());
    line.text("level", record.level);
    line.text("message", record.message);
    line.text("decision", record.decision);
    line.text("reason", record.reason);
    line.text("detail", record.detail.as_deref());
    line.text("resource", record.resource);
    line.text("method", record.method);
    line.text("path", record.path);
    line.number("status", record.status);
    line.number("duration_ms", record.duration_ms);
    line.text("client_ip", record.client_ip);
    line.text("user_agent", record.user_agent);
    line.text("issuer", record.issuer);
    line.text("client", record.client);
    line.text("subject", record.subject);
    line.text("contract", record.contract);
    line.text("request_id", record.request_id);
    line.end();
}

/// Values that a client chose are written escaped: a terminal must not obey them.
fn write_console(line: &mut Vec<u8>, record: &DecisionRecord<'_>) {
    let text = |value: Option<&str>| value.unwrap_or("-").escape_debug().to_string();
    let _ = write!(
        line,
        "{} {:5} {} {} {} {} {} {:.3}ms {}",
        record.timestamp,
        record.level,
        record.decision,
        record.reason.unwrap_or("-"),
        text(record.method),
        text(record.resource),
        text(record.path),
        record.duration_ms,
        record.request_id,
    );
    for (name, value) in [("subject", record.subject), ("client", record.client), ("detail", record.detail.as_deref())]
    {
        if value.is_some() {
            let _ = write!(line, " {name}={}", text(value));
        }
    }
}
