//! The four proxies, each with the files that are shipped: only ports are changed.

use std::path::Path;
use std::process::Command;

use super::http::Request;
use super::process::{Process, TempDir};
use super::{ports, tools};

/// Which proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Traefik,
    Envoy,
    Nginx,
    Caddy,
}

/// What stands behind the proxy.
#[derive(Debug, Clone, Copy)]
pub struct Backends {
    /// The decision service.
    pub service: u16,
    /// The MCP server.
    pub upstream: u16,
}

pub struct Proxy {
    pub process: Process,
    pub port: u16,
    pub kind: Kind,
    _folder: TempDir,
}

/// A change to a shipped file, for tests that open a hole on purpose: the text must be there.
pub type Edit<'a> = dyn Fn(&str, String) -> String + 'a;

impl Proxy {
    /// Starts it with `edit` applied to each file (name, content).
    pub fn start_edited(kind: Kind, backends: Backends, edit: &Edit<'_>) -> Self {
        Self::start_on_host(kind, backends, edit, super::world::HOST)
    }

    /// The same for another host than the one in the files: one that every client on this machine can reach.
    pub fn start_on_host(kind: Kind, backends: Backends, edit: &Edit<'_>, host: &str) -> Self {
        let port = ports::free();
        let folder = TempDir::new();
        let source = tools::project().join(kind.folder());
        std::fs::create_dir(folder.path().join(kind.folder())).unwrap();
        for entry in std::fs::read_dir(&source).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let text = edit(&name, std::fs::read_to_string(&path).unwrap()).replace(super::world::HOST, host);
                folder.write(&format!("{}/{name}", kind.folder()), &with_ports(&text, port, backends));
            }
        }
        let mut process = Process::start(kind.folder(), &mut kind.command(folder.path()));
        // 404 means that Traefik listens but has not read its routes yet; any other answer comes from a route.
        process.wait_until("listening", || match Request::get("/mcp").host(host).try_send(port) {
            Ok(answer) => answer.status != 404,
            // Envoy takes connections once it has all that it needs; where it ends TLS it hangs up on this plain request.
            Err(error) => kind == Kind::Envoy && error.kind() != std::io::ErrorKind::ConnectionRefused,
        });
        Self { process, port, kind, _folder: folder }
    }
}

impl Drop for Proxy {
    /// The workers of nginx would outlive a master that is killed, and go on listening.
    fn drop(&mut self) {
        if self.kind == Kind::Nginx {
            self.process.terminate();
        }
    }
}

impl Kind {
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Traefik => "traefik",
            Self::Envoy => "envoy",
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
        }
    }

    fn command(self, folder: &Path) -> Command {
        let file = |name: &str| folder.join(self.folder()).join(name).to_str().unwrap().to_owned();
        let mut command = Command::new(tools::tool(self.folder()));
        // Caddy keeps an identifier and locks in the user's folders.
        command.current_dir(folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        match self {
            Self::Traefik => command.arg(format!("--configFile={}", file("traefik.yml"))),
            Self::Envoy => command.args(["-c", &file("envoy.yaml"), "--disable-hot-restart", "--concurrency", "1"]),
            Self::Nginx => command.args(["-p", &file(""), "-c", &file("nginx.conf"), "-g", "daemon off;"]),
            Self::Caddy => command.args(["run", "--config", &file("Caddyfile"), "--adapter", "caddyfile"]),
        };
        command
    }
}

/// The shipped variant that sends the body to the service, in the place of the usual file.
pub fn with_body(name: &str, text: String) -> String {
    let variant = |file: &str| std::fs::read_to_string(tools::project().join(file)).unwrap();
    match name {
        "dynamic.yml" => variant("traefik/dynamic-with-body.yml"),
        "envoy.yaml" => variant("envoy/envoy-with-body.yaml"),
        _ => text,
    }
}

/// The three ports of the shipped files, nothing else.
pub fn with_ports(text: &str, proxy: u16, backends: Backends) -> String {
    renumbered(text, &[("8080", proxy), ("11000", backends.service), ("8000", backends.upstream)])
}

/// Replaces whole numbers: `8080` is replaced, the same digits within a longer number are not.
pub fn renumbered(text: &str, ports: &[(&str, u16)]) -> String {
    let mut result = String::new();
    let mut word = String::new();
    for char in text.chars().chain(std::iter::once('\n')) {
        if char.is_ascii_digit() {
            word.push(char);
            continue;
        }
        match ports.iter().find(|(known, _)| *known == word) {
            Some((_, port)) => result.push_str(&port.to_string()),
            None => result.push_str(&word),
        }
        word.clear();
        result.push(char);
    }
    result.pop();
    result
}
