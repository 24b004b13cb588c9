//! `grants`: what people let clients do, and cutting somebody off.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::{self, AdminFlags, Failure};
use super::table::{self, Table, text};
use super::{WRONG_CONFIGURATION, complain};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum GrantsCommand {
    /// Show who let which client use what
    List(ListFlags),
    /// End grants: their tokens are refused from the next request on, and cannot be refreshed
    Revoke(RevokeFlags),
}

/// Which grants; all that are given must fit.
#[derive(Debug, Clone, Args)]
pub struct Selection {
    /// Of this person: e-mail address, user name or subject
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Of this client, by its client id
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// For this resource, by its URL
    #[arg(long, value_name = "URL")]
    resource: Option<String>,
}

/// Flags of `grants list`.
#[derive(Debug, Args)]
pub struct ListFlags {
    #[command(flatten)]
    selection: Selection,
    /// Show at most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    admin: AdminFlags,
}

/// Flags of `grants revoke`.
#[derive(Debug, Args)]
pub struct RevokeFlags {
    #[command(flatten)]
    selection: Selection,
    /// Every grant there is
    #[arg(long, conflicts_with_all = ["user", "client", "resource"])]
    all: bool,
    #[command(flatten)]
    admin: AdminFlags,
}

/// Asks the service.
pub fn run(command: &GrantsCommand) -> ExitCode {
    match command {
        GrantsCommand::List(flags) => admin::conclude(list(flags)),
        GrantsCommand::Revoke(flags) if !flags.all && flags.selection.is_empty() => {
            complain(&"nothing is selected: give --user, --client or --resource, or --all for every grant there is");
            ExitCode::from(WRONG_CONFIGURATION)
        }
        GrantsCommand::Revoke(flags) => admin::conclude(revoke(flags)),
    }
}

impl Selection {
    const fn is_empty(&self) -> bool {
        self.user.is_none() && self.client.is_none() && self.resource.is_none()
    }

    fn parts(&self) -> [(&'static str, Option<&str>); 3] {
        let (user, client, resource) = (self.user.as_deref(), self.client.as_deref(), self.resource.as_deref());
        [("user", user), ("client", client), ("resource", resource)]
    }
}

fn list(flags: &ListFlags) -> Result<ExitCode, Failure> {
    let limit = usize::try_from(flags.limit).unwrap_or(usize::MAX);
    let path = |after: Option<&str>, limit: usize| {
        let limit = limit.to_string();
        let place = [("after", after), ("limit", Some(&*limit))];
        format!("/admin/grants?{}", admin::query(&[flags.selection.parts().as_slice(), &place].concat()))
    };
    let grants = admin::pages(&flags.admin, "grants", limit, &path)?;
    if flags.admin.json {
        return Ok(admin::print_json(&json!({ "grants": grants })));
    }
    let mut table = Table::new(["USER", "CLIENT", "RESOURCE", "SCOPE", "SINCE", "LAST USED", "UNTIL"]);
    for grant in &grants {
        table.add(row(grant));
    }
    Ok(admin::print(&table))
}

fn row(grant: &Value) -> [String; 7] {
    let user = ["email", "user_name", "subject"].map(|name| text(grant, name)).into_iter();
    [
        user.filter(|name| !name.is_empty()).take(1).collect(),
        table::named(text(grant, "client"), &text(grant, "client_name")),
        text(grant, "resource"),
        text(grant, "scope"),
        table::moment(grant, "since"),
        table::moment(grant, "last_used"),
        table::moment(grant, "until"),
    ]
}

fn revoke(flags: &RevokeFlags) -> Result<ExitCode, Failure> {
    let mut body = serde_json::Map::new();
    for (name, value) in flags.selection.parts() {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.into());
        }
    }
    if flags.all {
        body.insert("all".to_owned(), true.into());
    }
    let answer = flags.admin.post("/admin/grants/revoke", &body.into())?;
    if flags.admin.json {
        return Ok(admin::print_json(&answer));
    }
    Ok(match answer.get("ended").and_then(Value::as_u64).unwrap_or_default() {
        0 => admin::print(&"no grant fits, so none ended"),
        1 => admin::print(&"1 grant ended"),
        many => admin::print(&format_args!("{many} grants ended")),
    })
}
