//! What is told of one decision, and how its line looks.

use std::cell::RefCell;
use std::io::Write as _;

use super::json_line::{JsonLine, Name, name};
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
    /// When; written in the form of RFC 3339, as in every other line.
    pub at: UnixTime,
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
    /// What was asked of the MCP server, where rules look at it.
    pub operation: Option<&'a str>,
    /// The tool, prompt or resource, without a query.
    pub operation_name: Option<&'a str>,
    /// Which contract was asked.
    pub contract: &'static str,
    /// Leads from an answer to this line.
    pub request_id: &'a str,
}

thread_local! {
    /// The last second that was written out, and how: a busy second is written once.
    static LAST_SECOND: RefCell<(UnixTime, String)> = const { RefCell::new((UnixTime::from_secs(0), String::new())) };
}

/// Hands to `write` what `at` is in the form of RFC 3339, to the second.
fn with_timestamp<T>(at: UnixTime, write: impl FnOnce(&str) -> T) -> T {
    LAST_SECOND.with_borrow_mut(|(second, text)| {
        if *second != at || text.is_empty() {
            *text = at.to_rfc3339();
            *second = at;
        }
        write(text)
    })
}

impl DecisionRecord<'_> {
    /// Writes the line without its end.
    pub(super) fn write(&self, format: Format, line: &mut Vec<u8>) {
        match format {
            Format::Json => write_json(line, self),
            Format::Console => write_console(line, self),
        }
    }
}

/// What is absent is left out.
fn write_json(out: &mut Vec<u8>, record: &DecisionRecord<'_>) {
    let mut line = JsonLine::begin(out);
    with_timestamp(record.at, |text| line.text(name!("timestamp"), text));
    line.text(name!("level"), record.level);
    line.text(name!("message"), record.message);
    line.text(name!("decision"), record.decision);
    line.text(name!("reason"), record.reason);
    line.text(name!("detail"), record.detail.as_deref());
    line.text(name!("resource"), record.resource);
    line.text(name!("method"), record.method);
    line.text(name!("path"), record.path);
    line.number(name!("status"), record.status);
    line.number(name!("duration_ms"), record.duration_ms);
    line.text(name!("client_ip"), record.client_ip);
    line.text(name!("user_agent"), record.user_agent);
    line.text(name!("issuer"), record.issuer);
    line.text(name!("client"), record.client);
    line.text(name!("subject"), record.subject);
    line.text(name!("operation"), record.operation);
    line.text(name!("operation_name"), record.operation_name);
    line.text(name!("contract"), record.contract);
    line.text(name!("request_id"), record.request_id);
    line.end();
}

/// Values that a client chose are written escaped: a terminal must not obey them.
fn write_console(line: &mut Vec<u8>, record: &DecisionRecord<'_>) {
    let text = |value: Option<&str>| value.unwrap_or("-").escape_debug().to_string();
    with_timestamp(record.at, |text| line.extend_from_slice(text.as_bytes()));
    let _ = write!(
        line,
        " {:5} {} {} {} {} {} {:.3}ms {}",
        record.level,
        record.decision,
        record.reason.unwrap_or("-"),
        text(record.method),
        text(record.resource),
        text(record.path),
        record.duration_ms,
        record.request_id,
    );
    let more = [
        ("subject", record.subject),
        ("client", record.client),
        ("operation", record.operation),
        ("name", record.operation_name),
        ("detail", record.detail.as_deref()),
    ];
    for (name, value) in more {
        if value.is_some() {
            let _ = write!(line, " {name}={}", text(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timestamp_is_of_the_time_that_is_handed_in() {
        for (seconds, text) in [(0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:01Z"), (0, "1970-01-01T00:00:00Z")] {
            assert_eq!(with_timestamp(UnixTime::from_secs(seconds), str::to_owned), text);
        }
    }
}
