//! What a provider is asked: the authorization request and the token request, by what its metadata says.

use base64::Engine as _;
use mcp_forward_auth::domain::{ScopeSet, Secret};
use mcp_forward_auth::idp::{ProviderSettings, Registration, SecretIn, SignInStart};
use serde_json::{Value, json};

use super::fake::{CLIENT_ID, CLIENT_SECRET, CODE, Client, Fake, NONCE, REDIRECT_URI, STATE, VERIFIER, run, start};
use crate::support::issuer::encode;
use crate::support::report::Report;

#[test]
fn the_browser_is_sent_with_pkce_state_and_nonce_and_never_with_a_resource() {
    let request = Fake::start().client().request(&start());
    let challenge = encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, VERIFIER.as_bytes()));
    let expected = json!({
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid email profile",
        "state": STATE,
        "nonce": NONCE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    });
    assert_eq!(request, expected);
}

#[test]
fn a_query_of_the_authorization_endpoint_is_kept() {
    let fake = Fake::start();
    fake.publish_with(&json!({ "authorization_endpoint": fake.at("/authorize?tenant=a%20b") }));
    let url = run(fake.client().provider.authorization_url(&start())).unwrap();
    assert!(url.as_str().starts_with(&fake.at("/authorize?tenant=a%20b&response_type=code&")), "{url}");
}

#[test]
fn scopes_and_prompts_follow_the_metadata() {
    let all_prompts = json!({ "prompt_values_supported": ["none", "login", "consent", "select_account"] });
    let some_prompts = json!({ "prompt_values_supported": ["none", "login", "consent"] });
    let no_prompt = json!({ "prompt_values_supported": ["none"] });
    let offline = json!({ "scopes_supported": ["openid", "offline_access"] });
    let (chosen, plain) = (SignInStart { choose_account: true, ..start() }, start());
    let anew = SignInStart { sign_in_anew: true, ..start() };
    let rows = [
        ("nothing special", json!({}), &plain, false, "openid email profile", Value::Null),
        ("anew, prompts unknown", json!({}), &anew, false, "openid email profile", json!("login")),
        ("anew, all prompts", all_prompts.clone(), &anew, false, "openid email profile", json!("login")),
        ("anew, not to be had", no_prompt.clone(), &anew, false, "openid email profile", Value::Null),
        ("the account, prompts unknown", json!({}), &chosen, false, "openid email profile", json!("login")),
        ("the account, all prompts", all_prompts, &chosen, false, "openid email profile", json!("select_account")),
        ("the account, by login", some_prompts, &chosen, false, "openid email profile", json!("login")),
        ("the account, not to be had", no_prompt, &chosen, false, "openid email profile", Value::Null),
        ("offline", offline.clone(), &plain, false, "openid email profile offline_access", Value::Null),
        ("offline with consent", offline, &plain, true, "openid email profile offline_access", json!("consent")),
        ("account and consent", json!({}), &chosen, true, "openid email profile", json!("login consent")),
    ];
    let mut report = Report::new("scopes and prompts");
    for (name, metadata, start, ask_consent, scope, prompt) in rows {
        report.row(name);
        let fake = Fake::start();
        fake.publish_with(&metadata);
        let mut settings = fake.settings();
        settings.ask_consent = ask_consent;
        let request = Client::new(ProviderSettings::Oidc(settings)).request(start);
        report.equal("scope", &request["scope"], &json!(scope));
        report.equal("prompt", &request["prompt"], &prompt);
    }
    report.finish();
}

#[test]
fn whom_a_client_expects_is_passed_on() {
    let hinted = SignInStart { login_hint: Some("alice@example.com".into()), ..start() };
    assert_eq!(Fake::start().client().request(&hinted)["login_hint"], "alice@example.com");
}

#[test]
fn scopes_are_configurable_and_openid_is_never_missing_nor_doubled() {
    let fake = Fake::start();
    fake.publish_with(&json!({ "scopes_supported": ["offline_access"] }));
    let mut settings = fake.settings();
    settings.scopes = ScopeSet::from_claim("api://notes/read openid groups");
    settings.offline_access = false;
    let request = Client::new(ProviderSettings::Oidc(settings)).request(&start());
    assert_eq!(request["scope"], "openid api://notes/read groups");
}

/// The secret goes where the metadata or the operator says, form-encoded before base64 (RFC 6749 §2.3.1), and never both
/// ways.
#[test]
fn our_credentials_are_sent_as_the_metadata_or_the_operator_says() {
    let methods = |names: &[&str]| json!({ "token_endpoint_auth_methods_supported": names });
    let (basic, post) = ("client_secret_basic", "client_secret_post");
    let rows = [
        ("nothing said", json!({}), None, true),
        ("both", methods(&[post, basic]), None, true),
        ("basic only", methods(&[basic]), None, true),
        ("post only", methods(&[post, "private_key_jwt"]), None, false),
        ("operator says post", methods(&[basic]), Some(SecretIn::Body), false),
        ("operator says basic", methods(&[post]), Some(SecretIn::Header), true),
    ];
    let mut report = Report::new("client authentication");
    for (name, metadata, secret_in, in_header) in rows {
        report.row(name);
        let fake = Fake::start();
        fake.publish_with(&metadata);
        let mut settings = fake.settings();
        settings.registration.secret_in = secret_in;
        settings.registration.client_secret = Some(Secret::new(format!("{CLIENT_SECRET}:+%/")));
        fake.gives(&fake.id_token());
        Client::new(ProviderSettings::Oidc(settings)).redeem().unwrap();
        let request = fake.web.only_request_for("/token");
        let pair = format!("{CLIENT_ID}:{CLIENT_SECRET}%3A%2B%25%2F");
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        report.equal("authorization", request.header("authorization"), in_header.then_some(&*basic));
        let in_body = (!in_header).then(|| format!("{CLIENT_SECRET}:+%/"));
        report.equal("secret in the body", request.field("client_secret"), in_body);
        report.equal("client_id", request.field("client_id"), (!in_header).then(|| CLIENT_ID.to_owned()));
    }
    report.finish();
}

#[test]
fn a_public_client_names_itself_and_sends_no_secret() {
    let fake = Fake::start();
    let mut settings = fake.settings();
    settings.registration = Registration { client_id: CLIENT_ID.into(), client_secret: None, secret_in: None };
    fake.gives(&fake.id_token());
    Client::new(ProviderSettings::Oidc(settings)).redeem().unwrap();
    let request = fake.web.only_request_for("/token");
    assert_eq!(request.field("client_id").as_deref(), Some(CLIENT_ID));
    assert_eq!((request.field("client_secret"), request.header("authorization")), (None, None));
}

#[test]
fn the_code_is_redeemed_with_the_verifier_and_the_redirect_uri() {
    let fake = Fake::start();
    fake.gives(&fake.id_token());
    fake.client().redeem().unwrap();
    let request = fake.web.only_request_for("/token");
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    let fields = ["grant_type", "code", "redirect_uri", "code_verifier", "resource"];
    let sent = fields.map(|name| request.field(name).unwrap_or_default());
    assert_eq!(sent, ["authorization_code", CODE, REDIRECT_URI, VERIFIER, ""]);
}

#[test]
fn a_provider_is_called_by_its_label_or_by_what_its_kind_is_called() {
    let fake = Fake::start();
    assert_eq!(fake.client().provider.label(), "127.0.0.1");
    let surroundings = super::fake::surroundings(&super::fake::TestClock::new());
    let named = ProviderSettings::Oidc(fake.settings()).build("staff", Some("Staff"), &surroundings).unwrap();
    assert_eq!((named.name(), named.label()), ("staff", "Staff"));
}

/// With a colon in it, two providers could share subjects: `a:b` and `c`, `a` and `b:c`.
#[test]
fn a_name_that_could_be_mistaken_for_part_of_a_subject_is_refused() {
    let fake = Fake::start();
    let surroundings = super::fake::surroundings(&super::fake::TestClock::new());
    for name in ["", "a:b", "a b", "a/b", "ä", &"a".repeat(65)] {
        assert!(ProviderSettings::Oidc(fake.settings()).build(name, None, &surroundings).is_err(), "{name:?}");
    }
}
