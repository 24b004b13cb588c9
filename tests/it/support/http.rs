//! HTTP by hand: tests send bytes that no client library would send, and see exactly what came back.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request that may be as malformed as a test wants.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub target: Vec<u8>,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, target: impl Into<Vec<u8>>) -> Self {
        Self { method: method.into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(target: impl Into<Vec<u8>>) -> Self {
        Self::new("GET", target)
    }

    #[must_use]
    pub fn header(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn host(self, host: &str) -> Self {
        self.header("Host", host)
    }

    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// Adds a body and its `Content-Length`.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Type", content_type).header("Content-Length", length)
    }

    /// The bytes on the wire, asking the server to close afterwards.
    pub fn bytes(&self) -> Vec<u8> {
        let says_itself = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"connection"));
        self.written(if says_itself { b"" } else { b"Connection: close\r\n" })
    }

    /// The bytes on the wire with these headers only, so that the connection stays open.
    pub fn bytes_as_given(&self) -> Vec<u8> {
        self.written(b"")
    }

    fn written(&self, last_header: &[u8]) -> Vec<u8> {
        let mut bytes = format!("{} ", self.method).into_bytes();
        bytes.extend(&self.target);
        bytes.extend(b" HTTP/1.1\r\n");
        for (name, value) in &self.headers {
            bytes.extend(name);
            bytes.extend(b": ");
            bytes.extend(value);
            bytes.extend(b"\r\n");
        }
        bytes.extend(last_header);
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }

    /// Sends it to a port of this machine and reads the answer to its end.
    pub fn send(&self, port: u16) -> Response {
        self.try_send(port).unwrap_or_else(|error| panic!("{} to port {port}: {error}", self.shown()))
    }

    pub fn try_send(&self, port: u16) -> std::io::Result<Response> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        // A server that refuses early may close before all is written: its answer counts all the same.
        let written = stream.write_all(&self.bytes());
        let mut bytes = Vec::new();
        let mut block = [0; 16 * 1024];
        while !is_complete(&bytes) {
            match stream.read(&mut block) {
                Ok(0) => break,
                Ok(length) => bytes.extend(&block[..length]),
                Err(_) if !bytes.is_empty() => break,
                Err(error) => return Err(written.err().unwrap_or(error)),
            }
        }
        Response::parse(&bytes).ok_or_else(|| std::io::Error::other("no HTTP answer"))
    }

    fn shown(&self) -> String {
        let target: String = String::from_utf8_lossy(&self.target).chars().take(80).collect();
        format!("{} {target}", self.method)
    }
}

/// A connection that stays open from one request to the next.
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Sends a request and reads its answer; `100 Continue` is none yet.
    pub fn send(&mut self, request: &Request) -> Response {
        self.write(&request.bytes_as_given());
        let mut answers = std::iter::from_fn(|| self.read());
        answers.find(|answer| answer.status >= 200).expect("an answer")
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next answer, told from its neighbours by its length; `None` when the server closed before its end.
    pub fn read(&mut self) -> Option<Response> {
        loop {
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = Response::parse(&self.unread[..end + 4]).expect("an HTTP answer");
                let body = &self.unread[end + 4..];
                if let Some(length) = body_length(&head, body).filter(|length| *length <= body.len()) {
                    let rest = self.unread.split_off(end + 4 + length);
                    return Response::parse(&std::mem::replace(&mut self.unread, rest));
                }
            }
            let mut block = [0; 16 * 1024];
            match self.stream.read(&mut block) {
                Ok(0) => return None,
                Ok(length) => self.unread.extend(&block[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer: {error}"),
            }
        }
    }
}

/// An answer, with its headers in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Reads a whole answer; chunked bodies are put together.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let raw = &bytes[end + 4..];
        let mut answer = Self { status, headers, body: raw.to_vec() };
        if answer.is_chunked() {
            answer.body = unchunk(raw);
        }
        Some(answer)
    }

    fn is_chunked(&self) -> bool {
        self.all("transfer-encoding").iter().any(|coding| coding.contains("chunked"))
    }

    /// The only value of a header; `None` when absent, a panic when repeated.
    pub fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() <= 1, "{name} occurs {} times: {all:?}", all.len());
        all.first().copied()
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value).collect()
    }

    /// The reason code of a refusal; empty in every other answer.
    pub fn reason(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["reason"].as_str().unwrap_or("").to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("status {}: no JSON ({error}): {}", self.status, self.text()))
    }
}

/// An answer that tells its length ends there: Envoy, for one, takes a second to close after a refusal.
fn is_complete(bytes: &[u8]) -> bool {
    let Some(answer) = Response::parse(bytes) else { return false };
    let length = answer.all("content-length").first().and_then(|length| length.parse().ok());
    length.is_some_and(|length: usize| answer.body.len() >= length)
}

/// How much of `raw` belongs to the answer with this head; `None` while that cannot be told.
fn body_length(head: &Response, raw: &[u8]) -> Option<usize> {
    const LAST: &[u8] = b"0\r\n\r\n";
    if head.is_chunked() {
        return raw.windows(LAST.len()).position(|window| window == LAST).map(|start| start + LAST.len());
    }
    Some(head.header("content-length").map_or(0, |length| length.parse().unwrap()))
}

/// Puts the pieces of a chunked body together.
pub fn unchunk(mut raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|window| window == b"\r\n") {
        let line = String::from_utf8_lossy(&raw[..end]).into_owned();
        let size = usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16).unwrap_or(0);
        if size == 0 || raw.len() < end + 2 + size {
            break;
        }
        body.extend(&raw[end + 2..end + 2 + size]);
        raw = raw.get(end + 4 + size..).unwrap_or(b"");
    }
    body
}
