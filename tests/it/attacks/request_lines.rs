//! Methods, versions and request lines in odd shapes, and more than one `Host`.

use super::consistency::misjudged;
use super::raw::try_each_raw;
use super::try_each;
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::stage::Stage;

through_each_proxy!(
    odd_methods_are_judged_as_they_are_forwarded,
    odd_request_lines_are_judged_as_they_are_forwarded,
    two_hosts_are_judged_as_they_are_routed,
);

fn odd_methods_are_judged_as_they_are_forwarded(kind: Kind) {
    let stage = Stage::start(kind);
    let methods = [
        "get",
        "Get",
        "post",
        "options",
        "OPTIONS",
        "HEAD",
        "PUT",
        "PATCH",
        "DELETE",
        "TRACE",
        "TRACK",
        "CONNECT",
        "PRI",
        "PROPFIND",
        "FOO",
        "GET\t",
        "G,ET",
        "GET:",
        "\u{e9}",
        "G\u{0}ET",
        "A-METHOD-LONGER-THAN-ANY-STANDARD-KNOWS",
    ];
    let ask = |method: &str| Request::new(method, "/mcp/x").host(&stage.authority()).bearer(&stage.master_token());
    let requests = methods.iter().map(|method| (method.escape_debug().to_string(), ask(method))).collect();
    try_each(&stage, requests, |outcome| misjudged(&stage, outcome));
}

fn odd_request_lines_are_judged_as_they_are_forwarded(kind: Kind) {
    let lines = [
        "GET /mcp/x HTTP/1.1",
        "GET /mcp/x HTTP/1.0",
        "GET /mcp/x HTTP/0.9",
        "GET /mcp/x HTTP/1.2",
        "GET /mcp/x HTTP/2.0",
        "GET /mcp/x HTTP/1.10",
        "GET /mcp/x http/1.1",
        "GET /mcp/x HTTPS/1.1",
        "GET /mcp/x",
        "GET /mcp/x ",
        "GET  /mcp/x HTTP/1.1",
        "GET /mcp/x  HTTP/1.1",
        "GET\t/mcp/x\tHTTP/1.1",
        " GET /mcp/x HTTP/1.1",
        "\r\nGET /mcp/x HTTP/1.1",
        "\r\n\r\n\r\nGET /mcp/x HTTP/1.1",
        "GET /mcp/x HTTP/1.1 ",
        "GET /mcp/x /other HTTP/1.1",
        "GET /mcp/x HTTP/1.1 /other HTTP/1.1",
        "GET /mcp/x\u{0} HTTP/1.1",
        "GET /mcp/x\u{b}HTTP/1.1",
        "GET /mcp/x HTTP/1.1\r",
        "GET /mcp/x HTTP/1.1\r\n X: y",
        "PRI * HTTP/2.0",
    ];
    let mut templates: Vec<String> =
        lines.iter().map(|line| format!("{line}\r\n{{head}}Connection: close\r\n\r\n")).collect();
    templates.push("GET /mcp/x HTTP/1.1\n{head}Connection: close\n\n".to_owned());
    templates.push("GET /mcp/x HTTP/1.1\r{head}Connection: close\r\r".to_owned());
    try_each_raw(kind, &templates);
}

/// The first template has the right host twice; in the others the second name is another one, or hides.
fn two_hosts_are_judged_as_they_are_routed(kind: Kind) {
    let seconds = [
        "Host: {host}",
        "Host: other.example.com",
        "host: other.example.com",
        "HOST: other.example.com",
        "Host : other.example.com",
        "Host\t: other.example.com",
        " Host: other.example.com",
        "Host:",
        "Host: {host}, other.example.com",
        "X: y\nHost: other.example.com",
        "X-Host: other.example.com",
        "Connection: Host",
        ":authority: other.example.com",
    ];
    let first = "GET /mcp/x HTTP/1.1\r\n";
    let after = seconds.iter().map(|second| format!("{first}{{head}}{second}\r\nConnection: close\r\n\r\n"));
    let before = seconds.iter().map(|second| format!("{first}{second}\r\n{{head}}Connection: close\r\n\r\n"));
    let templates: Vec<String> = after.chain(before).collect();
    try_each_raw(kind, &templates);
}
