//! A small web server inside the test, for documents that an issuer serves well or badly.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a path answers.
#[derive(Debug, Clone)]
pub enum Answer {
    Json(String),
    /// JSON with another status than 200.
    StatusJson(u16, String),
    Status(u16),
    Redirect(String),
    /// Takes the request and says nothing.
    Hang,
    /// A body of this many bytes.
    Huge(usize),
    /// Answers, but only after a while.
    Slow(Duration, String),
    /// A body that comes byte by byte and never ends in time.
    Trickle,
    /// These bytes, and then silence on an open connection.
    Raw(String),
    /// What is made of the request.
    Made(Maker),
}

/// Makes an answer of a request.
#[derive(Clone)]
pub struct Maker(Arc<dyn Fn(&Received) -> Answer + Send + Sync>);

impl fmt::Debug for Maker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Maker")
    }
}

impl Answer {
    pub fn made(maker: impl Fn(&Received) -> Self + Send + Sync + 'static) -> Self {
        Self::Made(Maker(Arc::new(maker)))
    }

    /// The answer to `request`.
    fn to(self, request: &Received) -> Self {
        if let Self::Made(Maker(make)) = &self { make(request) } else { self }
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    /// With the query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// The value of a parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let mut parameters = url::form_urlencoded::parse(query.as_bytes());
        parameters.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The value of a field of the form.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut fields = url::form_urlencoded::parse(self.body.as_bytes());
        fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

/// A server on a port of its own; it stops with the value.
pub struct Web {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<Vec<(String, Answer)>>,
    requests: Mutex<Vec<Received>>,
    count: AtomicUsize,
    stopped: AtomicBool,
    down: AtomicBool,
}

impl Web {
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

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets what `path` answers from now on; every other path answers 404. With `*` in front it is any path with the rest
    /// in it.
    pub fn answer(&self, path: &str, answer: Answer) {
        let mut answers = self.shared.answers.lock().unwrap();
        answers.retain(|(known, _)| known != path);
        answers.push((path.to_owned(), answer));
    }

    /// While down, connections are closed without an answer.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// How many requests came for `path`.
    pub fn requests_for(&self, path: &str) -> usize {
        self.requests().iter().filter(|known| *known == path).count()
    }

    pub fn requests(&self) -> Vec<String> {
        self.received().into_iter().map(|request| request.target).collect()
    }

    /// All requests, whole.
    pub fn received(&self) -> Vec<Received> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The only request for `path` since they were forgotten.
    pub fn only_request_for(&self, path: &str) -> Received {
        let mut found: Vec<Received> = self.received().into_iter().filter(|request| request.target == path).collect();
        assert_eq!(found.len(), 1, "requests for {path}: {found:?}");
        found.remove(0)
    }

    /// Begins to count anew.
    pub fn forget_requests(&self) {
        self.shared.requests.lock().unwrap().clear();
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() || self.down.load(Ordering::SeqCst) {
            return;
        }
        let Some(request) = receive(&line, &mut reader) else { return };
        let path = request.target.clone();
        self.requests.lock().unwrap().push(request.clone());
        self.count.fetch_add(1, Ordering::SeqCst);
        let is_meant = |known: &str| known.strip_prefix('*').map_or(known == path, |part| path.contains(part));
        let answers = self.answers.lock().unwrap().clone();
        let answer = answers.into_iter().find(|(known, _)| is_meant(known)).map(|(_, answer)| answer);
        let _ = write_answer(stream, answer.unwrap_or(Answer::Status(404)).to(&request));
    }
}

/// The rest of a request whose first line is `line`. An unread body would reset the connection under the answer.
fn receive(line: &str, reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next().unwrap_or("").to_owned());
    let mut headers = Vec::new();
    let mut header = String::new();
    while reader.read_line(&mut header).is_ok_and(|length| length > 2) {
        if let Some((name, value)) = header.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        header.clear();
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Received { method, target, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

fn json(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn write_answer(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    match answer {
        Answer::Json(body) => stream.write_all(json(200, &body).as_bytes()),
        Answer::StatusJson(status, body) => stream.write_all(json(status, &body).as_bytes()),
        Answer::Slow(delay, body) => {
            std::thread::sleep(delay);
            stream.write_all(json(200, &body).as_bytes())
        }
        Answer::Status(status) => {
            write!(stream, "HTTP/1.1 {status} Status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Answer::Redirect(to) => {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        // It has become one of the others.
        Answer::Made(_) => Ok(()),
        Answer::Raw(text) => {
            stream.write_all(text.as_bytes())?;
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Answer::Hang => {
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Answer::Trickle => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n")?;
            (0..1000).try_for_each(|_| {
                std::thread::sleep(Duration::from_millis(100));
                stream.write_all(b" ")
            })
        }
        Answer::Huge(length) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
            let block = vec![b' '; 64 * 1024];
            let mut left = length;
            while left > 0 {
                let part = left.min(block.len());
                stream.write_all(&block[..part])?;
                left -= part;
            }
            Ok(())
        }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
