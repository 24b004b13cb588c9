//! `/auth`: read, decide, count, log, reply.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};

use super::head::ActixHead;
use super::{Service, decision_line, identity_assertion, response};
use crate::authz::Reason;
use crate::decision::Decision;
use crate::explain::Refusal;
use crate::proxy::{Contract, Reply};

/// `/auth`.
pub async fn forward_auth(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    decide(&service, &request, Contract::ForwardAuth)
}

/// `/auth/nginx`.
pub async fn auth_request(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    decide(&service, &request, Contract::AuthRequest)
}

/// The decision, from the wire to the wire.
pub fn decide(service: &Service, request: &HttpRequest, contract: Contract) -> HttpResponse {
    if !service.contracts.contains(&contract) {
        return refuse_endpoint(service, request);
    }
    let head = ActixHead(request);
    let (decision, took) = service.timed_decision(contract, &head);
    answer(service, &head, contract, &decision, took)
}

/// A path under `/auth` that nobody owns, such as a misspelt one, or one whose contract is switched off.
pub fn refuse_endpoint(service: &Service, request: &HttpRequest) -> HttpResponse {
    let decision = Decision::refused(Reason::InvalidRequest);
    answer(service, &ActixHead(request), Contract::ForwardAuth, &decision, Duration::ZERO)
}

/// Counts, logs and replies.
pub(super) fn answer(
    service: &Service,
    head: &ActixHead<'_>,
    contract: Contract,
    decision: &Decision<'_>,
    took: Duration,
) -> HttpResponse {
    let resource = decision.matched.as_ref().map(|matched| matched.index);
    service.metrics.count(resource, &decision.verdict, took);
    if decision.verdict.would_refuse().is_some() || decision.asked.is_some() {
        count_watched(service, resource, decision);
    }
    let allowed = decision.verdict.is_plain_permit();
    if allowed && !service.request_ids.samples_allow(service.allows_logged_per_mille) {
        let reply = Reply::to(contract, &decision.verdict, "");
        let sent = response::to(decision, head, (contract, reply), None);
        return identity_assertion::with(service, decision, contract, sent);
    }
    let request_id = service.request_ids.of(head);
    let sent = response::spoken(decision, head, contract, &request_id);
    let (status, now) = (sent.status().as_u16(), service.clock.now());
    service.log.write(&decision_line::record(head, contract, decision, took, (status, now), &request_id));
    if !allowed {
        let forgotten = response::forgotten(decision, &sent);
        service.refusals.keep(Refusal::of(decision, head, (contract, forgotten), request_id, now));
    }
    identity_assertion::with(service, decision, contract, sent)
}

/// Counts what rules and conditions in audit mode would have refused.
fn count_watched(service: &Service, resource: Option<usize>, decision: &Decision<'_>) {
    let of_resource = decision.verdict.would_refuse() == Some(Reason::ConditionFalse);
    match &decision.asked {
        None if of_resource => service.metrics.count_watched(resource, None),
        None => {}
        Some(asked) => asked.causes.iter().for_each(|cause| service.metrics.count_watched(resource, cause.rule)),
    }
}
