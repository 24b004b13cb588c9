//! Request targets that proxies and upstreams read differently: what is judged is what is forwarded, or it is refused.

use super::consistency::{has_one_reading, misjudged};
use super::{try_each, unless_refused};
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::stage::{OTHER_HOST, Stage};

through_each_proxy!(
    plain_targets_are_served,
    odd_targets_are_judged_as_they_are_forwarded,
    odd_targets_need_a_token,
    absolute_targets_are_judged_by_the_host_they_are_routed_to,
    odd_hosts_are_judged_as_they_are_routed,
);

/// One target per word. `\xNN` is that byte, `{host}` the authority, `{other}` the one of another protected host.
const TARGETS: &str = r#"
    /mcp/../other /mcp/./x /mcp/. /mcp/.. /mcp/x/../../other /../other /../../mcp /./mcp /mcp/... /mcp/..../x
    /mcp/%2e%2e/other /mcp/%2E%2E/other /mcp/.%2e/other /mcp/%2e./other /mcp/%2e/x /mcp%2e /%2e%2e/mcp /mcp/..%00/other
    /mcp/%252e%252e/other /mcp/%25252e%25252e/other /open/../../open/../other /mcp/../../../../etc/passwd /mcp/..

    /mcp%2fx /mcp%2F..%2Fother /mcp/..%2fother /mcp/..%2Fother /mcp/%2e%2e%2fother /mcp%252f..%252fother
    /mcp/..%252fother /mcp/..%c0%afother /mcp/..%e0%80%afother /mcp/..%ef%bc%8fother /mcp/%c0%ae%c0%ae/other
    //other ///other //mcp /mcp//x /mcp// /mcp//..//other //{other}/mcp /%2fother /%2f%2fother /mcp/%2f/other

    /mcp\x5c..\x5cother \x5cmcp /\x5cother /mcp%5cx /mcp/..%5cother /mcp%5C..%5Cother /mcp/..%255cother

    /mcp;x=y /mcp;/other /mcp/..;/other /mcp/..;x=y/other /mcp/;/../other /mcp%3bx /mcp/..%3b/other /mcp/.;/x /mcp/x;.js

    /mcp%00 /mcp%00/../other /mcp/x%00.html /mcp\x00 /mcp\x01 /mcp%0a /mcp%0d%0aX-Forwarded-User:%20root /mcp%09x
    /mcp\x09x /mcp\x0bx /mcp\x0cx /mcp\x0dx /mcp%7f /mcp\x7f /mcp%zz /mcp% /mcp%2 /mcp%u002e /mcp/%u2215other
    /mcp%ff /mcp%80 /mcp/%ed%a0%80 /mcp/%ed%b0%80

    /%6d%63%70 /%6Dcp/x /oth%65r /%6fther /mcp/%41 /mcp/%7e /mcp%20 /mcp%20/x /mcp/+ /mcp/%2b /mcp/%3a /mcp/%40

    /mcp/\xc3\xa9 /mcp/\xff /mcp\xe2\x88\x95other /mcp\xef\xbc\x8fother /mcp\xc0\xaf..\xc0\xafother
    /mcp/" /mcp/<x> /mcp/^ /mcp/` /mcp/{x} /mcp/| /mcp/' /mcp/[x] /mcp/*

    /mcp#x /mcp#/../other /mcp/x# /mcp?q=1#x /mcp%23x /mcp%3fx /mcp?/../other /mcp?q=%00 /mcp?q=\xff /mcp?a;b /mcp??
    /mcp?q=\x5c..\x5cother /mcp?%0d%0aX:y /mcp?\x00

    /MCP /Mcp/x /OTHER/x /mcP /mcp/X * mcp {host} http://{host} http:///mcp http:/mcp http:mcp ?x #x
"#;

/// Targets that every proxy forwards and the service allows. Without them the tables could pass by refusing everything.
const PLAIN: &str = "/mcp /mcp/ /mcp/x.y-z_~ /mcp/%C3%A9 /mcp?a=1?b=2&c=%26d /other/x /open/a/b/c /echo-request/x";

/// Absolute targets, each with the `Host` beside it.
const ABSOLUTE: &str = "
    http://{host}/mcp/x|{host}          http://{host}/mcp/x|{other}         http://{other}/mcp/x|{host}
    http://{other}/mcp/x|{other}        http://{host}/mcp/../other|{host}   HTTP://{host}/mcp/x|{host}
    https://{host}/other/x|{host}       ftp://{host}/mcp/x|{host}           http://user@{host}/mcp/x|{host}
    http://{host}@{other}/mcp/x|{host}  http://{other}@{host}/mcp/x|{host}  http://{other}#@{host}/mcp/x|{host}
    http://{host}?/mcp/x|{host}         http://{host}\\x5c@{other}/mcp/x|{host}  http://{host},{other}/mcp/x|{host}
";

/// Values of `Host`; `\xNN` as above.
const HOSTS: &str = r"
    MCP.example.com:{port} mcp.example.com.:{port} mcp.example.com..:{port} mcp.example.com:{port}:80
    mcp.example.com:0{port} mcp.example.com: mcp.example.com mcp.example.com:80 {other} {host},{other} {host}@{other}
    {other}@{host} {other}#{host} {host}#{other} {host}/other {other}/{host} {host}?{other} {host}\x5c{other}
    {host}\x00{other} {host}\x09{other} {host}%00 mcp%2eexample%2ecom:{port} http://{host} [::1] 127.0.0.1:{port} .
";

fn plain_targets_are_served(kind: Kind) {
    let stage = Stage::start(kind);
    let token = stage.master_token();
    let requests = words(&stage, PLAIN).map(|target| (shown(&target), stage.get(target).bearer(&token))).collect();
    try_each(&stage, requests, |outcome| match outcome.seen.len() {
        1 => misjudged(&stage, outcome),
        _ => Some(outcome.shown()),
    });
}

fn odd_targets_are_judged_as_they_are_forwarded(kind: Kind) {
    let stage = Stage::start(kind);
    let token = stage.master_token();
    let requests = words(&stage, TARGETS).map(|target| (shown(&target), stage.get(target).bearer(&token))).collect();
    try_each(&stage, requests, |outcome| misjudged(&stage, outcome));
}

fn odd_targets_need_a_token(kind: Kind) {
    let stage = Stage::start(kind);
    let requests = words(&stage, TARGETS).map(|target| (shown(&target), stage.get(target))).collect();
    try_each(&stage, requests, unless_refused);
}

/// The token is good on both hosts; the upstream is this host's.
fn absolute_targets_are_judged_by_the_host_they_are_routed_to(kind: Kind) {
    let stage = Stage::start(kind);
    let token = token_of_both_hosts(&stage);
    let requests = words(&stage, ABSOLUTE).map(|word| {
        let split = word.iter().position(|byte| *byte == b'|').unwrap();
        let request = Request::get(&word[..split]).header("Host", &word[split + 1..]).bearer(&token);
        (shown(&word), request)
    });
    try_each(&stage, requests.collect(), |outcome| misjudged(&stage, outcome));
}

fn odd_hosts_are_judged_as_they_are_routed(kind: Kind) {
    let stage = Stage::start(kind);
    let token = token_of_both_hosts(&stage);
    let hosts = words(&stage, HOSTS).chain([Vec::new()]);
    let requests = hosts.map(|host| (shown(&host), Request::get("/mcp/x").header("Host", host).bearer(&token)));
    try_each(&stage, requests.collect(), |outcome| misjudged(&stage, outcome));
}

fn token_of_both_hosts(stage: &Stage) -> String {
    let resources = vec![stage.resource("/mcp"), stage.resource("/other"), stage.other_host_resource()];
    stage.issuer.sign(&stage.token_for("/mcp").claim("aud", resources).claim("scope", "mcp:admin"))
}

fn words(stage: &Stage, table: &'static str) -> impl Iterator<Item = Vec<u8>> {
    let port = stage.proxy.port.to_string();
    let (host, other) = (stage.authority(), format!("{OTHER_HOST}:{port}"));
    table
        .split_whitespace()
        .map(move |word| unescaped(&word.replace("{host}", &host).replace("{other}", &other).replace("{port}", &port)))
}

/// Reads `\xNN`.
fn unescaped(word: &str) -> Vec<u8> {
    let mut parts = word.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[test]
fn paths_with_a_second_reading_are_told_from_plain_ones() {
    for path in ["/a/../b", "/a/..", "/a//b", "/a%2fb", "/a%2E", "/a;b", "/a\\b", "/a%00", "/a b", "/\u{e9}", "a", ""] {
        assert!(!has_one_reading(path), "{path}");
    }
    for path in ["/", "/mcp", "/mcp/", "/a.b/c-d", "/%C3%A9", "/..."] {
        assert!(has_one_reading(path), "{path}");
    }
}
