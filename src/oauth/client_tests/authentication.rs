//! Client authentication (RFC 6749 §2.3), as clients really send it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::client_authentication::tried_basic;
use super::*;

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

fn form_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A configured client with a secret, one registered for each method, and a public one.
struct Registered {
    world: World,
    basic: (String, String),
    post: (String, String),
    public: String,
}

impl Registered {
    async fn new() -> Self {
        let world = World::new(|settings| settings.configured = vec![with_secret("nightly job")]);
        let registered = async |method: &str| {
            let body = changed(&native(), &json!({ "token_endpoint_auth_method": method }));
            let answer = world.register(&body).await.unwrap();
            let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("client_id"), text("client_secret"))
        };
        let (basic, post) = (registered("client_secret_basic").await, registered("client_secret_post").await);
        let public = registered("none").await.0;
        Self { world, basic, post, public }
    }
}

#[tokio::test]
async fn basic_and_post_are_both_taken_whichever_was_registered() {
    let known = Registered::new().await;
    for (id, secret) in [&known.basic, &known.post] {
        let header = basic(&format!("{id}:{secret}"));
        for (form, header) in [
            (String::new(), Some(header.clone())),
            (format!("client_id={id}&client_secret={secret}"), None),
            (format!("client_id={id}&client_secret={secret}"), Some("Bearer something-stale".to_owned())),
        ] {
            assert_eq!(known.world.authenticate(&form, header.as_deref()).await.as_ref(), Ok(id), "{form}");
        }
    }
}

#[tokio::test]
async fn basic_with_the_same_client_id_in_the_body_is_one_method_and_with_another_an_error() {
    let known = Registered::new().await;
    let (id, secret) = &known.basic;
    let header = basic(&format!("{id}:{secret}"));
    let same = known.world.authenticate(&format!("client_id={id}"), Some(&header)).await;
    assert_eq!(same.as_ref(), Ok(id));
    let same = known.world.authenticate(&format!("client_id={id}&client_secret="), Some(&header)).await;
    assert_eq!(same.as_ref(), Ok(id));
    for other in [known.post.0.as_str(), known.public.as_str(), "x"] {
        let outcome = known.world.authenticate(&format!("client_id={other}"), Some(&header)).await;
        assert_eq!(outcome, Err(ErrorCode::InvalidRequest));
    }
}

#[tokio::test]
async fn two_methods_with_secrets_are_refused_even_when_they_agree() {
    let known = Registered::new().await;
    let (id, secret) = &known.basic;
    let header = basic(&format!("{id}:{secret}"));
    let assertion = "client_assertion=x&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    for (form, header) in [
        (format!("client_id={id}&client_secret={secret}"), Some(header.as_str())),
        (format!("client_secret={secret}"), Some(header.as_str())),
        (assertion.to_owned(), Some(header.as_str())),
        (format!("client_id={id}&client_secret={secret}&{assertion}"), None),
    ] {
        assert_eq!(known.world.authenticate(&form, header).await, Err(ErrorCode::InvalidRequest), "{form}");
    }
}

#[tokio::test]
async fn basic_credentials_are_form_decoded_and_taken_as_they_are_by_those_who_forget() {
    let known = Registered::new().await;
    let encoded = format!("{}:{}", form_encoded("nightly job"), form_encoded(SECRET));
    let half_encoded = format!("nightly%20job:{SECRET}");
    let plain = format!("nightly job:{SECRET}");
    let schemes =
        [basic(&encoded), basic(&encoded).replace("Basic", "bAsIc"), basic(&encoded).replace("Basic ", "Basic  ")];
    let unpadded = format!("Basic {}", STANDARD_NO_PAD.encode(&plain));
    for header in schemes.into_iter().chain([basic(&half_encoded), basic(&plain), unpadded]) {
        assert_eq!(known.world.authenticate("", Some(&header)).await.unwrap(), "nightly job", "{header}");
    }
    let posted = format!("client_id=nightly+job&client_secret={}", form_encoded(SECRET));
    assert_eq!(known.world.authenticate(&posted, None).await.unwrap(), "nightly job");
    // Decoding twice would be another secret.
    let twice = format!("{}:{}", form_encoded("nightly job"), form_encoded(&form_encoded(SECRET)));
    assert_eq!(known.world.authenticate("", Some(&basic(&twice))).await, Err(ErrorCode::InvalidClient));
}

#[tokio::test]
async fn an_empty_secret_of_a_public_client_is_no_secret() {
    let known = Registered::new().await;
    let id = &known.public;
    let no_secret = basic(&format!("{id}:"));
    for (form, header) in [
        (format!("client_id={id}"), None),
        (format!("client_id={id}&client_secret="), None),
        (String::new(), Some(no_secret.as_str())),
        (format!("client_id={id}"), Some(no_secret.as_str())),
    ] {
        assert_eq!(known.world.authenticate(&form, header).await.as_ref(), Ok(id), "{form}");
    }
    let with_secret = known.world.authenticate(&format!("client_id={id}&client_secret=x"), None).await;
    assert_eq!(with_secret, Err(ErrorCode::InvalidClient));
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_client_are_invalid_client() {
    let known = Registered::new().await;
    let (id, secret) = &known.basic;
    for form in [
        format!("client_id={id}"),
        format!("client_id={id}&client_secret="),
        format!("client_id={id}&client_secret=x"),
        format!("client_id={id}&client_secret={}", known.post.1),
        format!("client_id={id}&client_secret={secret}x"),
        format!("client_id={id}&client_secret=+{secret}"),
        "client_id=nightly+job&client_secret=x".to_owned(),
        "client_id=nightly+job".to_owned(),
        "client_id=unknown".to_owned(),
        format!("client_id=unknown&client_secret={secret}"),
        format!("client_id={}&client_secret={secret}", "x".repeat(20_000)),
        // The hash that stands in for a client that does not exist opens nothing.
        "client_id=unknown&client_secret=%00".to_owned(),
    ] {
        assert_eq!(known.world.authenticate(&form, None).await, Err(ErrorCode::InvalidClient), "{form:.100}");
    }
    let header = basic(&format!("{id}:x"));
    assert_eq!(known.world.authenticate("", Some(&header)).await, Err(ErrorCode::InvalidClient));
}

#[tokio::test]
async fn what_cannot_be_read_is_invalid_request_so_that_no_client_throws_its_registration_away() {
    let known = Registered::new().await;
    let not_utf8 = format!("Basic {}", STANDARD.encode(b"\xff:\xff"));
    for (form, header) in [
        ("", None),
        ("client_id=", None),
        ("client_secret=x", None),
        ("grant_type=authorization_code", Some("Bearer x")),
        ("client_id=x", Some("Basic ")),
        ("client_id=x", Some("Basic ***")),
        ("client_id=x", Some(basic("no colon").as_str())),
        ("client_id=x", Some(not_utf8.as_str())),
        ("client_id=x&client_assertion=x", None),
        (
            "client_id=x&client_assertion=x&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
            None,
        ),
    ] {
        assert_eq!(known.world.authenticate(form, header).await, Err(ErrorCode::InvalidRequest), "{form} {header:?}");
    }
}

#[tokio::test]
async fn an_outage_is_never_invalid_client() {
    let known = Registered::new().await;
    let (id, secret) = &known.basic;
    known.world.store.lose();
    for form in [
        format!("client_id={id}"),
        format!("client_id={id}&client_secret={secret}"),
        format!("client_id={id}&client_secret=x"),
    ] {
        assert_eq!(known.world.authenticate(&form, None).await, Err(ErrorCode::TemporarilyUnavailable), "{form}");
    }
    let document = known.world.authenticate("client_id=https%3A%2F%2Fdown.example%2Fclient.json", None).await;
    assert_eq!(document, Err(ErrorCode::TemporarilyUnavailable));
    // Configured clients need no store.
    let posted = format!("client_id=nightly+job&client_secret={}", form_encoded(SECRET));
    assert!(known.world.authenticate(&posted, None).await.is_ok());
}

#[tokio::test]
async fn a_configured_client_wins_over_any_other_of_its_name() {
    let url = "https://a.example/client.json";
    let world = World::new(|settings| settings.configured = vec![with_secret(url)]);
    let client = world.find(url, NOW).await.unwrap().unwrap();
    assert_eq!(
        client.source,
        ClientSource::Configuration {
            resources: vec!["https://mcp.example.com/mcp".to_owned()],
            may_introspect: false,
        }
    );
    assert_eq!(world.internet.fetches(), 0);
}

#[tokio::test]
async fn where_nobody_is_known_nobody_is_found() {
    let clients = Clients::for_test(Arc::new(MemoryStore::new()));
    for id in ["", "x", "mfc_x", "job\n", "\0", &"x".repeat(100_000)] {
        assert_eq!(clients.find(id, NOW).await, Ok(None), "{id:.20}");
    }
}

#[test]
fn the_answer_to_basic_is_told_by_the_header() {
    for (header, tried) in [
        (None, false),
        (Some("Basic eDp5"), true),
        (Some("basic x"), true),
        (Some("Basic "), true),
        (Some("Bearer x"), false),
        (Some("Basicx"), false),
        (Some(""), false),
    ] {
        assert_eq!(tried_basic(header.map(str::as_bytes)), tried, "{header:?}");
    }
}
