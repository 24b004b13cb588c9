//! Parses the command line and runs one command.

use std::process::ExitCode;

use clap::Parser as _;
use mcp_forward_auth::command::{self, CommandLine};

fn main() -> ExitCode {
    command::run(CommandLine::parse())
}
