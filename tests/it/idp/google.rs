//! Google, as its documentation records it: <https://developers.google.com/identity/openid-connect>.

use mcp_forward_auth::domain::Issuer;
use mcp_forward_auth::idp::ProviderSettings;
use mcp_forward_auth::idp::google::GoogleSettings;
use serde_json::{Value, json};

use super::fake::{Client, Fake, REFRESH_TOKEN, alice, outcome, registration, start};
use crate::support::issuer::Token;
use crate::support::report::Report;

/// Google publishes this, its addresses apart: the token endpoint is on another host, no `offline_access`, no
/// `prompt_values_supported`, RS256 only.
fn google() -> Fake {
    let fake = Fake::with_key("RS256");
    fake.publish_with(&json!({
        "response_types_supported": ["code", "token", "id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "authorization_response_iss_parameter_supported": null,
        "code_challenge_methods_supported": ["plain", "S256"],
    }));
    fake
}

fn settings(fake: &Fake) -> GoogleSettings {
    let mut settings = GoogleSettings::new(registration());
    settings.stand_in = Some(Issuer::parse(&fake.url()).unwrap());
    settings
}

fn client(settings: GoogleSettings) -> Client {
    Client::new(ProviderSettings::Google(settings))
}

/// The ID token of the documentation: numeric `sub` as text, `azp`, `hd` for Workspace accounts only.
fn id_token(fake: &Fake) -> Token {
    let token = fake.id_token().without("groups").without("preferred_username");
    token.claim("azp", super::fake::CLIENT_ID).claim("sub", "10769150350006150715113082367")
}

fn signed_in(fake: &Fake, settings: GoogleSettings, changes: &Value) -> (&'static str, bool) {
    let mut token = id_token(fake);
    super::fake::change(&mut token.claims, changes);
    fake.gives(&token);
    let result = client(settings).redeem();
    (outcome(&result).0, result.is_ok_and(|signed_in| signed_in.person.email_verified))
}

#[test]
fn offline_access_is_a_parameter_and_needs_the_consent_page() {
    let fake = google();
    let request = client(settings(&fake)).request(&start());
    assert_eq!((&request["access_type"], &request["prompt"]), (&json!("offline"), &json!("consent")));
    assert_eq!(request["scope"], "openid email profile", "Google refuses offline_access");
    let request = client(GoogleSettings { offline_access: false, ..settings(&fake) }).request(&start());
    assert_eq!((&request["access_type"], &request["prompt"]), (&Value::Null, &Value::Null));
}

#[test]
fn the_account_can_be_chosen_with_consent() {
    let fake = google();
    let chosen = mcp_forward_auth::idp::SignInStart { choose_account: true, ..start() };
    assert_eq!(client(settings(&fake)).request(&chosen)["prompt"], "select_account consent");
    let anew = mcp_forward_auth::idp::SignInStart { sign_in_anew: true, ..start() };
    assert_eq!(client(settings(&fake)).request(&anew)["prompt"], "select_account consent", "it knows no login");
}

#[test]
fn the_issuer_may_stand_without_its_scheme() {
    let fake = google();
    let bare = fake.url().replace("http://", "");
    assert_eq!(signed_in(&fake, settings(&fake), &json!({ "iss": bare })).0, "accepted");
    assert_eq!(signed_in(&fake, settings(&fake), &json!({ "iss": "evil.example.com" })).0, "untrustworthy");
    assert_eq!(signed_in(&fake, settings(&fake), &json!({ "iss": "" })).0, "untrustworthy");
}

/// `hd` in the request only chooses what the page offers: anybody can take it out. The claim is what counts.
#[test]
fn only_accounts_of_the_hosted_domains_sign_in_when_there_are_some() {
    let rows = [
        (vec![], json!({}), "accepted", Value::Null),
        (vec!["corp.example"], json!({ "hd": "corp.example" }), "accepted", json!("corp.example")),
        (vec!["Corp.Example"], json!({ "hd": "corp.EXAMPLE" }), "accepted", json!("corp.example")),
        (vec!["corp.example", "b.example"], json!({ "hd": "b.example" }), "accepted", json!("*")),
        (vec!["corp.example"], json!({}), "refused", json!("corp.example")),
        (vec!["corp.example"], json!({ "hd": "evil.example" }), "refused", json!("corp.example")),
        (vec!["corp.example"], json!({ "hd": "sub.corp.example" }), "refused", json!("corp.example")),
        (vec!["corp.example"], json!({ "hd": true }), "refused", json!("corp.example")),
        (vec!["corp.example"], json!({ "email": "a@corp.example" }), "refused", json!("corp.example")),
    ];
    let mut report = Report::new("hosted domains");
    let fake = google();
    for (domains, changes, expected, parameter) in rows {
        report.row(format!("{domains:?} {changes}"));
        let mut settings = settings(&fake);
        settings.hosted_domains = domains.iter().map(ToString::to_string).collect();
        report.equal("hd", &client(settings.clone()).request(&start())["hd"], &parameter);
        report.equal("outcome", signed_in(&fake, settings, &changes).0, expected);
    }
    report.finish();
}

/// The documentation names the addresses that Google is authoritative for; all others it checked once.
#[test]
fn addresses_that_google_does_not_host_are_not_verified() {
    let rows = [
        ("gmail", json!({ "email": "alice@gmail.com" }), true, false),
        ("workspace", json!({ "email": "alice@corp.example", "hd": "corp.example" }), true, false),
        ("another mail provider", json!({ "email": "alice@corp.example" }), false, false),
        ("another mail provider, trusted", json!({ "email": "alice@corp.example" }), true, true),
        ("gmail, not verified", json!({ "email": "alice@gmail.com", "email_verified": false }), false, true),
        ("gmail in the middle", json!({ "email": "alice@gmail.com.evil.example" }), false, false),
    ];
    let mut report = Report::new("addresses");
    let fake = google();
    for (name, changes, verified, trusted) in rows {
        report.row(name);
        let settings = GoogleSettings { trust_other_addresses: trusted, ..settings(&fake) };
        report.equal("verified", signed_in(&fake, settings, &changes), ("accepted", verified));
    }
    report.finish();
}

/// Google gives a refresh token at the first consent, and never again with a refresh.
#[test]
fn the_first_refresh_token_stays_the_one_to_ask_with() {
    let fake = google();
    let token = id_token(&fake);
    fake.gives(&token);
    let mut person = alice();
    person.subject = token.claims["sub"].as_str().unwrap().to_owned();
    let now = client(settings(&fake)).ask_again(&person).unwrap();
    assert_eq!(now.refresh_token.unwrap().expose(), REFRESH_TOKEN);
}

#[test]
fn the_world_can_sign_in_unless_domains_are_named() {
    let open = |settings| ProviderSettings::Google(settings).is_open_to_the_world();
    let settings = GoogleSettings::new(registration());
    assert!(open(settings.clone()));
    assert!(!open(GoogleSettings { hosted_domains: vec!["corp.example".into()], ..settings }));
}

#[test]
fn hosted_domains_are_plain_domains() {
    let surroundings = super::fake::surroundings(&super::fake::TestClock::new());
    for domain in ["", "*", "*@corp.example", "@corp.example", "corp.example/x", "corp example"] {
        let settings = GoogleSettings { hosted_domains: vec![domain.into()], ..GoogleSettings::new(registration()) };
        let error = ProviderSettings::Google(settings).build("google", None, &surroundings).unwrap_err();
        assert_eq!(error.key, "hosted_domains", "{domain:?}");
    }
}
