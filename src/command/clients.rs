//! `clients`: who may ask people to let them in.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::{self, AdminFlags, Failure};
use super::table::{self, Table, text};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum ClientsCommand {
    /// Show the clients that are known: configured, registered, or described by a document
    List(ListFlags),
    /// Forget a client and end what people let it do; it has to register again
    Delete(DeleteFlags),
}

/// Flags of `clients list`.
#[derive(Debug, Args)]
pub struct ListFlags {
    /// Show at most so many of each kind
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    admin: AdminFlags,
}

/// Flags of `clients delete`.
#[derive(Debug, Args)]
pub struct DeleteFlags {
    /// Its client id
    client_id: String,
    #[command(flatten)]
    admin: AdminFlags,
}

/// Asks the service.
pub fn run(command: &ClientsCommand) -> ExitCode {
    admin::conclude(match command {
        ClientsCommand::List(flags) => list(flags),
        ClientsCommand::Delete(flags) => delete(flags),
    })
}

fn list(flags: &ListFlags) -> Result<ExitCode, Failure> {
    let limit = usize::try_from(flags.limit).unwrap_or(usize::MAX);
    let mut clients = Vec::new();
    for kind in ["configured", "registered", "document"] {
        let path = |after: Option<&str>, limit: usize| {
            let limit = limit.to_string();
            let query = admin::query(&[("kind", Some(kind)), ("after", after), ("limit", Some(&*limit))]);
            format!("/admin/clients?{query}")
        };
        clients.extend(admin::pages(&flags.admin, "clients", limit, &path)?);
    }
    if flags.admin.json {
        return Ok(admin::print_json(&json!({ "clients": clients })));
    }
    let mut table = Table::new(["CLIENT", "KIND", "AUTHENTICATION", "SINCE", "USED", "UNTIL", "REDIRECTS"]);
    for client in &clients {
        table.add(row(client));
    }
    Ok(admin::print(&table))
}

fn row(client: &Value) -> [String; 7] {
    let used = client.get("used").and_then(Value::as_bool).map_or("", |used| if used { "yes" } else { "no" });
    let redirects = client.get("redirect_uris").and_then(Value::as_array).into_iter().flatten();
    let redirects: Vec<&str> = redirects.filter_map(Value::as_str).collect();
    [
        table::named(text(client, "client_id"), &text(client, "client_name")),
        text(client, "kind"),
        text(client, "token_endpoint_auth_method"),
        table::moment(client, "since"),
        used.to_owned(),
        table::moment(client, "until"),
        redirects.join(" "),
    ]
}

fn delete(flags: &DeleteFlags) -> Result<ExitCode, Failure> {
    let answer = flags.admin.post("/admin/clients/delete", &json!({ "client_id": flags.client_id }))?;
    if flags.admin.json {
        return Ok(admin::print_json(&answer));
    }
    let ended = answer.get("ended").and_then(Value::as_u64).unwrap_or_default();
    let done = match &*text(&answer, "kind") {
        "document" => "forgotten until it comes back with its document: see client_documents.allowed_hosts",
        "registered" => "deleted",
        _ => "it was unknown already",
    };
    Ok(admin::print(&format_args!("{done}; {ended} of its grants ended")))
}
