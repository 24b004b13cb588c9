//! The demo: what it promises comes true behind each proxy, and nothing is left of it however it ends.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::http::Request;
use crate::support::ports;
use crate::support::process::{Process, TempDir, eventually};
use crate::support::proxies::Kind;
use crate::support::tools;

/// The demo keeps its files in `folder`, which must be empty again in the end. It ends with the test, even when that is
/// interrupted: a demo that was forgotten would stay for hours.
fn demo(folder: &TempDir, kind: Kind, port: u16) -> Command {
    let mut command = Command::new(tools::tool("setpriv"));
    command.args(["--pdeathsig", "TERM", "--"]);
    command.arg(tools::tool("python")).arg(tools::project().join("scripts/demo.py"));
    command.args(["--proxy", kind.folder(), "--port", &port.to_string()]);
    command.env("MCP_FORWARD_AUTH_BINARY", tools::service_binary()).env("TMPDIR", folder.path());
    command
}

/// What still runs or lies in `folder`. Every part of the demo works in there.
fn left_in(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().display().to_string());
    let running = processes_in(folder).into_iter().map(|(id, program)| format!("process {id}, {program}"));
    files.chain(running).collect()
}

/// Number and command line of each process whose working directory lies in `folder`.
fn processes_in(folder: &Path) -> Vec<(u32, String)> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.unwrap().path();
        let id = entry.file_name()?.to_str()?.parse().ok()?;
        let works_in = fs::read_link(entry.join("cwd")).ok()?;
        let command = fs::read(entry.join("cmdline")).ok()?;
        works_in.starts_with(folder).then(|| (id, String::from_utf8_lossy(&command).replace('\0', " ")))
    });
    processes.collect()
}

fn keeps_its_promises(kind: Kind) {
    let folder = TempDir::new();
    let done = demo(&folder, kind, ports::free()).arg("--check").output().unwrap();
    let shown = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}\n{shown}", done.status);
    assert_eq!(shown.lines().filter(|line| line.starts_with("ok ")).count(), 5, "{shown}");
    assert_eq!(left_in(folder.path()), Vec::<String>::new());
}

#[test]
fn behind_traefik_clients_connect_are_refused_and_lose_their_access_as_the_demo_promises() {
    keeps_its_promises(Kind::Traefik);
}

#[test]
fn behind_envoy_clients_connect_are_refused_and_lose_their_access_as_the_demo_promises() {
    keeps_its_promises(Kind::Envoy);
}

#[test]
fn behind_nginx_clients_connect_are_refused_and_lose_their_access_as_the_demo_promises() {
    keeps_its_promises(Kind::Nginx);
}

#[test]
fn behind_caddy_clients_connect_are_refused_and_lose_their_access_as_the_demo_promises() {
    keeps_its_promises(Kind::Caddy);
}

/// A demo that is up, in a process group of its own as in a terminal.
struct Running {
    demo: Process,
    folder: TempDir,
    port: u16,
}

impl Running {
    fn start(kind: Kind) -> Self {
        let running = Self::start_until(kind, "Ctrl-C ends the demo");
        let open = listening_on(running.port);
        assert!(open.iter().all(|address| address == "127.0.0.1") && !open.is_empty(), "{kind:?} listens on {open:?}");
        running
    }

    /// Waits only until `text` is printed.
    fn start_until(kind: Kind, text: &str) -> Self {
        let (folder, port) = (TempDir::new(), ports::free());
        let mut demo = Process::start("demo", demo(&folder, kind, port).process_group(0));
        let printed = demo.folder().join("output");
        demo.wait_until(text, || fs::read_to_string(&printed).unwrap().contains(text));
        Self { demo, folder, port }
    }

    /// Sends `signal` to the demo, or to its group as a terminal does.
    fn signal(&self, signal: &str, whole_group: bool) {
        let group = if whole_group { "-" } else { "" };
        send(signal, &format!("{group}{}", self.demo.id()));
    }

    /// The process whose command line holds `program`.
    fn part(&self, program: &str) -> String {
        let parts = processes_in(self.folder.path());
        let found = parts.iter().find(|(_, command)| command.contains(program));
        found.unwrap_or_else(|| panic!("no {program} in {parts:?}")).0.to_string()
    }

    /// Waits for the end, and demands that nothing is left.
    fn ends_with(&mut self, code: i32) -> String {
        eventually("the demo has ended", || self.demo.ended().is_some());
        let status = self.demo.wait();
        let printed = self.demo.output();
        assert_eq!(status.code(), Some(code), "{printed}");
        assert_eq!(left_in(self.folder.path()), Vec::<String>::new(), "{printed}");
        assert_eq!(listening_on(self.port), Vec::<String>::new(), "{printed}");
        printed
    }
}

fn send(signal: &str, target: &str) {
    assert!(Command::new("kill").args([signal, "--", target]).status().unwrap().success(), "kill {signal} {target}");
}

/// The local addresses on which somebody listens at `port`.
fn listening_on(port: u16) -> Vec<String> {
    let sockets = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let lines = sockets.iter().flat_map(|table| table.lines());
    let listening = lines.filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, its_port) = fields[1].split_once(':')?;
        (fields[3] == "0A" && its_port == format!("{port:04X}")).then_some(address)
    });
    listening.map(|address| if address == "0100007F" { "127.0.0.1".into() } else { address.to_owned() }).collect()
}

#[test]
fn each_decision_is_shown_while_the_demo_runs() {
    let mut running = Running::start(Kind::Traefik);
    Request::get("/mcp").host(&format!("localhost:{}", running.port)).send(running.port);
    let printed = running.demo.folder().join("output");
    running.demo.wait_until("shown", || {
        let text = fs::read_to_string(&printed).unwrap();
        text.lines().last().unwrap().split_whitespace().skip(1).eq(["GET", "/mcp", "nobody", "401", "missing_token"])
    });
    running.signal("-INT", true);
    running.ends_with(0);
}

#[test]
fn what_is_printed_leads_somewhere_and_holds_no_colours_off_a_terminal() {
    let mut running = Running::start(Kind::Caddy);
    let printed = fs::read_to_string(running.demo.folder().join("output")).unwrap();
    let url = format!("http://localhost:{}/mcp", running.port);
    assert!(printed.contains(&format!("\n     {url}\n")), "{printed}");
    assert!(printed.contains(&format!("--server-url {url}\n")), "{printed}");
    assert!(!printed.contains('\x1b'), "{printed}");
    // A browser that nobody is signed in with is led to the sign-in, so it answers like this.
    for (path, status) in [("/connections", 303), ("/.well-known/oauth-authorization-server", 200)] {
        let answer = Request::get(path).host(&format!("localhost:{}", running.port)).send(running.port);
        assert_eq!((path, answer.status), (path, status));
    }
    let admin = printed.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    assert_eq!(Request::get("/readyz").host("127.0.0.1").send(admin.parse().unwrap()).status, 200);
    running.signal("-INT", true);
    running.ends_with(0);
}

#[test]
fn ctrl_c_ends_the_demo_and_leaves_nothing() {
    let mut running = Running::start(Kind::Traefik);
    running.signal("-INT", true);
    let printed = running.ends_with(0);
    assert!(printed.ends_with("Nothing of the demo is left.\n"), "{printed}");
}

#[test]
fn sigterm_ends_the_demo_and_leaves_nothing() {
    let mut running = Running::start(Kind::Envoy);
    running.signal("-TERM", false);
    running.ends_with(0);
}

#[test]
fn a_closed_terminal_ends_the_demo_and_leaves_nothing() {
    let mut running = Running::start(Kind::Caddy);
    running.signal("-HUP", true);
    running.ends_with(0);
}

#[test]
fn the_demo_ends_when_nobody_reads_what_it_prints() {
    let (folder, port) = (TempDir::new(), ports::free());
    let mut demo = demo(&folder, Kind::Envoy, port).stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(demo.stdout.take().unwrap()).lines();
    assert!(printed.any(|line| line.unwrap().contains("Ctrl-C ends the demo")));
    drop(printed);
    eventually("the demo has ended", || demo.try_wait().unwrap().is_some());
    assert_eq!(left_in(folder.path()), Vec::<String>::new());
}

#[test]
fn ctrl_c_ends_a_demo_that_is_still_starting() {
    let mut running = Running::start_until(Kind::Traefik, "Starting");
    running.signal("-INT", true);
    running.ends_with(0);
}

#[test]
fn a_part_that_dies_is_named_with_its_last_words_and_nothing_is_left() {
    // Of nginx the master dies, and its workers would go on.
    for (part, name, last_words) in [
        ("nginx: master", "nginx", "It wrote nothing."),
        ("mcp-forward-auth serve", "mcp-forward-auth", "\"message\":\"listening\""),
        ("server.py", "MCP server", "listening on http://127.0.0.1:"),
    ] {
        let mut running = Running::start(Kind::Nginx);
        send("-KILL", &running.part(part));
        let printed = running.ends_with(1);
        assert!(printed.contains(&format!("{name} was killed by SIGKILL.")), "{printed}");
        assert!(printed.contains(last_words), "{printed}");
    }
}

#[test]
fn ctrl_c_ends_a_check_and_leaves_nothing() {
    let (folder, port) = (TempDir::new(), ports::free());
    let mut demo = Process::start("demo", demo(&folder, Kind::Traefik, port).arg("--check").process_group(0));
    let printed = demo.folder().join("output");
    demo.wait_until("playing", || fs::read_to_string(&printed).unwrap().contains("Nobody"));
    send("-INT", &format!("-{}", demo.id()));
    eventually("the demo has ended", || demo.ended().is_some());
    assert_eq!(demo.wait().code(), Some(1), "{}", demo.output());
    assert_eq!(left_in(folder.path()), Vec::<String>::new());
}

#[test]
fn a_killed_demo_takes_its_parts_along() {
    let mut running = Running::start(Kind::Nginx);
    running.signal("-KILL", false);
    running.demo.wait();
    eventually("every part has ended", || processes_in(running.folder.path()).is_empty());
}

#[test]
fn a_taken_port_is_named_with_a_way_out() {
    let (folder, port) = (TempDir::new(), ports::free());
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let done = demo(&folder, Kind::Traefik, port).output().unwrap();
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains(&format!("Port {port} is taken.")), "{complaint}");
    assert!(complaint.contains("make demo PORT="), "{complaint}");
    assert_eq!(left_in(folder.path()), Vec::<String>::new());
}
