//! What commands to the running service share: where it is, one request, and how the answer is shown.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::{WRONG_CONFIGURATION, complain};
use crate::config::{Config, ConfigErrors, Overrides};

#[expect(clippy::doc_markdown, reason = "these comments are the text of --help")]
/// Which service to ask, and how to show what it says.
#[derive(Debug, Clone, Args)]
pub struct AdminFlags {
    /// Admin listener of the service [default: server.admin_listen of the configuration]
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// Configuration file (TOML) [env: MCP_FORWARD_AUTH_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Where the service is cannot be read.
    #[error(transparent)]
    Configuration(#[from] ConfigErrors),
    /// Nobody listens, or not in time.
    #[error("no service answers at {0}: {1}; is it running, and is this its server.admin_listen? (--admin ADDRESS)")]
    NotRunning(SocketAddr, std::io::Error),
    /// Somebody else listens.
    #[error("what answers at {0} is not this service: is it its server.admin_listen? (--admin ADDRESS)")]
    Stranger(SocketAddr),
    /// The service said no.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    /// Says what is wrong in a line.
    pub fn complain(&self) -> ExitCode {
        complain(self);
        match self {
            Self::Configuration(_) => ExitCode::from(WRONG_CONFIGURATION),
            Self::NotRunning(..) | Self::Stranger(_) | Self::Refused(_) => ExitCode::FAILURE,
        }
    }
}

impl AdminFlags {
    const CONNECT: Duration = Duration::from_secs(3);
    /// Ending many grants takes a write to the disk for each.
    const ANSWER: Duration = Duration::from_secs(300);
    const MAX_ANSWER: u64 = 16 * 1024 * 1024;

    /// `GET path`
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask("GET", path, None)
    }

    /// `POST path` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask("POST", path, Some(body.to_string()))
    }

    fn ask(&self, method: &str, path: &str, body: Option<String>) -> Result<Value, Failure> {
        let address = self.address()?;
        let body = body.unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = exchange(address, &request).map_err(|error| Failure::NotRunning(address, error))?;
        read(&answer).ok_or(Failure::Stranger(address))?
    }

    /// The configuration that is named.
    pub fn overrides(&self) -> Overrides {
        Overrides { file: self.config.clone(), ..Overrides::default() }
    }

    /// A listener on every address is on this machine's own.
    fn address(&self) -> Result<SocketAddr, Failure> {
        let mut address = match self.admin {
            Some(address) => address,
            None => Config::admin_listen(&self.overrides())?,
        };
        match address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
        Ok(address)
    }
}

fn exchange(address: SocketAddr, request: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, AdminFlags::CONNECT)?;
    stream.set_read_timeout(Some(AdminFlags::ANSWER))?;
    stream.set_write_timeout(Some(AdminFlags::CONNECT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(AdminFlags::MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(answer)
}

/// `None` when the answer is not one of ours.
fn read(answer: &[u8]) -> Option<Result<Value, Failure>> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let body: Value = serde_json::from_str(body).ok()?;
    if status == "200" {
        return Some(Ok(body));
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let (code, description) = (text("error")?, text("error_description")?);
    // A version that does not know the command, or another server that speaks JSON.
    (code != "not_found").then_some(Err(Failure::Refused(description)))
}

/// A query of these names, of those that have a value.
pub fn query(parts: &[(&str, Option<&str>)]) -> String {
    let given = parts.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
}

/// Asks for page after page until `limit` items of the list `name` are there. Says aloud if there are more.
pub fn pages(
    flags: &AdminFlags,
    name: &str,
    limit: usize,
    path_after: &dyn Fn(Option<&str>, usize) -> String,
) -> Result<Vec<Value>, Failure> {
    const PAGE: usize = 500;
    let mut items: Vec<Value> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut page = flags.get(&path_after(after.as_deref(), PAGE.min(limit - items.len())))?;
        if let Some(Value::Array(more)) = page.get_mut(name).map(Value::take) {
            items.extend(more);
        }
        after = page.get("next").and_then(Value::as_str).map(ToOwned::to_owned);
        if after.is_none() || items.len() >= limit {
            break;
        }
    }
    if after.is_some() {
        complain(&format_args!("only the first {limit} are shown, and there may be more: see --limit"));
    }
    Ok(items)
}

/// Prints what a command came to.
pub fn print(text: &dyn fmt::Display) -> ExitCode {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The same as JSON, indented.
pub fn print_json(value: &Value) -> ExitCode {
    print(&format_args!("{value:#}"))
}

/// The end of a command: its answer was shown, or what is wrong is said.
pub fn conclude(outcome: Result<ExitCode, Failure>) -> ExitCode {
    outcome.unwrap_or_else(|failure| failure.complain())
}
