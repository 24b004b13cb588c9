//! `tracing` for rare events: start, key refreshes, errors, and the spans of documents and admin pages.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

use super::decision_record::Format;

/// Sends events to standard output. `level` is `off`, `error`, `warn`, `info`, `debug` or `trace`.
pub fn start(level: &str, format: Format) {
    // Told of a line that could not be written, it would complain on standard error, and panic in the middle of a
    // request when that is on the same full disk.
    let lines = fmt::layer().with_target(false).log_internal_errors(false);
    let events = registry().with(filter(level));
    // A second start in one process (tests) keeps the first subscriber.
    let _ = match format {
        Format::Json => events.with(lines.json().flatten_event(true).with_span_list(false)).try_init(),
        Format::Console => events.with(lines.with_ansi(std::io::stdout().is_terminal())).try_init(),
    };
}

/// What the web server says of its own start is of no use to an operator. What the certificate check says stands in our own
/// line, and its own names folders of the machine that built this.
fn filter(level: &str) -> Targets {
    Targets::new()
        .with_default(level.parse().unwrap_or(LevelFilter::INFO))
        .with_target("actix_server", LevelFilter::WARN)
        .with_target("rustls_platform_verifier", LevelFilter::OFF)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    /// The finest level of `target` that is told.
    fn finest(level: &str, target: &str) -> LevelFilter {
        let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
        let told = levels.into_iter().find(|asked| filter(level).would_enable(target, asked));
        told.map_or(LevelFilter::OFF, LevelFilter::from_level)
    }

    #[test]
    fn the_level_is_that_of_all_but_the_web_server_and_the_certificate_check() {
        for (level, ours) in [
            ("off", LevelFilter::OFF),
            ("error", LevelFilter::ERROR),
            ("warn", LevelFilter::WARN),
            ("info", LevelFilter::INFO),
            ("debug", LevelFilter::DEBUG),
            ("trace", LevelFilter::TRACE),
        ] {
            assert_eq!(finest(level, "mcp_forward_auth::app"), ours, "{level}");
            assert_eq!(finest(level, "actix_server::server"), LevelFilter::WARN, "{level}");
            assert_eq!(finest(level, "rustls_platform_verifier::verification"), LevelFilter::OFF, "{level}");
        }
    }
}
