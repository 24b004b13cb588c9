//! `check`: is the configuration right, and what does it mean?

use std::io::Write as _;
use std::process::ExitCode;

use super::{ConfigFlags, WRONG_CONFIGURATION, complain};
use crate::config::Config;

/// Prints what the configuration means, or what is wrong with it.
pub fn run(flags: &ConfigFlags) -> ExitCode {
    match Config::load(&flags.overrides()) {
        Ok(config) => {
            let _ = write!(std::io::stdout().lock(), "{config}");
            ExitCode::SUCCESS
        }
        Err(errors) => {
            complain(&errors);
            ExitCode::from(WRONG_CONFIGURATION)
        }
    }
}
