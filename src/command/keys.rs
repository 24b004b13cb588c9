//! `keys`: what tokens are signed with.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::{self, AdminFlags, Failure};
use super::table::{self, Table, text};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Show the keys that are published
    List(ListFlags),
    /// Let the next key sign; tokens that were signed before stay good
    Rotate(RotateFlags),
}

/// Flags of `keys list`.
#[derive(Debug, Args)]
pub struct ListFlags {
    #[command(flatten)]
    admin: AdminFlags,
}

/// Flags of `keys rotate`.
#[derive(Debug, Args)]
pub struct RotateFlags {
    /// Replace every key: access tokens that were signed before are refused from now on
    #[arg(long)]
    at_once: bool,
    #[command(flatten)]
    admin: AdminFlags,
}

/// Asks the service.
pub fn run(command: &KeysCommand) -> ExitCode {
    let (answer, flags) = match command {
        KeysCommand::List(flags) => (flags.admin.get("/admin/keys"), &flags.admin),
        KeysCommand::Rotate(flags) => {
            let body = json!({ "at_once": flags.at_once });
            (flags.admin.post("/admin/keys/rotate", &body), &flags.admin)
        }
    };
    admin::conclude(answer.and_then(|answer| show(&answer, flags)))
}

#[expect(clippy::unnecessary_wraps, reason = "the end of a chain of things that can fail")]
fn show(answer: &Value, flags: &AdminFlags) -> Result<ExitCode, Failure> {
    if flags.json {
        return Ok(admin::print_json(answer));
    }
    let mut table = Table::new(["STATE", "ALGORITHM", "SINCE", "UNTIL", "KEY"]);
    for key in answer.get("keys").and_then(Value::as_array).into_iter().flatten() {
        let (since, until) = (table::moment(key, "since"), table::moment(key, "until"));
        table.add([text(key, "state"), text(key, "alg"), since, until, text(key, "kid")]);
    }
    Ok(admin::print(&table))
}
