//! Requests written byte by byte, with another one hidden behind or inside them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::consistency::misjudged;
use crate::support::http::Response;
use crate::support::process::eventually;
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::stage::{Outcome, Stage, new_agent};

/// Replaces in a template: `{head}` is `Host`, `User-Agent` and the good token; `{host}` the authority alone;
/// `{hidden}` a whole request without a token that calls itself root; `{length}` the length of all that follows the
/// first empty line, `{size}` the length of the hidden request in hex. Line ends are `\r\n` and written as such.
pub fn try_each_raw(kind: Kind, templates: &[String]) {
    let stage = Stage::start(kind);
    let good = stage.get("/echo-request/after").bearer(&stage.token());
    let mut sent = Vec::new();
    for template in templates {
        let (agent, hidden) = (new_agent(), new_agent());
        let answer = send(stage.proxy.port, fill(&stage, template, &agent, &hidden).as_bytes());
        // Whatever waits on a connection to the upstream would be answered to this request, or run before it.
        let after = new_agent();
        let answer_after = good.clone().header("User-Agent", &*after).try_send(stage.proxy.port).ok();
        sent.extend([(agent, answer), (hidden, None), (after, answer_after)]);
    }
    let mut report = Report::new(kind);
    let outcomes = stage.outcomes(sent);
    for (template, outcomes) in templates.iter().zip(outcomes.chunks(3)) {
        report.row(template.escape_debug().to_string());
        let [outcome, hidden, after] = outcomes else { unreachable!("three of each") };
        judge(&stage, outcome, &mut report);
        report.holds(hidden.seen.is_empty(), || format!("the hidden request was run: {}", hidden.shown()));
        report.holds(after.status() == 200 && after.seen.len() == 1, || format!("afterwards: {}", after.shown()));
    }
    report.row("all");
    report.holds(outcomes.iter().step_by(3).any(|outcome| !outcome.seen.is_empty()), || "nothing was forwarded".into());
    report.finish();
}

fn judge(stage: &Stage, outcome: &Outcome, report: &mut Report) {
    if let Some(problem) = misjudged(stage, outcome) {
        report.fail(problem);
    }
    for seen in &outcome.seen {
        let named = seen.all("x-forwarded-user") == ["alice@example.com"];
        report.holds(named, || format!("somebody else's name was forwarded: {seen:?}"));
        let clean = seen.headers.iter().all(|(name, value)| is_token(name) && !value.contains(is_control));
        report.holds(clean, || format!("a header line with two readings was forwarded: {seen:?}"));
        let upgraded = seen.all("upgrade").iter().any(|name| name.contains("h2c"));
        report.holds(!upgraded, || "an upgrade to h2c would carry requests past the decisions".to_owned());
    }
}

/// RFC 9110 §5.6.2
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char))
}

fn is_control(char: char) -> bool {
    char.is_control() && char != '\t'
}

fn fill(stage: &Stage, template: &str, agent: &str, hidden_agent: &str) -> String {
    let hidden = format!(
        "GET /echo-request/hidden HTTP/1.1\r\nHost: {}\r\nUser-Agent: {hidden_agent}\r\nX-Forwarded-User: root\r\n\r\n",
        stage.authority()
    );
    let head =
        format!("Host: {}\r\nUser-Agent: {agent}\r\nAuthorization: Bearer {}\r\n", stage.authority(), stage.token());
    let filled = template
        .replace("{head}", &head)
        .replace("{host}", &stage.authority())
        .replace("{size}", &format!("{:x}", hidden.len()))
        .replace("{hidden}", &hidden);
    let length = filled.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
    filled.replace("{length}", &length.to_string())
}

/// Sends the bytes, takes the first answer, and waits until the proxy closes.
fn send(port: u16, bytes: &[u8]) -> Option<Response> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // A proxy that waits for more of a broken request gets the end of it after this time.
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let _ = stream.write_all(bytes);
    let mut received = Vec::new();
    if stream.read_to_end(&mut received).is_err() {
        let _ = stream.shutdown(Shutdown::Write);
        eventually("the end of the connection", || match stream.read(&mut [0; 4096]) {
            Ok(length) => length == 0,
            Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
        });
    }
    Response::parse(&received)
}
