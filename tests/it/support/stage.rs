//! A proxy with the shipped files between an attacker and an upstream that keeps what it gets.

use std::sync::atomic::{AtomicU32, Ordering};

use super::http::{Request, Response};
use super::issuer::{TestIssuer, Token};
use super::ports;
use super::proxies::{Backends, Edit, Kind, Proxy};
use super::service::Service;
use super::upstream::{Seen, Upstream};
use super::world::HOST;

/// A second protected host. No shipped file routes it.
pub const OTHER_HOST: &str = "other.example.com";

pub struct Stage {
    pub issuer: TestIssuer,
    pub service: Service,
    pub upstream: Upstream,
    pub proxy: Proxy,
}

/// What one request led to.
#[derive(Debug)]
pub struct Outcome {
    /// `None` when the connection was closed without one.
    pub answer: Option<Response>,
    /// What the service logged about it, in order.
    pub judged: Vec<serde_json::Value>,
    /// What reached the upstream, in order.
    pub seen: Vec<Seen>,
}

impl Stage {
    pub fn start(kind: Kind) -> Self {
        Self::start_edited(kind, &|_, text| text)
    }

    /// With the proxy's files changed by `edit`.
    pub fn start_edited(kind: Kind, edit: &Edit<'_>) -> Self {
        Self::start_behind(|backends| Proxy::start_edited(kind, backends, edit))
    }

    /// With the proxy that `start` puts before these backends.
    pub fn start_behind(start: impl FnOnce(Backends) -> Proxy) -> Self {
        Self::start_configured(start, &config)
    }

    /// The same with a configuration of the service made from the issuer's identifier and the proxy's port.
    pub fn start_configured(start: impl FnOnce(Backends) -> Proxy, config: &dyn Fn(&str, u16) -> String) -> Self {
        let issuer = TestIssuer::start();
        let upstream = Upstream::start();
        let service_port = ports::free();
        let proxy = start(Backends { service: service_port, upstream: upstream.port });
        let mut service = Service::start_at(service_port, &config(&issuer.url(), proxy.port));
        service.wait_until_ready();
        Self { issuer, service, upstream, proxy }
    }

    /// `Host` as a client of the proxy sends it.
    pub fn authority(&self) -> String {
        format!("{HOST}:{}", self.proxy.port)
    }

    /// The resource at `path`, such as `/mcp`.
    pub fn resource(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority())
    }

    /// The resource at `/mcp` of the other host.
    pub fn other_host_resource(&self) -> String {
        format!("http://{OTHER_HOST}:{}/mcp", self.proxy.port)
    }

    /// Alice's token for `/mcp`, with the scope `mcp:read`.
    pub fn token(&self) -> String {
        self.issuer.sign(&self.token_for("/mcp"))
    }

    /// The same for the resource at `path`, unsigned.
    pub fn token_for(&self, path: &str) -> Token {
        self.issuer.token_for(&self.resource(path))
    }

    /// A token that is good for every resource of this host.
    pub fn master_token(&self) -> String {
        let resources = ["/mcp", "/other", "/open"].map(|path| self.resource(path));
        self.issuer.sign(&self.token_for("/mcp").claim("aud", resources.to_vec()).claim("scope", "mcp:admin"))
    }

    /// A GET request to the protected host.
    pub fn get(&self, target: impl Into<Vec<u8>>) -> Request {
        Request::get(target).host(&self.authority())
    }

    /// Sends `request` under a name of its own and tells what it led to.
    pub fn try_out(&self, request: Request) -> Outcome {
        self.try_out_all(vec![request]).remove(0)
    }

    /// Sends each request, one after the other, and tells what each led to.
    pub fn try_out_all(&self, requests: Vec<Request>) -> Vec<Outcome> {
        let send = |request: Request| {
            let agent = new_agent();
            let answer = request.header("User-Agent", &*agent).try_send(self.proxy.port);
            (agent, answer.ok())
        };
        let answers: Vec<_> = requests.into_iter().map(send).collect();
        self.outcomes(answers)
    }

    /// What the requests with these `User-Agent`s led to, each with its answer.
    pub fn outcomes(&self, answers: Vec<(String, Option<Response>)>) -> Vec<Outcome> {
        self.service.wait_for_log();
        let (lines, seen) = (self.service.decision_lines(), self.upstream.seen());
        let of = |(agent, answer): (String, _)| Outcome {
            answer,
            judged: lines.iter().filter(|line| line["user_agent"] == *agent).cloned().collect(),
            seen: seen.iter().filter(|seen| seen.all("user-agent") == [&*agent]).cloned().collect(),
        };
        answers.into_iter().map(of).collect()
    }
}

impl Outcome {
    /// The one request that reached the upstream.
    pub fn reached(&self) -> &Seen {
        assert_eq!(self.seen.len(), 1, "one request should have reached the upstream: {self:?}");
        &self.seen[0]
    }

    /// The status of the answer, 0 when there was none.
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }

    /// Everything about it, for a report.
    pub fn shown(&self) -> String {
        format!("status {}, judged {:?}, seen {:?}", self.status(), self.judged, self.seen)
    }

    /// Nothing reached the upstream, and the client was not told that all is well.
    pub fn is_refused(&self) -> bool {
        self.seen.is_empty() && !(200..300).contains(&self.status())
    }
}

/// A `User-Agent` that no other request carries: all four proxies hand it to the service and to the upstream.
pub fn new_agent() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("attacker-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Three resources on the host, each more open than the one before; one over TLS and one on another host that are more
/// open than their namesakes. Every decision is logged.
fn config(issuer: &str, port: u16) -> String {
    format!(
        r#"
[log]
allows = 1.0

[[issuers]]
issuer = "{issuer}"

[[resources]]
url = "http://{HOST}:{port}/other"
insecure_http = true
required_scopes = ["mcp:write"]
allowed_groups = ["staff"]

[[resources]]
url = "http://{HOST}:{port}/mcp"
insecure_http = true
also_paths = ["/sse", "/messages", "/echo-request"]
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com", "*@corp.example"]

[[resources]]
url = "http://{HOST}:{port}/open"
insecure_http = true
allow_any_authenticated = true

[[resources]]
url = "https://{HOST}:{port}/other"
allow_any_authenticated = true

[[resources]]
url = "http://{OTHER_HOST}:{port}/mcp"
insecure_http = true
allow_any_authenticated = true

[scopes.implies]
"mcp:admin" = ["mcp:write"]
"mcp:write" = ["mcp:read"]
"#
    )
}
