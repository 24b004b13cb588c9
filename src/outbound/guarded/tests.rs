//! Hosts that lie, stall, flood and redirect, on loopback addresses of which some stand for the public internet.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
const LIMIT: usize = 5 * 1024;

/// Stands for the public internet; every other loopback address stands for our own network.
const PUBLIC: [u8; 4] = [127, 0, 0, 2];

fn is_public_here(address: IpAddr) -> bool {
    address == IpAddr::from(PUBLIC)
}

/// Answers each question with the next of its answers, the last one for ever.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Script {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(addresses).collect()), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Resolver for Script {
    async fn addresses(&self, _host: &str) -> std::io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        Ok(if answers.len() > 1 { answers.pop_front().unwrap() } else { answers.front().cloned().unwrap_or_default() })
    }
}

fn settings() -> GuardSettings {
    GuardSettings { allow_loopback: true, ..GuardSettings::default() }
}

fn guard(settings: GuardSettings, resolver: Arc<Script>) -> Guarded {
    Guarded::with(settings, resolver, is_public_here, reqwest::Client::builder()).unwrap()
}

/// A guard for which every name leads to the public address.
fn open_guard(settings: GuardSettings) -> Guarded {
    guard(settings, Script::new(&[&["127.0.0.2"]]))
}

/// A server that notes what it was asked.
#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    request: Mutex<String>,
}

async fn listen(address: impl Into<IpAddr>, port: u16) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((address.into(), port)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn head_of(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Serves `answer`, and what follows `|` in it without end. A whole document leaves the connection open for the next
/// request, which must not come.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Seen, answer: &[u8]) {
    let (start, rest) = answer.split_at(answer.iter().position(|byte| *byte == b'|').unwrap_or(answer.len()));
    loop {
        let request = head_of(&mut stream).await;
        if request.is_empty() {
            return;
        }
        *seen.request.lock().unwrap() = request;
        seen.most_open.fetch_max(seen.open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
        let mut sound = stream.write_all(start).await.is_ok();
        while sound && let Some((_, endless)) = rest.split_first() {
            if endless.is_empty() {
                std::future::pending::<()>().await;
            }
            sound = stream.write_all(endless).await.is_ok();
            tokio::task::yield_now().await;
        }
        seen.open.fetch_sub(1, Ordering::SeqCst);
        if !answer.ends_with(b"{}") {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// Starts a server on the public address; `text` up to `|` is sent once and what follows without end.
async fn serve(text: impl Into<Vec<u8>>) -> (Arc<Seen>, u16) {
    let (listener, address) = listen(PUBLIC, 0).await;
    let (seen, text) = (Arc::new(Seen::default()), Arc::new(text.into()));
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            let (seen, text) = (Arc::clone(&shared), Arc::clone(&text));
            tokio::spawn(async move { answer(stream, &seen, &text).await });
        }
    });
    (seen, address.port())
}

fn url(port: u16, path: &str) -> Url {
    Url::parse(&format!("http://client.localhost:{port}/{path}")).unwrap()
}

#[tokio::test]
async fn a_json_document_is_fetched_with_its_lifetime_and_a_plain_request() {
    let (seen, port) = serve(GOOD.replace("content-length", "cache-control: max-age=600\r\ncontent-length")).await;
    let fetched = open_guard(settings()).fetch(&url(port, "client.json"), LIMIT).await.unwrap();
    assert_eq!(*fetched, Fetched { body: b"{}".to_vec(), fresh_for: Some(Duration::from_secs(600)) });
    let request = seen.request.lock().unwrap().to_ascii_lowercase();
    assert!(request.starts_with("get /client.json http/1.1\r\n"), "{request}");
    assert!(request.contains("accept: application/json"), "{request}");
    assert!(!request.contains("accept-encoding") && !request.contains("authorization"), "{request}");
}

#[test]
fn proxies_that_the_environment_names_are_not_used() {
    // The same fetch in a process of its own, whose environment points at a port where nobody listens.
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "outbound::guarded::tests::a_json_document_is_fetched_with_its_lifetime_and_a_plain_request",
    ]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, "http://127.0.0.1:1");
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn what_is_no_plain_json_document_is_refused() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let long = format!("{ok}content-type: application/json\r\n\r\n{}", "x".repeat(LIMIT + 1));
    let announced =
        format!("{ok}content-type: application/json\r\ncontent-length: 99999999999\r\n\r\n|xxxxxxxxxxxxxxxx");
    let chunked = format!("{ok}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n|4\r\nxxxx\r\n");
    // 10 GB of zeroes would come out of such a stream: nothing is ever unpacked.
    let bomb = format!("{ok}content-type: application/json\r\ncontent-encoding: gzip\r\n\r\n\u{1f}|\u{0}\u{0}\u{0}");
    for (text, why) in [
        (long, FetchFailure::TooLarge),
        (announced, FetchFailure::TooLarge),
        (chunked, FetchFailure::TooLarge),
        (bomb, FetchFailure::NotJson),
        (GOOD.replace("application/json", "text/html"), FetchFailure::NotJson),
        (GOOD.replace("application/json", "application/jsonp"), FetchFailure::NotJson),
        (GOOD.replace("content-type", "x"), FetchFailure::NotJson),
        (GOOD.replace("200", "201"), FetchFailure::Status(201)),
        (GOOD.replace("200", "206"), FetchFailure::Status(206)),
        (GOOD.replace("200", "404"), FetchFailure::Status(404)),
        (GOOD.replace("200", "503"), FetchFailure::Status(503)),
    ] {
        let (_, port) = serve(text.clone()).await;
        assert_eq!(open_guard(settings()).fetch(&url(port, ""), LIMIT).await, Err(why), "{text:.120}");
    }
    let (_, port) = serve(GOOD.replace("application/json", "Application/Client+JSON; charset=utf-8")).await;
    assert!(open_guard(settings()).fetch(&url(port, ""), LIMIT).await.is_ok());
}

#[tokio::test]
async fn answers_without_end_are_cut_off() {
    let impatient = || GuardSettings { total_timeout: Duration::from_millis(300), ..settings() };
    let (_, silent) = serve("|").await;
    let (_, endless_head) = serve(format!("HTTP/1.1 200 OK\r\n|{}", "x: y\r\n".repeat(99))).await;
    let (_, one_long_header) = serve(format!("HTTP/1.1 200 OK\r\nx: |{}", "y".repeat(4096))).await;
    let (_, hints) = serve("|HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n").await;
    let (_, breaks_off) =
        serve("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{").await;
    for port in [endless_head, one_long_header, breaks_off] {
        let failure = open_guard(settings()).fetch(&url(port, ""), LIMIT).await.unwrap_err();
        assert!(matches!(failure, FetchFailure::Unreachable(_)), "{failure:?}");
    }
    for port in [silent, hints] {
        let failure = open_guard(impatient()).fetch(&url(port, ""), LIMIT).await;
        assert_eq!(failure, Err(FetchFailure::TimedOut));
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (inner, inner_port) = serve(GOOD).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: http://client.localhost:{inner_port}/\r\ncontent-length: 0\r\n\r\n");
        let (_, port) = serve(format!("HTTP/1.1 {status} Elsewhere\r\n{location}")).await;
        let failure = open_guard(settings()).fetch(&url(port, ""), LIMIT).await.unwrap_err();
        assert_eq!(failure, FetchFailure::Status(status));
    }
    assert_eq!(inner.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_address_meanwhile_leads_nowhere_else() {
    let (seen, port) = serve(GOOD).await;
    // The address inside our network listens on the same port.
    let (inner, _) = listen([127, 0, 0, 3], port).await;
    let resolver = Script::new(&[&["127.0.0.2"], &["127.0.0.3"]]);
    let guard = guard(settings(), Arc::clone(&resolver));
    guard.fetch(&url(port, ""), LIMIT).await.unwrap();
    assert_eq!((resolver.asked.load(Ordering::Relaxed), seen.connections.load(Ordering::SeqCst)), (1, 1));
    // The next fetch asks anew, keeps no connection, and is refused.
    let failure = guard.fetch(&url(port, ""), LIMIT).await;
    assert_eq!(failure, Err(FetchFailure::ForbiddenAddress([127, 0, 0, 3].into())));
    assert_eq!((resolver.asked.load(Ordering::Relaxed), seen.connections.load(Ordering::SeqCst)), (2, 1));
    let nobody_came = tokio::time::timeout(Duration::from_millis(50), inner.accept()).await.is_err();
    assert!(nobody_came);
}

#[tokio::test]
async fn one_address_that_is_not_public_spoils_the_name() {
    for (answer, bad) in [
        (&["127.0.0.1"][..], "127.0.0.1"),
        (&["8.8.8.8", "10.0.0.1"], "10.0.0.1"),
        (&["169.254.169.254", "8.8.8.8"], "169.254.169.254"),
        (&["::1"], "::1"),
        (&["2606:4700::1111", "::ffff:127.0.0.1"], "::ffff:127.0.0.1"),
        (&["::ffff:8.8.8.8"], "::ffff:8.8.8.8"),
        (&["64:ff9b::7f00:1"], "64:ff9b::7f00:1"),
        (&["fd00::1"], "fd00::1"),
    ] {
        let guard = Guarded::new(GuardSettings::default(), Script::new(&[answer])).unwrap();
        let failure = guard.fetch(&Url::parse("https://client.example/c.json").unwrap(), LIMIT).await;
        assert_eq!(failure, Err(FetchFailure::ForbiddenAddress(bad.parse().unwrap())), "{answer:?}");
    }
    let nowhere = Guarded::new(GuardSettings::default(), Script::new(&[])).unwrap();
    let failure = nowhere.fetch(&Url::parse("https://client.example/c.json").unwrap(), LIMIT).await;
    assert!(matches!(failure, Err(FetchFailure::Unreachable(_))), "{failure:?}");
}

#[tokio::test]
async fn urls_that_no_stranger_may_name_are_refused_without_a_question() {
    let resolver = Script::new(&[&["127.0.0.2"]]);
    let strict =
        Guarded::new(GuardSettings { more_ports: vec![8443], ..GuardSettings::default() }, resolver.clone()).unwrap();
    for text in [
        "http://client.example/c.json",
        "http://localhost/c.json",
        "http://127.0.0.1/c.json",
        "ftp://client.example/c.json",
        "file:///etc/passwd",
        "data:application/json,{}",
        "https://user@client.example/c.json",
        "https://:pass@client.example/c.json",
        "https://client.example/c.json#x",
        "https://client.example:80/c.json",
        "https://client.example:22/c.json",
        "https://localhost:8444/c.json",
        "https://127.0.0.1/c.json",
        "https://2130706433/c.json",
        "https://0x7f.0.0.1/c.json",
        "https://0177.0.0.1/c.json",
        "https://127.1/c.json",
        "https://0/c.json",
        "https://10.0.0.1/c.json",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/c.json",
        "https://[::]/c.json",
        "https://[::ffff:127.0.0.1]/c.json",
        "https://[::ffff:7f00:1]/c.json",
        "https://[64:ff9b::127.0.0.1]/c.json",
        "https://[fe80::1]/c.json",
        "https://[fd00::1]/c.json",
    ] {
        let failure = strict.fetch(&Url::parse(text).unwrap(), LIMIT).await.unwrap_err();
        assert!(matches!(failure, FetchFailure::Forbidden(_) | FetchFailure::ForbiddenAddress(_)), "{text}: {failure}");
    }
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 0);
    assert_eq!(strict.check(&Url::parse("https://client.example:8443/c.json").unwrap()), Ok(()));
}

#[tokio::test]
async fn development_opens_this_machine_and_nothing_else() {
    let development = Guarded::new(settings(), Script::new(&[&["10.0.0.1"]])).unwrap();
    for text in ["http://localhost:8080/c.json", "http://127.0.0.1/c.json", "https://[::1]:8443/c.json"] {
        assert_eq!(development.check(&Url::parse(text).unwrap()), Ok(()), "{text}");
    }
    for text in [
        "http://client.example/c.json",
        "http://10.0.0.1/c.json",
        "https://10.0.0.1/c.json",
        "https://client.example:8443/",
    ] {
        assert!(development.check(&Url::parse(text).unwrap()).is_err(), "{text}");
    }
    // A name for this machine that leads elsewhere.
    let failure = development.fetch(&Url::parse("http://client.localhost/c.json").unwrap(), LIMIT).await;
    assert_eq!(failure, Err(FetchFailure::ForbiddenAddress("10.0.0.1".parse().unwrap())));
}

#[tokio::test]
async fn few_fetches_run_at_once_and_one_for_each_url() {
    let (seen, port) = serve(GOOD).await;
    let guard = open_guard(GuardSettings { at_once: 2, ..settings() });
    let urls: Vec<Url> = ["a", "b", "c", "d", "e"].map(|path| url(port, path)).into();
    let all = tokio::join!(
        guard.fetch(&urls[0], LIMIT),
        guard.fetch(&urls[1], LIMIT),
        guard.fetch(&urls[2], LIMIT),
        guard.fetch(&urls[3], LIMIT),
        guard.fetch(&urls[4], LIMIT),
    );
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok() && all.3.is_ok() && all.4.is_ok());
    assert!(seen.most_open.load(Ordering::SeqCst) <= 2);
    let (seen, port) = serve(GOOD).await;
    let same = url(port, "same");
    let all = tokio::join!(guard.fetch(&same, LIMIT), guard.fetch(&same, LIMIT), guard.fetch(&same, LIMIT));
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok());
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
}

/// Serves `GOOD` over TLS with the certificate of `client.localhost`.
async fn serve_tls() -> u16 {
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs};
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../../tests/data/client.localhost.key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let (listener, address) = listen(PUBLIC, 0).await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream, &Seen::default(), GOOD.as_bytes()).await;
            }
        }
    });
    address.port()
}

const CERTIFICATE: &[u8] = include_bytes!("../../../tests/data/client.localhost.crt.pem");

#[tokio::test]
async fn tls_proves_the_name_in_the_url_at_the_address_that_was_checked() {
    let port = serve_tls().await;
    let trusting = || {
        let root = reqwest::Certificate::from_pem(CERTIFICATE).unwrap();
        let builder = reqwest::Client::builder().tls_certs_merge([root]);
        Guarded::with(settings(), Script::new(&[&["127.0.0.2"]]), is_public_here, builder).unwrap()
    };
    let at = |host: &str| Url::parse(&format!("https://{host}:{port}/c.json")).unwrap();
    assert!(trusting().fetch(&at("client.localhost"), LIMIT).await.is_ok());
    for (guard, host) in [(trusting(), "other.localhost"), (open_guard(settings()), "client.localhost")] {
        let failure = guard.fetch(&at(host), LIMIT).await.unwrap_err();
        assert!(matches!(failure, FetchFailure::Unreachable(_)), "{host}: {failure}");
    }
}
