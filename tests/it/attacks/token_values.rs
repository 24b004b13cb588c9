//! Names in tokens that try to be more than a name once they stand in a header.

use serde_json::{Value, json};

use super::try_each;
use crate::support::proxies::Kind;
use crate::support::stage::Stage;

through_each_proxy!(values_of_tokens_arrive_encoded);

fn values_of_tokens_arrive_encoded(kind: Kind) {
    let stage = Stage::start(kind);
    // Claim, value, header, what arrives there.
    let rows: [(&str, Value, &str, &str); 13] = [
        ("groups", json!(["a\r\nX-Auth-Subject: root"]), "X-Forwarded-Groups", "a%0D%0AX-Auth-Subject:%20root"),
        ("groups", json!(["a\nb", "c\u{0}d"]), "X-Forwarded-Groups", "a%0Ab,c%00d"),
        ("groups", json!(["users,admins"]), "X-Forwarded-Groups", "users%2Cadmins"),
        ("groups", json!(["a%2Cb", "\u{fc}ber", "a\u{2028}b"]), "X-Forwarded-Groups", "a%252Cb,%C3%BCber,a%E2%80%A8b"),
        ("groups", json!("one, two"), "X-Forwarded-Groups", "one%2C%20two"),
        ("client_id", json!("c\r\n\r\nGET /other HTTP/1.1"), "X-Auth-Client", "c%0D%0A%0D%0AGET%20/other%20HTTP/1.1"),
        ("client_id", json!("\u{e9}"), "X-Auth-Client", "%C3%A9"),
        ("sub", json!("a,b c\u{e9}"), "X-Auth-Subject", "a,b%20c%C3%A9"),
        ("sub", json!("root\u{a0}"), "X-Auth-Subject", "root%C2%A0"),
        ("preferred_username", json!("r\r\nX-Forwarded-Email: root"), "X-Forwarded-Email", "alice@example.com"),
        ("scope", json!("mcp:read a\r\nX-Auth-Subject:root"), "X-Auth-Subject", "alice-subject"),
        ("scope", json!("mcp:read \u{e9} \"x\""), "X-Forwarded-Scopes", "mcp:read"),
        ("groups", json!(["x".repeat(5000), "b"]), "X-Forwarded-Groups", "b"),
    ];
    for (claim, value, header, expected) in rows {
        let token = stage.token_for("/mcp").claim(claim, value.clone());
        let request = stage.get("/mcp").bearer(&stage.issuer.sign(&token));
        try_each(&stage, vec![(format!("{claim} {value}"), request)], |outcome| {
            let [seen] = &outcome.seen[..] else { return Some(outcome.shown()) };
            let values = seen.all(header);
            let right = values == [expected];
            let alone = seen.all("x-auth-subject").len() == 1 && seen.all("x-forwarded-email") == ["alice@example.com"];
            (!right || !alone).then(|| format!("{header} is {values:?}, expected {expected:?}: {seen:?}"))
        });
    }
}
