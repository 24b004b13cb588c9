//! Features where they meet: every kind of credential at every kind of resource, and what nobody may gain by mixing them.

mod claims;
mod credentials;
mod outage;
mod proofs;
mod request_ids;
mod through_proxies;

use serde_json::{Value, json};

use crate::operators::stage::run;
use crate::sender_constrained::Prover;
use crate::support::assertion::AUTHORIZATION_SERVER;
use crate::support::http::{Request, Response};
use crate::support::issuer::{TestIssuer, now};
use crate::support::process::TempDir;
use crate::support::service::Service;
use crate::support::web::{Answer, Received};

const ORIGIN: &str = "https://mcp.example.com";
const ENDPOINT: &str = "/introspect";
/// Alice's, known to her issuer alone.
const OPAQUE: &str = "opaque-alice";
/// Hers too, bound to the key of [`Stage::prover`].
const OPAQUE_BOUND: &str = "opaque-bound-alice";
/// The form of an API key, and none that was given out.
const INVENTED: &str = "mfa_0000000000000000000000000000000000000000000000000";

/// What a client presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presented {
    Nothing,
    Preflight,
    Jwt,
    /// Bound to a key, with a fresh proof.
    Bound,
    /// The same as a bearer token, with a proof beside it.
    BoundAsBearer,
    /// The same without a proof.
    BoundWithoutProof,
    /// Bound to nothing, with a proof of somebody's key.
    JwtAsDpop,
    Opaque,
    OpaqueAsDpop,
    /// Bound to a key, with a fresh proof.
    OpaqueBound,
    /// The same as a bearer token, with a proof beside it.
    OpaqueBoundAsBearer,
    /// The same without a proof.
    OpaqueBoundWithoutProof,
    Key,
    KeyAsDpop,
    /// Looks like a key.
    Invented,
}

/// A service with every feature, and who has a credential of every kind.
struct Stage {
    issuer: TestIssuer,
    service: Service,
    prover: Prover,
    key: String,
    _folder: TempDir,
}

impl Stage {
    /// With these resources: paths with more keys of their tables. All are for Alice, and for keys.
    fn start(resources: &[(&str, &str)]) -> Self {
        let (issuer, folder) = (TestIssuer::start(), TempDir::new());
        let urls: Vec<String> = resources.iter().map(|(path, _)| format!("{ORIGIN}{path}")).collect();
        let prover = Prover::new("ES256");
        let mut bound = alice(&urls);
        bound["token_type"] = json!("DPoP");
        bound["cnf"] = json!({ "jkt": prover.thumbprint() });
        answer_about_all(&issuer, [(OPAQUE, alice(&urls)), (OPAQUE_BOUND, bound)]);
        let service = Service::start(&config(&issuer.url(), resources, &folder));
        let key = new_key(&service, &urls);
        Self { issuer, service, prover, key, _folder: folder }
    }

    /// A POST of `path`, or a preflight, as Traefik asks about it.
    fn ask(&self, presented: Presented, path: &str, body: Option<String>) -> Response {
        self.request(presented, path, body).send(self.service.port)
    }

    fn request(&self, presented: Presented, path: &str, body: Option<String>) -> Request {
        use Presented::*;
        let url = format!("{ORIGIN}{path}");
        let token = self.issuer.token_for(&url).claim("department", "sales").claim("blocked", true);
        let jwt = || self.issuer.sign(&token);
        let bound = || self.issuer.sign(&self.prover.bind(token.clone()));
        let proven = |request: Request, token: &str| {
            let proof = self.prover.signed("POST", &url, token);
            request.header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
        };
        let plain = question(if presented == Preflight { "OPTIONS" } else { "POST" }, path);
        let request = match presented {
            Nothing => plain,
            Preflight => {
                plain.header("Origin", "https://app.example.com").header("Access-Control-Request-Method", "POST")
            }
            Jwt => plain.bearer(&jwt()),
            Bound => proven(plain, &bound()),
            BoundAsBearer => {
                let token = bound();
                plain.bearer(&token).header("DPoP", self.prover.signed("POST", &url, &token))
            }
            BoundWithoutProof => plain.header("Authorization", format!("DPoP {}", bound())),
            JwtAsDpop => proven(plain, &jwt()),
            Opaque => plain.bearer(OPAQUE),
            OpaqueAsDpop => proven(plain, OPAQUE),
            OpaqueBound => proven(plain, OPAQUE_BOUND),
            OpaqueBoundAsBearer => {
                plain.bearer(OPAQUE_BOUND).header("DPoP", self.prover.signed("POST", &url, OPAQUE_BOUND))
            }
            OpaqueBoundWithoutProof => plain.header("Authorization", format!("DPoP {OPAQUE_BOUND}")),
            Key => plain.bearer(&self.key),
            KeyAsDpop => proven(plain, &self.key),
            Invented => plain.bearer(INVENTED),
        };
        match body {
            Some(body) => request.body("application/json", body),
            None => request,
        }
    }

    /// The tokens that the issuer was asked about, in order.
    fn asked_about(&self) -> Vec<String> {
        let received = self.issuer.web.received().into_iter().filter(|request| request.target == ENDPOINT);
        received.map(|request| request.field("token").unwrap_or_default()).collect()
    }
}

/// A key for all these resources.
fn new_key(service: &Service, urls: &[String]) -> String {
    let admin = format!("127.0.0.1:{}", service.admin_port);
    let create =
        ["api-key", "create", "--name", "backup", "--scope", "mcp:read", "--group", "robots", "--admin", &admin];
    let named = urls.iter().flat_map(|url| ["--resource", url]);
    let said = run(&create.into_iter().chain(named).collect::<Vec<_>>());
    assert_eq!(said.code, 0, "{said:?}");
    said.text.trim_end().to_owned()
}

/// What becomes of a request: `ok`, or the reason.
fn verdict(answer: &Response) -> String {
    if answer.status == 200 { "ok".to_owned() } else { answer.reason() }
}

fn question(method: &str, path: &str) -> Request {
    let request = Request::get("/auth").host("127.0.0.1").header("X-Forwarded-Method", method);
    let request = request.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", "mcp.example.com");
    request.header("X-Forwarded-Uri", path)
}

/// The body of a call of `tool`, as [`Stage::ask`] takes it.
#[allow(clippy::unnecessary_wraps, reason = "a body is optional")]
fn call(tool: &str) -> Option<String> {
    Some(json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } }).to_string())
}

/// The issuer knows one token, of which it says this.
fn answer_about(issuer: &TestIssuer, said: &Value) {
    answer_about_all(issuer, [(OPAQUE, said.clone())]);
}

/// The issuer says this of these tokens, and knows no others.
fn answer_about_all<const N: usize>(issuer: &TestIssuer, known: [(&'static str, Value); N]) {
    let answer = move |request: &Received| {
        let token = request.field("token").unwrap_or_default();
        let said = known.iter().find(|(known, _)| *known == token).map(|(_, said)| said.to_string());
        Answer::Json(said.unwrap_or_else(|| json!({ "active": false }).to_string()))
    };
    issuer.web.answer(ENDPOINT, Answer::made(answer));
}

fn alice(audiences: &[String]) -> Value {
    json!({
        "active": true, "sub": "alice-subject", "aud": audiences, "client_id": "test-client", "token_type": "Bearer",
        "email": "alice@example.com", "email_verified": true, "groups": ["staff"], "scope": "mcp:read",
        "department": "sales", "blocked": true, "exp": now() + 3600,
    })
}

fn config(issuer: &str, resources: &[(&str, &str)], folder: &TempDir) -> String {
    let table = |(path, more): &(&str, &str)| {
        format!(
            "[[resources]]\nurl = \"{ORIGIN}{path}\"\nallowed_emails = [\"alice@example.com\"]\nrequired_scopes = \
             [\"mcp:read\"]\nallow_api_keys = true\n{more}\n"
        )
    };
    let server = AUTHORIZATION_SERVER.replace("memory:", &format!("file:{}/state.redb", folder.path().display()));
    format!(
        "[log]\nallows = 1.0\n[api_keys]\n[[issuers]]\nissuer = \"{issuer}\"\nintrospection_endpoint = \
         \"{issuer}{ENDPOINT}\"\nintrospection_client_id = \"us\"\nintrospection_client_secret = \"a secret\"\n{}{server}",
        resources.iter().map(table).collect::<String>()
    )
}
