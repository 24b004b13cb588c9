//! Parses the command line and runs one command.

use std::process::ExitCode;

use mcp_forward_auth::command::{self, CommandLine};

fn main() -> ExitCode {
    command::run(CommandLine::of_process())
}
