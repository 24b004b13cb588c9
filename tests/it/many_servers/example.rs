//! The example's processes: its own `run.sh`, Traefik with its files, the service with its configuration.

use std::net::TcpStream;
use std::process::Command;

use crate::support::http::Request;
use crate::support::issuer::TestIssuer;
use crate::support::process::{Process, TempDir, eventually};
use crate::support::proxies::renumbered;
use crate::support::service::Service;
use crate::support::{ports, tools};

/// All of it, running.
pub struct Example {
    pub issuer: TestIssuer,
    servers: Process,
    server_ports: [u16; 4],
    service: Service,
    traefik: Process,
    pub port: u16,
    /// Where `run.sh` may keep its files.
    state: TempDir,
    _folder: TempDir,
}

impl Example {
    pub fn start() -> Self {
        let issuer = TestIssuer::start();
        let (port, service_port) = (ports::free(), ports::free());
        let server_ports = [(); 4].map(|()| ports::free());
        let (state, folder) = (TempDir::new(), TempDir::new());
        let servers = start_servers(server_ports, &state);
        let traefik = start_traefik(port, service_port, server_ports, &folder);
        let service = start_service(&issuer, port, service_port);
        let mut example = Self { issuer, servers, server_ports, service, traefik, port, state, _folder: folder };
        example.wait_until_ready();
        example
    }

    fn wait_until_ready(&mut self) {
        self.servers.wait_until_it_says("all four are ready");
        let port = self.port;
        // Traefik answers 404 until it has read its routes.
        self.traefik.wait_until("routing", || {
            let answer = Request::get("/notes").host("mcp.example.com").try_send(port);
            answer.is_ok_and(|answer| answer.status != 404)
        });
        self.service.wait_until_ready();
    }

    /// What did not.
    pub fn stops_cleanly(&mut self) -> Vec<String> {
        let mark = format!("NOTES_PORT={}", self.server_ports[0]);
        let mut complaints = Vec::new();
        // run.sh, four servers, and the two that mcp-proxy starts.
        if processes_marked(&mark) != 7 {
            complaints.push(format!("{} processes run, not 7", processes_marked(&mark)));
        }
        let status = self.servers.terminate();
        if status.code() != Some(128 + 15) {
            complaints.push(format!("run.sh ended with {status}:\n{}", self.servers.output()));
        }
        eventually("no process of run.sh is left", || processes_marked(&mark) == 0);
        let listening = self.server_ports.iter().filter(|port| TcpStream::connect(("127.0.0.1", **port)).is_ok());
        complaints.extend(listening.map(|port| format!("port {port} is still open")));
        let left: Vec<_> = std::fs::read_dir(self.state.path()).unwrap().collect();
        if !left.is_empty() {
            complaints.push(format!("run.sh left {left:?}"));
        }
        for (name, process) in [("the service", &mut self.service.process), ("Traefik", &mut self.traefik)] {
            let status = process.terminate();
            if !status.success() {
                complaints.push(format!("{name} ended with {status}:\n{}", process.output()));
            }
        }
        complaints
    }
}

impl Drop for Example {
    /// A killed `run.sh` could not stop its servers.
    fn drop(&mut self) {
        let _ = self.servers.terminate();
    }
}

fn start_servers(ports: [u16; 4], state: &TempDir) -> Process {
    let names = ["NOTES_PORT", "EVERYTHING_PORT", "MEMORY_PORT", "FILES_PORT"];
    let environment = names.into_iter().zip(ports.map(|port| port.to_string()));
    let mut command = Command::new(tools::project().join("examples/many-servers/run.sh"));
    command.envs(environment).env("TMPDIR", state.path()).env("NO_PROXY", "*");
    Process::start("run.sh", &mut command)
}

/// The example's two files with other ports.
fn start_traefik(port: u16, service: u16, servers: [u16; 4], folder: &TempDir) -> Process {
    let [notes, everything, memory, files] = servers;
    let numbers =
        [("8080", port), ("11000", service), ("8001", notes), ("8002", everything), ("8003", memory), ("8004", files)];
    std::fs::create_dir_all(folder.path().join("examples/many-servers")).unwrap();
    for name in ["traefik.yml", "dynamic.yml"] {
        let path = format!("examples/many-servers/{name}");
        folder.write(&path, &renumbered(&shipped(&path), &numbers));
    }
    let mut command = Command::new(tools::tool("traefik"));
    command.current_dir(folder.path()).arg("--configFile=examples/many-servers/traefik.yml");
    Process::start("traefik", &mut command)
}

/// The example's configuration with another issuer, because the test must sign tokens, and with the port that Traefik
/// got, because it is part of each resource's URL. The service's own two addresses are overridden by its flags.
fn start_service(issuer: &TestIssuer, port: u16, service_port: u16) -> Service {
    let config = shipped("examples/many-servers/config.toml");
    let theirs = "https://idp.example.com/realms/main";
    assert_eq!(config.matches(theirs).count(), 1);
    let config = config.replace(theirs, &issuer.url());
    Service::start_at(service_port, &renumbered(&config, &[("8080", port)]))
}

fn shipped(path: &str) -> String {
    std::fs::read_to_string(tools::project().join(path)).unwrap()
}

/// How many processes have `mark` in their environment: `run.sh` and all that came from it.
fn processes_marked(mark: &str) -> usize {
    let environments = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("environ"));
    let texts = environments.filter_map(|path| std::fs::read(path).ok());
    texts.filter(|text| text.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())).count()
}
