//! `serve`: the service itself.

use std::process::ExitCode;

use super::{ConfigFlags, WRONG_CONFIGURATION, complain};
use crate::app::App;
use crate::config::Config;
use crate::telemetry::tracing_setup;

/// Serves until it is told to stop.
pub fn run(flags: &ConfigFlags) -> ExitCode {
    let config = match Config::load(&flags.overrides()) {
        Ok(config) => config,
        Err(errors) => {
            complain(&errors);
            return ExitCode::from(WRONG_CONFIGURATION);
        }
    };
    tracing_setup::start(&config.log.level, config.log.format);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    match App::build(config).and_then(App::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}
