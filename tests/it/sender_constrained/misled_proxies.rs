//! Through each proxy with the shipped files: nothing that a client writes beside its proof changes what the proof is about.

use super::{Prover, THREADS};
use crate::support::http::Request;
use crate::support::proxies::{Kind, Proxy};
use crate::support::report::Report;
use crate::support::stage::{OTHER_HOST, Stage};
use crate::support::world::HOST;

macro_rules! through_each_proxy {
    ($($test:ident),+ $(,)?) => {
        mod traefik { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Traefik); })+ }
        mod envoy { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Envoy); })+ }
        mod nginx { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Nginx); })+ }
        mod caddy { $(#[test] fn $test() { super::$test(crate::support::proxies::Kind::Caddy); })+ }
    };
}

through_each_proxy!(a_proof_is_for_the_request_that_the_proxy_forwards, a_proof_used_many_times_at_once_counts_once);

/// A client at the proxy, with a token bound to its key.
struct Client {
    stage: Stage,
    prover: Prover,
    token: String,
}

/// A resource, and its namesakes over TLS and on another host.
fn config(issuer: &str, port: u16) -> String {
    let resources =
        [format!("http://{HOST}"), format!("https://{HOST}"), format!("http://{OTHER_HOST}")].map(|origin| {
            let plain = if origin.starts_with("https") { "" } else { "insecure_http = true\n" };
            format!("[[resources]]\nurl = \"{origin}:{port}/mcp\"\nallow_any_authenticated = true\n{plain}")
        });
    let server = format!("[server]\nworkers = {THREADS}\n[log]\nallows = 1.0\n");
    format!("{server}[[issuers]]\nissuer = \"{issuer}\"\n{}", resources.concat())
}

impl Client {
    fn start(kind: Kind) -> Self {
        let start = |backends| Proxy::start_edited(kind, backends, &|_, text| text);
        let (stage, prover) = (Stage::start_configured(start, &config), Prover::new("ES256"));
        // Good for all three: only the proof ties a request to one of them.
        let url = stage.resource("/mcp");
        let audience = [url.replacen("http:", "https:", 1), stage.other_host_resource(), url];
        let token = stage.issuer.sign(&prover.bind(stage.token_for("/mcp").claim("aud", audience.to_vec())));
        Self { stage, prover, token }
    }

    fn proof(&self, method: &str, url: &str) -> String {
        self.prover.signed(method, url, &self.token)
    }

    fn request(&self, method: &str, target: &str, proof: &str) -> Request {
        let request = Request::new(method, target).host(&self.stage.authority());
        request.header("Authorization", format!("DPoP {}", self.token)).header("DPoP", proof)
    }

    /// Each header says what the proof says, and the request something else.
    fn contradicted(&self) -> Vec<(String, Request)> {
        let url = self.stage.resource("/mcp");
        let below = format!("{url}/x");
        let elsewhere = self.stage.other_host_resource();
        let other_host = elsewhere.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
        let secure = url.replacen("http:", "https:", 1);
        let methods =
            ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Forwarded-Method", "X-Original-Method"];
        let methods = methods.map(|name| (name, "DELETE", ("DELETE", &url)));
        let paths =
            ["X-Forwarded-Uri", "X-Original-Uri", "X-Rewrite-Url"].map(|name| (name, "/mcp/x", ("GET", &below)));
        let others = [
            ("X-Original-Url", &*below, ("GET", &below)),
            ("X-Forwarded-Proto", "https", ("GET", &secure)),
            ("X-Forwarded-Ssl", "on", ("GET", &secure)),
            ("Forwarded", "proto=https", ("GET", &secure)),
            ("X-Forwarded-Host", other_host, ("GET", &elsewhere)),
            ("X-Original-Host", OTHER_HOST, ("GET", &elsewhere)),
        ];
        let all = methods.into_iter().chain(paths).chain(others);
        let row = |(name, value, (method, url)): (&str, &str, (&str, &String))| {
            let request = self.request("GET", "/mcp", &self.proof(method, url)).header(name, value);
            (format!("{name}: {value}"), request)
        };
        all.map(row).collect()
    }
}

fn a_proof_is_for_the_request_that_the_proxy_forwards(kind: Kind) {
    let client = Client::start(kind);
    let url = client.stage.resource("/mcp");
    let about = |method: &str, target: &str, proven: (&str, String)| {
        client.request(method, target, &client.proof(proven.0, &proven.1))
    };
    let used = client.proof("GET", &url);
    let fresh = client.proof("GET", &url);
    let both = format!("{}, {}", client.proof("GET", &url), client.proof("GET", &url));
    let mut rows: Vec<(String, bool, Request)> = [
        ("a HEAD with its proof", true, about("HEAD", "/mcp", ("HEAD", url.clone()))),
        ("a HEAD with the proof of a GET", false, about("HEAD", "/mcp", ("GET", url.clone()))),
        ("a GET with the proof of a HEAD", false, about("GET", "/mcp", ("HEAD", url.clone()))),
        ("a space in the path, as it was sent", true, about("GET", "/mcp/a%20b", ("GET", format!("{url}/a%20b")))),
        ("a space in the path, decoded", false, about("GET", "/mcp/a%20b", ("GET", format!("{url}/a b")))),
        ("a space in the path, encoded twice", false, about("GET", "/mcp/a%20b", ("GET", format!("{url}/a%2520b")))),
        ("a slash more in the path", false, about("GET", "/mcp/", ("GET", url.clone()))),
        ("a slash more in the proof", false, about("GET", "/mcp", ("GET", format!("{url}/")))),
        ("another case", false, about("GET", "/MCP", ("GET", url.clone()))),
        ("another case in both", false, about("GET", "/MCP", ("GET", client.stage.resource("/MCP")))),
        ("with a query", true, client.request("GET", "/mcp?x=1", &used)),
        ("the same proof with another query", false, client.request("GET", "/mcp?x=2", &used)),
        ("two proofs in one header", false, client.request("GET", "/mcp", &both)),
        ("the same proof in two headers", false, client.request("GET", "/mcp", &fresh).header("DPoP", &*fresh)),
        ("a proof and an empty header", false, client.request("GET", "/mcp", &fresh).header("DPoP", "")),
        ("an empty header and a proof", false, client.request("GET", "/mcp", "").header("dpop", &*fresh)),
        ("a proof and something else", false, client.request("GET", "/mcp", &fresh).header("DPoP", "x")),
        ("the proof that was in all of these", true, client.request("GET", "/mcp", &fresh)),
        ("without the port", false, about("GET", "/mcp", ("GET", "http://mcp.example.com/mcp".to_owned()))),
        (
            "no proof and its header dropped",
            false,
            client.request("GET", "/mcp", "").header("Connection", "close, DPoP"),
        ),
    ]
    .map(|(name, good, request)| (name.to_owned(), good, request))
    .into();
    rows.extend(client.contradicted().into_iter().map(|(name, request)| (name, false, request)));
    let mut report = Report::new(kind);
    let requests = rows.iter().map(|(_, _, request)| request.clone()).collect();
    for ((name, good, _), outcome) in rows.into_iter().zip(client.stage.try_out_all(requests)) {
        report.row(name);
        report.holds(outcome.seen.len() == usize::from(good), || outcome.shown());
        report.holds(good || outcome.is_refused(), || outcome.shown());
    }
    report.finish();
}

fn a_proof_used_many_times_at_once_counts_once(kind: Kind) {
    let client = Client::start(kind);
    let request = client.request("GET", "/mcp", &client.proof("GET", &client.stage.resource("/mcp")));
    let barrier = std::sync::Barrier::new(20);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = || {
            barrier.wait();
            request.send(client.stage.proxy.port).status
        };
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(401)), (1, 19), "{statuses:?}");
    assert_eq!(client.stage.upstream.seen().len(), 1);
}
