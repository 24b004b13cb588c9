//! `tracing` for rare events: start, key refreshes, errors, and the spans of documents and admin pages.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

use super::decision_record::Format;

/// Sends events to standard output. `level` is `off`, `error`, `warn`, `info`, `debug` or `trace`.
pub fn start(level: &str, format: Format) {
    // What the web server says of its own start is of no use to an operator.
    // What the certificate check says stands in our own line, and its own names folders of the machine that built this.
    let filter = Targets::new()
        .with_default(level.parse().unwrap_or(LevelFilter::INFO))
        .with_target("actix_server", LevelFilter::WARN)
        .with_target("rustls_platform_verifier", LevelFilter::OFF);
    // Told of a line that could not be written, it would complain on standard error, and panic in the middle of a
    // request when that is on the same full disk.
    let lines = fmt::layer().with_target(false).log_internal_errors(false);
    let events = registry().with(filter);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = match format {
        Format::Json => events.with(lines.json().flatten_event(true).with_span_list(false)).try_init(),
        Format::Console => events.with(lines.with_ansi(std::io::stdout().is_terminal())).try_init(),
    };
}
