//! The service asked directly, without a proxy: what the proxies' own behaviour hides, and what no proxy must be able to
//! get wrong.

mod allow;
mod assertion;
mod callers;
mod contract_headers;
mod documents;
mod endpoints;
mod limits;
mod policy;
mod resources;

use serde_json::Value;

use crate::support::http::{Request, Response};
use crate::support::issuer::TestIssuer;
use crate::support::process::eventually;
use crate::support::report::Report;
use crate::support::service::Service;

/// The three ways of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contract {
    ForwardAuth,
    ExtAuthz,
    AuthRequest,
}

const CONTRACTS: [Contract; 3] = [Contract::ForwardAuth, Contract::ExtAuthz, Contract::AuthRequest];

const RESOURCE: &str = "https://mcp.example.com/mcp";

/// A header of a request, changed by a test.
type Header = (&'static str, String);

impl Contract {
    /// The endpoint with the headers that describe the original request.
    fn question(self, method: &str, url: &str) -> (String, String, Vec<Header>) {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, target) = rest.split_at(rest.find('/').unwrap());
        match self {
            Self::ForwardAuth => {
                let headers = vec![
                    ("Host", "127.0.0.1".to_owned()),
                    ("X-Forwarded-Method", method.to_owned()),
                    ("X-Forwarded-Proto", scheme.to_owned()),
                    ("X-Forwarded-Host", host.to_owned()),
                    ("X-Forwarded-Uri", target.to_owned()),
                ];
                ("GET".into(), "/auth".into(), headers)
            }
            Self::ExtAuthz => {
                let headers = vec![("Host", host.to_owned()), ("X-Forwarded-Proto", scheme.to_owned())];
                (method.into(), format!("/auth/envoy{target}"), headers)
            }
            Self::AuthRequest => {
                let headers = vec![
                    ("Host", host.to_owned()),
                    ("X-Original-Method", method.to_owned()),
                    ("X-Original-URL", url.to_owned()),
                ];
                ("GET".into(), "/auth/nginx".into(), headers)
            }
        }
    }

    fn ask(self, method: &str, url: &str) -> Request {
        let (method, target, headers) = self.question(method, url);
        headers.into_iter().fold(Request::new(&method, target), |request, (name, value)| request.header(name, value))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::ForwardAuth => "forward_auth",
            Self::ExtAuthz => "ext_authz",
            Self::AuthRequest => "auth_request",
        }
    }
}

/// An issuer, and the service with what the test adds.
struct Pair {
    issuer: TestIssuer,
    service: Service,
}

impl Pair {
    /// Protects [`RESOURCE`] for Alice.
    fn start() -> Self {
        Self::with(
            "",
            &format!(
                "url = \"{RESOURCE}\"\nname = \"Notes\"\nrequired_scopes = [\"mcp:read\"]\nallowed_emails = [\"alice@example.com\"]\n"
            ),
        )
    }

    /// `sections` come first, `resources` are the bodies of `[[resources]]` tables, parted by a line `---`.
    fn with(sections: &str, resources: &str) -> Self {
        let issuer = TestIssuer::start();
        let resources = "\n[[resources]]\n".to_owned() + &resources.replace("---\n", "\n[[resources]]\n");
        let config = format!("{sections}\n[[issuers]]\nissuer = \"{}\"\n{resources}", issuer.url());
        let service = Service::start(&config);
        Self { issuer, service }
    }

    /// Alice's good token for `resource`.
    fn token(&self, resource: &str) -> String {
        self.issuer.sign(&self.issuer.token_for(resource))
    }

    /// The decision line of the request that carried this `User-Agent`.
    fn line(&self, agent: &str) -> Value {
        let find = || self.service.decision_lines().into_iter().find(|line| line["user_agent"] == agent);
        eventually(&format!("the decision line of {agent}"), || find().is_some());
        find().unwrap()
    }
}

/// A refusal without challenge, as the client reads it.
fn refused(answer: &Response, status: u16, error: &str, reason: &str, report: &mut Report) {
    report.equal("status", answer.status, status);
    report.equal("WWW-Authenticate", answer.all("www-authenticate").len(), 0);
    report.equal("Cache-Control", answer.all("cache-control"), ["no-store"]);
    report.equal("Content-Type", answer.all("content-type"), ["application/json"]);
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    report.equal("error", &body["error"], error);
    report.equal("reason", &body["reason"], reason);
    report.holds(body["error_description"].as_str().is_some_and(|text| !text.is_empty()), || "no description".into());
    report.equal("X-Request-Id", answer.all("x-request-id"), [body["request_id"].as_str().unwrap_or_default()]);
    let identity =
        answer.headers.iter().find(|(name, _)| name.starts_with("x-auth-") || name.starts_with("x-forwarded-"));
    report.equal("identity", identity, None);
}
