//! Dynamic registration (RFC 7591).

use super::*;

fn list(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_public_client_is_told_all_that_was_registered_and_no_secret() {
    let world = World::new(|_| {});
    let body = json!({
        "client_name": "MCP CLI Client",
        "redirect_uris": ["http://localhost:3335/oauth/callback"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "mcp:read",
        "application_type": "native",
        "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d",
        "contacts": [{ "not": "even text" }],
    });
    let answer = world.register(&body).await.unwrap();
    for name in ["client_name", "redirect_uris", "token_endpoint_auth_method", "grant_types", "response_types", "scope"]
    {
        assert_eq!(answer[name], body[name], "{name}");
    }
    let id = answer["client_id"].as_str().unwrap();
    assert!(!id.starts_with("http") && id.len() == 26, "{id}");
    assert_eq!(answer["client_id_issued_at"], json!(NOW.as_secs()));
    assert_eq!(answer["registration_client_uri"], json!(format!("https://auth.example.com/register/{id}")));
    assert!(answer["registration_access_token"].as_str().unwrap().len() > 40);
    for absent in ["client_secret", "client_secret_expires_at", "jwks", "jwks_uri", "software_id", "contacts"] {
        assert!(answer.get(absent).is_none(), "{absent}");
    }
    let client = world.find(id, NOW).await.unwrap().unwrap();
    assert!(!client.is_confidential() && client.redirect_named("http://localhost:9/oauth/callback").is_some());
}

#[tokio::test]
async fn a_client_with_a_secret_gets_it_with_an_integer_expiry_and_only_its_hash_is_kept() {
    let world = World::new(|_| {});
    for method in ["client_secret_basic", "client_secret_post"] {
        let body = changed(&native(), &json!({ "token_endpoint_auth_method": method }));
        let answer = world.register(&body).await.unwrap();
        assert_eq!(answer["token_endpoint_auth_method"], json!(method));
        assert_eq!(answer["client_secret_expires_at"], json!(0));
        let (id, secret) = (answer["client_id"].as_str().unwrap(), answer["client_secret"].as_str().unwrap());
        let record = world.store.get(Table::Clients, id, NOW).await.unwrap().unwrap();
        let record = String::from_utf8(record.value).unwrap();
        assert!(!record.contains(secret) && !record.contains(answer["registration_access_token"].as_str().unwrap()));
        assert_eq!(world.authenticate(&format!("client_id={id}&client_secret={secret}"), None).await.unwrap(), id);
    }
}

#[tokio::test]
async fn the_method_echoed_is_the_method_enforced() {
    let world = World::new(|_| {});
    let key = crate::authn::testing::TestKey::new("k");
    for (changes, method) in [
        (json!({ "token_endpoint_auth_method": "none" }), "none"),
        (json!({ "token_endpoint_auth_method": "client_secret_post" }), "client_secret_post"),
        // The Python SDK names no method: a native client cannot keep a secret, a hosted one can.
        (json!({ "token_endpoint_auth_method": null }), "none"),
        (
            json!({ "token_endpoint_auth_method": null, "redirect_uris": ["cursor://a/cb", "https://a.example/cb"] }),
            "none",
        ),
        (
            json!({ "token_endpoint_auth_method": null, "redirect_uris": ["https://a.example/cb"] }),
            "client_secret_basic",
        ),
        (
            json!({ "token_endpoint_auth_method": null, "redirect_uris": ["https://a.example/cb"],
                 "application_type": "native" }),
            "none",
        ),
        (
            json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.jwk()] } }),
            "private_key_jwt",
        ),
        (
            json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://a.example/jwks" }),
            "private_key_jwt",
        ),
    ] {
        let answer = world.register(&changed(&native(), &changes)).await.unwrap();
        assert_eq!(answer["token_endpoint_auth_method"], json!(method), "{changes}");
        assert_eq!(answer.get("client_secret").is_some(), method.starts_with("client_secret"), "{changes}");
        let id = answer["client_id"].as_str().unwrap();
        let alone = world.authenticate(&format!("client_id={id}"), None).await;
        assert_eq!(alone.is_ok(), method == "none", "{changes}");
    }
}

#[tokio::test]
async fn unacceptable_redirect_uris_are_left_out_and_only_an_empty_set_is_refused() {
    let world = World::new(|_| {});
    let cursor = json!([
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://evil.example/cb",
        "https://evil.example/*",
        "com.evil://x",
        "http://localhost:8787/callback",
    ]);
    let answer = world.register(&changed(&native(), &json!({ "redirect_uris": cursor }))).await.unwrap();
    assert_eq!(list(&answer["redirect_uris"]), list(&json!(cursor.as_array().unwrap()[..3])));
    let too_long = format!("https://a.example/{}", "x".repeat(2048));
    let many: Vec<String> = (0..21).map(|number| format!("https://a.example/{number}")).collect();
    for uris in [json!(["javascript:alert(1)", "http://evil.example/cb"]), json!([]), json!([too_long]), json!(many)] {
        let refused = world.register(&changed(&native(), &json!({ "redirect_uris": uris }))).await;
        assert_eq!(refused, Err(ErrorCode::InvalidRedirectUri));
    }
    assert_eq!(world.register(&json!({})).await, Err(ErrorCode::InvalidRedirectUri));
}

#[tokio::test]
async fn wrong_bodies_are_the_clients_mistake_and_never_ours() {
    let world = World::new(|_| {});
    let error = |body: &[u8]| {
        let (body, clients) = (body.to_vec(), &world.clients);
        async move { clients.register(&body, NOW).await.unwrap_err() }
    };
    for body in
        ["", "x", "[]", "null", "\"x\"", "{", "{}{}", "[[\"http://localhost/\"]]", "{\"redirect_uris\":", "\u{feff}{}"]
    {
        assert_eq!(error(body.as_bytes()).await.code, ErrorCode::InvalidClientMetadata, "{body}");
    }
    assert_eq!(error(b"{\"client_name\":\"\xff\"}").await.code, ErrorCode::InvalidClientMetadata);
    assert_eq!(error("[".repeat(60_000).as_bytes()).await.code, ErrorCode::InvalidClientMetadata);
    let deep = format!("{{\"x\":{}", "[".repeat(60_000));
    assert_eq!(error(deep.as_bytes()).await.code, ErrorCode::InvalidClientMetadata);
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(Clients::MAX_REGISTRATION));
    assert_eq!(error(long.as_bytes()).await.code, ErrorCode::InvalidClientMetadata);
    for (member, value) in [
        ("redirect_uris", json!("http://localhost/callback")),
        ("redirect_uris", json!([1])),
        ("redirect_uris", json!({ "0": "http://localhost/callback" })),
        ("client_name", json!(["x"])),
        ("token_endpoint_auth_method", json!(1)),
        ("grant_types", json!("authorization_code")),
        ("scope", json!(["mcp:read"])),
        ("jwks_uri", json!({})),
        ("dpop_bound_access_tokens", json!("true")),
        ("client_id", json!(7)),
    ] {
        let body = changed(&native(), &json!({ member: value }));
        let error = error(body.to_string().as_bytes()).await;
        assert_eq!(error.code, ErrorCode::InvalidClientMetadata, "{body}");
        assert!(error.description.ends_with(member), "{}", error.description);
    }
    let twice = br#"{"redirect_uris":["http://localhost/a"],"redirect_uris":["http://localhost/b"]}"#;
    assert_eq!(error(twice).await.code, ErrorCode::InvalidClientMetadata);
}

#[tokio::test]
async fn unknown_members_and_grant_types_are_ignored() {
    let world = World::new(|_| {});
    for (grant_types, registered) in [
        (json!(null), &["authorization_code", "refresh_token"][..]),
        (json!([]), &["authorization_code", "refresh_token"]),
        (json!(["authorization_code"]), &["authorization_code"]),
        (json!(["refresh_token"]), &["authorization_code", "refresh_token"]),
        (
            json!(["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]),
            &["authorization_code", "refresh_token"],
        ),
        // Machines are configured: nobody gives themselves tokens without a person.
        (json!(["client_credentials"]), &["authorization_code", "refresh_token"]),
        (json!(["authorization_code", "client_credentials"]), &["authorization_code"]),
    ] {
        let body = changed(
            &native(),
            &json!({ "grant_types": grant_types, "x": { "y": [null] }, "response_types": ["token"] }),
        );
        let answer = world.register(&body).await.unwrap();
        assert_eq!(list(&answer["grant_types"]), registered, "{grant_types}");
        assert_eq!(answer["response_types"], json!(["code"]));
    }
}

#[tokio::test]
async fn the_scope_that_a_client_lists_is_no_limit_when_it_steps_up() {
    let world = World::new(|_| {});
    for (scope, echoed) in [(json!("mcp:read b"), Some("b mcp:read")), (json!(""), None), (json!(null), None)] {
        let answer = world.register(&changed(&native(), &json!({ "scope": scope }))).await.unwrap();
        assert_eq!(answer.get("scope").and_then(Value::as_str), echoed);
        let client = world.find(answer["client_id"].as_str().unwrap(), NOW).await.unwrap().unwrap();
        assert_eq!(client.scopes, None);
    }
}

#[tokio::test]
async fn a_name_cannot_pretend_to_be_something_else_on_a_page() {
    let world = World::new(|_| {});
    for (written, shown) in [
        ("Claude", Some("Claude")),
        ("  Notes\r\n  of\tmine \u{a0} ", Some("Notes of mine")),
        ("evil\u{202e}gnp.exe\u{2066}\u{200b}\u{feff}\u{0}\u{7f}\u{e0041}", Some("evilgnp.exe")),
        ("\u{200d}\u{202a} \u{3164}", None),
        ("", None),
        ("B\u{fc}cher <b>&amp;</b>", Some("B\u{fc}cher <b>&amp;</b>")),
    ] {
        let answer = world.register(&changed(&native(), &json!({ "client_name": written }))).await.unwrap();
        assert_eq!(answer.get("client_name").and_then(Value::as_str), shown, "{written:?}");
    }
    let long = world.register(&changed(&native(), &json!({ "client_name": "\u{fc}".repeat(5000) }))).await.unwrap();
    assert_eq!(long["client_name"].as_str().unwrap().chars().count(), 100);
}

#[tokio::test]
async fn keys_of_a_client_are_public_keys_in_one_place() {
    let world = World::new(|_| {});
    let key = crate::authn::testing::TestKey::new("k").jwk();
    let keys = |key: &Value| json!({ "jwks": { "keys": [key] } });
    let private = changed(&key, &json!({ "d": "AQAB" }));
    let symmetric = json!({ "kty": "oct", "k": "AQAB", "kid": "k" });
    let many: Vec<&Value> = std::iter::repeat_n(&key, 21).collect();
    for (members, accepted) in [
        (keys(&key), true),
        (json!({ "jwks_uri": "https://a.example/jwks" }), true),
        (json!({}), false),
        (json!({ "jwks": { "keys": [key] }, "jwks_uri": "https://a.example/jwks" }), false),
        (keys(&private), false),
        (keys(&symmetric), false),
        (json!({ "jwks": { "keys": [key, private] } }), false),
        (json!({ "jwks": { "keys": [] } }), false),
        (json!({ "jwks": { "keys": many } }), false),
        (json!({ "jwks": "x" }), false),
        (json!({ "jwks": [key] }), false),
        (json!({ "jwks_uri": "http://a.example/jwks" }), false),
        (json!({ "jwks_uri": "http://localhost/jwks" }), false),
        (json!({ "jwks_uri": "file:///etc/passwd" }), false),
        (json!({ "jwks_uri": "https://user@a.example/jwks" }), false),
    ] {
        let body = changed(&changed(&native(), &json!({ "token_endpoint_auth_method": "private_key_jwt" })), &members);
        let outcome = world.register(&body).await;
        assert_eq!(outcome.is_ok(), accepted, "{members} {outcome:?}");
    }
    assert_eq!(world.internet.fetches(), 0);
    let unknown = changed(&native(), &json!({ "token_endpoint_auth_method": "tls_client_auth" }));
    assert_eq!(world.register(&unknown).await, Err(ErrorCode::InvalidClientMetadata));
}

#[tokio::test]
async fn a_full_table_throws_nobody_out_and_tells_the_newcomer_to_come_back() {
    let world = World::new(|settings| settings.registration.max_clients = 2);
    let first = world.register(&native()).await.unwrap();
    world.register(&native()).await.unwrap();
    let refused = world.register(&native()).await.unwrap_err();
    assert_eq!((refused, refused.status()), (ErrorCode::TooManyRequests, 429));
    assert!(world.find(first["client_id"].as_str().unwrap(), NOW).await.unwrap().is_some());
    world.store.purge(later(8 * 24 * 3600)).await.unwrap();
    assert!(world.register(&native()).await.is_ok());
}

/// Thirty registrations a minute from one address, as the limit of `/register` has it, are 1800 in an hour.
#[tokio::test]
async fn in_a_crowded_table_what_nobody_uses_ends_within_an_hour() {
    let world = World::new(|settings| settings.registration.max_clients = 4);
    let mut clients = Vec::new();
    for _ in 0..4 {
        let answer = world.register(&native()).await.unwrap();
        clients.push(answer["client_id"].as_str().unwrap().to_owned());
    }
    let used = world.find(&clients[3], NOW).await.unwrap().unwrap();
    world.clients.note_use(&used, NOW).await.unwrap();
    let mut left = Vec::new();
    for client in &clients {
        left.push(world.find(client, later(3600)).await.unwrap().is_some());
    }
    assert_eq!(left, [true, true, false, true]);
}

#[tokio::test]
async fn a_registration_that_nobody_uses_ends_and_a_used_one_stays() {
    let world = World::new(|settings| settings.registration.unused_lifetime = Duration::from_secs(60));
    let used = world.register(&native()).await.unwrap();
    let unused = world.register(&native()).await.unwrap();
    let (used, unused) = (used["client_id"].as_str().unwrap(), unused["client_id"].as_str().unwrap());
    let client = world.find(used, later(59)).await.unwrap().unwrap();
    world.clients.note_use(&client, later(59)).await.unwrap();
    world.clients.note_use(&client, later(59)).await.unwrap();
    assert!(world.find(unused, later(59)).await.unwrap().is_some());
    assert!(world.find(unused, later(60)).await.unwrap().is_none());
    assert!(world.find(used, later(1_000_000_000)).await.unwrap().is_some());
    // Noting the use of one that is gone, or of somebody else's client, does nothing.
    let gone = Client { id: unused.to_owned(), ..client };
    world.clients.note_use(&gone, later(61)).await.unwrap();
    assert!(world.find(unused, later(61)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_use_moves_the_end_when_used_registrations_end_too_without_a_write_each_time() {
    const DAY: u64 = 24 * 3600;
    let world = World::new(|settings| settings.registration.used_lifetime = Some(Duration::from_secs(30 * DAY)));
    let answer = world.register(&native()).await.unwrap();
    let id = answer["client_id"].as_str().unwrap();
    let client = world.find(id, NOW).await.unwrap().unwrap();
    let note = async |now| {
        world.clients.note_use(&client, now).await.unwrap();
        world.store.get(Table::Clients, id, now).await.unwrap().unwrap()
    };
    let first = note(NOW).await;
    assert_eq!(first.expires_at, Some(later(30 * DAY)));
    assert_eq!(note(later(DAY - 1)).await.version, first.version);
    assert_eq!(note(later(DAY)).await.expires_at, Some(later(31 * DAY)));
    assert!(world.find(id, later(31 * DAY)).await.unwrap().is_none());
    // A lifetime of less than a day moves as well.
    let short = world.restarted(|settings| settings.registration.used_lifetime = Some(Duration::from_secs(100)));
    short.clients.note_use(&client, later(2 * DAY)).await.unwrap();
    short.clients.note_use(&client, later(2 * DAY + 60)).await.unwrap();
    assert!(short.find(id, later(2 * DAY + 159)).await.unwrap().is_some());
}

#[tokio::test]
async fn registration_can_be_switched_off_and_those_who_registered_stay() {
    let world = World::new(|_| {});
    let answer = world.register(&native()).await.unwrap();
    let closed = world.restarted(|settings| settings.registration.enabled = false);
    assert_eq!(closed.register(&native()).await, Err(ErrorCode::AccessDenied));
    assert!(closed.find(answer["client_id"].as_str().unwrap(), NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn a_scheme_that_the_operator_stops_allowing_is_gone_from_registrations_too() {
    let world = World::new(|_| {});
    let body = changed(&native(), &json!({ "redirect_uris": ["cursor://a/cb", "http://localhost/cb"] }));
    let answer = world.register(&body).await.unwrap();
    let stricter = world.restarted(|settings| settings.custom_schemes = CustomSchemes::parse([]).unwrap());
    let client = stricter.find(answer["client_id"].as_str().unwrap(), NOW).await.unwrap().unwrap();
    assert!(
        client.redirect_named("cursor://a/cb").is_none() && client.redirect_named("http://localhost:1/cb").is_some()
    );
}

#[tokio::test]
async fn a_lost_store_is_our_trouble() {
    let world = World::new(|_| {});
    let answer = world.register(&native()).await.unwrap();
    world.store.lose();
    assert_eq!(world.register(&native()).await, Err(ErrorCode::TemporarilyUnavailable));
    let id = answer["client_id"].as_str().unwrap();
    assert_eq!(world.find(id, NOW).await.unwrap_err(), ErrorCode::TemporarilyUnavailable);
    let authenticated = world.authenticate(&format!("client_id={id}"), None).await;
    assert_eq!(authenticated, Err(ErrorCode::TemporarilyUnavailable));
}

#[tokio::test]
async fn secrets_do_not_print() {
    let world = World::new(|_| {});
    let body = changed(&native(), &json!({ "token_endpoint_auth_method": "client_secret_post" }));
    let registration = world.clients.register(body.to_string().as_bytes(), NOW).await.unwrap();
    let (told, printed) = (told(&registration), format!("{registration:?} {:?}", world.clients));
    for secret in ["client_secret", "registration_access_token"] {
        assert!(!printed.contains(told[secret].as_str().unwrap()), "{secret}");
    }
}

#[tokio::test]
async fn a_client_may_say_that_it_always_proves_a_key_and_older_records_do_not() {
    let world = World::new(|_| {});
    for (stated, bound) in [(json!(true), true), (json!(false), false), (json!(null), false)] {
        let answer = world.register(&changed(&native(), &json!({ "dpop_bound_access_tokens": stated }))).await.unwrap();
        assert_eq!(answer.get("dpop_bound_access_tokens"), bound.then_some(&json!(true)));
        let client = world.find(answer["client_id"].as_str().unwrap(), NOW).await.unwrap().unwrap();
        assert_eq!(client.dpop_bound, bound, "{stated}");
        // A record from before the member existed.
        let mut record = serde_json::to_value(&client).unwrap();
        record.as_object_mut().unwrap().remove("dpop_bound").unwrap();
        let old: Client = serde_json::from_value(record).unwrap();
        assert_eq!(old, Client { dpop_bound: false, ..client });
    }
}
