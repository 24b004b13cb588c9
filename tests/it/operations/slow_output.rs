//! Standard output that nobody reads: decisions go on, what is lost is counted, and the process still ends.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::Command;

use super::{RESOURCE, asking};
use crate::support::http::Connection;
use crate::support::issuer::TestIssuer;
use crate::support::process::{TempDir, eventually};
use crate::support::service::Service;
use crate::support::{ports, tools};

/// The service with a pipe for its output, and the end to read from.
fn start(issuer: &TestIssuer) -> (Service, File) {
    let (port, admin, folder) = (ports::free(), ports::free(), TempDir::new());
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\nadmin_listen = \"127.0.0.1:{admin}\"\n[[issuers]]\nissuer = \"{}\"\n\
         [[resources]]\nurl = \"{RESOURCE}\"\nallow_any_authenticated = true\n",
        issuer.url()
    );
    let (file, pipe) = (folder.write("config.toml", &config), folder.path().join("pipe"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // For both directions: else to open it waits for the other end.
    let reader = File::options().read(true).write(true).open(&pipe).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "pipe=$1; shift; exec \"$@\" >\"$pipe\"", "sh"]);
    command.arg(pipe).arg(tools::service_binary()).args(["serve", "--config"]).arg(file);
    (Service::launch(port, admin, folder, &mut command), reader)
}

fn dropped(service: &Service) -> u64 {
    service.counted("mcp_forward_auth_log_lines_dropped_total ")
}

/// Asks until lines were dropped; every answer is the refusal that it would be otherwise.
fn ask_until_lines_are_dropped(service: &Service) {
    let refused = asking(&format!("{RESOURCE}/{}", "x".repeat(300))).header("User-Agent", "y".repeat(300));
    let mut connection = Connection::open(service.port);
    for _ in 0..40 {
        for _ in 0..250 {
            assert_eq!(connection.send(&refused).status, 401);
        }
        if dropped(service) > 0 {
            return;
        }
    }
    panic!("ten thousand lines fit");
}

#[test]
fn an_output_that_hangs_delays_no_decision_and_the_lines_lost_are_counted() {
    let issuer = TestIssuer::start();
    let (mut service, pipe) = start(&issuer);
    ask_until_lines_are_dropped(&service);
    assert_eq!(service.admin("/healthz").status, 200);
    Command::new("kill").arg(service.process.id().to_string()).status().unwrap();
    let mut ended = None;
    eventually("an output that hangs does not keep the process alive", || {
        ended = service.process.ended();
        ended.is_some()
    });
    assert_eq!(ended.unwrap().code(), Some(0));
    drop(pipe);
}

#[test]
fn an_output_that_is_read_again_gets_whole_lines_as_many_as_were_not_counted_as_lost() {
    let issuer = TestIssuer::start();
    let (service, pipe) = start(&issuer);
    ask_until_lines_are_dropped(&service);
    let (asked, dropped) = (service.decisions(), dropped(&service));
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).expect("a whole line");
            if line["message"] == "decision" && sender.send(()).is_err() {
                return;
            }
        }
    });
    let mut written = 0;
    eventually("all other lines are written", || {
        written += lines.try_iter().map(|()| 1).sum::<u64>();
        written >= asked - dropped
    });
    assert_eq!(written, asked - dropped);
}
