//! HTTP that two readers frame differently, and methods that are not what they look like.

use super::{Attack, Target, legacy};
use crate::support::http::Request;

pub fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = methods(target);
    attacks.extend(chunks(target));
    attacks.extend(pipelines(target));
    attacks.extend(cut(target));
    attacks
}

/// Not POST, yet with the body of a call.
fn methods(target: &Target) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for method in ["GET", "HEAD", "DELETE", "PUT", "PATCH", "OPTIONS", "QUERY", "post"] {
        let request = target.request(method).body("application/json", legacy("write"));
        attacks.push(Attack::new(format!("{method} with a body"), &request));
        let posing = request.header("X-HTTP-Method-Override", "POST").header("X-Method-Override", "POST");
        attacks.push(Attack::new(format!("{method} posing as POST"), &posing.header("X-HTTP-Method", "POST")));
    }
    let harmless = target.post(legacy("write")).header("X-HTTP-Method-Override", "GET");
    attacks.push(Attack::new("POST posing as GET", &harmless));
    let preflight =
        Request::new("OPTIONS", target.endpoint).host(&target.authority).header("Origin", "https://x.example");
    let preflight = preflight.header("Access-Control-Request-Method", "POST").body("application/json", legacy("write"));
    attacks.push(Attack::new("preflight with a body", &preflight));
    let in_query = Request { target: format!("{}?_method=POST", target.endpoint).into(), ..target.request("GET") };
    attacks.push(Attack::new("method in the query", &in_query.body("application/json", legacy("write"))));
    let old = String::from_utf8(target.post(legacy("write")).bytes()).unwrap().replacen("HTTP/1.1", "HTTP/1.0", 1);
    attacks.push(Attack::framing("HTTP/1.0", old.into_bytes()));
    let absolute = Request {
        target: format!("http://{}{}", target.authority, target.endpoint).into(),
        ..target.post(legacy("write"))
    };
    attacks.push(Attack::framing("absolute target", absolute.bytes()));
    attacks.push(Attack::framing("expectation", target.post(legacy("write")).header("Expect", "100-continue").bytes()));
    attacks.push(Attack::framing("another expectation", target.post(legacy("write")).header("Expect", "x").bytes()));
    let upgrade = target.post(legacy("write")).header("Connection", "Upgrade").header("Upgrade", "websocket");
    attacks.push(Attack::framing("upgrade", upgrade.bytes()));
    for attack in &mut attacks {
        attack.is_framing = true;
    }
    attacks
}

fn chunked(body: &str) -> Vec<u8> {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()
}

/// Lengths that contradict each other: one reader sees `read`, the other `write`, or a second request in the body.
fn chunks(target: &Target) -> Vec<Attack> {
    let typed = || target.bare().header("Content-Type", "application/json");
    let with = |headers: &[(&str, &str)], body: Vec<u8>| {
        let request = headers.iter().fold(typed(), |request, (name, value)| request.header(*name, *value));
        Request { body, ..request }.bytes()
    };
    let te = ("Transfer-Encoding", "chunked");
    let write = legacy("write");
    let hidden = [b"0\r\n\r\n".to_vec(), target.post(write.clone()).bytes()].concat();
    let length = hidden.len().to_string();
    let shorter = legacy("read").len().to_string();
    let read_then_write = [legacy("read").into_bytes(), target.post(write.clone()).bytes()].concat();
    let longer = read_then_write.len().to_string();
    let letters: Vec<String> = write.chars().map(|char| format!("1;x=\"y\"\r\n{char}\r\n")).collect();
    [
        ("chunked", with(&[te], chunked(&write))),
        ("in letters with extensions", with(&[te], format!("{}0\r\n\r\n", letters.concat()).into_bytes())),
        (
            "chunked with a trailer",
            with(
                &[te],
                format!("{:x}\r\n{write}\r\n0\r\nMcp-Name: read\r\nContent-Encoding: gzip\r\n\r\n", write.len())
                    .into_bytes(),
            ),
        ),
        ("chunked and a length", with(&[te, ("Content-Length", &length)], hidden.clone())),
        ("a length and chunked", with(&[("Content-Length", &length), te], hidden.clone())),
        (
            "a length, and chunked in disguise",
            with(&[("Content-Length", &length), ("Transfer-Encoding", "\tchunked")], hidden.clone()),
        ),
        (
            "a length, and a coding that is none",
            with(&[("Content-Length", &length), ("Transfer-Encoding", "xchunked")], hidden.clone()),
        ),
        ("chunked twice", with(&[te, te], chunked(&write))),
        ("chunked and identity", with(&[te, ("Transfer-Encoding", "identity")], chunked(&write))),
        ("packed and chunked", with(&[("Transfer-Encoding", "gzip, chunked")], chunked(&write))),
        ("a space before the colon", with(&[("Content-Length", &length), ("Transfer-Encoding ", "chunked")], hidden)),
        (
            "two lengths, the shorter first",
            with(&[("Content-Length", &shorter), ("Content-Length", &longer)], read_then_write.clone()),
        ),
        (
            "two lengths, the longer first",
            with(&[("Content-Length", &longer), ("Content-Length", &shorter)], read_then_write.clone()),
        ),
        (
            "two lengths in one line",
            with(&[("Content-Length", &format!("{shorter}, {longer}"))], read_then_write.clone()),
        ),
        ("a length with a sign", with(&[("Content-Length", &format!("+{}", write.len()))], write.clone().into_bytes())),
        ("no length", with(&[], write.clone().into_bytes())),
        (
            "a folded header",
            with(
                &[("Content-Length", &write.len().to_string()), ("Mcp-Name", "read\r\n ,write")],
                write.clone().into_bytes(),
            ),
        ),
        ("a length of zero", with(&[("Content-Length", "0")], write.into_bytes())),
    ]
    .map(|(name, wire)| Attack::framing(name, wire))
    .into()
}

/// Several requests on one connection.
fn pipelines(target: &Target) -> Vec<Attack> {
    let (read, write) = (target.post(legacy("read")), target.post(legacy("write")));
    let allowed = [read.bytes_as_given(), write.bytes()].concat();
    let stream = target.request("DELETE").header("Content-Length", "0");
    [
        Attack::framing("pipelined after a call", allowed),
        Attack::framing("pipelined after an end", [stream.bytes_as_given(), write.bytes()].concat()),
        Attack::framing("pipelined before a call", [write.bytes_as_given(), read.bytes()].concat()),
    ]
    .into_iter()
    .map(Attack::answered_twice)
    .collect()
}

/// Less than was announced.
fn cut(target: &Target) -> Vec<Attack> {
    let write = legacy("write");
    let longer = (write.len() + 10).to_string();
    let bare = || target.bare().header("Content-Type", "application/json");
    let short = Request { body: write.clone().into_bytes(), ..bare().header("Content-Length", longer) };
    let endless = Request {
        body: format!("{:x}\r\n{write}\r\n", write.len()).into_bytes(),
        ..bare().header("Transfer-Encoding", "chunked")
    };
    let half =
        Request { body: write.as_bytes()[..40].to_vec(), ..bare().header("Content-Length", write.len().to_string()) };
    [("shorter than announced", short), ("without the last chunk", endless), ("half of it", half)]
        .map(|(name, request)| Attack::framing(name, request.bytes()).then_hanging_up())
        .into()
}
