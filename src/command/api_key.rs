//! `api-key`: keys for scripts and servers that cannot sign in.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::{self, AdminFlags, Failure};
use super::complain;
use super::table::{self, Table, text};
use crate::config::seconds_of;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum ApiKeyCommand {
    /// Make a key and show it, once: on standard output and nowhere else
    Create(CreateFlags),
    /// Show the keys that there are, never what they are
    List(ListFlags),
    /// Take a key back: it is refused from the next request on
    Revoke(RevokeFlags),
}

/// Flags of `api-key create`.
#[derive(Debug, Args)]
pub struct CreateFlags {
    /// What logs, rules and MCP servers call its holder, as api-key:NAME
    #[arg(long)]
    name: String,
    /// Good for this resource, by its URL; may be repeated
    #[arg(long, value_name = "URL", required = true)]
    resource: Vec<String>,
    /// With this scope; may be repeated
    #[arg(long)]
    scope: Vec<String>,
    /// As a member of this group; may be repeated
    #[arg(long)]
    group: Vec<String>,
    /// How long it is good: 12h, 90d, or never to let it live until it is revoked [default: 90d]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires_in: Option<Expiry>,
    #[command(flatten)]
    admin: AdminFlags,
}

/// Flags of `api-key list`.
#[derive(Debug, Args)]
pub struct ListFlags {
    /// Show at most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    admin: AdminFlags,
}

/// Flags of `api-key revoke`.
#[derive(Debug, Args)]
pub struct RevokeFlags {
    /// Its name, its id, or the key itself as it was found somewhere
    #[arg(value_name = "NAME|ID|KEY")]
    key: String,
    #[command(flatten)]
    admin: AdminFlags,
}

#[derive(Debug, Clone, Copy)]
enum Expiry {
    In(u64),
    Never,
}

fn lifetime(text: &str) -> Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry::Never);
    }
    let seconds = seconds_of(text).ok_or("write a number and s, m, h or d, like 90d, or never")?;
    Ok(Expiry::In(seconds))
}

/// Asks the service.
pub fn run(command: &ApiKeyCommand) -> ExitCode {
    admin::conclude(match command {
        ApiKeyCommand::Create(flags) => create(flags),
        ApiKeyCommand::List(flags) => list(flags),
        ApiKeyCommand::Revoke(flags) => revoke(flags),
    })
}

fn create(flags: &CreateFlags) -> Result<ExitCode, Failure> {
    let (lifetime, unlimited) = match flags.expires_in {
        None => (None, false),
        Some(Expiry::In(seconds)) => (Some(seconds), false),
        Some(Expiry::Never) => (None, true),
    };
    let body = json!({
        "name": flags.name,
        "resources": flags.resource,
        "scopes": flags.scope,
        "groups": flags.group,
        "lifetime_seconds": lifetime,
        "unlimited": unlimited,
    });
    let answer = flags.admin.post("/admin/api-keys", &body)?;
    for warning in answer.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        complain(&format_args!("warning: {}", warning.as_str().unwrap_or_default()));
    }
    if flags.admin.json {
        return Ok(admin::print_json(&answer));
    }
    let end = match table::moment(&answer, "expires") {
        never if never.is_empty() => "lives until it is revoked".to_owned(),
        moment => format!("is good until {moment} UTC"),
    };
    let (name, id) = (text(&answer, "name"), text(&answer, "id"));
    complain(&format_args!("{name} ({id}) {end}; the key is shown this once, and cannot be shown again"));
    Ok(admin::print(&text(&answer, "key")))
}

fn list(flags: &ListFlags) -> Result<ExitCode, Failure> {
    let limit = usize::try_from(flags.limit).unwrap_or(usize::MAX);
    let path = |after: Option<&str>, limit: usize| {
        let limit = limit.to_string();
        format!("/admin/api-keys?{}", admin::query(&[("after", after), ("limit", Some(&*limit))]))
    };
    let mut keys = admin::pages(&flags.admin, "api_keys", limit, &path)?;
    keys.sort_by_cached_key(|key| text(key, "name"));
    if flags.admin.json {
        return Ok(admin::print_json(&json!({ "api_keys": keys })));
    }
    let headings = ["NAME", "ID", "STATE", "RESOURCES", "SCOPE", "GROUPS", "CREATED", "EXPIRES", "LAST USED"];
    let mut table = Table::new(headings);
    for key in &keys {
        table.add(row(key));
    }
    Ok(admin::print(&table))
}

fn row(key: &Value) -> [String; 9] {
    let listed = |name: &str| {
        let items = key.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    };
    let expires = table::moment(key, "expires");
    [
        text(key, "name"),
        text(key, "id"),
        text(key, "state"),
        listed("resources"),
        text(key, "scope"),
        listed("groups"),
        table::moment(key, "created"),
        if expires.is_empty() { "never".to_owned() } else { expires },
        table::moment(key, "last_used"),
    ]
}

fn revoke(flags: &RevokeFlags) -> Result<ExitCode, Failure> {
    let answer = flags.admin.post("/admin/api-keys/revoke", &json!({ "key": flags.key }))?;
    if flags.admin.json {
        return Ok(admin::print_json(&answer));
    }
    let (name, id) = (text(&answer, "name"), text(&answer, "id"));
    Ok(admin::print(&format_args!("{name} ({id}) is revoked")))
}
