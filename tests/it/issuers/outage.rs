//! The issuer is away, at the start or later.

use serde_json::json;

use super::{RESOURCE, ask, config, failures, key_figure, outcome, table};
use crate::support::issuer::TestIssuer;
use crate::support::process::eventually;
use crate::support::service::Service;
use crate::support::web::Answer;

#[test]
fn the_service_starts_while_the_issuer_is_down_and_recovers_by_itself() {
    let issuer = TestIssuer::start();
    issuer.web.set_down(true);
    let mut service = Service::start_unready(&config("", &table(&issuer)));
    let good = issuer.sign(&issuer.token_for(RESOURCE));

    service.process.output_once_it_says("the keys could not be fetched");
    let health = crate::support::http::Request::get("/health").host("localhost").send(service.port);
    assert_eq!(health.status, 200, "the process lives");
    assert_eq!(service.admin("/healthz").status, 200);
    let ready = service.admin("/readyz");
    assert_eq!(ready.status, 503, "no decision on a token can be made");
    assert_eq!(ready.json()["issuers_without_keys"], json!([issuer.url()]));
    assert_eq!(key_figure(&service, "issuer_keys", &issuer), 0.0);
    assert_eq!(key_figure(&service, "issuer_keys_age_seconds", &issuer), f64::INFINITY);

    let undecidable = ask(&service, &good);
    assert_eq!(outcome(&undecidable), "503 keys_unavailable");
    assert_eq!(undecidable.header("retry-after"), Some("1"));
    assert_eq!(undecidable.header("www-authenticate"), None);
    assert_eq!(outcome(&service.ask("POST", RESOURCE, None)), "401 missing_token", "no key is needed to see no token");
    let expired = issuer.sign(&issuer.token_for(RESOURCE).claim("exp", 1));
    assert_eq!(outcome(&ask(&service, &expired)), "401 expired_token", "nor to see an expired one");

    issuer.web.set_down(false);
    service.wait_until_ready();
    assert_eq!(outcome(&ask(&service, &good)), "200");
    assert_eq!(key_figure(&service, "issuer_keys", &issuer), 1.0);
}

#[test]
fn decisions_go_on_while_the_issuer_is_away_and_the_age_of_its_keys_grows() {
    let issuer = TestIssuer::start();
    let settings = "[keys]\nrefresh_interval = \"1s\"\nrefresh_cooldown = \"1s\"";
    let service = Service::start(&config(settings, &table(&issuer)));
    let cached = issuer.sign(&issuer.token_for(RESOURCE));
    assert_eq!(ask(&service, &cached).status, 200);
    issuer.web.set_down(true);
    eventually("fetches fail", || failures(&service, &issuer) >= 2.0);
    let age = || key_figure(&service, "issuer_keys_age_seconds", &issuer);
    let before = age();
    eventually("the keys grow older", || age() >= before + 2.0);
    let fresh = issuer.sign(&issuer.token_for(RESOURCE).claim("sub", "somebody new"));
    assert_eq!(outcome(&ask(&service, &cached)), "200");
    assert_eq!(outcome(&ask(&service, &fresh)), "200");
    assert_eq!(service.admin("/readyz").status, 200);
    issuer.web.set_down(false);
    eventually("the keys are new again", || age() < 2.0);
}

/// The first fetch of all hangs: the service listens and answers all the same.
#[test]
fn a_start_does_not_wait_for_an_issuer_that_hangs() {
    let issuer = TestIssuer::start();
    issuer.web.answer(crate::support::issuer::METADATA, Answer::Hang);
    let service = Service::start_unready(&config("", &table(&issuer)));
    eventually("the fetch is under way", || issuer.web.requests().len() == 1);
    let good = issuer.sign(&issuer.token_for(RESOURCE));
    assert_eq!(outcome(&ask(&service, &good)), "503 keys_unavailable");
    assert_eq!(outcome(&service.ask("POST", RESOURCE, None)), "401 missing_token");
    assert_eq!(failures(&service, &issuer), 0.0, "the answers came before the fetch was given up");
}

/// An issuer that refuses connections, as one whose process is gone does.
#[test]
fn a_refused_connection_is_told_with_its_cause() {
    let port = crate::support::ports::free();
    let mut service = Service::start_unready(&config("", &format!("issuer = \"http://127.0.0.1:{port}\"")));
    let output = service.process.output_once_it_says("the keys could not be fetched");
    assert!(output.contains("Connection refused"), "{output}");
    assert!(output.contains(&format!("http://127.0.0.1:{port}/.well-known/oauth-authorization-server")), "{output}");
}
