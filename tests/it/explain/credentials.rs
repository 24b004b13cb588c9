//! Credentials other than a token that speaks for itself: opaque ones, API keys, and those that a client must prove.

use serde_json::json;

use super::commands::{Said, explain};
use super::{URL, step};
use crate::api_keys::stage as keys;
use crate::sender_constrained::{Prover, question};
use crate::support::issuer::{TestIssuer, now};
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::service::Service;
use crate::support::web::Answer;

fn ask(admin_port: u16, token: &str) -> Said {
    let admin = format!("127.0.0.1:{admin_port}");
    explain(&["--url", URL, "--token", token, "--json", "--admin", &admin], "")
}

/// How it ended, the outcome of the step about authentication, and what it tells.
fn authentication(said: &Said) -> (i32, String, String) {
    let explanation = said.json();
    let (outcome, detail) = step(&explanation, "authentication");
    (said.code, outcome.to_owned(), detail.to_owned())
}

/// An issuer that knows of one token, and of one that is bound to a key, and its configuration.
fn introspected() -> (TestIssuer, String) {
    let issuer = TestIssuer::start();
    let good = json!({
        "active": true, "sub": "alice-subject", "aud": URL, "email": "alice@example.com", "email_verified": true,
        "scope": "mcp:read", "exp": now() + 3600, "level": 3,
    });
    let mut bound = good.clone();
    bound["cnf"] = json!({ "jkt": crate::sender_constrained::digest("a key") });
    let answer = Answer::made(move |request| {
        Answer::Json(match request.field("token").as_deref() {
            Some("opaque-alice") => good.to_string(),
            Some("opaque-bound") => bound.to_string(),
            _ => json!({ "active": false }).to_string(),
        })
    });
    issuer.web.answer("/introspect", answer);
    let url = issuer.url();
    let config = format!(
        "[[issuers]]\nissuer = \"{url}\"\nintrospection_endpoint = \"{url}/introspect\"\n\
         introspection_client_id = \"us\"\nintrospection_client_secret = \"a secret of ours\"\n\
         [[resources]]\nurl = \"{URL}\"\nallowed_emails = [\"alice@example.com\"]\n\
         condition = \"identity.claims.level >= 3\"\n"
    );
    (issuer, config)
}

#[test]
fn the_issuer_of_an_opaque_token_is_waited_for() {
    let (issuer, config) = introspected();
    let service = Service::start(&config);
    let said = ask(service.admin_port, "opaque-alice");
    let (code, outcome, detail) = authentication(&said);
    assert_eq!((code, &*outcome), (0, "passed"), "{said:?}");
    assert!(detail.contains("subject alice-subject"), "{detail}");
    assert!(step(&said.json(), "condition").1.contains("identity.claims.level = 3"), "{said:?}");
    let refused = authentication(&ask(service.admin_port, "opaque-stranger"));
    assert_eq!(refused, (1, "refused".into(), "the token is not active".into()));
    issuer.web.set_down(true);
    let (code, outcome, _) = authentication(&ask(service.admin_port, "opaque-unheard-of"));
    assert_eq!((code, &*outcome), (3, "refused"));
}

/// Asked about it, and of a request of its client: the steps say what is missing, and lead to the verdict.
#[test]
fn an_opaque_token_that_is_bound_is_said_to_be_so() {
    let (_issuer, config) = introspected();
    let service = Service::start(&config);
    let bearer = "the token is bound to a key and may not be used as a bearer token";
    let said = ask(service.admin_port, "opaque-bound");
    assert_eq!(authentication(&said), (1, "refused".into(), bearer.into()), "{said:?}");
    assert!(said.text.contains("nothing here can prove the client's key"), "{said:?}");
    let admin = format!("127.0.0.1:{}", service.admin_port);
    let other = Prover::new("ES256").signed("POST", URL, "opaque-bound");
    for (id, authorization, reason, detail) in [
        ("as-bearer", "Bearer opaque-bound", "invalid_token", bearer),
        ("no-key", "DPoP opaque-alice", "invalid_token", "the token is not bound to a key"),
        (
            "other-key",
            "DPoP opaque-bound",
            "invalid_dpop_proof",
            "the DPoP proof is made with another key than the one that the token is bound to",
        ),
    ] {
        let request = question("POST", URL).header("Authorization", authorization).header("DPoP", &*other);
        assert_eq!(request.header("X-Request-Id", id).send(service.port).reason(), reason, "{id}");
        let said = explain(&["--request-id", id, "--json", "--admin", &admin], "");
        assert_eq!(authentication(&said), (1, "refused".into(), detail.into()), "{said:?}");
        assert!(!said.text.contains("unexplained") && !said.text.contains("opaque-bound"), "{said:?}");
    }
}

#[test]
fn without_a_service_the_issuer_of_an_opaque_token_is_asked_as_well() {
    let (issuer, config) = introspected();
    let folder = TempDir::new();
    let file = folder.write("config.toml", &config);
    let closed = format!("127.0.0.1:{}", ports::free());
    let ask = |token: &str| {
        let place = ["--config", file.to_str().unwrap(), "--admin", &closed, "--json"];
        explain(&[&place[..], &["--url", URL, "--token", token]].concat(), "")
    };
    let said = ask("opaque-alice");
    let (code, outcome, _) = authentication(&said);
    assert_eq!((code, &*outcome), (0, "passed"), "{said:?}");
    assert!(step(&said.json(), "condition").1.contains("identity.claims.level = 3"), "{said:?}");
    assert_eq!(authentication(&ask("opaque-stranger")), (1, "refused".into(), "the token is not active".into()));
    assert!(!said.text.contains("opaque-alice") && !said.complaint.contains("opaque-alice"), "{said:?}");
    drop(issuer);
    assert_eq!(ask("opaque-alice").code, 3);
}

#[test]
fn an_api_key_is_told_like_any_caller_and_never_shown() {
    let stage = keys::Stage::start();
    let key = stage.create("nightly", &["--group", "staff"]);
    let said = ask(stage.service.admin_port, &key);
    let (code, outcome, detail) = authentication(&said);
    assert_eq!((code, &*outcome), (0, "passed"), "{said:?}");
    assert!(detail.contains("nightly"), "{detail}");
    let admitted = said.text.contains("an API key, and allow_api_keys is true here");
    assert!(admitted && said.text.contains("an API key is known here, and no issuer's"), "{said:?}");
    assert!(!super::secrets::leaks(&said.text, &key), "{said:?}");
    let another = if key.ends_with('A') { 'B' } else { 'A' };
    let unknown = format!("{}{another}", &key[..key.len() - 1]);
    let (code, outcome, detail) = authentication(&ask(stage.service.admin_port, &unknown));
    assert_eq!((code, &*outcome), (1, "refused"), "{detail}");
    assert!(detail.starts_with("the API key is not"), "{detail}");
    assert_eq!(stage.operator(&["revoke", "nightly"]).code, 0);
    let (code, outcome, detail) = authentication(&ask(stage.service.admin_port, &key));
    assert_eq!((code, &*outcome), (1, "refused"), "{detail}");

    let folder = TempDir::new();
    let text = format!(
        "[[issuers]]\nissuer = \"{}\"\n[[resources]]\nurl = \"{URL}\"\nallow_any_authenticated = true\n",
        stage.issuer.url()
    );
    let file = folder.write("config.toml", &text);
    let closed = format!("127.0.0.1:{}", ports::free());
    let said = explain(&["--config", file.to_str().unwrap(), "--admin", &closed, "--url", URL, "--token", &key], "");
    assert_eq!((said.code, &*said.text), (3, ""), "{said:?}");
    assert!(said.complaint.contains("API keys can be judged by the running service only"), "{said:?}");
}

#[test]
fn what_only_the_client_can_prove_is_said_to_be_so() {
    let issuer = TestIssuer::start();
    let strict = "https://mcp.example.com/strict";
    let service = Service::start(&format!(
        "[[issuers]]\nissuer = \"{}\"\n[[resources]]\nurl = \"{URL}\"\nallow_any_authenticated = true\n\
         [[resources]]\nurl = \"{strict}\"\nallow_any_authenticated = true\ndpop_required = true\n",
        issuer.url()
    ));
    let plain = |url: &str| issuer.token_for(url);
    let bound = issuer.sign(&Prover::new("ES256").bind(plain(URL)));
    let certified = plain(URL).claim("cnf", json!({ "x5t#S256": crate::sender_constrained::digest("a certificate") }));
    let mut report = Report::new("bound tokens");
    for (name, url, token, detail, is_noted) in [
        ("to a key", URL, bound, "the token is bound to a key and may not be used as a bearer token", true),
        (
            "to a certificate",
            URL,
            issuer.sign(&certified),
            "bound to a client certificate that was not presented",
            true,
        ),
        ("to nothing, where it must be", strict, issuer.sign(&plain(strict)), "the token is not bound to a key", false),
    ] {
        report.row(name);
        let admin = format!("127.0.0.1:{}", service.admin_port);
        let said = explain(&["--url", url, "--token", &token, "--json", "--admin", &admin], "");
        let (code, outcome, text) = authentication(&said);
        report.equal("the outcome", (code, &*outcome), (1, "refused"));
        report.holds(text.contains(detail), || text.clone());
        let note = said.json()["note"].as_str().unwrap_or_default().to_owned();
        report.equal("the note", note.contains("nothing here can prove the client's key"), is_noted);
        let shown = explain(&["--url", url, "--token", &token, "--admin", &admin], "").text;
        report.holds(shown.contains(&note), || shown.clone());
    }
    report.finish();
}
