//! No token, secret, query or e-mail address ever gets into a log, whatever is sent and however much is logged.

use super::{PROXY_SECRET, RESOURCE, Stage, asking, without};
use crate::support::http::Request;
use crate::support::issuer::encode;
use crate::support::process::eventually;

/// Stands in every query, header and claim that must not be told.
const SECRET: &str = "hush-hush";
const LAST: &str = "the-last-request";

/// Requests that carry secrets in every place, through every kind of answer.
fn requests(stage: &Stage) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for (_, _, _, request) in stage.every_outcome() {
        requests.push(with_secrets(request));
    }
    let claims = |name: &'static str, value: serde_json::Value| {
        asking(RESOURCE)
            .bearer(&stage.token(|token| token.claim(name, value).claim("email", format!("{SECRET}@example.com"))))
    };
    requests.extend([
        claims("iss", format!("https://{SECRET}.example").into()),
        claims("aud", SECRET.into()),
        claims("exp", SECRET.into()),
        claims("scope", SECRET.into()),
        claims("groups", serde_json::json!([SECRET])),
        claims("preferred_username", SECRET.into()),
        claims("jti", SECRET.into()),
        asking(RESOURCE).bearer(&stage.token(|token| token.parameter("kid", SECRET))),
        asking(RESOURCE).bearer(&stage.token(|token| token.parameter("typ", SECRET))),
        asking(RESOURCE).bearer(&stage.token(|token| token.parameter("jku", format!("https://{SECRET}")))),
        asking(RESOURCE).bearer(SECRET),
        asking(RESOURCE).bearer(&format!("{SECRET},{SECRET}")),
        asking(RESOURCE).bearer(&format!("{SECRET}.{SECRET}.{SECRET}")),
        asking(RESOURCE).bearer(&SECRET.repeat(3000)),
        asking(RESOURCE).bearer(SECRET).bearer(SECRET),
        asking(RESOURCE).header("Authorization", format!("Basic {}", encode(format!("user:{SECRET}")))),
        asking(RESOURCE).header("Authorization", SECRET),
        asking(RESOURCE).header("Cookie", format!("session={SECRET}")),
        asking(&format!("{RESOURCE}?access_token={SECRET}#{SECRET}")),
        asking(&format!("https://mcp.example.com/elsewhere?{SECRET}")),
        asking(&format!("https://mcp.example.com/mcp/%2f?{SECRET}")),
        without(asking(RESOURCE), "X-Forwarded-Host")
            .header("X-Forwarded-Host", format!("user:{SECRET}@mcp.example.com")),
        without(asking(RESOURCE), "X-Forwarded-Method").header("X-Forwarded-Method", format!("GET {SECRET}")),
        without(asking(RESOURCE), "X-Proxy-Secret").header("X-Proxy-Secret", SECRET),
        asking(RESOURCE).header("X-Escape", format!("\u{1b}{SECRET}")),
        asking(RESOURCE).header(format!("X {SECRET}"), SECRET),
        Request::get(format!("/auth?{SECRET}\u{1}")).host("127.0.0.1").bearer(SECRET),
        asking(RESOURCE).header("X-Long", SECRET.repeat(50_000)),
        at(&format!("/auth?token={SECRET}")),
        at(&format!("/auth/nginx?token={SECRET}"))
            .header("X-Original-Method", "GET")
            .header("X-Original-URL", format!("https://user:{SECRET}@mcp.example.com/mcp?{SECRET}")),
        at(&format!("/auth/unknown?token={SECRET}")),
        at(&format!("/auth/envoy/mcp?token={SECRET}")),
        at(&format!("/.well-known/oauth-protected-resource/mcp?resource={SECRET}")),
        at(&format!("/health?token={SECRET}")),
        at(&format!("/nowhere?token={SECRET}")),
        Request::new("POST", format!("/auth?token={SECRET}"))
            .body("application/json", format!("{{\"a\":\"{SECRET}\"}}")),
    ]);
    requests
}

/// The same request with secrets where they must be ignored.
fn with_secrets(mut request: Request) -> Request {
    for (name, value) in &mut request.headers {
        if name.eq_ignore_ascii_case(b"x-forwarded-uri") {
            value.extend(format!("?code={SECRET}").bytes());
        }
    }
    request
        .header("Cookie", format!("session={SECRET}"))
        .header("Referer", format!("https://mcp.example.com/?{SECRET}"))
}

fn at(target: &str) -> Request {
    Request::get(target)
        .host("mcp.example.com")
        .header("X-Forwarded-Proto", "https")
        .header("X-Proxy-Secret", PROXY_SECRET)
}

/// Every part of every token that was sent, long enough to be nobody else's.
fn parts(requests: &[Request]) -> Vec<String> {
    let tokens = requests.iter().flat_map(|request| &request.headers).filter_map(|(name, value)| {
        let value = std::str::from_utf8(value).unwrap();
        name.eq_ignore_ascii_case(b"authorization").then(|| value.strip_prefix("Bearer "))?
    });
    tokens.flat_map(|token| token.split('.')).filter(|part| part.len() > 16).map(ToOwned::to_owned).collect()
}

fn nothing_is_told(log: &str) {
    let stage = Stage::start(log);
    let requests = requests(&stage);
    for request in &requests {
        let answer = request.send(stage.service.port);
        for secret in [SECRET, PROXY_SECRET] {
            assert!(!answer.text().contains(secret), "{log}: told in the answer: {answer:?}");
        }
    }
    for path in ["/metrics", "/readyz", "/healthz", "/nowhere"] {
        stage.service.admin(&format!("{path}?token={SECRET}"));
    }
    stage.send(&asking("https://mcp.example.com/last").header("X-Request-Id", LAST));
    eventually("the last line is written", || stage.service.process.output().contains(LAST));
    let output = stage.service.process.output();
    let known = [SECRET, PROXY_SECRET, "wrong-secret", "alice@example.com", "bob@example.com"];
    let told: Vec<&str> = output
        .lines()
        .filter(|line| {
            known.iter().any(|secret| line.contains(secret)) || parts(&requests).iter().any(|part| line.contains(part))
        })
        .collect();
    assert!(told.is_empty(), "{log}: {told:#?}");
    assert!(parts(&requests).len() > 50, "tokens were sent");
    assert!(output.lines().count() > 30, "{log}: refusals were logged: {output}");
}

#[test]
fn nothing_secret_is_logged_by_default() {
    nothing_is_told("allows = 1");
}

#[test]
fn nothing_secret_is_logged_when_everything_is() {
    nothing_is_told("level = \"trace\"\nallows = 1");
}

#[test]
fn nothing_secret_is_shown_on_a_terminal() {
    nothing_is_told("level = \"trace\"\nformat = \"console\"\nallows = 1");
}
