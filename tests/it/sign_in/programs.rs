//! What programs are told at the endpoints for them, without a proxy between.

use serde_json::{Value, json};

use crate::support::http::{Request, Response};
use crate::support::service::Service;

fn service() -> Service {
    Service::start(
        r#"
[[resources]]
url = "http://localhost:8080/mcp"
allowed_emails = ["alice@example.com"]

[authorization_server]
issuer = "http://localhost:8080"

[authorization_server.identity_provider]
kind = "development"

[store]
url = "memory:"
"#,
    )
}

fn to(service: &Service, request: Request) -> Response {
    request.host("localhost:8080").send(service.port)
}

/// RFC 6749 §5.2: the challenge is for clients that tried HTTP Basic, and for nobody else.
#[test]
fn who_tried_basic_is_told_that_basic_is_known() {
    let service = service();
    let form = "grant_type=refresh_token&refresh_token=x&client_id=nobody";
    let ask = |authorization: Option<&str>| {
        let request = Request::new("POST", "/token").body("application/x-www-form-urlencoded", form);
        to(&service, authorization.map_or(request.clone(), |value| request.header("Authorization", value)))
    };
    // nobody:secret
    let tried = ask(Some("Basic bm9ib2R5OnNlY3JldA=="));
    assert_eq!((tried.status, tried.json()["error"].as_str()), (401, Some("invalid_client")));
    assert_eq!(tried.header("www-authenticate"), Some("Basic realm=\"clients\", charset=\"UTF-8\""));
    for authorization in [None, Some("Bearer abc")] {
        let untried = ask(authorization);
        assert_eq!((untried.status, untried.header("www-authenticate")), (401, None), "{authorization:?}");
    }
}

#[test]
fn a_registration_is_read_whatever_body_comes_along() {
    let service = service();
    let metadata = json!({ "redirect_uris": ["http://127.0.0.1/callback"], "client_name": "A client" });
    let registered: Value =
        to(&service, Request::new("POST", "/register").body("application/json", metadata.to_string())).json();
    let (id, token) = (registered["client_id"].as_str().unwrap(), &registered["registration_access_token"]);
    let manage = |method: &str, body: &str| {
        let request = Request::new(method, format!("/register/{id}")).bearer(token.as_str().unwrap());
        to(&service, request.body("application/json", body))
    };
    let long = "x".repeat(100_000);
    let read = manage("GET", &long);
    assert_eq!((read.status, read.json()["client_name"].as_str()), (200, Some("A client")));
    assert_eq!(manage("PUT", &long).status, 400, "an update reads its body");
    assert_eq!(manage("DELETE", "").status, 204);
    assert_eq!(manage("GET", "").status, 401, "it is gone");
}
