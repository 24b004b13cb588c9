//! Sign-ins at a certified OpenID Connect provider that runs beside the tests, through its own pages.

use mcp_forward_auth::domain::{Email, Issuer, ScopeSet, Secret};
use mcp_forward_auth::idp::oidc::OidcSettings;
use mcp_forward_auth::idp::{Callback, ProviderSettings, SignInStart, SignedIn};

use super::fake::{Client, REDIRECT_URI, outcome, run, start};
use crate::support::browser::{Browser, Page};
use crate::support::oidc_provider::OidcProvider;

fn settings() -> OidcSettings {
    let provider = OidcProvider::start();
    let registration = provider.register(REDIRECT_URI);
    let settings = OidcSettings::new(Issuer::parse(&provider.issuer()).unwrap(), registration);
    OidcSettings { scopes: ScopeSet::from_claim("email profile groups"), ask_consent: true, ..settings }
}

fn client(settings: OidcSettings) -> Client {
    Client::new(ProviderSettings::Oidc(settings))
}

/// What came home, as the core would hand it on.
fn answer(page: &Page, start: SignInStart) -> Callback {
    assert_eq!(page.parameter("state").as_deref(), Some(start.state.expose()), "{}", page.url);
    let code = page.parameter("code").unwrap_or_else(|| panic!("no code: {}", page.url));
    Callback { code: Secret::new(code), iss: page.parameter("iss"), start }
}

fn signed_in(client: &Client, name: &str) -> SignedIn {
    let url = run(client.provider.authorization_url(&start())).unwrap();
    let page = OidcProvider::sign_in(&mut Browser::new(REDIRECT_URI), &url, name);
    client.redeem_answer(answer(&page, start())).unwrap()
}

#[test]
fn alice_signs_in_with_her_groups_and_is_asked_for_again() {
    let client = client(settings());
    let first = signed_in(&client, "alice");
    assert_eq!(first.person.subject, "alice");
    assert_eq!(first.person.verified_email(), Email::parse("alice@example.com").as_ref());
    assert_eq!(first.person.user_name.as_deref(), Some("alice"));
    assert_eq!(first.person.groups, ["staff", "ops"]);
    let refresh_token = first.refresh_token.unwrap();
    let again = client.ask_again_with(&first.person, refresh_token.expose()).unwrap();
    assert_eq!(again.person, first.person);
    let third = client.ask_again_with(&first.person, again.refresh_token.unwrap().expose()).unwrap();
    assert_eq!(third.person, first.person);
}

#[test]
fn bobs_address_is_not_verified() {
    let person = signed_in(&client(settings()), "bob").person;
    assert_eq!((person.email, person.email_verified), (Email::parse("bob@example.com"), false));
}

/// OIDC Core §11: `offline_access` counts only with `prompt=consent`.
#[test]
fn without_consent_there_is_no_refresh_token() {
    let client = client(OidcSettings { ask_consent: false, ..settings() });
    assert!(signed_in(&client, "alice").refresh_token.is_none());
}

#[test]
fn a_disabled_account_is_refused() {
    let client = client(settings());
    let first = signed_in(&client, "carol");
    let refresh_token = first.refresh_token.unwrap();
    OidcProvider::start().set_disabled("carol", true);
    let refused = outcome(&client.ask_again_with(&first.person, refresh_token.expose()));
    OidcProvider::start().set_disabled("carol", false);
    assert_eq!(refused.0, "refused", "{}", refused.1);
    assert!(refused.1.contains("invalid_grant"), "{}", refused.1);
}

#[test]
fn a_code_counts_once_with_its_own_verifier_and_its_own_issuer() {
    let client = client(settings());
    let url = run(client.provider.authorization_url(&start())).unwrap();
    let mut browser = Browser::new(REDIRECT_URI);
    let page = OidcProvider::sign_in(&mut browser, &url, "alice");
    let good = answer(&page, start());
    assert_eq!(good.iss.as_deref(), Some(&*OidcProvider::start().issuer()));
    let without_iss = Callback { iss: None, ..good.clone() };
    assert_eq!(outcome(&client.redeem_answer(without_iss)).0, "untrustworthy", "this provider promises iss");
    assert_eq!(outcome(&client.redeem_answer(good.clone())).0, "accepted");
    assert_eq!(outcome(&client.redeem_answer(good)).0, "refused");
    let page = browser.visit(&url);
    let page = OidcProvider::approve(&mut browser, page);
    let another = SignInStart { code_verifier: Secret::new("another-verifier".repeat(4)), ..start() };
    assert_eq!(outcome(&client.redeem_answer(answer(&page, another))).0, "refused");
}

#[test]
fn a_wrong_secret_of_ours_is_trouble_and_no_refusal() {
    let mut settings = settings();
    let good = client(settings.clone());
    let first = signed_in(&good, "alice");
    settings.registration.client_secret = Some(Secret::new("wrong"));
    let refresh_token = first.refresh_token.unwrap();
    let outcome = outcome(&client(settings).ask_again_with(&first.person, refresh_token.expose()));
    assert_eq!(outcome.0, "unavailable", "{}", outcome.1);
    assert!(good.ask_again_with(&first.person, refresh_token.expose()).is_ok());
}

#[test]
fn another_account_can_be_chosen() {
    let client = client(settings());
    let url = run(client.provider.authorization_url(&start())).unwrap();
    let mut browser = Browser::new(REDIRECT_URI);
    OidcProvider::sign_in(&mut browser, &url, "alice");
    let chosen = SignInStart { choose_account: true, ..start() };
    let url = run(client.provider.authorization_url(&chosen)).unwrap();
    let page = OidcProvider::sign_in(&mut browser, &url, "bob");
    assert_eq!(client.redeem_answer(answer(&page, chosen)).unwrap().person.subject, "bob");
}
