//! An attack for each rule of an assertion: nothing but `invalid_grant`, and no token.

use serde_json::{Value, json};

use super::{GRANT_TYPE, NOTES, OTHER, OURS, Stage, assertion, told};
use crate::support::issuer::{SigningKey, Token, encode, now};
use crate::support::report::Report;

#[test]
fn an_assertion_that_is_wrong_in_any_way_gives_no_token() {
    let stage = Stage::start();
    let foreign = SigningKey::generate("key-1", "ES256");
    let own_token = stage.token();
    let good = || assertion(&stage.company);
    let sign = |token: Token| stage.company.sign(&token);
    let claim = |name: &str, value: Value| sign(good().claim(name, value));
    let header = |name: &str, value: Value| sign(good().parameter(name, value));
    let used = sign(good());
    assert_eq!(stage.present(&used, &[]).status, 200);
    let unsigned = |alg: &str| good().parameter("alg", alg).with_signature(b"");
    let mut twice = good();
    twice.claims = json!(0);
    let rows: Vec<(&str, &str, String)> = vec![
        ("used before", "used before", used),
        ("typ of an access token", "cannot be read", header("typ", "at+jwt".into())),
        ("typ of any JWT", "cannot be read", header("typ", "JWT".into())),
        ("no typ", "cannot be read", {
            let mut token = good();
            token.header.as_object_mut().unwrap().remove("typ");
            sign(token)
        }),
        ("alg none", "not signed as", unsigned("none")),
        ("alg HS256", "not signed as", unsigned("HS256")),
        ("alg HS256, with the public key", "not signed as", good().parameter("alg", "HS256").with_signature(&[7; 32])),
        ("crit", "cannot be read", header("crit", json!(["b64"]))),
        ("a key of its own", "cannot be read", header("jwk", foreign.jwk())),
        ("a foreign signature", "not signed as", good().signed_by(&foreign)),
        ("no signature", "not signed as", good().with_signature(b"")),
        ("an unknown issuer", "nobody who is trusted", claim("iss", "https://idp.example.com".into())),
        ("our own name as issuer", "nobody who is trusted", claim("iss", OURS.into())),
        ("no issuer", "cannot be read", sign(good().without("iss"))),
        ("no subject", "cannot be read", sign(good().without("sub"))),
        ("an empty subject", "sub of", claim("sub", "".into())),
        ("a subject with a line break", "sub of", claim("sub", "a\nb".into())),
        ("a subject that is too long", "sub of", claim("sub", "a".repeat(255).into())),
        ("another audience", "aud of", claim("aud", NOTES.into())),
        ("our token endpoint as audience", "aud of", claim("aud", format!("{OURS}/token").into())),
        ("our name with a slash", "aud of", claim("aud", format!("{OURS}/").into())),
        ("two audiences", "aud of", claim("aud", json!([OURS, "https://other.example.com"]))),
        ("our name twice", "aud of", claim("aud", json!([OURS, OURS]))),
        ("no audience", "cannot be read", sign(good().without("aud"))),
        ("another client", "another client", claim("client_id", "other-app".into())),
        ("no client", "cannot be read", sign(good().without("client_id"))),
        ("no jti", "cannot be read", sign(good().without("jti"))),
        ("an empty jti", "jti of", claim("jti", "".into())),
        ("a jti that is too long", "jti of", claim("jti", "j".repeat(257).into())),
        ("expired", "has expired", sign(good().claim("iat", now() - 300).claim("exp", now() - 31))),
        ("no end", "cannot be read", sign(good().without("exp"))),
        ("from the future", "not valid yet", sign(good().claim("iat", now() + 60).claim("exp", now() + 120))),
        ("not valid yet", "not valid yet", claim("nbf", (now() + 60).into())),
        ("no time of issue", "cannot be read", sign(good().without("iat"))),
        ("a life of eleven minutes", "lives too long", claim("exp", (now() + 660).into())),
        ("issued long ago", "lives too long", sign(good().claim("iat", now() - 3600).claim("exp", now() + 60))),
        ("another resource of ours", "for another resource", claim("resource", OTHER.into())),
        ("a resource of somebody else", "none of ours", claim("resource", "https://mcp.example.com/mcp".into())),
        ("two resources", "one resource", claim("resource", json!([NOTES, OTHER]))),
        ("no resource, where there are two", "for which resource", sign(good().without("resource"))),
        ("bound to a key", "bound to a key", claim("cnf", json!({ "jkt": "x" }))),
        ("somebody who is not on the list", "may not use", claim("email", "bob@example.com".into())),
        ("an address that nobody verified", "may not use", claim("email_verified", false.into())),
        ("an address without a word on it", "may not use", sign(good().without("email_verified"))),
        ("an ID token of the company", "cannot be read", {
            let token = good().parameter("typ", "JWT").claim("nonce", "n").without("client_id");
            sign(token.claim("aud", "app"))
        }),
        ("our own access token", "cannot be read", own_token),
        ("claims that are no object", "cannot be read", sign(twice)),
        ("nothing", "cannot be read", "a.b.c".to_owned()),
        ("far too much", "too long", encode("x".repeat(40_000))),
    ];
    let mut report = Report::new("assertions");
    for (name, reason, presented) in rows {
        report.row(name);
        // Without the request's own word on the resource, so that the assertion's is judged.
        let with = if name.contains("resource") { vec![("resource", "")] } else { Vec::new() };
        let with = if name == "another resource of ours" { vec![("resource", NOTES)] } else { with };
        let answer = stage.present(&presented, &with);
        report.equal("the answer", told(&answer), (400, "invalid_grant".to_owned()));
        let described = answer.json()["error_description"].as_str().unwrap_or_default().to_owned();
        report.holds(described.contains(reason), || format!("it is said why: {described}"));
        report.holds(!answer.text().contains(&presented), || "it repeats the assertion".to_owned());
    }
    report.finish();
    assert_eq!(stage.present(&stage.assertion(), &[]).status, 200, "a good one is taken all the same");
    let log = stage.service().whole_output();
    assert!(!log.contains("eyJhbGciOi") && !log.contains("eyJ0eXAiOi"), "an assertion or token is in the log");
}

#[test]
fn only_clients_that_prove_themselves_and_may_be_spoken_for_can_come() {
    let stage = Stage::start();
    let of = |client: &str| stage.company.sign(&assertion(&stage.company).claim("client_id", client));
    let mut report = Report::new("clients");
    for (name, assertion, changes, expected) in [
        ("a public client", of("public"), vec![("client_id", "public"), ("client_secret", "")], "unauthorized_client"),
        ("a client without its secret", of("app"), vec![("client_secret", "")], "invalid_client"),
        ("a client with a wrong secret", of("app"), vec![("client_secret", "wrong")], "invalid_client"),
        ("a client that is not on the list", of("other-app"), vec![("client_id", "other-app")], "invalid_grant"),
        ("another client's assertion", of("app"), vec![("client_id", "other-app")], "invalid_grant"),
        ("no assertion", String::new(), vec![], "invalid_request"),
        ("a resource that is none", of("app"), vec![("resource", "https://x.example")], "invalid_target"),
        ("scopes that nobody offers", of("app"), vec![("scope", "admin")], "invalid_scope"),
    ] {
        report.row(name);
        report.equal("the answer", told(&stage.present(&assertion, &changes)).1.as_str(), expected);
    }
    report.row("an assertion that allows nothing that is offered");
    let narrow = stage.company.sign(&assertion(&stage.company).claim("scope", "admin"));
    report.equal("the answer", told(&stage.present(&narrow, &[])).1.as_str(), "invalid_scope");
    report.finish();
}

/// One of many wins, and a restart forgets nothing.
#[test]
fn an_assertion_is_taken_once_however_often_and_whenever_it_comes() {
    let mut stage = Stage::start();
    let one = stage.assertion();
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..12).map(|_| scope.spawn(|| stage.present(&one, &[]).status)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [200, 400].contains(status)), "{answers:?}");
    stage.restart();
    crate::support::process::eventually("it is refused", || {
        told(&stage.present(&one, &[])) == (400, "invalid_grant".to_owned())
    });
    assert_eq!(stage.present(&stage.assertion(), &[]).status, 200);
}

#[test]
fn without_a_trusted_issuer_there_is_no_such_grant_type() {
    let stage = Stage::start();
    let trusting = super::config(&stage.company.url());
    let start = trusting.find("[[authorization_server.assertion_issuers]]").unwrap();
    let end = trusting.find("[store]").unwrap();
    let service = crate::support::service::Service::start(&format!("{}{}", &trusting[..start], &trusting[end..]));
    let metadata = |port: u16| {
        let request = crate::support::http::Request::get("/.well-known/oauth-authorization-server");
        request.host("localhost:8080").send(port).json()
    };
    let (with, without) = (metadata(stage.port), metadata(service.port));
    let has = |document: &Value| document["grant_types_supported"].as_array().unwrap().contains(&GRANT_TYPE.into());
    assert!(has(&with) && !has(&without), "{with} {without}");
    let profiles = "authorization_grant_profiles_supported";
    assert_eq!(with[profiles], json!(["urn:ietf:params:oauth:grant-profile:id-jag"]));
    assert!(without.get(profiles).is_none());
    let body = format!("grant_type={GRANT_TYPE}&client_id=app&client_secret={}&assertion=a.b.c", super::SECRET);
    let request = crate::support::http::Request::new("POST", "/token").host("localhost:8080");
    let answer = request.body("application/x-www-form-urlencoded", body).send(service.port);
    assert_eq!(told(&answer), (400, "unsupported_grant_type".to_owned()));
}
