//! Claims of the wrong form, each signed by the issuer's own key.

use serde_json::{Value, json};

use super::{Bench, RESOURCE};
use crate::support::issuer::now;

fn with(bench: &Bench, rows: Vec<(&str, Value)>) -> Vec<(String, String)> {
    let signed = |(name, value): (&str, Value)| {
        let shown: String = format!("{name}: {value}").chars().take(80).collect();
        (shown, bench.sign(&bench.token().claim(name, value)))
    };
    rows.into_iter().map(signed).collect()
}

#[test]
fn issuers_are_one_exact_text() {
    let bench = Bench::start();
    let issuer = bench.issuer.url();
    let wrong_form = vec![
        ("iss", json!([issuer])),
        ("iss", json!([issuer, bench.attacker.url()])),
        ("iss", json!({ "iss": issuer })),
        ("iss", json!(1)),
        ("iss", json!(true)),
        ("iss", Value::Null),
    ];
    let mut tokens = with(&bench, wrong_form);
    tokens.push(("no iss".to_owned(), bench.sign(&bench.token().without("iss"))));
    bench.refuses("invalid_token", tokens);
    let unknown = [
        String::new(),
        format!("{issuer}/"),
        format!(" {issuer}"),
        format!("{issuer}\u{0}"),
        issuer.to_uppercase(),
        issuer.replace("http:", "https:"),
        issuer.replace("127.0.0.1", "localhost"),
        issuer.replace("127.0.0.1", "127.1"),
        issuer.replace("http://", "http://user@"),
        format!("{issuer}?x"),
        format!("{issuer}#"),
        format!("{issuer},{}", bench.attacker.url()),
        bench.attacker.url(),
    ];
    let tokens = with(&bench, unknown.iter().map(|other| ("iss", json!(other))).collect());
    bench.refuses("unknown_issuer", tokens);
}

#[test]
fn audiences_are_texts_one_of_which_is_the_resource() {
    let bench = Bench::start();
    bench.refuses(
        "invalid_token",
        with(
            &bench,
            vec![
                ("aud", json!({ "aud": RESOURCE })),
                ("aud", json!({ RESOURCE: true })),
                ("aud", json!(1)),
                ("aud", json!(true)),
                ("aud", json!([1, RESOURCE])),
                ("aud", json!([RESOURCE, null])),
                ("aud", json!([[RESOURCE]])),
                ("aud", json!([{ "aud": RESOURCE }])),
            ],
        ),
    );
    let others = [
        "",
        "*",
        "https://mcp.example.com",
        "https://mcp.example.com/",
        "https://mcp.example.com/mcp/x",
        "https://mcp.example.com/mc",
        "https://mcp.example.com/mcpx",
        "https://mcp.example.com/MCP",
        "https://mcp.example.com/mcp?x",
        "https://mcp.example.com/mcp#x",
        "https://mcp.example.com/mcp/../mcp",
        "https://mcp.example.com/%6dcp",
        "http://mcp.example.com/mcp",
        "https://mcp.example.com:444/mcp",
        "https://user@mcp.example.com/mcp",
        "https://mcp.example.com.evil.example/mcp",
        "https://evil.example/https://mcp.example.com/mcp",
        "mcp.example.com/mcp",
        "/mcp",
        "https://mcp.example.com/mcp https://evil.example",
        "https://mcp.example.com/mcp,https://evil.example",
        " https://mcp.example.com/mcp",
        "https://mcp.example.com/mcp\u{0}",
        "https://xmcp.example.com/mcp",
    ];
    let mut tokens = with(&bench, others.iter().map(|other| ("aud", json!(other))).collect());
    tokens.extend(with(&bench, vec![("aud", json!(others)), ("aud", json!([])), ("aud", Value::Null)]));
    tokens.push(("no aud".to_owned(), bench.sign(&bench.token().without("aud"))));
    bench.refuses("wrong_audience", tokens);
    bench.accepts(vec![("one of two", bench.sign(&bench.token().claim("aud", json!(["x", RESOURCE]))))]);
}

#[test]
fn times_are_numbers_that_fit() {
    let bench = Bench::start();
    let wrong_form = [
        json!("9999999999"),
        json!(""),
        json!("never"),
        json!("1e10"),
        json!(true),
        json!([9_999_999_999_u64]),
        json!({ "exp": 9_999_999_999_u64 }),
        json!(1e300),
        json!(f64::MAX),
        json!(-1),
        json!(i64::MIN),
        json!(-1e300),
    ];
    let mut tokens = Vec::new();
    for name in ["exp", "nbf", "iat"] {
        tokens.extend(with(&bench, wrong_form.iter().map(|value| (name, value.clone())).collect()));
    }
    tokens.push(("no exp".to_owned(), bench.sign(&bench.token().without("exp"))));
    tokens.extend(with(&bench, vec![("exp", Value::Null)]));
    for (name, later) in [("nbf", 40), ("nbf", 86_400), ("iat", 40), ("iat", 86_400)] {
        tokens.extend(with(&bench, vec![(name, json!(now() + later))]));
    }
    tokens.extend(with(&bench, vec![("nbf", json!(u64::MAX)), ("iat", json!(u64::MAX)), ("iat", json!(1e18))]));
    bench.refuses("invalid_token", tokens);
    let past = [json!(0), json!(-0.0), json!(now() - 40), json!(1.5)];
    bench.refuses("expired_token", with(&bench, past.iter().map(|value| ("exp", value.clone())).collect()));
    bench.accepts(vec![
        ("a fraction", bench.sign(&bench.token().claim("exp", json!(9_999_999_999.5)))),
        ("the end of time", bench.sign(&bench.token().claim("exp", u64::MAX))),
        ("issued at the beginning of time", bench.sign(&bench.token().claim("iat", 0).claim("nbf", 0))),
    ]);
}

/// A token that is bound to a key is stolen goods in anybody's hands but the key's owner's.
#[test]
fn bound_tokens_are_no_bearer_tokens() {
    let bench = Bench::start();
    let bindings = [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({ "jwk": bench.attacker.keys[0].jwk() }),
        json!({ "kid": "x" }),
        json!({}),
        json!("x"),
        json!([]),
        json!(false),
    ];
    bench.refuses("invalid_token", with(&bench, bindings.into_iter().map(|value| ("cnf", value)).collect()));
}

#[test]
fn other_claims_have_their_form_too() {
    let bench = Bench::start();
    let subjects = [
        json!(""),
        json!(1),
        json!(["alice"]),
        json!({}),
        json!("a\nb"),
        json!("a\u{0}"),
        json!("x".repeat(256)),
        Value::Null,
    ];
    let mut rows: Vec<(&str, Value)> = subjects.into_iter().map(|value| ("sub", value)).collect();
    for name in ["scope", "scp", "groups"] {
        rows.extend([(name, json!(1)), (name, json!({ "x": "mcp:read" })), (name, json!([["mcp:read"]]))]);
    }
    rows.extend([("client_id", json!(["x"])), ("email", json!(["alice@example.com"])), ("typ", json!("ID"))]);
    let mut tokens = with(&bench, rows);
    tokens.push(("no sub".to_owned(), bench.sign(&bench.token().without("sub"))));
    bench.refuses("invalid_token", tokens);
}

/// Readers disagree on which of two counts; here both are refused.
#[test]
fn claims_with_two_readings_are_refused() {
    let bench = Bench::start();
    let header = bench.token().header.to_string();
    let claims = bench.token().claims.to_string();
    let and = |more: &str| format!("{},{more}}}", claims.strip_suffix('}').unwrap()).into_bytes();
    let issuer = bench.issuer.url();
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("iss twice", and(&format!("\"iss\":\"{issuer}\""))),
        ("aud twice", and("\"aud\":\"x\"")),
        ("aud twice, once escaped", and("\"\\u0061ud\":\"x\"")),
        ("exp twice", and("\"exp\":1")),
        ("sub twice", and("\"sub\":\"root\"")),
        ("email twice", and("\"email\":\"root@example.com\"")),
        ("email_verified twice", and("\"email_verified\":false")),
        ("groups twice", and("\"groups\":[\"admins\"]")),
        ("scope twice", and("\"scope\":\"mcp:admin\"")),
        ("cnf twice", and("\"cnf\":null,\"cnf\":null")),
        ("a list", b"[]".to_vec()),
        ("a list of lists", format!("[{claims}]").into_bytes()),
        ("a text", format!("{claims:?}").into_bytes()),
        ("nothing", Vec::new()),
        ("more behind it", format!("{claims}{claims}").into_bytes()),
        ("a NUL behind it", format!("{claims}\0").into_bytes()),
        ("a byte order mark", format!("\u{feff}{claims}").into_bytes()),
        ("no UTF-8", [and("\"x\":\"\u{1}\""), b"\xff".to_vec()].concat()),
        ("a lone surrogate", and("\"sub2\":1,\"client_id2\":\"\\ud800\",\"azp\":\"\\ud800\"")),
        ("deep nesting", and(&format!("\"x\":{}", "[".repeat(3_000)))),
    ];
    bench.refuses("invalid_token", rows.iter().map(|(name, text)| (*name, bench.signed_text(&header, text))).collect());
    let deep = format!("\"x\":{}{}", "[".repeat(3_000), "]".repeat(3_000));
    bench.accepts(vec![
        ("unknown claims", bench.signed_text(&header, and("\"AUD\":\"x\",\"__proto__\":{\"sub\":\"root\"}"))),
        ("unknown claims, deeply nested", bench.signed_text(&header, and(&deep))),
    ]);
}
