//! Opaque tokens, about which their issuer is asked (RFC 7662): at issuers good and bad, at a real one, through proxies.

mod answers;
mod bound;
mod memory;
mod neighbours;
mod outage;
mod proxies;
mod questions;
mod real_oidc_provider;
mod secrecy;

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};

use crate::support::http::Response;
use crate::support::issuer::TestIssuer;
use crate::support::service::Service;
use crate::support::web::{Answer, Received};

/// The one resource of most of these tests.
const RESOURCE: &str = "https://mcp.example.com/mcp";
const ENDPOINT: &str = "/introspect";
/// Alice's opaque token, which every [`Asked`] knows.
const ALICE: &str = "opaque-alice";

/// An issuer that tells what it knows of its tokens; whatever it does not know is not active.
struct Asked {
    issuer: TestIssuer,
    known: Arc<Mutex<HashMap<String, Value>>>,
}

/// Holds answers back until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Asked {
    fn start() -> Self {
        let asked = Self { issuer: TestIssuer::start(), known: Arc::default() };
        asked.knows(ALICE, &alice(RESOURCE));
        asked.answers();
        asked
    }

    /// Answers from what is known, as it did at first.
    fn answers(&self) {
        let known = Arc::clone(&self.known);
        self.issuer.web.answer(ENDPOINT, Answer::made(move |request| answer_of(&known.lock().unwrap(), request)));
    }

    /// The same, but only once `gate` is open.
    fn answers_behind(&self, gate: &Gate) {
        let (known, gate) = (Arc::clone(&self.known), gate.clone());
        let answer = move |request: &Received| {
            gate.wait();
            answer_of(&known.lock().unwrap(), request)
        };
        self.issuer.web.answer(ENDPOINT, Answer::made(answer));
    }

    /// From now on it says this of `token`.
    fn knows(&self, token: &str, answer: &Value) {
        self.known.lock().unwrap().insert(token.to_owned(), answer.clone());
    }

    /// From now on it does not know `token`.
    fn forgets(&self, token: &str) {
        self.known.lock().unwrap().remove(token);
    }

    /// Whatever is asked, this is the answer.
    fn says(&self, answer: Answer) {
        self.issuer.web.answer(ENDPOINT, answer);
    }

    /// The keys of its `[[issuers]]` table, and `more`.
    fn table(&self, more: &str) -> String {
        let url = self.issuer.url();
        format!(
            "[[issuers]]\nissuer = \"{url}\"\nintrospection_endpoint = \"{url}{ENDPOINT}\"\nintrospection_client_id = \
             \"our client\"\nintrospection_client_secret = \"our:secret%\"\n{more}\n"
        )
    }

    /// The service with this issuer alone, and `more` keys in its table.
    fn service(&self, more: &str) -> Service {
        Service::start(&config(&self.table(more)))
    }

    fn questions(&self) -> usize {
        self.issuer.web.requests_for(ENDPOINT)
    }

    /// The tokens that it was asked about, in order.
    fn asked_about(&self) -> Vec<String> {
        let received = self.issuer.web.received().into_iter().filter(|request| request.target == ENDPOINT);
        received.map(|request| request.field("token").unwrap_or_default()).collect()
    }

    /// How many questions ended so, by the service's count.
    fn counted(&self, service: &Service, outcome: &str) -> f64 {
        let labels = [("issuer", &*self.issuer.url()), ("outcome", outcome)];
        service.metrics().value("introspection_requests_total", &labels)
    }
}

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

fn answer_of(known: &HashMap<String, Value>, request: &Received) -> Answer {
    let answer = known.get(&request.field("token").unwrap_or_default()).cloned();
    Answer::Json(answer.unwrap_or_else(|| json!({ "active": false })).to_string())
}

/// What a good issuer says of Alice's token for `resource`.
fn alice(resource: &str) -> Value {
    let now = crate::support::issuer::now();
    json!({
        "active": true,
        "sub": "alice-subject",
        "aud": resource,
        "client_id": "test-client",
        "username": "alice",
        "email": "alice@example.com",
        "email_verified": true,
        "groups": ["staff"],
        "scope": "mcp:read",
        "token_type": "Bearer",
        "iat": now - 60,
        "exp": now + 3600,
    })
}

/// The same with other members; `null` takes one away.
fn alice_but(changes: &Value) -> Value {
    let mut answer = alice(RESOURCE);
    let members = answer.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    answer
}

/// A configuration with these `[[issuers]]` and the one resource.
fn config(issuers: &str) -> String {
    format!(
        "[log]\nallows = 1\n{issuers}\n[[resources]]\nurl = \"{RESOURCE}\"\nallowed_emails = [\"alice@example.com\"]\n"
    )
}

fn ask(service: &Service, token: &str) -> Response {
    service.ask("POST", RESOURCE, Some(token))
}

/// Status and reason, `200` alone for an allow.
fn outcome(response: &Response) -> String {
    if response.status == 200 { "200".to_owned() } else { format!("{} {}", response.status, response.reason()) }
}
