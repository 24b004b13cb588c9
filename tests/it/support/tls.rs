//! Requests over TLS to a proxy with a certificate of its own making, sent with curl.

use std::path::Path;
use std::process::Command;

use super::http::{Request, Response};
use super::tools;

/// Sends `request` to `https://host` at a port of this machine. `Host` is `host`, and the port stays 443 for the proxy.
pub fn send(request: &Request, host: &str, port: u16) -> Response {
    send_as(None, request, host, port)
}

/// The same with a client certificate: a file that holds it and its key.
pub fn send_as(certificate: Option<&Path>, request: &Request, host: &str, port: u16) -> Response {
    let target = String::from_utf8(request.target.clone()).unwrap();
    let mut command = Command::new(tools::tool("curl"));
    command.args(["--silent", "--show-error", "--include", "--raw", "--http1.1", "--path-as-is", "--max-time", "30"]);
    command.args(["--insecure", "--noproxy", "*", "--connect-to", &format!("::127.0.0.1:{port}")]);
    command.args(["--request", &request.method]);
    if let Some(certificate) = certificate {
        command.arg("--cert").arg(certificate);
    }
    for (name, value) in &request.headers {
        command.arg("--header").arg(String::from_utf8([name, &b": "[..], value].concat()).unwrap());
    }
    let output = command.arg(format!("https://{host}{target}")).output().unwrap();
    Response::parse(&output.stdout).unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(&output.stderr)))
}
