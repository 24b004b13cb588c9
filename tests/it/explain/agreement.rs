//! An explanation and `/auth` cannot disagree: random rules, tokens, requests and operations, each explained, and asked
//! in the words of each proxy.

use std::collections::BTreeMap;

use mcp_forward_auth::config::Config;
use mcp_forward_auth::domain::UnixTime;
use mcp_forward_auth::http::Service;
use mcp_forward_auth::http::explain::{explain, remembered};
use proptest::test_runner::{Config as Settings, TestCaseError, TestRunner};
use serde_json::Value;

use super::cases::{Case, KEYLESS, NGINX_ALONE, case};
use super::in_process::{Answer, NOW, ask, service};
use super::secrets;
use crate::support::issuer::SigningKey;

/// An answer as it is explained, to a request of this id.
fn shown(answer: &Value, request_id: &str) -> Answer {
    let own = |text: &str| text.replace("explained", request_id);
    let headers = answer["headers"].as_object().unwrap().iter();
    let headers: BTreeMap<String, String> =
        headers.map(|(name, value)| (name.clone(), own(value.as_str().unwrap()))).collect();
    let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
    Answer { status, headers, body: own(answer["body"].as_str().unwrap()) }
}

/// The reason that the steps give, and whether they hang together by themselves.
fn told(explanation: &Value) -> Result<Option<&str>, String> {
    let steps = explanation["steps"].as_array().unwrap();
    let of = |outcome: &str| steps.iter().filter(|step| step["outcome"] == outcome).collect::<Vec<_>>();
    let (refused, audited) = (of("refused"), of("audited"));
    if steps.iter().any(|step| step["step"] == "unexplained") || refused.len() > 1 {
        return Err(format!("{steps:#?}"));
    }
    if refused.is_empty() && !(of("not_reached").is_empty() && of("also_refuses").is_empty()) {
        return Err(format!("nothing refuses, and not everything was asked: {steps:#?}"));
    }
    Ok(refused.first().or(audited.first()).map(|step| step["reason"].as_str().unwrap()))
}

fn disagreements(case: &Case, key: &SigningKey) -> Result<String, String> {
    let config = Config::from_toml(&case.config).map_err(|errors| errors.to_string())?;
    let first = if case.config.contains(NGINX_ALONE) { "nginx" } else { "traefik" };
    let service = service(config, key, KEYLESS);
    let now = UnixTime::from_secs(NOW);
    let question = case.question();
    let explanation = explain(&service.point, &service.contracts, &question, now);
    let explanation = actix_web::rt::System::new().block_on(explanation);
    let explanation = serde_json::to_value(&explanation).unwrap();
    let (verdict, told) = (&explanation["verdict"], told(&explanation)?);
    if told != verdict["reason"].as_str() {
        return Err(format!("the steps say {told:?}: {explanation:#}"));
    }
    let (proxies, requests): (Vec<_>, Vec<_>) = case.requests().into_iter().unzip();
    for (proxy, real) in proxies.into_iter().zip(ask(&service, requests)) {
        let explained = explanation["answers"].as_array().unwrap().iter().find(|answer| answer["proxy"] == proxy);
        let explained = explained.unwrap();
        if shown(explained, proxy) != real {
            return Err(format!("{proxy} is answered {real:#?}, explained {explained:#}"));
        }
        remembered_too(&service, proxy, explained, &real)?;
        if proxy == first && (explained["reason"] != verdict["reason"] || explained["decision"] != verdict["decision"])
        {
            return Err(format!("two verdicts: {explanation:#}"));
        }
    }
    let text = explanation.to_string();
    if text.contains("secret-in-the-query") || case.token.as_ref().is_some_and(|token| secrets::leaks(&text, token)) {
        return Err(format!("it tells too much: {text}"));
    }
    Ok(format!("{} {}", verdict["decision"].as_str().unwrap(), told.unwrap_or("-")))
}

/// The refusal is remembered, with the same reason and the same answer; an allow is not.
fn remembered_too(service: &Service, id: &str, explained: &Value, real: &Answer) -> Result<(), String> {
    let found = service.refusals.find(id).map(|(refusal, _)| remembered(&service.point, &refusal));
    let found = found.map(|explanation| serde_json::to_value(&explanation).unwrap());
    let Some(found) = found else {
        let allowed = explained["decision"] == "allow";
        return if allowed { Ok(()) } else { Err(format!("it is not remembered: {explained:#}")) };
    };
    if found.to_string().contains("secret-of-the-call") {
        return Err(format!("what a call handed over is remembered: {found}"));
    }
    let same = told(&found)? == explained["reason"].as_str()
        && found["verdict"]["reason"] == explained["reason"]
        && shown(&found["answers"][0], "") == *real;
    if same { Ok(()) } else { Err(format!("{explained:#} is remembered as {found:#}")) }
}

#[test]
fn explanations_agree_with_every_answer() {
    let key: &'static SigningKey = Box::leak(Box::new(SigningKey::generate("key-1", "ES256")));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let counted = std::cell::RefCell::new(&mut seen);
    let settings = Settings { cases: 2000, failure_persistence: None, ..Settings::default() };
    let outcome = TestRunner::new(settings).run(&case(key), |case| {
        let kind = disagreements(&case, key).map_err(TestCaseError::fail)?;
        *counted.borrow_mut().entry(kind).or_default() += 1;
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // Every reason that a described request can meet was met, or the cases above are not worth much.
    for reason in [
        "missing_token",
        "invalid_token",
        "expired_token",
        "wrong_audience",
        "unknown_issuer",
        "email_not_verified",
        "principal_not_allowed",
        "insufficient_scope",
        "operation_not_allowed",
        "operation_unknown",
        "condition_false",
        "origin_not_allowed",
        "unknown_resource",
        "ambiguous_path",
        "invalid_request",
        "keys_unavailable",
    ] {
        assert!(seen.keys().any(|kind| kind.ends_with(reason)), "{reason} was never met: {seen:#?}");
    }
    for kind in ["allow", "audit", "forbidden", "unauthenticated", "undecidable"] {
        assert!(seen.keys().any(|known| known.starts_with(kind)), "{kind} was never met: {seen:#?}");
    }
}
