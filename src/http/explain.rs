//! An explanation with the exact answers: made by the code that answers, from what it answers.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::body::MessageBody as _;
use serde::Serialize;

use super::identity_assertion;
use super::response::{spoken, spoken_again};
use crate::authn::{Authentication, TokenFault};
use crate::authz::{Reason, Verdict};
use crate::decision::{Decision, DecisionPoint};
use crate::domain::UnixTime;
use crate::explain::question::Named;
use crate::explain::{self, Asker, Facts, Question, Refusal, Step};
use crate::mcp::SentBody;
use crate::proxy::{Contract, RequestHead};
use crate::telemetry::metrics::outcome;

/// The id in answers that nobody gets.
const REQUEST_ID: &str = "explained";

/// Why a request is answered so, ready to be sent as JSON.
#[derive(Debug, Serialize)]
pub struct Explanation {
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Asked>,
    steps: Vec<Step>,
    verdict: Concluded,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    answers: Vec<Answer>,
}

/// Which refusal, where it is one of the past.
#[derive(Debug, Serialize)]
struct Refused {
    request_id: String,
    at: String,
}

/// What was asked.
#[derive(Debug, Serialize)]
struct Asked {
    method: String,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
}

/// The verdict.
#[derive(Debug, Serialize)]
struct Concluded {
    /// As in the decision log.
    decision: &'static str,
    /// In audit mode why it would have been refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
}

/// What one proxy is answered.
#[derive(Debug, Serialize)]
struct Answer {
    proxy: &'static str,
    contract: &'static str,
    path: &'static str,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Explains what becomes of `question` at `now`, where `contracts` are answered.
pub async fn explain(point: &DecisionPoint, contracts: &[Contract], question: &Question, now: UnixTime) -> Explanation {
    let answered = |asker: &Asker| contracts.contains(&asker.contract());
    let asker = Asker::ALL.into_iter().find(answered).unwrap_or(Asker::Traefik);
    let head = question.head(asker);
    let body = question.body(asker);
    let decision = decided(point, asker.contract(), (&head, body), now).await;
    let mut answers = Vec::new();
    for asker in Asker::ALL {
        answers.push(answer(point, answered(&asker), question, asker, now).await);
    }
    Explanation {
        refused: None,
        request: Some(Asked::of(question)),
        steps: explain::tell(&Facts::of(point, &decision, &head, body)),
        verdict: Concluded::of(&decision.verdict),
        note: note(question, &decision),
        answers,
    }
}

/// Explains a refusal of the past: the steps of that very request, and what it was answered.
pub fn remembered(point: &DecisionPoint, refusal: &Refusal) -> Explanation {
    let contract = refusal.contract;
    let path = Asker::ALL.into_iter().find(|asker| asker.contract() == contract).map_or("", Asker::path);
    let answer = Answer::of(Asker::names_of(contract), contract, path, &refusal.verdict, spoken_again(refusal));
    Explanation {
        refused: Some(Refused { request_id: refusal.request_id.clone(), at: refusal.at.to_rfc3339() }),
        request: Asked::then(refusal),
        steps: refusal.steps(point),
        verdict: Concluded::of(&refusal.verdict),
        note: refusal.forgotten,
        answers: if refusal.forgotten.is_some() { Vec::new() } else { vec![answer] },
    }
}

/// As the service decides, with everything that it waits for.
async fn decided<'a>(
    point: &'a DecisionPoint,
    contract: Contract,
    (head, body): (&'a dyn RequestHead, SentBody<'_>),
    now: UnixTime,
) -> Decision<'a> {
    let decision = point.decide_for_trusted(contract, head, now);
    let decision = if decision.wants_introspection() {
        point.decide_with_introspection(decision, head, || now).await
    } else {
        decision
    };
    point.decide_with_body(decision, head, body)
}

async fn answer(point: &DecisionPoint, is_answered: bool, question: &Question, asker: Asker, now: UnixTime) -> Answer {
    let (head, contract) = (question.head(asker), asker.contract());
    let decision = if is_answered {
        decided(point, contract, (&head, question.body(asker)), now).await
    } else {
        Decision::refused(Reason::InvalidRequest)
    };
    let response = spoken(&decision, &head, contract, REQUEST_ID);
    let response = identity_assertion::announced(&decision, contract, response);
    Answer::of(asker.as_str(), contract, asker.path(), &decision.verdict, response)
}

/// Nothing was said of an operation, and there are rules about operations; or only the client could prove its key.
fn note(question: &Question, decision: &Decision<'_>) -> Option<&'static str> {
    if let Some(Authentication::Rejected(TokenFault::SenderConstrained | TokenFault::NoCertificate)) =
        decision.authentication
    {
        return Some("nothing here can prove the client's key; --request-id explains a request of the client itself");
    }
    let unknown = explain::reason_of(&decision.verdict) == Some(Reason::OperationUnknown);
    (unknown && question.operation().is_none()).then_some("say what is asked of the MCP server: --tool or --operation")
}

impl Explanation {
    /// Where others bear the same id: whoever reads this must not take it for the only one.
    #[must_use]
    pub fn of_several(self) -> Self {
        const SEVERAL: &str = "several requests bear this id, which clients choose where the proxy lets them; this is the latest \
                               of a known caller, or else of a stranger";
        Self { note: Some(SEVERAL), ..self }
    }
}

impl Asked {
    fn of(question: &Question) -> Self {
        let operation = question.operation().map(|Named { method, name, .. }| shown(method, name.as_deref()));
        let origin = question.origin().map(ToOwned::to_owned);
        Self { method: question.method().to_owned(), url: question.url(), origin, operation }
    }

    fn then(refusal: &Refusal) -> Option<Self> {
        let (method, url) = refusal.request()?;
        let operation = refusal.asked.as_ref().and_then(|asked| asked.operation.as_ref());
        let operation = operation.map(|(method, name)| shown(method, name.as_deref()));
        Some(Self { method: method.to_owned(), url, origin: None, operation })
    }
}

/// Without the query of a name that is a URL.
fn shown(method: &str, name: Option<&str>) -> String {
    match name.and_then(|name| name.split('?').next()) {
        Some(name) => format!("{method} {name}"),
        None => method.to_owned(),
    }
}

impl Concluded {
    fn of(verdict: &Verdict) -> Self {
        let reason = explain::reason_of(verdict);
        Self {
            decision: outcome(verdict),
            reason: reason.map(Reason::as_str),
            description: reason.map(Reason::description),
        }
    }
}

impl Answer {
    fn of(
        proxy: &'static str,
        contract: Contract,
        path: &'static str,
        verdict: &Verdict,
        response: HttpResponse,
    ) -> Self {
        let Concluded { decision, reason, .. } = Concluded::of(verdict);
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
        let headers = headers.collect();
        let status = response.status().as_u16();
        let body = response.into_body().try_into_bytes().map(|body| text(&body)).unwrap_or_default();
        Self { proxy, contract: contract.as_str(), path, decision, reason, status, headers, body }
    }
}
