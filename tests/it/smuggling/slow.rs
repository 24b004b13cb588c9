//! Bodies that come slowly, or never, straight to the service as a proxy may stream them.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::legacy;
use crate::support::http::{Request, Response};
use crate::support::issuer::TestIssuer;
use crate::support::process::eventually;
use crate::support::service::Service;

const URL: &str = "http://mcp.example.com/mcp";

fn start(issuer: &TestIssuer) -> Service {
    let config = format!(
        "[server]\nbody_timeout = \"1s\"\n[[issuers]]\nissuer = \"{}\"\n[[resources]]\nurl = \"{URL}\"\n\
         insecure_http = true\nallow_any_authenticated = true\n[[resources.tool_rules]]\nnames = [\"write\"]\ndeny = true\n",
        issuer.url()
    );
    let mut service = Service::start(&config);
    service.wait_until_ready();
    service
}

/// The head of a question about a POST with a body of `length` bytes.
fn head(token: &str, length: usize) -> Request {
    let request = Request::new("POST", "/auth").host("localhost").header("X-Forwarded-Method", "POST");
    let request = request.header("X-Forwarded-Proto", "http").header("X-Forwarded-Host", "mcp.example.com");
    let request = request.header("X-Forwarded-Uri", "/mcp").header("Content-Type", "application/json");
    let request = request.header("Content-Length", length.to_string());
    if token.is_empty() { request } else { request.bearer(token) }
}

/// Sends the head and `pieces` of the body, and waits for the answer with the connection open.
fn ask(service: &Service, head: &Request, pieces: &[&[u8]]) -> Response {
    let mut stream = TcpStream::connect(("127.0.0.1", service.port)).unwrap();
    stream.write_all(&head.bytes_as_given()).unwrap();
    for piece in pieces {
        stream.write_all(piece).unwrap();
        stream.flush().unwrap();
    }
    let (mut answer, mut block) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(answer) = Response::parse(&answer) {
            return answer;
        }
        let length = stream.read(&mut block).unwrap();
        assert!(length > 0, "no answer");
        answer.extend(&block[..length]);
    }
}

#[test]
fn a_body_that_does_not_come_in_time_is_refused() {
    let issuer = TestIssuer::start();
    let service = start(&issuer);
    let token = issuer.sign(&issuer.token_for(URL));
    let body = legacy("read");
    for pieces in [vec![], vec![&body.as_bytes()[..1]], vec![&body.as_bytes()[..body.len() - 1]]] {
        let answer = ask(&service, &head(&token, body.len()), &pieces);
        assert_eq!((answer.status, &*answer.reason()), (403, "operation_unknown"), "{pieces:?}");
    }
    let pieces: Vec<&[u8]> = body.as_bytes().chunks(7).collect();
    assert_eq!(ask(&service, &head(&token, body.len()), &pieces).status, 200);
    let said = "the body did not arrive in time";
    eventually("the log", || service.decision_lines().iter().filter(|line| line["detail"] == said).count() == 3);
}

#[test]
fn strangers_are_refused_before_their_body_comes() {
    let issuer = TestIssuer::start();
    let service = start(&issuer);
    for token in ["", "x"] {
        assert_eq!(ask(&service, &head(token, 100_000), &[]).status, 401);
    }
    let foreign = issuer.sign(&issuer.token_for("http://other.example.com/mcp"));
    assert_eq!(ask(&service, &head(&foreign, 100_000), &[]).status, 401);
}
