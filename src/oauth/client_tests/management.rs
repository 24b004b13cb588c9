//! Management of registrations (RFC 7592).

use super::*;

/// A registered client with what it needs to manage itself.
struct Registered {
    world: World,
    id: String,
    token: String,
    secret: String,
}

impl Registered {
    async fn new() -> Self {
        let world = World::new(|_| {});
        let answer = world.register(&Self::body()).await.unwrap();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        Self { id, secret, token: format!("Bearer {}", text("registration_access_token")), world }
    }

    fn body() -> Value {
        json!({
            "client_name": "Notes",
            "redirect_uris": ["https://a.example/cb", "http://localhost/cb"],
            "token_endpoint_auth_method": "client_secret_basic",
        })
    }

    async fn read(&self) -> Result<Value, ErrorCode> {
        let read = self.world.clients.read_registration(&self.id, Some(self.token.as_bytes()), NOW).await;
        read.map(|registration| told(&registration)).map_err(|error| code(&error))
    }

    async fn update(&self, changes: &Value) -> Result<Value, ErrorCode> {
        let body = changed(&changed(&Self::body(), &json!({ "client_id": self.id })), changes).to_string();
        let token = Some(self.token.as_bytes());
        let updated = self.world.clients.update_registration(&self.id, token, body.as_bytes(), NOW).await;
        updated.map(|registration| told(&registration)).map_err(|error| code(&error))
    }

    async fn secret_works(&self) -> bool {
        self.world.authenticate(&format!("client_id={}&client_secret={}", self.id, self.secret), None).await.is_ok()
    }
}

#[tokio::test]
async fn a_client_reads_what_is_registered_and_its_secret_is_not_told_again() {
    let client = Registered::new().await;
    let answer = client.read().await.unwrap();
    for (name, value) in Registered::body().as_object().unwrap() {
        assert_eq!(answer[name], *value, "{name}");
    }
    assert_eq!(answer["client_id"], json!(client.id));
    assert_eq!(client.token, format!("Bearer {}", answer["registration_access_token"].as_str().unwrap()));
    assert!(answer.get("client_secret").is_none() && answer.get("client_secret_expires_at").is_none());
}

#[tokio::test]
async fn only_the_token_of_this_registration_opens_it() {
    let client = Registered::new().await;
    let other = client.world.register(&native()).await.unwrap();
    let others = format!("Bearer {}", other["registration_access_token"].as_str().unwrap());
    let clients = &client.world.clients;
    let tokens = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        &others,
        client.token.trim_start_matches("Bearer "),
        &client.token.replace("Bearer", "Basic"),
    ];
    for token in tokens.into_iter().map(Some).chain([None]) {
        let token = token.map(str::as_bytes);
        let body = changed(&native(), &json!({ "client_id": client.id })).to_string();
        let errors = [
            clients.read_registration(&client.id, token, NOW).await.unwrap_err(),
            clients.update_registration(&client.id, token, body.as_bytes(), NOW).await.unwrap_err(),
            clients.delete_registration(&client.id, token, NOW).await.unwrap_err(),
        ];
        assert!(errors.iter().all(|error| code(error) == ErrorCode::InvalidToken), "{token:?} {errors:?}");
    }
    let lower_case = client.token.replace("Bearer", "bearer");
    assert!(clients.read_registration(&client.id, Some(lower_case.as_bytes()), NOW).await.is_ok());
}

#[tokio::test]
async fn clients_that_nobody_registered_answer_like_a_wrong_token() {
    let world = World::new(|settings| settings.configured = vec![with_secret("job")]);
    for id in ["job", "mfc_unknown", "https://a.example/client.json", "", &"x".repeat(5000)] {
        for token in ["Bearer ", "Bearer x", &format!("Bearer {SECRET}")] {
            let error = world.clients.read_registration(id, Some(token.as_bytes()), NOW).await.unwrap_err();
            assert_eq!(code(&error), ErrorCode::InvalidToken, "{id}");
            assert_eq!(error.description, "the registration access token is not valid");
        }
    }
    assert_eq!(world.internet.fetches(), 0);
}

#[tokio::test]
async fn an_update_replaces_everything_but_id_secret_and_token() {
    let client = Registered::new().await;
    let changes =
        json!({ "client_name": null, "redirect_uris": ["https://b.example/cb", "javascript:x"], "scope": "a" });
    let answer = client.update(&changes).await.unwrap();
    assert_eq!(answer["redirect_uris"], json!(["https://b.example/cb"]));
    assert!(answer.get("client_name").is_none() && answer.get("client_secret").is_none());
    assert_eq!((&answer["client_id"], &answer["scope"]), (&json!(client.id), &json!("a")));
    assert!(client.secret_works().await && client.read().await.is_ok());
    let found = client.world.find(&client.id, NOW).await.unwrap().unwrap();
    assert!(found.redirect_named("https://a.example/cb").is_none() && found.name.is_none());
}

#[tokio::test]
async fn an_update_must_repeat_the_id_and_cannot_choose_a_secret() {
    let client = Registered::new().await;
    for changes in [
        json!({ "client_id": null }),
        json!({ "client_id": "mfc_other" }),
        json!({ "client_secret": "mine" }),
        json!({ "client_secret": 7 }),
        json!({ "token_endpoint_auth_method": "none", "client_secret": "mine" }),
        json!({ "redirect_uris": 7 }),
    ] {
        assert_eq!(client.update(&changes).await, Err(ErrorCode::InvalidClientMetadata), "{changes}");
    }
    let no_redirect = client.update(&json!({ "redirect_uris": ["javascript:x"] })).await;
    assert_eq!(no_redirect, Err(ErrorCode::InvalidRedirectUri));
    assert!(client.secret_works().await);
    // Repeating what it was told is no choice.
    let repeated = json!({ "client_secret": client.secret, "client_secret_expires_at": 0, "client_id_issued_at": 1 });
    assert!(client.update(&repeated).await.is_ok() && client.secret_works().await);
}

#[tokio::test]
async fn a_client_that_changes_its_method_gets_a_secret_of_our_making_or_loses_it() {
    let client = Registered::new().await;
    let public = client.update(&json!({ "token_endpoint_auth_method": "none" })).await.unwrap();
    assert_eq!(public["token_endpoint_auth_method"], json!("none"));
    assert!(!client.secret_works().await);
    let again = client.update(&json!({ "token_endpoint_auth_method": "client_secret_post" })).await.unwrap();
    let secret = again["client_secret"].as_str().unwrap();
    assert_ne!(secret, client.secret);
    let form = format!("client_id={}&client_secret={secret}", client.id);
    assert!(client.world.authenticate(&form, None).await.is_ok() && !client.secret_works().await);
}

#[tokio::test]
async fn an_update_does_not_make_a_registration_live_longer() {
    let client = Registered::new().await;
    let end = async || client.world.store.get(Table::Clients, &client.id, NOW).await.unwrap().unwrap().expires_at;
    let before = end().await;
    let token = Some(client.token.as_bytes());
    let body = changed(&native(), &json!({ "client_id": client.id })).to_string();
    client.world.clients.update_registration(&client.id, token, body.as_bytes(), later(60)).await.unwrap();
    assert!(before.is_some());
    assert_eq!(end().await, before);
}

#[tokio::test]
async fn deleting_a_registration_asks_for_its_grants_to_be_revoked() {
    let client = Registered::new().await;
    let token = Some(client.token.as_bytes());
    let deleted = client.world.clients.delete_registration(&client.id, token, NOW).await.unwrap();
    assert_eq!(deleted, RevokeGrantsOf { client_id: client.id.clone() });
    assert!(client.world.find(&client.id, NOW).await.unwrap().is_none());
    assert_eq!(client.read().await, Err(ErrorCode::InvalidToken));
    assert_eq!(
        client.world.authenticate(&format!("client_id={}", client.id), None).await,
        Err(ErrorCode::InvalidClient)
    );
}

#[tokio::test]
async fn a_client_that_always_proves_a_key_stays_so_until_it_says_otherwise() {
    let client = Registered::new().await;
    let is_bound = async || client.world.find(&client.id, NOW).await.unwrap().unwrap().dpop_bound;
    assert!(!is_bound().await && client.read().await.unwrap().get("dpop_bound_access_tokens").is_none());
    let said = client.update(&json!({ "dpop_bound_access_tokens": true })).await.unwrap();
    assert_eq!(said["dpop_bound_access_tokens"], json!(true));
    let silent = client.update(&json!({ "client_name": "Other notes" })).await.unwrap();
    assert_eq!(silent["dpop_bound_access_tokens"], json!(true));
    assert!(is_bound().await);
    assert_eq!(client.read().await.unwrap()["dpop_bound_access_tokens"], json!(true));
    let unsaid = client.update(&json!({ "dpop_bound_access_tokens": false })).await.unwrap();
    assert!(unsaid.get("dpop_bound_access_tokens").is_none() && !is_bound().await);
}
