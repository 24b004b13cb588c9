//! `healthcheck`: for images that hold nothing but this binary.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::complain;

/// Which service to ask.
#[derive(Debug, Clone, Args)]
pub struct HealthcheckFlags {
    /// Public listener of the service
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:11000")]
    address: SocketAddr,
}

const PATIENCE: Duration = Duration::from_secs(3);

/// Exit 0 when `/health` answers 200, else 1.
pub fn run(flags: &HealthcheckFlags) -> ExitCode {
    match ask(flags.address) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            complain(&format_args!("{} does not answer as a healthy service", flags.address));
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&format_args!("{} cannot be asked: {error}", flags.address));
            ExitCode::FAILURE
        }
    }
}

/// One request by hand: an HTTP client with TLS and redirects would be out of proportion.
fn ask(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}
