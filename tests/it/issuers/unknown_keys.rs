//! Tokens of keys that are not known: attackers make them by the thousand, and issuers make them when they rotate.

use std::time::Instant;

use super::{RESOURCE, ask, config, eager, outcome, refreshes, table};
use crate::support::issuer::{KEY_SET, SigningKey, TestIssuer, now};
use crate::support::process::eventually;
use crate::support::service::Service;

const THREADS: usize = 4;
const EACH: usize = 500;

/// `THREADS` × `EACH` tokens, each with a key id of its own; half of them claim to be issued this very second.
fn flood(issuer: &TestIssuer, service: &Service) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let attacker = SigningKey::generate("attacker", "ES256");
                for index in 0..EACH {
                    let fresh = index % 2 == 0;
                    let token = issuer
                        .token_for(RESOURCE)
                        .claim("iat", if fresh { now() } else { now() - 600 })
                        .parameter("kid", format!("{thread}-{index}"));
                    let answer = ask(service, &token.signed_by(&attacker));
                    let expected = if fresh { "503 keys_unavailable" } else { "401 invalid_token" };
                    assert_eq!(outcome(&answer), expected);
                }
            });
        }
    });
}

#[test]
fn a_flood_of_key_ids_makes_no_fetch_during_the_cool_down() {
    let issuer = TestIssuer::start();
    let service =
        Service::start(&config("[keys]\nrefresh_cooldown = \"1h\"\nrefresh_interval = \"24h\"", &table(&issuer)));
    flood(&issuer, &service);
    assert_eq!(issuer.web.requests_for(KEY_SET), 1, "only the fetch at the start");
    assert_eq!(ask(&service, &issuer.sign(&issuer.token_for(RESOURCE))).status, 200, "good tokens are still judged");
}

/// The same with a short cool-down: fetches do happen, and no faster than it allows (jitter takes a tenth off).
#[test]
fn a_flood_of_key_ids_makes_at_most_one_fetch_per_cool_down() {
    let issuer = TestIssuer::start();
    let service = eager(&issuer);
    let (start, before) = (Instant::now(), issuer.web.requests_for(KEY_SET));
    flood(&issuer, &service);
    eventually("the flood led to a fetch", || issuer.web.requests_for(KEY_SET) > before);
    let (fetches, passed) = (issuer.web.requests_for(KEY_SET) - before, start.elapsed());
    let allowed = passed.as_secs_f64() / 0.9 + 1.0;
    assert!(f64::from(u32::try_from(fetches).unwrap()) <= allowed, "{fetches} fetches in {passed:?}");
}

/// The issuer has rotated a second ago: its new tokens are ours to wait for, never to refuse.
#[test]
fn a_token_of_a_new_key_is_undecidable_until_the_key_is_fetched_and_never_refused() {
    let mut issuer = TestIssuer::start();
    let service = eager(&issuer);
    issuer.keys.push(SigningKey::generate("key-2", "ES256"));
    issuer.publish();
    let token = issuer.token_for(RESOURCE).claim("iat", now()).parameter("kid", "key-2").signed_by(&issuer.keys[1]);

    let first = ask(&service, &token);
    assert_eq!(outcome(&first), "503 keys_unavailable", "the key cannot be known yet");
    assert_eq!(first.header("retry-after"), Some("1"));
    assert_eq!(first.header("www-authenticate"), None, "a challenge would make the client sign in again");
    eventually("the key was fetched", || {
        let answer = ask(&service, &token);
        assert!(matches!(&*outcome(&answer), "200" | "503 keys_unavailable"), "{answer:?}");
        answer.status == 200
    });
    assert_eq!(refreshes(&service, &issuer), 2.0);
    assert_eq!(outcome(&ask(&service, &issuer.sign(&issuer.token_for(RESOURCE)))), "200", "the old key is still good");
}

/// Looked for and not found: from then on the token is refused.
#[test]
fn a_key_that_no_fetch_brings_ends_in_a_refusal() {
    let issuer = TestIssuer::start();
    let service = eager(&issuer);
    let token = issuer.token_for(RESOURCE).claim("iat", now()).parameter("kid", "nobody's");
    let token = issuer.sign(&token);
    assert_eq!(outcome(&ask(&service, &token)), "503 keys_unavailable");
    eventually("the token is refused", || outcome(&ask(&service, &token)) == "401 invalid_token");
    assert!(refreshes(&service, &issuer) >= 2.0);
}
