//! Readiness, part by part. Two questions are asked, and every part is told to both: can decisions be made, and can
//! people sign in? A lost store stops no decision on tokens that were issued, so it must not take the instance away from
//! its proxy.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::Overseen;
use crate::authn::issuer_keys::KeyFigures;
use crate::http::Service;
use crate::idp::WatchedProvider;

/// Longer than this no store may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// `/readyz`: keys of every issuer are at hand.
pub(super) async fn decisions(service: web::Data<Service>, overseen: Option<web::Data<Overseen>>) -> HttpResponse {
    let found = look(&service, overseen.as_deref().map(AsRef::as_ref)).await;
    let ready = found.decisions;
    found.answer(ready)
}

/// `/readyz/sign-in`: the store works and there are keys to sign with, too.
pub(super) async fn sign_in(service: web::Data<Service>, overseen: Option<web::Data<Overseen>>) -> HttpResponse {
    let found = look(&service, overseen.as_deref().map(AsRef::as_ref)).await;
    let ready = found.sign_in;
    found.answer(ready)
}

struct Found {
    decisions: bool,
    sign_in: bool,
    /// Issuers answer, and assertions can be checked: neither question is about that.
    others: bool,
    body: Value,
}

impl Found {
    fn works(&self) -> bool {
        self.decisions && self.sign_in && self.others
    }

    /// `degraded`: what was asked for works, something else does not.
    fn answer(mut self, ready: bool) -> HttpResponse {
        let status = match (ready, self.works()) {
            (false, _) => "not ready",
            (true, false) => "degraded",
            (true, true) => "ready",
        };
        if let Some(body) = self.body.as_object_mut() {
            body.insert("status".into(), status.into());
        }
        if ready { HttpResponse::Ok().json(self.body) } else { HttpResponse::ServiceUnavailable().json(self.body) }
    }
}

async fn look(service: &Service, overseen: Option<&Overseen>) -> Found {
    let figures = service.figures();
    let missing: Vec<&str> =
        figures.keys.iter().filter(|(_, keys)| keys.keys == 0).map(|(issuer, _)| issuer.as_str()).collect();
    let issuers: Vec<Value> = figures.keys.iter().map(shown).collect();
    let (sign_in, assertions, parts) = match overseen {
        Some(overseen) => authorization_server(service, overseen).await,
        None => (true, true, Value::Null),
    };
    let mut body = json!({ "issuers_without_keys": missing, "issuers": issuers, "authorization_server": parts });
    let decisions = missing.is_empty();
    let others = introspection(service, &mut body) && assertions;
    Found { decisions, sign_in, others, body }
}

fn shown((issuer, keys): &(String, KeyFigures)) -> Value {
    let age = keys.age.map(|age| age.as_secs());
    json!({ "issuer": issuer, "keys": keys.keys, "age_seconds": age, "failures": keys.failures })
}

/// For information: an issuer that cannot be asked stops decisions on its opaque tokens, and nothing else.
fn introspection(service: &Service, body: &mut Value) -> bool {
    let Some(introspection) = service.point.authenticator.introspection() else { return true };
    let (now, mut works) = (service.clock.now(), true);
    let asked = introspection.conditions().map(|condition| {
        works &= condition.failures == 0;
        let age = condition.answered_at.map(|moment| now.since(moment).as_secs());
        json!({ "issuer": condition.issuer.as_str(), "failures": condition.failures, "answered_seconds_ago": age })
    });
    let asked: Vec<Value> = asked.collect();
    if let Some(body) = body.as_object_mut() {
        body.insert("introspection".into(), asked.into());
    }
    works
}

/// Whether people can sign in, and whether every assertion can be checked.
async fn authorization_server(service: &Service, overseen: &Overseen) -> (bool, bool, Value) {
    let server = &overseen.server;
    let store = match tokio::time::timeout(PATIENCE, server.probe_store()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("it does not answer in time".to_owned()),
    };
    let own = server.as_issuer();
    let keys = own.keys.figures(service.clock.now()).keys;
    // Missing keys stop the assertions of that issuer, and nothing else.
    let assertion_keys = server.assertion_keys(service.clock.now());
    let assertions = assertion_keys.iter().all(|(_, keys)| keys.keys > 0);
    // For information: a provider that is away stops new sign-ins there, and nothing else.
    let providers = server.provider_choices().into_iter().map(|provider| {
        let has_answered = WatchedProvider::has_answered(&overseen.provider_requests, &provider.name);
        json!({ "provider": provider.name, "has_answered": has_answered })
    });
    let parts = json!({
        "store": { "works": store.is_none(), "trouble": store },
        "signing_keys": keys,
        "identity_providers": providers.collect::<Vec<_>>(),
        "assertion_issuers": assertion_keys.iter().map(shown).collect::<Vec<_>>(),
    });
    (store.is_none() && keys > 0, assertions, parts)
}
