//! Enterprise-managed authorization: a company's identity provider vouches for a person, and no page is shown.

mod attacks;
mod bound;
mod clients;
mod keys;
mod life;

use serde_json::{Value, json};

use crate::support::http::{Request, Response};
use crate::support::issuer::{SigningKey, TestIssuer, Token, now};
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::service::Service;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SECRET: &str = "a-secret-that-is-long-enough";
/// The name of the service in every token, wherever it listens.
const OURS: &str = "http://localhost:8080";
const NOTES: &str = "http://localhost:8080/mcp";
const OTHER: &str = "http://localhost:8080/other";

/// A service that trusts `company`, with a store in a file.
struct Stage {
    company: TestIssuer,
    service: Option<Service>,
    port: u16,
    folder: TempDir,
    leeway: &'static str,
    /// What else is in the configuration.
    more: String,
}

impl Stage {
    fn start() -> Self {
        Self::start_with("30s")
    }

    /// With this `tokens.leeway`.
    fn start_with(leeway: &'static str) -> Self {
        Self::unstarted(TestIssuer::start(), leeway).started()
    }

    /// The company issues access tokens as well.
    fn start_trusting_tokens_too() -> Self {
        let company = TestIssuer::start();
        let more = format!("[[issuers]]\nissuer = \"{}\"\n", company.url());
        Self { more, ..Self::unstarted(company, "30s") }.started()
    }

    fn started(mut self) -> Self {
        let stage = &mut self;
        stage.restart();
        // The service starts without the keys; they come a moment later.
        crate::support::process::eventually("the keys are there", || {
            stage.present(&expired(&stage.company), &[]).status != 503
        });
        self
    }

    fn unstarted(company: TestIssuer, leeway: &'static str) -> Self {
        Self { company, service: None, port: ports::free(), folder: TempDir::new(), leeway, more: String::new() }
    }

    fn restart(&mut self) {
        drop(self.service.take());
        let store = self.folder.path().join("store.redb");
        let config = config(&self.company.url()).replace("memory:", &format!("file:{}", store.display()));
        let config = format!("[tokens]\nleeway = \"{}\"\n{}{config}", self.leeway, self.more);
        self.service = Some(Service::start_at(self.port, &config));
    }

    fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    /// Presents an assertion as the client `app`; `changes` replace fields, an empty one takes away.
    fn present(&self, assertion: &str, changes: &[(&str, &str)]) -> Response {
        let usual = [
            ("grant_type", GRANT_TYPE),
            ("client_id", "app"),
            ("client_secret", SECRET),
            ("resource", NOTES),
            ("assertion", assertion),
        ];
        let usual = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let fields = usual.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty());
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::new("POST", "/token").host("localhost:8080");
        request.body("application/x-www-form-urlencoded", body).send(self.port)
    }

    /// A fresh assertion about Alice, signed with the company's key.
    fn assertion(&self) -> String {
        self.company.sign(&assertion(&self.company))
    }

    /// An access token for a fresh assertion.
    fn token(&self) -> String {
        let answer = self.present(&self.assertion(), &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// The end of a session: no body is needed to tell what is asked.
    fn lets_through(&self, token: &str) -> bool {
        self.service().ask("DELETE", NOTES, Some(token)).status == 200
    }
}

/// What was answered: status, and the error of a refusal.
fn told(answer: &Response) -> (u16, String) {
    let error = answer.json()["error"].as_str().unwrap_or("-").to_owned();
    (answer.status, error)
}

/// An assertion that is refused whatever the keys are, once there are any: it has expired.
fn expired(company: &TestIssuer) -> String {
    company.sign(&assertion(company).claim("exp", now() - 3600).claim("iat", now() - 3900))
}

/// A good assertion about Alice for the client `app` and the notes, unsigned; each has a `jti` of its own.
fn assertion(company: &TestIssuer) -> Token {
    let key: &SigningKey = &company.keys[0];
    Token {
        header: json!({ "alg": key.algorithm, "kid": key.kid, "typ": "oauth-id-jag+jwt" }),
        claims: json!({
            "iss": company.url(),
            "sub": "alice-at-corp",
            "aud": OURS,
            "client_id": "app",
            "resource": NOTES,
            "scope": "mcp:read mcp:write",
            "jti": unique(),
            "iat": now(),
            "exp": now() + 300,
            "email": "alice@example.com",
            "email_verified": true,
            "groups": ["staff"],
        }),
    }
}

fn unique() -> Value {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("assertion-{}", NEXT.fetch_add(1, Ordering::SeqCst)).into()
}

fn config(company: &str) -> String {
    format!(
        r#"
[keys]
refresh_cooldown = "1s"

[[resources]]
url = "{NOTES}"
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com"]

[[resources.tool_rules]]
names = ["write_*"]
required_scopes = ["mcp:write"]

[[resources]]
url = "{OTHER}"
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com"]

[authorization_server]
issuer = "{OURS}"

[authorization_server.identity_provider]
kind = "development"

[[authorization_server.clients]]
client_id = "app"
client_secret = "{SECRET}"

[[authorization_server.clients]]
client_id = "other-app"
client_secret = "{SECRET}"

[[authorization_server.clients]]
client_id = "public"
redirect_uris = ["https://public.example.com/callback"]

[[authorization_server.assertion_issuers]]
name = "corp"
issuer = "{company}"
clients = ["app", "public"]

[store]
url = "memory:"
"#
    )
}
