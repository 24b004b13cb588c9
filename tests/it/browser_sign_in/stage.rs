//! A proxy with the shipped files, the lines for `browser_sign_in` in them switched on, before an upstream that keeps
//! what it gets. The issuer has a host of its own.

use url::Url;

use crate::support::browser::{Browser, Page};
use crate::support::http::{Request, Response};
use crate::support::ports;
use crate::support::proxies::{Backends, Edit, Kind, Proxy};
use crate::support::service::Service;
use crate::support::upstream::{Seen, Upstream};

/// Where people read notes. Two more resources stand there, one of them for programs alone.
pub const HOST: &str = "notes.localhost";
/// A program's.
const MACHINE_SECRET: &str = "a-secret-that-is-long-enough-for-a-machine";
/// Where they sign in.
pub const ISSUER_HOST: &str = "auth.localhost";

pub struct Stage {
    pub service: Service,
    pub upstream: Upstream,
    pub proxy: Proxy,
}

impl Stage {
    pub fn start(kind: Kind) -> Self {
        Self::start_edited(kind, &|_, text| switched_on(&text))
    }

    /// With the proxy's files changed by `edit`, and nothing switched on.
    pub fn start_edited(kind: Kind, edit: &Edit<'_>) -> Self {
        let upstream = Upstream::start();
        let service_port = ports::free();
        let backends = Backends { service: service_port, upstream: upstream.port };
        let proxy = Proxy::start_on_host(kind, backends, edit, HOST);
        let service = Service::start_at(service_port, &config(&format!("http://{HOST}:{}", proxy.port), service_port));
        let mut stage = Self { service, upstream, proxy };
        stage.service.wait_until_ready();
        stage
    }

    /// The address of `target` on the protected host.
    pub fn url(&self, target: &str) -> Url {
        Url::parse(&format!("http://{HOST}:{}{target}", self.proxy.port)).unwrap()
    }

    /// The address of `target` on the issuer's.
    pub fn issuer_url(&self, target: &str) -> Url {
        Url::parse(&format!("http://{ISSUER_HOST}:{}{target}", self.service.port)).unwrap()
    }

    /// A request to the protected host, with the cookies of `browser`.
    pub fn request(&self, browser: &Browser, method: &str, target: &str) -> Request {
        let request = Request::new(method, target).host(&format!("{HOST}:{}", self.proxy.port));
        match browser.cookies_for(HOST) {
            none if none.is_empty() => request,
            cookies => request.header("Cookie", cookies),
        }
    }

    pub fn send(&self, request: &Request) -> Response {
        request.send(self.proxy.port)
    }

    /// A program's token for the resource at `path`.
    pub fn machine_token(&self, path: &str) -> String {
        machine_token(&self.service, self.url(path).as_str())
    }

    /// What reached the upstream at this target.
    pub fn seen(&self, target: &str) -> Vec<Seen> {
        self.upstream.seen().into_iter().filter(|seen| seen.target == target).collect()
    }
}

/// Opens a page, signs in, and tells where that ends.
pub fn sign_in(browser: &mut Browser, url: &Url, email: &str) -> Page {
    let form = browser.visit(url);
    let form_at = (form.url.host_str(), form.url.path());
    assert_eq!(form_at, (Some(ISSUER_HOST), "/sign-in/development"), "status {}", form.status);
    let forwarding = browser.submit(&form, &[("email", email)]);
    browser.follow(&forwarding)
}

/// A program's token for `resource`.
pub fn machine_token(service: &Service, resource: &str) -> String {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "machine"),
        ("client_secret", MACHINE_SECRET),
        ("resource", resource),
    ];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = Request::new("POST", "/token").host(&format!("{ISSUER_HOST}:{}", service.port));
    let answer = request.body("application/x-www-form-urlencoded", form).send(service.port);
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// The lines that are there for this option, without their comment signs.
fn switched_on(text: &str) -> String {
    text.replace("# - Cookie ", "- Cookie ")
        .replace("# proxy_set_header Cookie ", "proxy_set_header Cookie ")
        .replace("# Cookie      # with browser_sign_in", "Cookie      # with browser_sign_in")
}

/// Two resources with pages and one without, all on `origin`.
pub fn config(origin: &str, service_port: u16) -> String {
    format!(
        r#"
[log]
allows = 1.0

[[resources]]
url = "{origin}/mcp"
name = "Notes"
browser_sign_in = true
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com"]
allowed_clients = ["machine"]

[[resources]]
url = "{origin}/mail"
browser_sign_in = true
allowed_emails = ["alice@example.com", "bob@example.com"]

[[resources]]
url = "{origin}/programs"
allowed_emails = ["alice@example.com"]
allowed_clients = ["machine"]

[authorization_server]
issuer = "http://{ISSUER_HOST}:{service_port}"

[authorization_server.identity_provider]
kind = "development"

[[authorization_server.clients]]
client_id = "machine"
client_secret = "{MACHINE_SECRET}"
client_credentials = true
resources = ["{origin}/mcp", "{origin}/programs"]

[store]
url = "memory:"
"#
    )
}
