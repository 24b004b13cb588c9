//! What an operator sees and does: metrics, logs, health, the command line, the end.

mod decision_log;
mod health;
mod lifecycle;
mod master_key;
mod metrics;
mod secrets;
mod slow_output;

use crate::support::http::Request;
use crate::support::issuer::{SigningKey, TestIssuer, now};
use crate::support::service::Service;

const RESOURCE: &str = "https://mcp.example.com/mcp";
const AUDITED: &str = "https://mcp.example.com/audited";
const PROXY_SECRET: &str = "proxy-secret-0123456789";

/// The service with everything that can happen to a request: a good issuer, one that is down, rules of every kind.
struct Stage {
    issuer: TestIssuer,
    down: TestIssuer,
    service: Service,
}

impl Stage {
    /// Starts it with `log` as the keys of `[log]`.
    fn start(log: &str) -> Self {
        let (issuer, down) = (TestIssuer::start(), TestIssuer::start());
        down.web.set_down(true);
        let service = Service::start_unready(&format!(
            "[server]
proxy_secret = \"{PROXY_SECRET}\"
[log]
{log}
[[issuers]]
issuer = \"{}\"
[[issuers]]
issuer = \"{}\"
[[resources]]
url = \"{RESOURCE}\"
required_scopes = [\"mcp:read\"]
allowed_emails = [\"alice@example.com\"]
allowed_origins = [\"https://app.example.com\"]
[[resources]]
url = \"{AUDITED}\"
mode = \"audit\"
allowed_groups = [\"nobody\"]
",
            issuer.url(),
            down.url()
        ));
        let stage = Self { issuer, down, service };
        crate::support::process::eventually("the keys of the good issuer", || stage.send(&stage.allowed()) == 200);
        stage
    }

    fn send(&self, request: &Request) -> u16 {
        request.send(self.service.port).status
    }

    /// Alice's good token for `resource`, bent by `change`, and signed.
    fn token(&self, change: impl FnOnce(crate::support::issuer::Token) -> crate::support::issuer::Token) -> String {
        self.issuer.sign(&change(self.issuer.token_for(RESOURCE)))
    }

    fn allowed(&self) -> Request {
        asking(RESOURCE).bearer(&self.token(|token| token))
    }

    /// One request for every way a decision can end: outcome, reason, the resource that is counted, the request.
    fn every_outcome(&self) -> Vec<(&'static str, &'static str, &'static str, Request)> {
        let with = |change: fn(crate::support::issuer::Token) -> crate::support::issuer::Token| {
            asking(RESOURCE).bearer(&self.token(change))
        };
        let stranger = SigningKey::generate("key-1", "ES256");
        let forged = self.issuer.token_for(RESOURCE).signed_by(&stranger);
        let missing_header = Request::get("/auth").host("127.0.0.1").header("X-Proxy-Secret", PROXY_SECRET);
        let wrong_secret =
            without(asking(RESOURCE), "X-Proxy-Secret").header("X-Proxy-Secret", "wrong-secret-0123456789");
        let (refused, forbidden) = ("unauthenticated", "forbidden");
        vec![
            ("allow", "", RESOURCE, self.allowed()),
            (refused, "missing_token", RESOURCE, asking(RESOURCE)),
            (refused, "invalid_token", RESOURCE, asking(RESOURCE).bearer(&forged)),
            (refused, "expired_token", RESOURCE, with(|token| token.claim("exp", now() - 3600))),
            (refused, "wrong_audience", RESOURCE, with(|token| token.claim("aud", "https://elsewhere.example"))),
            (refused, "unknown_issuer", RESOURCE, with(|token| token.claim("iss", "https://elsewhere.example"))),
            (forbidden, "email_not_verified", RESOURCE, with(|token| token.claim("email_verified", false))),
            (forbidden, "principal_not_allowed", RESOURCE, with(|token| token.claim("email", "bob@example.com"))),
            (forbidden, "insufficient_scope", RESOURCE, with(|token| token.claim("scope", "openid"))),
            (forbidden, "origin_not_allowed", RESOURCE, self.allowed().header("Origin", "https://evil.example")),
            (
                "undecidable",
                "keys_unavailable",
                RESOURCE,
                asking(RESOURCE).bearer(&self.down.sign(&self.down.token_for(RESOURCE))),
            ),
            (
                "audit",
                "principal_not_allowed",
                AUDITED,
                asking(AUDITED).bearer(&self.token(|token| token.claim("aud", AUDITED))),
            ),
            (forbidden, "unknown_resource", "none", asking("https://mcp.example.com/elsewhere")),
            (forbidden, "ambiguous_path", "none", asking("https://mcp.example.com/mcp/%2e%2e/admin")),
            (forbidden, "invalid_request", "none", missing_header),
            (forbidden, "untrusted_proxy", "none", wrong_secret),
        ]
    }
}

/// What Traefik sends for a client's POST to `url`.
fn asking(url: &str) -> Request {
    let (host, path) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
    Request::get("/auth")
        .host("127.0.0.1")
        .header("X-Forwarded-Method", "POST")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", host)
        .header("X-Forwarded-Uri", format!("/{path}"))
        .header("X-Forwarded-For", "203.0.113.7, 10.0.0.1")
        .header("X-Proxy-Secret", PROXY_SECRET)
}

/// The request without one header.
fn without(mut request: Request, name: &str) -> Request {
    request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name.as_bytes()));
    request
}
