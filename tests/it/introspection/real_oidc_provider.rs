//! Opaque tokens of a certified provider: it issues them, is asked about them, and takes them back.

use aws_lc_rs::digest;
use serde_json::{Value, json};
use url::Url;

use super::outcome;
use crate::support::browser::Browser;
use crate::support::http::{Request, Response};
use crate::support::issuer::encode;
use crate::support::oidc_provider::OidcProvider;
use crate::support::process::eventually;
use crate::support::service::Service;

const RESOURCE: &str = "https://notes.example.com/mcp";
const HOME: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-rules-of-pkce";

/// A client of the provider.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

fn port() -> u16 {
    OidcProvider::start().issuer().rsplit(':').next().unwrap().parse().unwrap()
}

fn post(path: &str, content_type: &str, body: String, client: Option<&Client>) -> Response {
    request(path, client).body(content_type, body).send(port())
}

fn request(path: &str, client: Option<&Client>) -> Request {
    let mut request = Request::new("POST", path).host(&format!("127.0.0.1:{}", port()));
    if let Some(Client { id, secret }) = client {
        let pair = format!("{id}:{secret}");
        let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair);
        request = request.header("Authorization", format!("Basic {basic}"));
    }
    request
}

fn form(path: &str, client: &Client, fields: &[(&str, &str)]) -> Response {
    form_with(None, path, client, fields)
}

/// A form of `client`, with one header more where there is one.
pub(super) fn form_with(
    header: Option<(&str, String)>,
    path: &str,
    client: &Client,
    fields: &[(&str, &str)],
) -> Response {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request =
        header.into_iter().fold(request(path, Some(client)), |request, (name, value)| request.header(name, value));
    request.body("application/x-www-form-urlencoded", body).send(port())
}

fn register(metadata: &Value) -> Client {
    let answer = post("/reg", "application/json", metadata.to_string(), None);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
    Client { id: text("client_id"), secret: text("client_secret") }
}

pub(super) fn people_client() -> Client {
    register(&json!({ "redirect_uris": [HOME], "grant_types": ["authorization_code", "refresh_token"] }))
}

/// A client that acts in its own name.
pub(super) fn job() -> Client {
    register(&json!({
        "redirect_uris": [],
        "response_types": [],
        "grant_types": ["client_credentials"],
    }))
}

/// What the provider gives `name` through `client`: for `resource`, if there is one.
fn tokens(client: &Client, name: &str, resource: Option<&str>) -> Value {
    let challenge = encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
    let mut query = vec![
        ("client_id", client.id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", HOME),
        ("scope", "openid offline_access mcp:read"),
        ("prompt", "consent"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    query.extend(resource.map(|resource| ("resource", resource)));
    let url = Url::parse_with_params(&format!("{}/auth", OidcProvider::start().issuer()), query).unwrap();
    let page = OidcProvider::sign_in(&mut Browser::new(HOME), &url, name);
    let code = page.parameter("code").unwrap_or_else(|| panic!("no code: {} {}", page.url, page.text));
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", HOME),
        ("code_verifier", VERIFIER),
    ];
    fields.extend(resource.map(|resource| ("resource", resource)));
    let answer = form("/token", client, &fields);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

pub(super) fn text(tokens: &Value, name: &str) -> String {
    tokens[name].as_str().unwrap_or_else(|| panic!("{name} of {tokens}")).to_owned()
}

/// The service, which asks as a client of its own.
fn service(more: &str) -> Service {
    let us = register(&json!({ "redirect_uris": [HOME] }));
    let issuer = OidcProvider::start().issuer();
    Service::start(&format!(
        r#"
[[issuers]]
issuer = "{issuer}"
introspection_endpoint = "{issuer}/token/introspection"
introspection_client_id = "{}"
introspection_client_secret = "{}"
introspection_cache = "1s"
{more}

[[resources]]
url = "{RESOURCE}"
required_scopes = ["mcp:read"]
allowed_subjects = ["alice"]
"#,
        us.id, us.secret
    ))
}

fn ask(service: &Service, token: &str) -> Response {
    service.ask("POST", RESOURCE, Some(token))
}

#[test]
fn alices_opaque_token_for_this_resource_is_accepted_until_it_is_taken_back() {
    let (service, client) = (service(""), people_client());
    let given = tokens(&client, "alice", Some(RESOURCE));
    let token = text(&given, "access_token");
    assert!(!token.contains('.'), "the provider's tokens are opaque");
    let answer = ask(&service, &token);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-auth-subject"), Some("alice"));
    assert_eq!(answer.header("x-auth-client"), Some(&*client.id));
    assert_eq!(answer.header("x-forwarded-scopes"), Some("mcp:read"));

    let bobs = text(&tokens(&client, "bob", Some(RESOURCE)), "access_token");
    assert_eq!(outcome(&ask(&service, &bobs)), "403 principal_not_allowed");
    let elsewhere = text(&tokens(&client, "alice", Some("https://other.example.com/mcp")), "access_token");
    assert_eq!(outcome(&ask(&service, &elsewhere)), "401 wrong_audience");
    let for_nobody = text(&tokens(&client, "alice", None), "access_token");
    assert_eq!(outcome(&ask(&service, &for_nobody)), "401 wrong_audience", "no aud, and nobody vouches for it");
    let refresh_token = text(&given, "refresh_token");
    assert_ne!(ask(&service, &refresh_token).status, 200, "a refresh token is active, but no access token");

    let revoked = form("/token/revocation", &client, &[("token", &token)]);
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    eventually("the revocation counts", || outcome(&ask(&service, &token)) == "401 invalid_token");
}

#[test]
fn tokens_without_audience_count_where_the_operator_vouches_and_refresh_tokens_never() {
    let (service, client) = (service("introspection_vouches_for_audience = true"), people_client());
    let given = tokens(&client, "alice", Some(RESOURCE));
    assert_eq!(outcome(&ask(&service, &text(&given, "access_token"))), "200");
    // It has neither `aud` nor `token_type`, and is active: only this tells it from an access token.
    assert_eq!(outcome(&ask(&service, &text(&given, "refresh_token"))), "401 invalid_token");
    let elsewhere = text(&tokens(&client, "alice", Some("https://other.example.com/mcp")), "access_token");
    assert_eq!(outcome(&ask(&service, &elsewhere)), "401 wrong_audience");
    let for_nobody = text(&tokens(&client, "alice", None), "access_token");
    assert_eq!(outcome(&ask(&service, &for_nobody)), "403 insufficient_scope", "its scopes are those of openid");
}

#[test]
fn a_client_in_its_own_name_is_its_own_subject() {
    let (service, job) = (service(""), job());
    let fields = [("grant_type", "client_credentials"), ("scope", "mcp:read"), ("resource", RESOURCE)];
    let given = form("/token", &job, &fields);
    assert_eq!(given.status, 200, "{}", given.text());
    let answer = ask(&service, &text(&given.json(), "access_token"));
    assert_eq!(outcome(&answer), "403 principal_not_allowed", "it is not alice");
    eventually("it is logged", || {
        service.decision_lines().iter().any(|line| line["subject"] == *job.id && line["client"] == *job.id)
    });
}
