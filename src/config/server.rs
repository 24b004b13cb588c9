//! Listeners, callers, logs, schedules.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::file::{Strings, WrittenKeys, WrittenLog, WrittenServer, WrittenTokens};
use super::{ConfigError, ConfigErrors, Log, Server, secret};
use crate::authn::key_source::RefreshSchedule;
use crate::domain::Secret;
use crate::domain::issuer::parse_fetch_url;
use crate::mcp::BodyLimits;
use crate::proxy::{Contract, Field, TrustedProxies};
use crate::telemetry::decision_record::Format;

/// McpAuth's port.
const DEFAULT_LISTEN: &str = "0.0.0.0:11000";
const DEFAULT_ADMIN_LISTEN: &str = "127.0.0.1:9090";
/// About 25,000 tokens of usual size.
pub(super) const DEFAULT_CACHE_BYTES: u64 = 48 * 1024 * 1024;

pub(super) fn read_server(written: &WrittenServer, errors: &mut ConfigErrors) -> Option<Server> {
    let listen = errors.keep(address("server.listen", written.listen.as_deref().unwrap_or(DEFAULT_LISTEN)));
    let admin_listen = errors.keep(admin_listen(written));
    let trusted_proxies = errors.keep(networks(written.trusted_proxies.as_ref()));
    let proxy_secret = errors.keep(proxy_secret(written));
    let client_certificate = errors.keep(client_certificate(written.client_certificate_header.as_deref()));
    let metadata_url = errors.keep(written.metadata_url.as_deref().map(metadata_url).transpose());
    let also_decide_at = errors.keep(decision_paths(&written.also_decide_at));
    let contracts = errors.keep(contracts(written.contracts.as_ref()));
    let body_limits = errors.keep(body_limits(written));
    let workers = errors.keep(workers(written.workers));
    Some(Server {
        listen: listen?,
        admin_listen: admin_listen?,
        trusted_proxies: trusted_proxies?,
        proxy_secret: proxy_secret?,
        metadata_url: metadata_url?,
        client_certificate: client_certificate?,
        also_decide_at: also_decide_at?,
        contracts: contracts?,
        body_limits: body_limits?,
        workers: workers?,
    })
}

/// Where the admin listener is.
pub(super) fn admin_listen(written: &WrittenServer) -> Result<SocketAddr, ConfigError> {
    address("server.admin_listen", written.admin_listen.as_deref().unwrap_or(DEFAULT_ADMIN_LISTEN))
}

fn address(key: &str, text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| {
        ConfigError::new(key, Some(text), "it must be an IP address and a port", "write it like \"0.0.0.0:11000\"")
    })
}

/// A bare address is a network of one.
fn networks(written: Option<&Strings>) -> Result<Vec<IpNet>, ConfigError> {
    let Some(Strings(networks)) = written else {
        return Ok(TrustedProxies::DEFAULT_NETWORKS.iter().filter_map(|text| text.parse().ok()).collect());
    };
    let parse = |text: &String| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
        network.map_err(|_| {
            let rule = "it must be an IP address or a network in CIDR form";
            ConfigError::new("server.trusted_proxies", Some(text), rule, "write it like \"10.0.0.0/8\"")
        })
    };
    if networks.is_empty() {
        let rule = "the list is empty, so no proxy could ask";
        return Err(ConfigError::new(
            "server.trusted_proxies",
            None,
            rule,
            "leave it out for loopback and private networks",
        ));
    }
    networks.iter().map(parse).collect()
}

fn proxy_secret(written: &WrittenServer) -> Result<Option<Secret>, ConfigError> {
    const MIN_LENGTH: usize = 16;
    let key = "server.proxy_secret";
    let secret = secret::read(key, written.proxy_secret.as_deref(), written.proxy_secret_file.as_deref())?;
    match secret {
        Some(secret) if secret.expose().len() < MIN_LENGTH => {
            let rule = format!("it must be at least {MIN_LENGTH} characters long");
            Err(ConfigError::secret(key, rule, "make one with: openssl rand -hex 32"))
        }
        secret => Ok(secret),
    }
}

/// A closed list: each is a name that some proxy overwrites.
fn client_certificate(text: Option<&str>) -> Result<Option<Field>, ConfigError> {
    let Some(text) = text else { return Ok(None) };
    let found = Field::CERTIFICATES.into_iter().find(|field| field.name().eq_ignore_ascii_case(text));
    found.map(Some).ok_or_else(|| {
        let fix = format!("write one of {}", Field::CERTIFICATES.map(Field::name).join(", "));
        let rule = "it is no header in which a proxy tells of a client certificate";
        ConfigError::new("server.client_certificate_header", Some(text), rule, fix)
    })
}

fn metadata_url(text: &str) -> Result<Url, ConfigError> {
    let key = "server.metadata_url";
    let fix = "write the origin that serves the documents, like \"https://auth.example.com\"";
    let url = parse_fetch_url(text).map_err(|error| ConfigError::new(key, Some(text), error.to_string(), fix))?;
    if url.path() != "/" || url.query().is_some() {
        return Err(ConfigError::new(key, Some(text), "it must hold no path and no query", fix));
    }
    Ok(url)
}

fn decision_paths(Strings(paths): &Strings) -> Result<Vec<String>, ConfigError> {
    paths.iter().map(|path| decision_path("server.also_decide_at", path)).collect()
}

/// One path that is asked in the terms of `/auth`.
pub(super) fn decision_path(key: &str, path: &str) -> Result<String, ConfigError> {
    let taken = path == "/" || path == "/health" || path.starts_with("/auth") || path.starts_with("/.well-known");
    if path.starts_with('/') && !taken {
        return Ok(path.to_owned());
    }
    let rule = "it must be a path of its own, not /, /auth…, /health or /.well-known…";
    Err(ConfigError::new(key, Some(path), rule, "write it like \"/mcp\""))
}

/// All three, unless some are named: an endpoint that no proxy asks is one that nobody watches.
fn contracts(written: Option<&Strings>) -> Result<Vec<Contract>, ConfigError> {
    let Some(Strings(names)) = written else { return Ok(Contract::ALL.to_vec()) };
    let read = |name: &String| {
        let known = Contract::ALL.into_iter().find(|contract| contract.as_str() == name);
        known.ok_or_else(|| {
            let rule = "it must be \"forward_auth\", \"ext_authz\" or \"auth_request\"";
            ConfigError::new("server.contracts", Some(name), rule, "leave it out for all three")
        })
    };
    names.iter().map(read).collect()
}

/// A body is held until it is judged, for as many requests at once as there are.
fn body_limits(written: &WrittenServer) -> Result<BodyLimits, ConfigError> {
    const DEFAULT: usize = 256 * 1024;
    const RANGE: std::ops::RangeInclusive<usize> = 1024..=16 * 1024 * 1024;
    let timeout = duration("server.body_timeout", written.body_timeout.as_deref(), 10, 1..=300)?;
    let max_bytes = written.max_body_bytes.unwrap_or(DEFAULT);
    if RANGE.contains(&max_bytes) {
        return Ok(BodyLimits { max_bytes, timeout });
    }
    let rule = format!("it must lie between {} and {}", RANGE.start(), RANGE.end());
    Err(ConfigError::unquoted("server.max_body_bytes", max_bytes, rule, "leave it out for 262144"))
}

/// One core is left for the proxy: with a busy neighbour one worker fewer is faster.
fn workers(written: Option<usize>) -> Result<usize, ConfigError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match written {
        None => Ok(cores.saturating_sub(1).max(1)),
        Some(workers @ 1..=256) => Ok(workers),
        Some(workers) => {
            let fix = "leave it out for one less than the cores";
            Err(ConfigError::unquoted("server.workers", workers, "it must lie between 1 and 256", fix))
        }
    }
}

pub(super) fn read_log(written: &WrittenLog, errors: &mut ConfigErrors) -> Option<Log> {
    let format = errors.keep(match written.format.as_deref() {
        None | Some("auto") if std::io::stdout().is_terminal() => Ok(Format::Console),
        None | Some("auto" | "json") => Ok(Format::Json),
        Some("console") => Ok(Format::Console),
        Some(other) => {
            let rule = "it must be \"json\", \"console\" or \"auto\"";
            Err(ConfigError::new("log.format", Some(other), rule, "leave it out for auto"))
        }
    });
    let level = errors.keep(level(written.level.as_deref().unwrap_or("info")));
    let allows_per_mille = errors.keep(per_mille(written.allows.unwrap_or(0.0)));
    Some(Log { level: level?, format: format?, allows_per_mille: allows_per_mille? })
}

fn level(text: &str) -> Result<String, ConfigError> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    if LEVELS.contains(&text) {
        return Ok(text.to_owned());
    }
    let rule = "it must be one of off, error, warn, info, debug, trace";
    Err(ConfigError::new("log.level", Some(text), rule, "leave it out for info"))
}

fn per_mille(share: f64) -> Result<u16, ConfigError> {
    // A thousand steps are found by comparing, not by converting: no cast can go wrong.
    if (0.0..=1.0).contains(&share) {
        return Ok((0_u16..=1000).rev().find(|step| f64::from(*step) <= share * 1000.0).unwrap_or(0));
    }
    Err(ConfigError::unquoted("log.allows", share, "it must lie between 0 and 1", "write 0.01 to log every hundredth"))
}

pub(super) fn read_keys(written: &WrittenKeys, errors: &mut ConfigErrors) -> Option<RefreshSchedule> {
    let interval = duration("keys.refresh_interval", written.refresh_interval.as_deref(), 300, 1..=86_400);
    let cooldown = duration("keys.refresh_cooldown", written.refresh_cooldown.as_deref(), 10, 1..=3600);
    let (interval, cooldown) = (errors.keep(interval), errors.keep(cooldown));
    Some(RefreshSchedule { interval: interval?, cooldown: cooldown? })
}

pub(super) fn read_leeway(written: &WrittenTokens, errors: &mut ConfigErrors) -> Option<Duration> {
    errors.keep(duration("tokens.leeway", written.leeway.as_deref(), 30, 0..=300))
}

/// `30s`, `15m`, `1h`, `30d`.
pub(super) fn duration(
    key: &str,
    text: Option<&str>,
    default_seconds: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Duration, ConfigError> {
    let Some(text) = text else { return Ok(Duration::from_secs(default_seconds)) };
    let seconds = seconds_of(text).filter(|seconds| range.contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| {
        let rule = format!("it must be a time between {} s and {} s", range.start(), range.end());
        ConfigError::new(key, Some(text), rule, "write a number and s, m, h or d, like \"30s\"")
    })
}

/// The seconds of `90s`, `15m`, `1h` or `30d`.
pub fn seconds_of(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let factor = match text.strip_prefix(digits)? {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}
