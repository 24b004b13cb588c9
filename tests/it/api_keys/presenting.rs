//! What is presented: the key itself, and everything that is not quite it.

use super::stage::{OTHER, PEOPLE, RESOURCE, Stage};
use crate::support::http::Request;
use crate::support::process::eventually;
use crate::support::report::Report;

/// The digits of the alphabet that keys are written in.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key that nobody gave out, with a good checksum: anybody can compute one.
pub fn invented(number: u128) -> String {
    let base62 = |mut number: u128, digits: usize| {
        let mut text = Vec::new();
        for _ in 0..digits {
            text.insert(0, BASE62[usize::try_from(number % 62).unwrap()]);
            number /= 62;
        }
        String::from_utf8(text).unwrap()
    };
    let random = base62(number, 43);
    let crc = !random.bytes().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 })
    });
    format!("mfa_{random}{}", base62(u128::from(crc), 6))
}

fn challenge(stage: &Stage, token: &str) -> (u16, String) {
    let answer = stage.service.ask("POST", RESOURCE, Some(token));
    (answer.status, answer.header("WWW-Authenticate").unwrap_or_default().to_owned())
}

#[test]
fn only_the_key_itself_is_let_in() {
    let stage = Stage::start();
    let key = stage.create("backup", &[]);
    let other = stage.create("other", &[]);
    let body = &key[4..];
    let last = key.as_bytes()[52];
    let slipped = format!("{}{}", &key[..52], if last == b'0' { '1' } else { '0' });
    let long = "A".repeat(10_000);
    let mut rows: Vec<(&str, String, &str)> = vec![
        ("the key", key.clone(), "ok"),
        ("spaces before it", format!("   {key}"), "ok"),
        ("spaces after it", format!("{key}  "), "ok"),
        ("another key", other.clone(), "ok"),
        ("one that was never given out", invented(7), "invalid_token"),
        ("a wrong checksum", slipped, "invalid_token"),
        ("without its last character", key[..52].to_owned(), "invalid_token"),
        ("with one more", format!("{key}0"), "invalid_token"),
        ("the prefix alone", "mfa_".into(), "invalid_token"),
        ("without the prefix", body.to_owned(), "invalid_token"),
        ("in capitals", key.to_uppercase(), "invalid_token"),
        ("in small letters", key.to_lowercase(), "invalid_token"),
        ("the prefix in capitals", format!("MFA_{body}"), "invalid_token"),
        ("another prefix", format!("mfr_{body}"), "invalid_token"),
        ("a space within", format!("{} {}", &key[..20], &key[20..]), "invalid_token"),
        ("a tab after it", format!("{key}\t"), "ok"),
        ("two keys", format!("{key} {other}"), "invalid_token"),
        ("a list of keys", format!("{key},{other}"), "invalid_token"),
        ("in quotes", format!("\"{key}\""), "invalid_token"),
        ("as a part of a JWT", format!("{key}.{key}.{key}"), "invalid_token"),
        ("padded", format!("{key}=="), "invalid_token"),
        ("much too long", format!("mfa_{long}"), "invalid_token"),
        ("percent-encoded", key.replace("mfa_", "mfa%5F"), "invalid_token"),
        ("its hash", mcp_forward_auth::domain::SecretHash::of(&key).as_str().to_owned(), "invalid_token"),
    ];
    if !body.starts_with('0') {
        rows.push(("another first character", format!("mfa_0{}", &body[1..]), "invalid_token"));
    }
    let mut report = Report::new("presented");
    for (name, token, expected) in &rows {
        report.row(*name);
        report.equal("the verdict", stage.ask(RESOURCE, token), *expected);
        let (status, challenge) = challenge(&stage, token);
        report.equal("the status", status, if *expected == "ok" { 200 } else { 401 });
        let asks = *expected == "ok" || challenge.contains("error=\"invalid_");
        report.holds(asks && !challenge.contains("mfa_"), || challenge.clone());
    }
    report.finish();
}

#[test]
fn a_key_counts_in_one_header_of_its_scheme_and_nowhere_else() {
    let stage = Stage::start();
    let key = stage.create("backup", &[]);
    let asking = || {
        Request::get("/auth")
            .host("localhost")
            .header("X-Forwarded-Method", "POST")
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", "mcp.example.com")
    };
    let at = |target: &str| asking().header("X-Forwarded-Uri", target.to_owned());
    let basic = |text: String| format!("Basic {}", crate::support::issuer::encode(text));
    let mut report = Report::new("places");
    for (name, request, status) in [
        ("bearer", at("/mcp").bearer(&key), 200),
        ("bearer in small letters", at("/mcp").header("Authorization", format!("bearer {key}")), 200),
        ("basic, as the user", at("/mcp").header("Authorization", basic(format!("{key}:"))), 401),
        ("basic, as the password", at("/mcp").header("Authorization", basic(format!("backup:{key}"))), 401),
        ("no scheme", at("/mcp").header("Authorization", key.clone()), 401),
        ("a scheme of another kind", at("/mcp").header("Authorization", format!("Token {key}")), 401),
        ("twice", at("/mcp").bearer(&key).bearer(&key), 401),
        ("another header", at("/mcp").header("X-Api-Key", key.clone()), 401),
        ("a cookie", at("/mcp").header("Cookie", format!("session={key}; api_key={key}")), 401),
        ("the query", at(&format!("/mcp?access_token={key}&api_key={key}")), 401),
    ] {
        report.row(name);
        report.equal("the status", request.send(stage.service.port).status, status);
    }
    report.finish();
}

#[test]
fn a_key_is_for_its_resources_only_and_ends_on_time() {
    let stage = Stage::start();
    let key = stage.create("backup", &["--scope", "mcp:write"]);
    assert_eq!(stage.ask(RESOURCE, &key), "ok");
    assert_eq!(stage.ask(OTHER, &key), "wrong_audience");
    assert_eq!(stage.ask(PEOPLE, &key), "wrong_audience");
    let both = stage.create("both", &["--resource", OTHER, "--scope", "mcp:write"]);
    assert_eq!((stage.ask(RESOURCE, &both), stage.ask(OTHER, &both)), ("ok".into(), "ok".into()));
    let narrow = stage.create("narrow", &["--resource", OTHER]);
    assert_eq!(stage.ask(OTHER, &narrow), "insufficient_scope");

    let short = stage.create("short", &["--expires-in", "2s"]);
    eventually("the end of the key", || stage.ask(RESOURCE, &short) != "ok");
    assert_eq!(stage.ask(RESOURCE, &short), "expired_token");
    let (status, told) = challenge(&stage, &short);
    assert!(status == 401 && told.contains("the token has expired"), "{told}");
}

#[test]
fn a_flood_of_keys_that_nobody_has_leaves_nothing_behind() {
    let stage = Stage::start();
    let key = stage.create("backup", &[]);
    let cached = || stage.service.metrics().value("token_cache_entries", &[]);
    let before = cached();
    std::thread::scope(|scope| {
        for thread in 0..4_u128 {
            let stage = &stage;
            scope.spawn(move || {
                for number in 0..500 {
                    assert_eq!(stage.ask(RESOURCE, &invented(thread << 64 | number)), "invalid_token");
                    assert_eq!(stage.ask(RESOURCE, &format!("mfa_{thread}{number}")), "invalid_token");
                }
            });
        }
    });
    assert_eq!(stage.ask(RESOURCE, &key), "ok");
    assert_eq!(cached(), before);
    assert_eq!(stage.service.metrics().value("api_keys", &[]), 1.0);
    assert_eq!(stage.listed().len(), 1);
}
