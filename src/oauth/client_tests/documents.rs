//! Client metadata documents.

use super::*;
use crate::authn::testing::TestKey;

const URL: &str = "https://client.example/oauth/client.json";
const HOUR: u64 = 3600;

fn document(changes: &Value) -> Value {
    let good =
        json!({ "client_id": URL, "client_name": "Claude Code", "redirect_uris": ["http://localhost/callback"] });
    changed(&good, changes)
}

fn world_with(document: &Value) -> World {
    let world = World::new(|_| {});
    world.internet.put(URL, document);
    world
}

#[tokio::test]
async fn a_document_describes_a_public_client() {
    let world = world_with(&document(&json!({
        "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback", "javascript:x"],
        "token_endpoint_auth_method": "none", "logo_uri": "http://10.0.0.1/", "grant_types": ["authorization_code", "refresh_token"],
    })));
    let client = world.find(URL, NOW).await.unwrap().unwrap();
    assert_eq!((client.id.as_str(), client.name.as_deref()), (URL, Some("Claude Code")));
    assert_eq!((client.redirect_uris.len(), client.scopes, client.source), (2, None, ClientSource::Document));
    let client = world.find(URL, NOW).await.unwrap().unwrap();
    assert!(client.redirect_named("http://localhost:3118/callback").is_some());
    let form = format!("client_id={}", URL.replace(':', "%3A").replace('/', "%2F"));
    assert_eq!(world.authenticate(&form, None).await.as_deref(), Ok(URL));
    // Nothing that the document names was fetched, and the document only once.
    assert_eq!(world.internet.fetches(), 1);
}

#[tokio::test]
async fn documents_with_keys_with_redirects_elsewhere_and_with_scopes_are_lawful() {
    let key = TestKey::new("k");
    for changes in [
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.jwk()] } }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://keys.example/jwks" }),
        json!({ "jwks_uri": "https://keys.example/jwks" }),
        json!({ "redirect_uris": ["https://elsewhere.example/cb"] }),
        json!({ "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback", "com.evil://x"] }),
        json!({ "scope": "openid mcp:read everything:else" }),
        json!({ "scope": "" }),
        json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"] }),
    ] {
        let client = world_with(&document(&changes)).find(URL, NOW).await.unwrap().unwrap();
        assert_eq!(client.is_confidential(), changes.get("token_endpoint_auth_method").is_some(), "{changes}");
        assert!(!client.redirect_uris.is_empty() && client.scopes.is_none());
    }
}

#[tokio::test]
async fn a_document_may_say_that_its_client_always_proves_a_key() {
    for (stated, bound) in [(json!(true), true), (json!(false), false), (json!(null), false)] {
        let world = world_with(&document(&json!({ "dpop_bound_access_tokens": stated })));
        assert_eq!(world.find(URL, NOW).await.unwrap().unwrap().dpop_bound, bound, "{stated}");
        // The second time from the record that was kept.
        assert_eq!(world.find(URL, NOW).await.unwrap().unwrap().dpop_bound, bound, "{stated}");
        assert_eq!(world.internet.fetches(), 1);
    }
    let wrong = world_with(&document(&json!({ "dpop_bound_access_tokens": "true" })));
    assert!(wrong.find(URL, NOW).await.is_err());
}

#[tokio::test]
async fn keys_of_a_document_are_enforced() {
    let key = TestKey::new("k");
    let keys = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://keys.example/jwks" });
    let world = world_with(&document(&keys));
    world.internet.put("https://keys.example/jwks", &json!({ "keys": [key.jwk()] }));
    let id = URL.replace(':', "%3A").replace('/', "%2F");
    assert_eq!(world.authenticate(&format!("client_id={id}"), None).await, Err(ErrorCode::InvalidClient));
    let claims = json!({ "iss": URL, "sub": URL, "aud": ISSUER, "exp": later(60).as_secs(), "jti": "x" });
    let token = key.sign(&json!({ "alg": "ES256", "kid": "k" }), &claims);
    let assertion = format!(
        "client_assertion={token}&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert_eq!(world.authenticate(&format!("client_id={id}&{assertion}"), None).await.as_deref(), Ok(URL));
}

#[tokio::test]
async fn a_wrong_document_is_invalid_client_and_says_which_rule_it_breaks() {
    let private = json!({ "keys": [changed(&TestKey::new("k").jwk(), &json!({ "d": "AQAB" }))] });
    for (body, rule) in [
        (document(&json!({ "client_id": "https://client.example/oauth/client.json/" })), "not the URL"),
        (document(&json!({ "client_id": "https://CLIENT.example/oauth/client.json" })), "not the URL"),
        (document(&json!({ "client_id": "https://evil.example/client.json" })), "not the URL"),
        (document(&json!({ "client_id": null })), "not the URL"),
        (document(&json!({ "client_id": [URL] })), "wrong type: client_id"),
        (document(&json!({ "client_name": null })), "no client_name"),
        (document(&json!({ "client_name": "\u{200b}" })), "no client_name"),
        (document(&json!({ "redirect_uris": null })), "no redirect_uris"),
        (document(&json!({ "redirect_uris": [] })), "no redirect_uris"),
        (document(&json!({ "redirect_uris": ["javascript:x"] })), "no redirect URI is acceptable"),
        (document(&json!({ "redirect_uris": "https://a.example/" })), "wrong type: redirect_uris"),
        (document(&json!({ "client_secret": "x" })), "client secret"),
        (document(&json!({ "client_secret_expires_at": 0 })), "client secret"),
        (document(&json!({ "token_endpoint_auth_method": "client_secret_post" })), "token_endpoint_auth_method"),
        (document(&json!({ "token_endpoint_auth_method": "client_secret_jwt" })), "token_endpoint_auth_method"),
        (document(&json!({ "token_endpoint_auth_method": "private_key_jwt" })), "either jwks or jwks_uri"),
        (document(&json!({ "jwks": private })), "private or symmetric key"),
        (
            document(&json!({ "jwks_uri": "http://10.0.0.1/", "token_endpoint_auth_method": "private_key_jwt" })),
            "jwks_uri",
        ),
        (json!([document(&json!({}))]), "not a JSON object"),
        (json!("x"), "not a JSON object"),
    ] {
        let error = world_with(&body).clients.find(URL, NOW).await.unwrap_err();
        assert_eq!(code(&error), ErrorCode::InvalidClient, "{body}");
        assert!(error.description.contains(rule), "{body}: {}", error.description);
    }
    let large = document(&json!({ "x": "x".repeat(5 * 1024) }));
    assert_eq!(world_with(&large).find(URL, NOW).await, Err(ErrorCode::InvalidClient));
}

#[tokio::test]
async fn what_cannot_be_fetched_is_temporarily_unavailable_in_the_same_words_whatever_the_cause() {
    let mut sentences = Vec::new();
    for failure in [
        FetchFailure::TimedOut,
        FetchFailure::Status(302),
        FetchFailure::Status(404),
        FetchFailure::Status(500),
        FetchFailure::Unreachable("connection refused".to_owned()),
        FetchFailure::ForbiddenAddress("10.0.0.1".parse().unwrap()),
        FetchFailure::Forbidden("its port is not the one of https"),
    ] {
        let world = World::new(|_| {});
        world.internet.answer(URL, Err(failure.clone()));
        let error = world.clients.find(URL, NOW).await.unwrap_err();
        assert_eq!(code(&error), ErrorCode::TemporarilyUnavailable, "{failure:?}");
        assert_eq!(error.cause, Some(failure.to_string()));
        sentences.push(error.description);
    }
    sentences.dedup();
    assert_eq!(sentences.len(), 1);
}

#[tokio::test]
async fn urls_that_cannot_be_client_ids_are_refused_without_a_fetch() {
    let world = World::new(|_| {});
    for id in [
        "https://client.example",
        "https://client.example/",
        "https://client.example/client.json#x",
        "https://user@client.example/client.json",
        "https://client.example/a/../client.json",
        "https://client.example/a/%2e%2e/client.json",
        "https://client.example:443/client.json",
        "https://CLIENT.example/client.json",
        "https://client.example\\client.json",
        "https://client.example/cli\tent.json",
        "https://127.0.0.1/client.json",
        "https://2130706433/client.json",
        "https://[::1]/client.json",
        "https://8.8.8.8/client.json",
        "https://",
        &format!("https://client.example/{}", "x".repeat(2000)),
    ] {
        assert_eq!(world.find(id, NOW).await, Err(ErrorCode::InvalidClient), "{id:.80}");
    }
    // These are names like any other, and nobody has them.
    for id in [
        "http://client.example/client.json",
        "http://localhost/client.json",
        "ftp://client.example/x",
        "HTTPS://client.example/x",
    ] {
        assert_eq!(world.find(id, NOW).await, Ok(None), "{id}");
    }
    assert_eq!(world.internet.fetches(), 0);
}

#[tokio::test]
async fn hosts_can_be_allowed_and_denied_and_documents_switched_off() {
    let pattern = |text: &str| client_settings::HostPattern::parse(text).unwrap();
    let world = world_with(&document(&json!({})));
    assert!(world.find(URL, NOW).await.unwrap().is_some());
    // What is kept is no way around a rule that came later.
    let denied = world.restarted(|settings| settings.documents.denied_hosts = vec![pattern("client.example")]);
    assert_eq!(denied.find(URL, NOW).await, Err(ErrorCode::InvalidClient));
    let others = world.restarted(|settings| settings.documents.allowed_hosts = vec![pattern("claude.ai")]);
    assert_eq!(others.find(URL, NOW).await, Err(ErrorCode::InvalidClient));
    let allowed = world.restarted(|settings| settings.documents.allowed_hosts = vec![pattern("*.example")]);
    assert!(allowed.find(URL, NOW).await.unwrap().is_some());
    let off = world.restarted(|settings| settings.documents.enabled = false);
    assert_eq!(off.find(URL, NOW).await, Ok(None));
    assert_eq!(world.internet.fetches(), 1);
}

#[tokio::test]
async fn development_reads_documents_on_this_machine() {
    let id = "http://localhost:8080/client.json";
    let world = World::new(|settings| settings.documents.allow_loopback = true);
    world.internet.put(id, &document(&json!({ "client_id": id })));
    assert!(world.find(id, NOW).await.unwrap().is_some());
    assert_eq!(world.find("http://client.example/client.json", NOW).await, Err(ErrorCode::InvalidClient));
}

#[tokio::test]
async fn a_document_is_kept_for_as_long_as_its_server_says_within_bounds() {
    for (fresh_for, kept_for) in
        [(None, HOUR), (Some(0), 300), (Some(60), 300), (Some(2 * HOUR), 2 * HOUR), (Some(9_999_999), 24 * HOUR)]
    {
        let world = World::new(|_| {});
        let body = document(&json!({})).to_string().into_bytes();
        world.internet.answer(URL, Ok(Fetched { body, fresh_for: fresh_for.map(Duration::from_secs) }));
        for seconds in [0, kept_for - 1] {
            world.find(URL, later(seconds)).await.unwrap().unwrap();
        }
        assert_eq!(world.internet.fetches(), 1, "{fresh_for:?}");
        world.find(URL, later(kept_for)).await.unwrap().unwrap();
        assert_eq!(world.internet.fetches(), 2, "{fresh_for:?}");
    }
}

#[tokio::test]
async fn an_old_document_serves_while_its_host_is_down_but_not_for_ever() {
    let world = world_with(&document(&json!({})));
    world.find(URL, NOW).await.unwrap().unwrap();
    world.internet.take_down(URL);
    for hours in [2, 12, 24] {
        assert!(world.find(URL, later(hours * HOUR)).await.unwrap().is_some(), "{hours}");
    }
    assert_eq!(world.find(URL, later(25 * HOUR)).await, Err(ErrorCode::TemporarilyUnavailable));
    world.internet.put(URL, &document(&json!({ "client_name": "New" })));
    let back = world.find(URL, later(26 * HOUR)).await.unwrap().unwrap();
    assert_eq!(back.name.as_deref(), Some("New"));
}

#[tokio::test]
async fn redirect_uris_are_those_that_the_document_lists_now() {
    let world = world_with(&document(&json!({ "redirect_uris": ["https://client.example/old"] })));
    let client = world.find(URL, NOW).await.unwrap().unwrap();
    assert!(client.redirect_named("https://client.example/old").is_some());
    world.internet.put(URL, &document(&json!({ "redirect_uris": ["https://client.example/new"] })));
    let client = world.find(URL, later(2 * HOUR)).await.unwrap().unwrap();
    assert!(client.redirect_named("https://client.example/old").is_none());
    assert!(client.redirect_named("https://client.example/new").is_some());
}

/// For a redirect URI that is not known the document is read again, but not as often as strangers like.
#[tokio::test]
async fn a_document_is_read_again_before_its_time_when_asked_to_but_only_once_in_a_while() {
    let world = world_with(&document(&json!({ "redirect_uris": ["https://client.example/old"] })));
    let client = world.find(URL, NOW).await.unwrap().unwrap();
    world.internet.put(URL, &document(&json!({ "redirect_uris": ["https://client.example/new"] })));
    let again = |seconds| world.clients.find_again(&client, later(seconds));
    assert!(again(14).await.unwrap().is_none());
    assert_eq!(world.internet.fetches(), 1);
    assert!(again(15).await.unwrap().unwrap().redirect_named("https://client.example/new").is_some());
    assert!(again(29).await.unwrap().is_none());
    assert_eq!(world.internet.fetches(), 2);
    let known = world.find(URL, later(29)).await.unwrap().unwrap();
    assert!(known.redirect_named("https://client.example/old").is_none(), "what is read again is also kept");
    world.internet.take_down(URL);
    let while_down = again(30).await.unwrap().unwrap();
    assert!(while_down.redirect_named("https://client.example/new").is_some(), "what is kept goes on");
    world.internet.put(URL, &document(&json!({ "client_id": "https://evil.example/" })));
    assert_eq!(again(45).await.unwrap_err().code, ErrorCode::InvalidClient);
}

#[tokio::test]
async fn a_document_that_became_wrong_does_not_come_back_when_its_host_goes_down() {
    let world = world_with(&document(&json!({})));
    world.find(URL, NOW).await.unwrap().unwrap();
    world.internet.put(URL, &document(&json!({ "client_id": "https://evil.example/" })));
    assert_eq!(world.find(URL, later(2 * HOUR)).await, Err(ErrorCode::InvalidClient));
    world.internet.take_down(URL);
    assert_eq!(world.find(URL, later(3 * HOUR)).await, Err(ErrorCode::TemporarilyUnavailable));
}

#[tokio::test]
async fn failures_are_remembered_for_seconds_only() {
    for (body, error) in [(None, ErrorCode::TemporarilyUnavailable), (Some(json!({})), ErrorCode::InvalidClient)] {
        let world = World::new(|_| {});
        if let Some(body) = body {
            world.internet.put(URL, &body);
        }
        for seconds in [0, 1, 14] {
            assert_eq!(world.find(URL, later(seconds)).await, Err(error));
        }
        assert_eq!(world.internet.fetches(), 1);
        world.internet.put(URL, &document(&json!({})));
        assert!(world.find(URL, later(15)).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_full_table_of_documents_keeps_what_it_has_and_newcomers_are_read_each_time() {
    let world = World::new(|settings| settings.documents.max_kept = 1);
    let other = "https://other.example/client.json";
    world.internet.put(URL, &document(&json!({})));
    world.internet.put(other, &document(&json!({ "client_id": other })));
    for id in [URL, other, URL, other] {
        assert!(world.find(id, NOW).await.unwrap().is_some(), "{id}");
    }
    assert_eq!(world.internet.fetches(), 3);
    // What is kept is also renewed.
    assert!(world.find(URL, later(2 * HOUR)).await.unwrap().is_some());
    assert!(world.find(URL, later(2 * HOUR + 1)).await.unwrap().is_some());
    assert_eq!(world.internet.fetches(), 4);
}
