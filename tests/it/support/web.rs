//! A small web server inside the test, for documents that an issuer serves well or badly.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a path answers.
#[derive(Debug, Clone)]
pub enum Answer {
    Json(String),
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
}

/// A server on a port of its own; it stops with the value.
pub struct Web {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<Vec<(String, Answer)>>,
    requests: Mutex<Vec<String>>,
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
        self.shared.requests.lock().unwrap().iter().filter(|known| *known == path).count()
    }

    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
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
        let mut header = String::new();
        while reader.read_line(&mut header).is_ok_and(|length| length > 2) {
            header.clear();
        }
        let path = line.split(' ').nth(1).unwrap_or("").to_owned();
        self.requests.lock().unwrap().push(path.clone());
        self.count.fetch_add(1, Ordering::SeqCst);
        let is_meant = |known: &str| known.strip_prefix('*').map_or(known == path, |part| path.contains(part));
        let answers = self.answers.lock().unwrap().clone();
        let answer = answers.into_iter().find(|(known, _)| is_meant(known)).map(|(_, answer)| answer);
        let _ = write_answer(stream, answer.unwrap_or(Answer::Status(404)));
    }
}

fn json(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn write_answer(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    match answer {
        Answer::Json(body) => stream.write_all(json(&body).as_bytes()),
        Answer::Slow(delay, body) => {
            std::thread::sleep(delay);
            stream.write_all(json(&body).as_bytes())
        }
        Answer::Status(status) => {
            write!(stream, "HTTP/1.1 {status} Status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Answer::Redirect(to) => {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
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
