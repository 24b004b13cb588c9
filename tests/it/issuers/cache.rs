//! The cache of verified identities: it dies with the token, holds no verdicts, and is bounded.

use super::{RESOURCE, ask, config, outcome, table};
use crate::support::issuer::{TestIssuer, now};
use crate::support::process::eventually;
use crate::support::service::Service;

fn hits(service: &Service) -> f64 {
    service.metrics().value("token_cache_hits_total", &[])
}

/// Judged before and after the same second, so that the answer cannot depend on when it came.
#[test]
fn a_cached_identity_dies_when_its_token_expires() {
    let issuer = TestIssuer::start();
    let service = Service::start(&config("[tokens]\nleeway = \"0s\"", &table(&issuer)));
    let exp = now() + 3;
    let token = issuer.sign(&issuer.token_for(RESOURCE).claim("exp", exp));
    let mut outcomes = Vec::new();
    eventually("the token has expired", || {
        let (before, answer, after) = (now(), ask(&service, &token), now());
        outcomes.push(outcome(&answer));
        if after < exp {
            assert_eq!(outcome(&answer), "200", "{} s before exp", exp - after);
        }
        if before >= exp {
            assert_eq!(outcome(&answer), "401 expired_token", "{} s after exp", before - exp);
        }
        before > exp
    });
    assert!(hits(&service) > 1.0, "it was answered from the cache: {outcomes:?}");
    assert!(outcomes.iter().any(|outcome| outcome == "200"));
}

#[test]
fn policy_is_applied_to_every_request_also_when_the_identity_is_cached() {
    let issuer = TestIssuer::start();
    let service = Service::start(&format!(
        "[[issuers]]
{}
[[resources]]
url = \"{RESOURCE}\"
[[resources]]
url = \"https://mcp.example.com/other\"
[[resources]]
url = \"https://mcp.example.com/bobs\"
allowed_emails = [\"bob@example.com\"]
[[resources]]
url = \"https://mcp.example.com/admin\"
required_scopes = [\"mcp:admin\"]
",
        table(&issuer)
    ));
    let audiences = ["mcp", "bobs", "admin"].map(|path| format!("https://mcp.example.com/{path}"));
    let token = issuer.sign(&issuer.token_for(RESOURCE).claim("aud", audiences.to_vec()));
    for round in 0..3 {
        for (path, expected) in [
            ("mcp", "200"),
            ("other", "401 wrong_audience"),
            ("bobs", "403 principal_not_allowed"),
            ("admin", "403 insufficient_scope"),
        ] {
            let answer = service.ask("POST", &format!("https://mcp.example.com/{path}"), Some(&token));
            assert_eq!(outcome(&answer), expected, "{path}, round {round}");
        }
    }
    assert_eq!(hits(&service), 11.0, "every answer but the first came from the cache");
}

#[test]
fn the_memory_of_the_cache_is_bounded() {
    const BOUND: f64 = 200_000.0;
    const TOKENS: u32 = 1500;
    let issuer = TestIssuer::start();
    let service = Service::start(&config(&format!("[tokens]\ncache_bytes = {BOUND}"), &table(&issuer)));
    let figure = |name: &str| service.metrics().value(name, &[]);
    let mut fullest: f64 = 0.0;
    for index in 0..TOKENS {
        let token = issuer.sign(&issuer.token_for(RESOURCE).claim("sub", format!("subject {index}")));
        assert_eq!(ask(&service, &token).status, 200);
        if index % 50 == 0 {
            fullest = fullest.max(figure("token_cache_bytes"));
        }
    }
    assert!(fullest <= BOUND, "{fullest} bytes");
    eventually("the cache is full, and no fuller than allowed", || {
        let bytes = figure("token_cache_bytes");
        assert!(bytes <= BOUND, "{bytes} bytes");
        bytes > BOUND / 2.0
    });
    let entries = figure("token_cache_entries");
    assert!(entries > 10.0 && entries < f64::from(TOKENS) / 2.0, "{entries} entries");
    assert_eq!(figure("token_cache_misses_total"), f64::from(TOKENS));
}
