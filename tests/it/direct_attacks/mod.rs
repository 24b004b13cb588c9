//! Attacks on the service itself: tokens that try to be read in another way than they were meant.

mod claims;
mod presentation;
mod shapes;
mod signatures;
mod token_headers;

use crate::support::http::{Request, Response};
use crate::support::issuer::{SigningKey, TestIssuer, Token, encode};
use crate::support::report::Report;
use crate::support::service::Service;

const RESOURCE: &str = "https://mcp.example.com/mcp";

/// An issuer with a key of each kind, a service that believes it, and an attacker with keys of his own.
pub struct Bench {
    pub issuer: TestIssuer,
    pub service: Service,
    pub attacker: TestIssuer,
}

impl Bench {
    pub fn start() -> Self {
        let issuer = TestIssuer::with_keys(keys());
        let service = Service::start(&format!(
            "[[issuers]]\nissuer = \"{}\"\n[[resources]]\nurl = \"{RESOURCE}\"\nallow_any_authenticated = true\n",
            issuer.url()
        ));
        Self { issuer, service, attacker: TestIssuer::with_keys(keys()) }
    }

    /// A token that is good once the issuer's first key has signed it.
    pub fn token(&self) -> Token {
        self.issuer.token_for(RESOURCE)
    }

    pub fn sign(&self, token: &Token) -> String {
        self.issuer.sign(token)
    }

    /// The issuer's key for an algorithm.
    pub fn key(&self, algorithm: &str) -> &SigningKey {
        self.issuer.keys.iter().find(|key| key.algorithm == algorithm).unwrap()
    }

    /// Header and claims as written here, signed by the issuer's first key.
    pub fn signed_text(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.issuer.keys[0].sign(input.as_bytes());
        format!("{input}.{}", encode(signature))
    }

    fn ask(&self, authorization: &[u8]) -> Response {
        decision_request().header("Authorization", authorization).send(self.service.port)
    }

    /// Every token is refused for `reason`, with a challenge; the service goes on and the good token stays good.
    pub fn refuses(&self, reason: &str, tokens: Vec<(impl Into<String>, String)>) {
        let mut report = Report::new(reason);
        report.row("the good token, before");
        report.equal("status", self.ask(format!("Bearer {}", self.sign(&self.token())).as_bytes()).status, 200);
        for (name, token) in tokens {
            report.row(name);
            is_refused(&self.ask(format!("Bearer {token}").as_bytes()), ("invalid_token", reason), &mut report);
        }
        report.row("the good token, afterwards");
        report.equal("status", self.ask(format!("Bearer {}", self.sign(&self.token())).as_bytes()).status, 200);
        report.row("requests to the attacker");
        report.equal("requests", self.attacker.web.requests().len(), 0);
        report.finish();
    }

    /// Every token is accepted, so that the tables of refusals are known to refuse for what they change.
    pub fn accepts(&self, tokens: Vec<(&str, String)>) {
        let mut report = Report::new("accepted");
        for (name, token) in tokens {
            report.row(name);
            let answer = self.ask(format!("Bearer {token}").as_bytes());
            report.holds(answer.status == 200, || format!("status {}: {}", answer.status, answer.text()));
        }
        report.finish();
    }
}

fn is_refused(answer: &Response, (error, reason): (&str, &str), report: &mut Report) {
    let body = answer.text();
    report.equal("status", answer.status, 401);
    report.holds(body.contains(&format!("\"reason\":\"{reason}\"")), || format!("body is {body}"));
    let challenge = answer.all("www-authenticate");
    let named = challenge.len() == 1 && challenge[0].contains(&format!("error=\"{error}\""));
    report.holds(named, || format!("WWW-Authenticate is {challenge:?}"));
    report.holds(answer.all("x-auth-subject").is_empty(), || "it names somebody".to_owned());
}

/// The question about a GET of the resource.
fn decision_request() -> Request {
    let plain = Request::get("/auth").host("127.0.0.1").header("X-Forwarded-Method", "GET");
    let hosted = plain.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", "mcp.example.com");
    hosted.header("X-Forwarded-Uri", "/mcp")
}

fn keys() -> Vec<SigningKey> {
    let kinds = [("key-1", "ES256"), ("key-2", "RS256"), ("key-3", "EdDSA"), ("key-4", "ES384")];
    kinds.into_iter().map(|(kid, algorithm)| SigningKey::generate(kid, algorithm)).collect()
}
