//! An explanation never repeats a token, in whole or in part, nor what only its issuer should know.

use serde_json::json;

use super::{Stage, URL};
use crate::support::http::Request;
use crate::support::issuer::{SigningKey, encode};
use crate::support::report::Report;

/// Whether `text` holds any 16 characters in a row of `token`.
pub fn leaks(text: &str, token: &str) -> bool {
    let bytes = token.as_bytes();
    bytes.windows(16).any(|run| std::str::from_utf8(run).is_ok_and(|run| text.contains(run)))
}

#[test]
fn no_run_of_any_token_is_ever_repeated() {
    let stage = Stage::start();
    let good = stage.issuer.token_for(URL);
    let sign = |token| stage.issuer.sign(&token);
    let tokens = [
        ("good", sign(good.clone())),
        ("expired", sign(good.clone().claim("exp", 1))),
        ("of another audience", sign(good.clone().claim("aud", "https://other.example.com"))),
        ("of an unknown issuer", sign(good.clone().claim("iss", "https://evil.example"))),
        ("of somebody else", sign(good.clone().claim("email", "bob@example.com"))),
        (
            "with a secret claim",
            sign(good.clone().claim("password", "hush-hush-hush-hush").claim("jti", "hush-hush-hush-hush")),
        ),
        ("forged", good.signed_by(&SigningKey::generate("key-1", "ES256"))),
        ("without signature", good.with_signature(b"")),
        ("with a forbidden header", sign(good.clone().parameter("jku", "https://hush-hush-hush-hush.example"))),
        ("an ID token", sign(good.clone().claim("nonce", "hush-hush-hush-hush").without("scope"))),
        ("opaque", encode("an opaque token of some length that nobody can read")),
        ("an API key", "mfa_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG".to_owned()),
        ("a list", format!("{},{}", encode("the first token of two"), encode("the second token of two"))),
        ("not ASCII", "gehüteter-schlüssel-gehüteter-schlüssel".to_owned()),
        ("too long", "0123456789abcdef".repeat(2000)),
    ];
    let mut report = Report::new("tokens");
    for (name, token) in tokens {
        report.row(name);
        let command = json!({ "url": format!("{URL}?access_token={token}#{token}"), "token": token }).to_string();
        let plain = json!({ "url": URL, "token": token }).to_string();
        for command in [command, plain] {
            let request = Request::new("POST", "/admin/explain").host("localhost").body("application/json", command);
            let answer = request.send(stage.service.admin_port);
            report.holds(!leaks(&answer.text(), &token), || format!("it leaks: {}", answer.text()));
            report.holds(!answer.text().contains("hush-hush"), || answer.text());
        }
    }
    for (name, command) in [
        ("in the wrong place", json!({ "url": URL, "operation": stage.token() })),
        ("under another name", json!({ "url": URL, stage.token(): stage.token() })),
        ("as the URL", json!({ "url": stage.token() })),
        ("in the URL", json!({ "url": format!("https://alice:{}@mcp.example.com/mcp", stage.token()) })),
    ] {
        report.row(name);
        let body = command.to_string();
        let request = Request::new("POST", "/admin/explain").host("localhost").body("application/json", &*body);
        let answer = request.send(stage.service.admin_port);
        report.equal("the status", answer.status, 400);
        report.holds(!body.split('"').any(|part| part.len() > 100 && leaks(&answer.text(), part)), || answer.text());
    }
    let output = stage.service.whole_output();
    report.row("the service's own output");
    report.holds(!output.contains("hush-hush") && !leaks(&output, &stage.token()), || output.clone());
    report.finish();
}
