//! Clients that say that they always prove a key (`dpop_bound_access_tokens`, RFC 9449 §5.2).

use serde_json::{Value, json};

use super::Prover;
use crate::support::http::{Request, Response};
use crate::support::issuer::claims_of;
use crate::support::report::Report;
use crate::support::service::Service;

const SECRET: &str = "a-secret-that-is-long-enough";
/// The name of the service, wherever it listens.
const OURS: &str = "http://localhost:8080";
const RESOURCE: &str = "http://localhost:8080/mcp";

/// Two machines: one that promised, and one that did not.
fn service() -> Service {
    let machine = |id: &str, more: &str| {
        format!(
            "[[authorization_server.clients]]\nclient_id = \"{id}\"\nclient_secret = \"{SECRET}\"\n\
             client_credentials = true\nresources = [\"{RESOURCE}\"]\n{more}\n"
        )
    };
    Service::start(&format!(
        "[[resources]]\nurl = \"{RESOURCE}\"\nallow_any_authenticated = true\n\
         [authorization_server]\nissuer = \"{OURS}\"\n\
         [authorization_server.identity_provider]\nkind = \"development\"\n{}{}[store]\nurl = \"memory:\"\n",
        machine("bound-job", "dpop_bound_access_tokens = true"),
        machine("plain-job", ""),
    ))
}

/// Asks for a token, with a proof of this key or without one.
fn token(service: &Service, form: &str, prover: Option<&Prover>) -> Response {
    let request = Request::new("POST", "/token").host("localhost:8080");
    let request = request.body("application/x-www-form-urlencoded", form);
    let proof =
        |prover: &Prover| prover.proof("POST", &format!("{OURS}/token"), "").without("ath").signed_by(&prover.key);
    prover.iter().fold(request, |request, prover| request.header("DPoP", proof(prover))).send(service.port)
}

fn told(answer: &Response) -> String {
    let body = answer.json();
    let word = body["error"].as_str().or(body["token_type"].as_str()).unwrap_or_default();
    format!("{} {word}", answer.status)
}

#[test]
fn machines_that_promised_a_proof_get_no_token_without_one() {
    let (service, prover) = (service(), Prover::new("ES256"));
    let form =
        |id: &str| format!("grant_type=client_credentials&client_id={id}&client_secret={SECRET}&resource={RESOURCE}");
    let mut report = Report::new("clients of the operator");
    for (id, prover, expected) in [
        ("bound-job", None, "400 invalid_dpop_proof"),
        ("bound-job", Some(&prover), "200 DPoP"),
        ("plain-job", None, "200 Bearer"),
        ("plain-job", Some(&prover), "200 DPoP"),
    ] {
        report.row(format!("{id}, {}", if prover.is_some() { "with a proof" } else { "without" }));
        report.equal("answer", told(&token(&service, &form(id), prover)), expected);
    }
    report.finish();
    let answer = token(&service, &form("bound-job"), Some(&prover)).json();
    let claims = claims_of(answer["access_token"].as_str().unwrap());
    assert_eq!(claims["cnf"]["jkt"], prover.thumbprint());
}

/// The proof is asked for before the grant is looked at, so a refresh token that nobody gave out shows the difference.
#[test]
fn what_a_client_promises_in_its_registration_holds_until_it_takes_it_back() {
    let (service, prover) = (service(), Prover::new("ES256"));
    let send = |request: Request, body: &Value| {
        let request = request.host("localhost:8080").body("application/json", body.to_string());
        request.send(service.port)
    };
    let metadata = |more: Value| {
        let mut all = json!({ "redirect_uris": ["http://localhost/callback"], "token_endpoint_auth_method": "none" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let wrong = send(Request::new("POST", "/register"), &metadata(json!({ "dpop_bound_access_tokens": "yes" })));
    assert_eq!((wrong.status, &wrong.json()["error"]), (400, &json!("invalid_client_metadata")));
    let registered = send(Request::new("POST", "/register"), &metadata(json!({ "dpop_bound_access_tokens": true })));
    let registered = registered.json();
    assert_eq!(registered["dpop_bound_access_tokens"], true, "{registered}");

    let text = |name: &str| registered[name].as_str().unwrap().to_owned();
    let (id, bearer) = (text("client_id"), text("registration_access_token"));
    let form = format!("grant_type=refresh_token&client_id={id}&refresh_token=nobodys");
    let update = |more: Value| {
        let request = Request::new("PUT", format!("/register/{id}")).bearer(&bearer);
        let body = metadata(json!({ "client_id": id }));
        let mut body = body.as_object().unwrap().clone();
        body.extend(more.as_object().unwrap().clone());
        send(request, &Value::Object(body)).json()
    };
    let is_held = || told(&token(&service, &form, None)) == "400 invalid_dpop_proof";
    assert!(is_held());
    assert_eq!(told(&token(&service, &form, Some(&prover))), "400 invalid_grant");
    assert_eq!(update(json!({ "client_name": "Notes" }))["dpop_bound_access_tokens"], true);
    assert!(is_held());
    assert_eq!(update(json!({ "dpop_bound_access_tokens": false }))["dpop_bound_access_tokens"], Value::Null);
    assert_eq!(told(&token(&service, &form, None)), "400 invalid_grant");
}
