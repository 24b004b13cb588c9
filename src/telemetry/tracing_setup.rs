//! `tracing` for rare events: start, key refreshes, errors, and the spans of documents and admin pages.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::decision_record::Format;

/// Sends events to standard output. `level` is `off`, `error`, `warn`, `info`, `debug` or `trace`.
pub fn start(level: &str, format: Format) {
    // What the web server says of its own start is of no use to an operator.
    // What the certificate check says stands in our own line, and its own names folders of the machine that built this.
    let filter = format!("{level},actix_server=warn,rustls_platform_verifier=off");
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Told of a line that could not be written, it would complain on standard error, and panic in the middle of a
    // request when that is on the same full disk.
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).log_internal_errors(false);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = match format {
        Format::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
        Format::Console => builder.with_ansi(std::io::stdout().is_terminal()).try_init(),
    };
}
