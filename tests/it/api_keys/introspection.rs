//! API keys beside an authorization server: one store for both, and it describes them as it describes its tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::presenting::invented;
use super::stage::{create, listed, operator};
use crate::support::http::Request;
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::service::Service;

#[test]
fn the_authorization_server_describes_keys_to_those_who_may_see_all() {
    let port = ports::free();
    let origin = format!("http://localhost:{port}");
    let folder = TempDir::new();
    let store = folder.path().join("state.redb");
    let store = store.display();
    let config = format!(
        r#"
[api_keys]

[store]
url = "file:{store}"

[[resources]]
url = "{origin}/mcp"
allowed_emails = ["alice@example.com"]
allow_api_keys = true

[authorization_server]
issuer = "{origin}"
identity_provider = {{ kind = "development" }}

[[authorization_server.clients]]
client_id = "watcher"
client_secret = "a-secret-of-the-watcher-0123456789"
redirect_uris = ["https://watcher.example.com/callback"]
may_introspect = true

[[authorization_server.clients]]
client_id = "other"
client_secret = "a-secret-of-the-other-0123456789"
redirect_uris = ["https://other.example.com/callback"]
"#
    );
    let mut service = Service::start_at(port, &config);
    service.wait_until_ready();
    let resource = format!("{origin}/mcp");
    let key = create(&service, "backup", &["--resource", &resource, "--scope", "mcp:read"]);
    let asked = |path: &str, client: &str, key: &str| {
        let secret = format!("{client}:a-secret-of-the-{client}-0123456789");
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", key).finish();
        Request::new("POST", path)
            .host(&format!("localhost:{port}"))
            .header("Authorization", format!("Basic {}", STANDARD.encode(secret)))
            .body("application/x-www-form-urlencoded", body)
            .send(port)
    };
    let told = asked("/introspect", "watcher", &key).json();
    for (name, value) in [
        ("active", json!(true)),
        ("iss", json!(origin)),
        ("sub", json!("api-key:backup")),
        ("client_id", json!("api-key:backup")),
        ("scope", json!("mcp:read")),
        ("aud", json!(resource)),
    ] {
        assert_eq!(told[name], value, "{told}");
    }
    assert_eq!(asked("/introspect", "other", &key).json(), json!({ "active": false }), "not its own");
    assert_eq!(asked("/introspect", "watcher", &invented(9)).json(), json!({ "active": false }));
    // Taking keys back is the operator's: a client that saw one cannot.
    assert_eq!(asked("/revoke", "watcher", &key).status, 200);
    let answer = service.ask("POST", &resource, Some(&key));
    assert_eq!((answer.status, answer.header("X-Auth-Issuer")), (200, Some(&*origin)));
    assert!(service.process.terminate().success());
    drop(service);
    let mut service = Service::start_at(port, &config);
    service.wait_until_ready();
    assert_eq!(asked("/introspect", "watcher", &key).json()["active"], true, "one store holds both");
    assert_eq!(operator(&service, &["revoke", "backup"]).code, 0);
    assert_eq!(asked("/introspect", "watcher", &key).json(), json!({ "active": false }));
    assert_eq!(listed(&service)[0]["state"], "revoked");
}
