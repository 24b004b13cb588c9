//! The outside world on this machine: hosts of the internet by their real names, reached through an outgoing proxy and
//! vouched for by an authority that only those trust who are told to. The service under test is configured as in real life.

use std::process::Command;

use super::process::{Process, TempDir};
use super::tools;
use super::web::Web;

pub struct Outside {
    _process: Process,
    folder: TempDir,
    port: u16,
}

impl Outside {
    /// A world of these hosts, each with the server that answers for it. There is nothing else in it.
    pub fn of(hosts: &[(&str, &Web)]) -> Self {
        let folder = TempDir::new();
        let mut command = Command::new(tools::tool("python"));
        command.arg(tools::project().join("tests/issuer/outside.py"));
        command.arg("--authority").arg(folder.path().join("authority.pem"));
        command.args(hosts.iter().map(|(name, web)| format!("--host={name}={}", web.port())));
        let mut process = Process::start("outside", &mut command);
        let port = process.output_once_it_says("\n").trim().parse().unwrap();
        Self { _process: process, folder, port }
    }

    /// What sends a service there.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("HTTPS_PROXY", format!("http://127.0.0.1:{}", self.port)), ("SSL_CERT_FILE", self.authority())]
    }

    /// What sends a person of `tests/clients/python` there.
    pub fn options(&self) -> Vec<String> {
        vec![format!("--outside=127.0.0.1:{}", self.port), format!("--authority={}", self.authority())]
    }

    fn authority(&self) -> String {
        self.folder.path().join("authority.pem").display().to_string()
    }
}
