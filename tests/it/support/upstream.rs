//! An upstream that takes whatever a proxy sends and keeps it as it came, a second request in a body included.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Where the answer's head comes at once and its body, `whole`, a moment later, as a server sends it that streams.
pub const IN_PARTS: &str = "/mcp/in-parts";
/// Where the connection is closed instead of an answer.
pub const HANG_UP: &str = "/mcp/hang-up";

/// A request as it reached the upstream; bytes are read as Latin-1, so that none is lost.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Answers [`IN_PARTS`] in two parts and [`HANG_UP`] not at all, and every other request with an empty 200 that carries
/// `X-Upstream: reached`.
pub struct Upstream {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    stopped: AtomicBool,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = super::ports::listen();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.stopped.load(Ordering::SeqCst) {
                    break;
                }
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.serve(stream));
            }
        });
        Self { port, shared }
    }

    /// Everything that came so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// What came with this `User-Agent`.
    pub fn seen_from(&self, agent: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.all("user-agent") == [agent]).collect()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    /// One connection, request after request, as a server with keep-alive reads them.
    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(mut seen) = read_head(&mut reader) {
            seen.body = read_body(&mut reader, &seen);
            let path = seen.path().to_owned();
            self.seen.lock().unwrap().push(seen);
            if path == HANG_UP || answer(&mut stream, path == IN_PARTS).is_err() {
                break;
            }
        }
    }
}

fn answer(stream: &mut TcpStream, in_parts: bool) -> std::io::Result<()> {
    if !in_parts {
        return stream.write_all(b"HTTP/1.1 200 OK\r\nX-Upstream: reached\r\nContent-Length: 0\r\n\r\n");
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    std::thread::sleep(Duration::from_millis(5));
    stream.write_all(b"5\r\nwhole\r\n0\r\n\r\n")
}

impl Seen {
    /// The values of a header, whose name is compared without case only.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value).collect()
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

fn read_head(reader: &mut impl BufRead) -> Option<Seen> {
    let request_line = read_line(reader)?;
    let mut parts = request_line.splitn(3, ' ').map(ToOwned::to_owned);
    let (method, target) = (parts.next()?, parts.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Some(Seen { method, target, headers, body: String::new() });
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok().filter(|length| *length > 0)?;
    Some(latin1(line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n"))?))
}

fn read_body(reader: &mut impl BufRead, seen: &Seen) -> String {
    if seen.all("transfer-encoding").iter().any(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return read_chunks(reader).unwrap_or_default();
    }
    let length = seen.all("content-length").first().and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).map(|()| latin1(&body)).unwrap_or_default()
}

fn read_chunks(reader: &mut impl BufRead) -> Option<String> {
    let mut body = String::new();
    loop {
        let line = read_line(reader)?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            // Trailers are no headers: they are read and forgotten.
            while !read_line(reader)?.is_empty() {}
            return Some(body);
        }
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk).ok()?;
        body.push_str(&latin1(&chunk));
        read_line(reader)?;
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
