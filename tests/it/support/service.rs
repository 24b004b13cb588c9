//! The service under test, as a process.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::http::{Request, Response};
use super::metrics::Metrics;
use super::process::{Process, TempDir, eventually};
use super::{ports, tools};

pub struct Service {
    pub process: Process,
    pub port: u16,
    pub admin_port: u16,
    _config: TempDir,
}

impl Service {
    /// Starts with `config` (without `[server]` addresses, which are chosen here) and waits until it is ready.
    pub fn start(config: &str) -> Self {
        let mut service = Self::start_unready(config);
        service.wait_until_ready();
        service
    }

    /// Starts and waits until it listens; the issuers' keys may be missing.
    pub fn start_unready(config: &str) -> Self {
        Self::start_at(ports::free(), config)
    }

    /// The same on a port that was chosen before.
    pub fn start_at(port: u16, config: &str) -> Self {
        Self::start_in(port, config, &[])
    }

    /// The same with variables in its environment.
    pub fn start_in(port: u16, config: &str, variables: &[(&str, String)]) -> Self {
        let admin_port = ports::free();
        let folder = TempDir::new();
        let file = folder.write("config.toml", config);
        let mut command = Command::new(tools::service_binary());
        command.arg("serve").arg("--config").arg(file).args(["--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--set", &format!("server.admin_listen=127.0.0.1:{admin_port}")]);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        Self::launch(port, admin_port, folder, &mut command)
    }

    /// Starts `command`, which must listen on these ports; for tests of the command line and the environment.
    pub fn launch(port: u16, admin_port: u16, folder: TempDir, command: &mut Command) -> Self {
        // An outgoing proxy of this machine's user could not reach the tests' issuers. `NO_PROXY=*` spares names only.
        let set: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
        for name in
            ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"]
        {
            if !set.iter().any(|known| known == name) {
                command.env_remove(name);
            }
        }
        let mut process = Process::start("mcp-forward-auth", command);
        process.wait_until("listening", || Request::get("/health").host("localhost").try_send(port).is_ok());
        Self { process, port, admin_port, _config: folder }
    }

    pub fn wait_until_ready(&mut self) {
        let admin_port = self.admin_port;
        self.process.wait_until("ready", || {
            Request::get("/readyz").host("localhost").try_send(admin_port).is_ok_and(|answer| answer.status == 200)
        });
    }

    /// Asks `/auth` as Traefik would.
    pub fn ask(&self, method: &str, url: &str, token: Option<&str>) -> Response {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let request = Request::get("/auth")
            .host("127.0.0.1")
            .header("X-Forwarded-Method", method)
            .header("X-Forwarded-Proto", scheme)
            .header("X-Forwarded-Host", host)
            .header("X-Forwarded-Uri", if path.is_empty() { "/" } else { path });
        match token {
            Some(token) => request.bearer(token).send(self.port),
            None => request.send(self.port),
        }
    }

    pub fn admin(&self, path: &str) -> Response {
        Request::get(path).host("localhost").send(self.admin_port)
    }

    /// How many decisions were made since the start.
    pub fn decisions(&self) -> u64 {
        self.counted("mcp_forward_auth_decisions_total{")
    }

    /// The sum of the counters whose lines start so.
    pub fn counted(&self, start: &str) -> u64 {
        let metrics = self.admin("/metrics").text();
        let values = metrics.lines().filter(|line| line.starts_with(start)).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<u64>().unwrap()).sum()
    }

    /// `/metrics`, read strictly.
    pub fn metrics(&self) -> Metrics {
        Metrics::parse(&self.admin("/metrics").text())
    }

    /// The decision lines written so far, as JSON.
    pub fn decision_lines(&self) -> Vec<serde_json::Value> {
        let output = self.process.output();
        let lines = output.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.filter(|line| line["message"] == "decision").collect()
    }

    /// Lines are written in batches, and in order: once that of a decision asked now is there, all earlier ones are.
    pub fn wait_for_log(&self) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let agent = format!("who-waits-for-the-log-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Request::get("/auth").host("localhost").header("User-Agent", &*agent).send(self.port);
        eventually("the decision log", || self.process.output().contains(&*agent));
    }

    /// What it printed up to now, with the lines of all that was answered.
    pub fn whole_output(&self) -> String {
        self.wait_for_log();
        self.process.output()
    }
}
