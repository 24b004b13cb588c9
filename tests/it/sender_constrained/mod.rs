//! Tokens that are bound to a key or to a certificate count only from who proves to hold it.

mod attacks;
mod certificate_headers;
mod certificates;
mod clients;
mod keys;
mod misled_proxies;
mod promises;
mod proofs;
mod requests;
mod through_proxies;

use serde_json::json;

use crate::support::http::{Request, Response};
use crate::support::issuer::{SigningKey, TestIssuer, Token, encode, now};
use crate::support::report::Report;
use crate::support::service::Service;

const RESOURCE: &str = "https://mcp.example.com/mcp";
/// Takes bound tokens only.
const STRICT: &str = "https://mcp.example.com/strict";
const ALGORITHMS: &str = "ES256 ES384 EdDSA RS256 PS256";

/// More than one, so that requests at once are judged at once on a machine with few cores, too.
const THREADS: usize = 4;

/// Who makes proofs: a client with a key of its own.
pub struct Prover {
    pub key: SigningKey,
}

impl Prover {
    pub fn new(algorithm: &'static str) -> Self {
        Self { key: SigningKey::generate("proofs", algorithm) }
    }

    /// The public key as clients write it into proofs.
    pub fn jwk(&self) -> serde_json::Value {
        let mut jwk = self.key.jwk();
        jwk.as_object_mut().unwrap().retain(|name, _| !["kid", "alg", "use"].contains(&&**name));
        jwk
    }

    /// RFC 7638: `serde_json` keeps members in order of their names, and writes no spaces.
    pub fn thumbprint(&self) -> String {
        digest(self.jwk().to_string())
    }

    /// `token` bound to the key.
    pub fn bind(&self, token: Token) -> Token {
        token.claim("cnf", json!({ "jkt": self.thumbprint() }))
    }

    /// A good proof, unsigned.
    pub fn proof(&self, method: &str, url: &str, token: &str) -> Token {
        Token {
            header: json!({ "typ": "dpop+jwt", "alg": self.key.algorithm, "jwk": self.jwk() }),
            claims: json!({ "jti": fresh_id(), "htm": method, "htu": url, "iat": now(), "ath": digest(token) }),
        }
    }

    /// The same, signed.
    pub fn signed(&self, method: &str, url: &str, token: &str) -> String {
        self.proof(method, url, token).signed_by(&self.key)
    }
}

pub fn digest(bytes: impl AsRef<[u8]>) -> String {
    encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes.as_ref()))
}

/// An identifier that no other proof has.
pub fn fresh_id() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    encode(bytes)
}

/// The service, an issuer, and a client that has a token bound to its key.
struct Bench {
    issuer: TestIssuer,
    service: Service,
    prover: Prover,
    token: String,
}

impl Bench {
    fn start() -> Self {
        Self::start_with("ES256")
    }

    fn start_with(algorithm: &'static str) -> Self {
        let issuer = TestIssuer::start();
        let resource = |url: &str, more: &str| {
            format!(
                "[[resources]]\nurl = \"{url}\"\nallow_any_authenticated = true\nrequired_scopes = [\"mcp:read\"]\n{more}\n"
            )
        };
        let service = Service::start(&format!(
            "[server]\nworkers = {THREADS}\n[log]\nallows = 1.0\n[[issuers]]\nissuer = \"{}\"\n{}{}",
            issuer.url(),
            resource(RESOURCE, ""),
            resource(STRICT, "dpop_required = true")
        ));
        let prover = Prover::new(algorithm);
        let token = issuer.sign(&prover.bind(issuer.token_for(RESOURCE)));
        Self { issuer, service, prover, token }
    }

    /// A POST of the resource, presented with these values of `Authorization` and `DPoP`.
    fn ask(&self, authorization: &str, proofs: &[&str]) -> Response {
        let plain = question("POST", RESOURCE).header("Authorization", authorization);
        let request = proofs.iter().fold(plain, |request, proof| request.header("DPoP", *proof));
        request.send(self.service.port)
    }

    /// The bound token with this proof.
    fn present(&self, proof: &str) -> Response {
        self.ask(&format!("DPoP {}", self.token), &[proof])
    }

    /// A proof for [`Bench::present`], unsigned.
    fn proof(&self) -> Token {
        self.prover.proof("POST", RESOURCE, &self.token)
    }

    fn good_proof(&self) -> String {
        self.proof().signed_by(&self.prover.key)
    }
}

/// What a proxy asks about a request to `url`.
pub fn question(method: &str, url: &str) -> Request {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let plain = Request::get("/auth").host("127.0.0.1").header("X-Forwarded-Method", method);
    let hosted = plain.header("X-Forwarded-Proto", scheme).header("X-Forwarded-Host", host);
    hosted.header("X-Forwarded-Uri", path)
}

/// 401 with a challenge of this scheme and error, and this reason.
fn is_refused(answer: &Response, (scheme, error, reason): (&str, &str, &str), report: &mut Report) {
    report.equal("status", answer.status, 401);
    report.equal("reason", answer.reason(), reason);
    let challenge = answer.all("www-authenticate").join(" | ");
    let named = challenge.starts_with(&format!("{scheme} error=\"{error}\""));
    report.holds(named, || format!("WWW-Authenticate is {challenge}"));
    let algorithms = challenge.contains(&format!("algs=\"{ALGORITHMS}\""));
    report.equal("algorithms are named", algorithms, scheme == "DPoP");
    report.holds(challenge.contains("resource_metadata="), || format!("no metadata in {challenge}"));
    report.holds(answer.all("x-auth-subject").is_empty(), || "it names somebody".to_owned());
}
