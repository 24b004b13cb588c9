//! Opaque tokens that are bound to a key or a certificate (RFC 9449 §6.2, RFC 8705 §3.2): only the answer tells, and whoever
//! presents one proves it as with a JWT.

mod answers;
mod certificates;
mod memory;
mod proofs;
mod real;

use serde_json::{Value, json};

use super::{Asked, alice, outcome};
use crate::sender_constrained::{Prover, question};
use crate::support::http::{Request, Response};
use crate::support::service::Service;

const RESOURCE: &str = super::RESOURCE;
/// Takes bound tokens only.
const STRICT: &str = "https://mcp.example.com/strict";
/// With rules about operations, so that bodies are waited for, too.
const RULES: &str = "https://mcp.example.com/rules";
/// Refuses nobody, and records.
const WATCHED: &str = "https://mcp.example.com/watched";
/// A token that is bound to the key of [`Bench::prover`].
const BOUND: &str = "opaque-bound";

/// An issuer whose tokens are all opaque, the service, and a client with a key.
struct Bench {
    asked: Asked,
    service: Service,
    prover: Prover,
}

impl Bench {
    fn start() -> Self {
        Self::start_with("")
    }

    /// With `more` keys in the table of the issuer.
    fn start_with(more: &str) -> Self {
        let (asked, prover) = (Asked::start(), Prover::new("ES256"));
        asked.knows(BOUND, &bound_to(&prover));
        let service = Service::start(&config(&asked.table(&format!("algorithms = []\n{more}"))));
        Self { asked, service, prover }
    }

    /// A POST of `url`, presented so and with these proofs.
    fn ask(&self, url: &str, authorization: &str, proofs: &[&str]) -> Response {
        presented(url, authorization, proofs).send(self.service.port)
    }

    /// `token` as DPoP at `url`, with a fresh proof of its client's key.
    fn proven(&self, url: &str, token: &str) -> Response {
        self.proven_by(&self.prover, url, token)
    }

    fn proven_by(&self, prover: &Prover, url: &str, token: &str) -> Response {
        self.ask(url, &format!("DPoP {token}"), &[&prover.signed("POST", url, token)])
    }

    /// `token` as a bearer token at `url`.
    fn plain(&self, url: &str, token: &str) -> Response {
        self.ask(url, &format!("Bearer {token}"), &[])
    }
}

fn presented(url: &str, authorization: &str, proofs: &[&str]) -> Request {
    let request = question("POST", url).header("Authorization", authorization);
    proofs.iter().fold(request, |request, proof| request.header("DPoP", *proof))
}

fn config(issuers: &str) -> String {
    let resource = |url: &str, more: &str| {
        format!("[[resources]]\nurl = \"{url}\"\nallowed_emails = [\"alice@example.com\"]\n{more}\n")
    };
    let rule = "[[resources.tool_rules]]\nnames = [\"delete_*\"]\ndeny = true";
    let resources = [(RESOURCE, ""), (STRICT, "dpop_required = true"), (RULES, rule), (WATCHED, "mode = \"audit\"")];
    let resources = resources.map(|(url, more)| resource(url, more)).concat();
    format!("[log]\nallows = 1.0\n{issuers}\n{resources}")
}

/// What a good issuer says of Alice's token for all four resources, bound to the key of `prover`.
fn bound_to(prover: &Prover) -> Value {
    changed(&json!({ "token_type": "DPoP", "cnf": { "jkt": prover.thumbprint() } }))
}

/// What it says of one that is bound to nothing, with other members; `null` is said.
fn changed(changes: &Value) -> Value {
    let mut answer = alice(RESOURCE);
    answer["aud"] = json!([RESOURCE, STRICT, RULES, WATCHED]);
    answer.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    answer
}
