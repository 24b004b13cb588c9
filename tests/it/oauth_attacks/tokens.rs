//! Our own access tokens, bent; and everything else of ours that is no access token.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::house::{House, SECRET, Tokens, basic, outcome};
use crate::support::browser::Browser;
use crate::support::issuer::{SigningKey, Token, encode, key_set, now};
use crate::support::report::Report;
use crate::support::web::{Answer, Web};

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

/// A good token of ours, taken apart.
fn taken_apart(token: &str) -> Token {
    Token { header: part(token, 0), claims: part(token, 1) }
}

#[test]
fn a_token_that_we_did_not_sign_is_refused_whatever_its_header_says() {
    let house = House::start();
    let client = house.register();
    let good = house.tokens(&client.id).access;
    // Issued before the service started: a newer one could be signed with a key that is news here, which is a 503.
    let ours = taken_apart(&good).claim("iat", now() - 3600);
    let kid = ours.header["kid"].as_str().unwrap();
    let evil = Web::start();
    let (ec, rsa) = (SigningKey::generate(kid, "ES256"), SigningKey::generate(kid, "RS256"));
    evil.answer("/jwks", Answer::Json(key_set([&ec, &rsa])));
    let url = format!("{}/jwks", evil.url());
    let key = house.get("/jwks").json()["keys"][0].clone();
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], bytes("x"), bytes("y")].concat();
    let symmetric = |alg: &str, secret: &[u8]| {
        let token = ours.clone().parameter("alg", alg);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), token.signing_input().as_bytes());
        token.with_signature(tag.as_ref())
    };
    let forged = |name: &str, value: Value| ours.clone().parameter(name, value).signed_by(&ec);
    let tampered = |name: &str, value: Value| {
        let claims = ours.clone().claim(name, value).claims;
        let mut parts: Vec<&str> = good.split('.').collect();
        let changed = encode(claims.to_string());
        parts[1] = &changed;
        parts.join(".")
    };
    let (header, rest) = good.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let mut report = Report::new("forged tokens");
    for (name, token) in [
        ("no signature", format!("{header}.{claims}.")),
        ("two parts", format!("{header}.{claims}")),
        ("alg none", ours.clone().parameter("alg", "none").with_signature(b"")),
        ("alg NoNe", ours.clone().parameter("alg", "NoNe").with_signature(b"")),
        ("HS256 with the public point", symmetric("HS256", &point)),
        ("HS256 with the published key", symmetric("HS256", key.to_string().as_bytes())),
        ("HS256 with the id of the key", symmetric("HS256", kid.as_bytes())),
        ("HS256 with nothing", symmetric("HS256", b"")),
        ("another key with our id", ours.signed_by(&ec)),
        ("an RSA key with our id", ours.clone().parameter("alg", "RS256").signed_by(&rsa)),
        ("a key that it brings along", forged("jwk", ec.jwk())),
        ("a key at another address", forged("jku", json!(url))),
        ("a certificate at another address", forged("x5u", json!(url))),
        ("a certificate that it brings along", forged("x5c", json!(["AAAA"]))),
        ("an id that is a path", forged("kid", json!("../../../../dev/null"))),
        ("an id that is an address", forged("kid", json!(url))),
        ("an id of SQL", forged("kid", json!("' OR 1=1 --"))),
        ("no id", Token { header: json!({ "alg": "ES256", "typ": "at+jwt" }), ..ours.clone() }.signed_by(&ec)),
        ("an extension", forged("crit", json!(["exp"]))),
        ("the null signature", ours.with_signature(&[0; 64])),
        ("a signature of ones", ours.with_signature(&[1; 64])),
        ("an ID token", ours.clone().parameter("typ", "JWT").signed_by(&ec)),
        ("another resource", tampered("aud", json!(house.resource("/other")))),
        ("a longer life", tampered("exp", json!(u32::MAX))),
        ("more scopes", tampered("scope", json!("mcp:read mcp:write"))),
        ("another person", tampered("email", json!("carol@example.com"))),
        ("another grant", tampered("grant", json!("none"))),
        ("another client", tampered("client_id", json!("job"))),
        ("the signature in another spelling", format!("{header}.{claims}.{signature}=")),
        ("more after the end", format!("{good}.x")),
    ] {
        report.row(name);
        report.equal("status", house.ask(&token), 401);
        let form = [("token", &*token), ("client_id", "watcher"), ("client_secret", &*format!("{SECRET}-of-watcher"))];
        let described = house.post("/introspect", &form);
        report.equal("introspection", described.json(), json!({ "active": false }));
    }
    report.row("the good one, afterwards");
    report.equal("status", house.ask(&good), 200);
    report.row("requests to the attacker");
    report.equal("requests", evil.requests(), Vec::<String>::new());
    report.finish();
}

#[test]
fn a_token_for_one_resource_opens_no_other() {
    let house = House::start();
    let client = house.register();
    let mcp = house.tokens(&client.id).access;
    let other = house.resource("/other");
    let code = house.code(&client.id, &[("resource", &other)]);
    let both = Tokens::of(&house.redeem(&client.id, &code, &[])).access;
    let mut report = Report::new("audiences");
    for (name, token, path, status) in [
        ("its own", &mcp, "/mcp", 200),
        ("below its own", &mcp, "/mcp/more", 200),
        ("the other", &mcp, "/other", 401),
        ("its own", &both, "/other", 200),
        ("the first, which asks for less", &both, "/mcp", 401),
        ("a neighbour", &mcp, "/mcpx", 403),
        ("the root", &mcp, "/", 403),
    ] {
        report.row(name);
        report.equal(path, house.service.ask("POST", &house.resource(path), Some(token)).status, status);
    }
    report.finish();
}

#[test]
fn what_is_no_access_token_opens_nothing() {
    let house = House::start();
    let client = house.register();
    let tokens = house.tokens(&client.id);
    let code = house.code(&client.id, &[]);
    let page = house.question(&mut Browser::new(super::house::HOME), &client.id, &[]);
    let csrf = page.form().fields.into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let mut report = Report::new("bearers");
    for (name, value) in [
        ("a refresh token", &*tokens.refresh),
        ("a registration access token", &*client.token),
        ("a code", &*code),
        ("a client's secret", SECRET),
        ("a client's id", &*client.id),
        ("the token of a form", &*csrf),
    ] {
        report.row(name);
        report.equal("status", house.ask(value), 401);
    }
    report.row("a secret as Basic");
    let request = house.service.ask("POST", &house.resource("/mcp"), None);
    report.equal("status without a credential", request.status, 401);
    let request = house.request("GET", "/auth").header("Authorization", basic("job", SECRET));
    let request = request.header("X-Forwarded-Method", "POST").header("X-Forwarded-Proto", "http");
    let request = request.header("X-Forwarded-Host", format!("localhost:{}", house.port));
    report.equal("status", request.header("X-Forwarded-Uri", "/mcp").send(house.port).status, 401);
    report.row("the code is still good");
    report.equal("status", house.redeem(&client.id, &code, &[]).status, 200);
    report.finish();
}

/// A token of a machine: in its own name, for its own resources.
#[test]
fn a_machine_gets_a_token_for_its_own_resource_and_no_other() {
    let house = House::start();
    let ask = |changes: &[(&'static str, &'static str)], resource: &str| {
        let fields = [("grant_type", "client_credentials"), ("client_id", "job"), ("client_secret", SECRET)];
        let fields = super::house::changed(&fields, changes);
        house.post("/token", &[fields, vec![("resource", resource)]].concat())
    };
    let token = ask(&[], &house.resource("/mcp")).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(house.ask(&token), 200);
    let mut report = Report::new("machines");
    for (name, changes, resource, expected) in [
        ("another resource", vec![], "/other", (400, "invalid_target")),
        ("somebody else's resource", vec![], "//evil.example", (400, "invalid_target")),
        ("no secret", vec![("client_secret", "")], "/mcp", (401, "invalid_client")),
        ("a wrong secret", vec![("client_secret", "x")], "/mcp", (401, "invalid_client")),
        ("the secret of another", vec![("client_id", "web")], "/mcp", (401, "invalid_client")),
        ("scopes that it has not", vec![("scope", "admin")], "/mcp", (400, "invalid_scope")),
    ] {
        report.row(name);
        let answer = ask(&changes, &house.resource(resource));
        report.equal("outcome", outcome(&answer), super::house::refused(expected.0, expected.1));
    }
    report.row("a client that is no machine");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "web"),
        ("client_secret", "a-secret-of-more-than-24-characters-of-web"),
    ];
    report.equal("outcome", outcome(&house.post("/token", &fields)), super::house::refused(400, "unauthorized_client"));
    report.finish();
}
