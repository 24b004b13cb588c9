//! Where keys are looked for (RFC 8414 §3, OIDC Discovery §4), in which order, and which documents are refused.

use serde_json::json;

use super::{RESOURCE, ask, config, each_at_once, outcome};
use crate::support::issuer::{KEY_SET, TestIssuer, key_set};
use crate::support::process::eventually;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::web::Answer;

const INSERTED: &str = "/.well-known/oauth-authorization-server/realms/main";
const OPENID_INSERTED: &str = "/.well-known/openid-configuration/realms/main";
const OPENID_APPENDED: &str = "/realms/main/.well-known/openid-configuration";

/// An issuer that serves its keys and no metadata yet.
fn silent() -> TestIssuer {
    let issuer = TestIssuer::start();
    issuer.web.answer(crate::support::issuer::METADATA, Answer::Status(404));
    issuer
}

fn realm(issuer: &TestIssuer) -> String {
    format!("{}/realms/main", issuer.url())
}

fn metadata(issuer: &str, jwks_uri: &str) -> Answer {
    Answer::Json(json!({ "issuer": issuer, "jwks_uri": jwks_uri }).to_string())
}

fn keys_of(issuer: &TestIssuer) -> String {
    format!("{}{KEY_SET}", issuer.url())
}

#[test]
fn documents_are_asked_for_in_the_specified_order_until_one_is_good() {
    let all = [INSERTED, OPENID_INSERTED, OPENID_APPENDED];
    let mut report = Report::new("order of discovery");
    for (place, path) in all.into_iter().enumerate() {
        report.row(path);
        let issuer = silent();
        issuer.web.answer(path, metadata(&realm(&issuer), &keys_of(&issuer)));
        let service = Service::start(&config("", &format!("issuer = \"{}\"", realm(&issuer))));
        let expected: Vec<&str> = all[..=place].iter().copied().chain([KEY_SET]).collect();
        report.equal("the order of requests", issuer.web.requests(), expected);
        let token = issuer.sign(&issuer.token_for(RESOURCE).claim("iss", realm(&issuer)));
        report.equal("the outcome", outcome(&ask(&service, &token)), "200".to_owned());
    }
    report.finish();
}

#[test]
fn an_issuer_without_a_path_has_two_places() {
    for (path, before) in [("/.well-known/oauth-authorization-server", 0), ("/.well-known/openid-configuration", 1)] {
        let issuer = silent();
        issuer.web.answer(path, metadata(&issuer.url(), &keys_of(&issuer)));
        let service = Service::start(&config("", &super::table(&issuer)));
        assert_eq!(issuer.web.requests().len(), before + 2, "{path}: {:?}", issuer.web.requests());
        assert_eq!(ask(&service, &issuer.sign(&issuer.token_for(RESOURCE))).status, 200);
    }
}

#[test]
fn a_fixed_jwks_uri_asks_for_no_metadata() {
    let issuer = TestIssuer::start();
    let fixed = format!("{}\njwks_uri = \"{}/elsewhere?v=1\"", super::table(&issuer), issuer.url());
    issuer.web.answer("/elsewhere?v=1", Answer::Json(key_set(&issuer.keys)));
    issuer.web.answer(KEY_SET, Answer::Status(500));
    let service = Service::start(&config("", &fixed));
    assert_eq!(ask(&service, &issuer.sign(&issuer.token_for(RESOURCE))).status, 200);
    assert_eq!(issuer.web.requests(), ["/elsewhere?v=1"]);
}

/// Each document stands at the first place and nothing at the others, so no keys are had and the log says why.
#[test]
fn bad_metadata_is_refused_and_the_log_says_why() {
    type Document = fn(&TestIssuer) -> Answer;
    let rows: [(&str, (Document, &str)); 11] = [
        ("another issuer", (|issuer| metadata("https://idp.example.com", &keys_of(issuer)), "names another issuer: ")),
        (
            "a slash more",
            (|issuer| metadata(&format!("{}/", realm(issuer)), &keys_of(issuer)), "names another issuer: "),
        ),
        ("its own root", (|issuer| metadata(&issuer.url(), &keys_of(issuer)), "names another issuer: ")),
        ("plain http", (|issuer| metadata(&realm(issuer), "http://idp.example.com/jwks"), "it must be https")),
        ("a file", (|issuer| metadata(&realm(issuer), "file:///etc/passwd"), "it is not an absolute URL")),
        ("a user", (|issuer| metadata(&realm(issuer), "https://a@idp.example.com/"), "it must hold no user name")),
        (
            "no jwks_uri",
            (|issuer| Answer::Json(json!({ "issuer": realm(issuer) }).to_string()), "missing field `jwks_uri`"),
        ),
        ("no JSON", (|_| Answer::Json("<html>".into()), "is no metadata document")),
        ("a redirect", (|_| Answer::Redirect(MOVED.into()), "answered 302")),
        ("a server error", (|_| Answer::Status(500), "answered 500")),
        ("an endless body", (|_| Answer::Huge(50_000_000), "answered with more than 524288 bytes")),
    ];
    each_at_once(&rows, |_, (document, told)| {
        let issuer = silent();
        issuer.web.answer(INSERTED, document(&issuer));
        issuer.web.answer(MOVED, metadata(&realm(&issuer), &keys_of(&issuer)));
        let mut service = Service::start_unready(&config("", &format!("issuer = \"{}\"", realm(&issuer))));
        let output = service.process.output_once_it_says("the keys could not be fetched");
        assert!(output.contains(told), "the log does not say {told:?}: {output}");
        assert!(output.contains("set jwks_uri"), "the log names no way out: {output}");
        let token = issuer.sign(&issuer.token_for(RESOURCE).claim("iss", realm(&issuer)));
        assert_eq!(outcome(&ask(&service, &token)), "503 keys_unavailable");
        assert_eq!(service.admin("/readyz").status, 503);
        let asked = issuer.web.requests();
        assert!(!asked.iter().any(|path| path == MOVED || path == KEY_SET), "{asked:?}");
    });
}

const MOVED: &str = "/moved";

/// Whoever controls a path of the host cannot stand in for an issuer whose own document is missing for a while.
#[test]
fn a_good_document_further_down_is_still_found() {
    let issuer = silent();
    issuer.web.answer(INSERTED, metadata("https://attacker.example", "https://attacker.example/jwks"));
    issuer.web.answer(OPENID_APPENDED, metadata(&realm(&issuer), &keys_of(&issuer)));
    let service = Service::start(&config("", &format!("issuer = \"{}\"", realm(&issuer))));
    let token = issuer.token_for(RESOURCE).claim("iss", realm(&issuer));
    eventually("the token is accepted", || ask(&service, &issuer.sign(&token)).status == 200);
    assert_eq!(issuer.web.requests(), [INSERTED, OPENID_INSERTED, OPENID_APPENDED, KEY_SET]);
}
