//! The command line, the health check of images without a shell, and a clean end.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};

use super::{RESOURCE, Stage, asking};
use crate::support::ports;
use crate::support::tools;
use crate::support::web::{Answer, Web};

fn run(arguments: &[&str]) -> (Output, String, String) {
    let output = Command::new(tools::service_binary()).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

#[test]
fn help_and_version_are_told() {
    let (output, out, err) = run(&["--version"]);
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""));
    assert_eq!(out, format!("mcp-forward-auth {}\n", env!("CARGO_PKG_VERSION")));
    let (output, out, _) = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    for word in ["serve", "check", "healthcheck", "--config", "--resource", "--issuer", "--listen", "--set", "McpAuth"]
    {
        assert!(out.contains(word), "--help does not tell {word}:\n{out}");
    }
    for command in ["serve", "check", "healthcheck"] {
        assert_eq!(run(&[command, "--help"]).0.status.code(), Some(0), "{command}");
    }
}

#[test]
fn healthcheck_ends_with_0_for_a_healthy_service_and_1_for_anything_else() {
    let stage = Stage::start("");
    let check = |port: u16| {
        let (output, out, err) = run(&["healthcheck", "--address", &format!("127.0.0.1:{port}")]);
        (output.status.code(), out, err)
    };
    assert_eq!(check(stage.service.port), (Some(0), String::new(), String::new()));

    let closed = ports::free();
    let (code, _, err) = check(closed);
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with(&format!("mcp-forward-auth: 127.0.0.1:{closed} cannot be asked: Connection refused")),
        "{err}"
    );

    for answer in [Answer::Status(500), Answer::Status(404), Answer::Redirect("/".into()), Answer::Json("{}".into())] {
        let web = Web::start();
        let healthy = matches!(answer, Answer::Json(_));
        web.answer("/health", answer.clone());
        let (code, _, err) = check(web.port());
        assert_eq!(code, Some(i32::from(!healthy)), "{answer:?}: {err}");
        assert_eq!(err.lines().count(), usize::from(!healthy), "{answer:?}: {err}");
    }
    // Takes the connection and says nothing: the check gives up by itself.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(check(silent.local_addr().unwrap().port()).0, Some(1));
}

/// Asks until nobody listens any more; tells the ids of the requests that were answered.
fn ask_to_the_end(port: u16, client: usize) -> Vec<String> {
    let ids = (0..).map(|index| format!("client-{client}-request-{index}"));
    let answered = |id: &String| asking(RESOURCE).header("X-Request-Id", id.as_str()).try_send(port).is_ok();
    ids.take_while(answered).collect()
}

/// Also the line of the very last answer, though lines are written in batches.
#[test]
fn sigterm_ends_it_cleanly_and_no_line_of_an_answer_is_lost() {
    let mut stage = Stage::start("");
    let port = stage.service.port;
    let clients: Vec<_> = (0..2).map(|client| std::thread::spawn(move || ask_to_the_end(port, client))).collect();
    stage.service.process.output_once_it_says("client-0-request-50");
    stage.service.process.output_once_it_says("client-1-request-50");
    let status = stage.service.process.terminate();
    let answered: Vec<String> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    let output = stage.service.process.output();
    assert_eq!(status.code(), Some(0), "{output}");
    let lost: Vec<&String> = answered.iter().filter(|id| !output.contains(&format!("\"{id}\""))).collect();
    assert!(lost.is_empty() && answered.len() > 100, "{} answered, without a line: {lost:?}", answered.len());
}

/// A proxy keeps connections open for a minute and more; they must not hold up the end.
#[test]
fn idle_connections_of_a_proxy_do_not_keep_it_alive() {
    let mut stage = Stage::start("");
    let mut idle: Vec<TcpStream> = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(("127.0.0.1", stage.service.port)).unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        idle.push(stream);
    }
    let status = stage.service.process.terminate();
    assert_eq!(status.code(), Some(0), "{}", stage.service.process.output());
    drop(idle);
}
