//! Sign-ins at Keycloak itself, through its own login page.

use mcp_forward_auth::domain::{Email, Issuer, Secret};
use mcp_forward_auth::idp::keycloak::KeycloakSettings;
use mcp_forward_auth::idp::oidc::OidcSettings;
use mcp_forward_auth::idp::{Callback, ProviderSettings, SignInStart, SignedIn};

use super::fake::{Client, REDIRECT_URI, outcome, run, start};
use crate::support::browser::{Browser, Page};
use crate::support::keycloak::Keycloak;

fn settings() -> KeycloakSettings {
    let keycloak = Keycloak::start();
    KeycloakSettings::new(Issuer::parse(&keycloak.issuer()).unwrap(), Keycloak::registration())
}

fn client() -> Client {
    Client::new(ProviderSettings::Keycloak(settings()))
}

fn answer(page: &Page, start: SignInStart) -> Callback {
    let code = page.parameter("code").unwrap_or_else(|| panic!("no code: {} {}", page.url, page.text));
    assert_eq!(page.parameter("state").as_deref(), Some(start.state.expose()), "{}", page.url);
    Callback { code: Secret::new(code), iss: page.parameter("iss"), start }
}

fn signed_in(client: &Client, name: &str) -> SignedIn {
    let url = run(client.provider.authorization_url(&start())).unwrap();
    let page = Keycloak::sign_in(&mut Browser::new(REDIRECT_URI), &url, name);
    client.redeem_answer(answer(&page, start())).unwrap()
}

#[test]
fn alice_signs_in_with_groups_roles_of_the_realm_and_roles_of_our_client() {
    let client = client();
    let first = signed_in(&client, "alice");
    assert_eq!(first.person.verified_email(), Email::parse("alice@example.com").as_ref());
    assert_eq!(first.person.user_name.as_deref(), Some("alice"));
    assert_eq!(first.person.name.as_deref(), Some("Alice Example"));
    for group in ["/staff/ops", "notes-reader", "editor"] {
        assert!(first.person.groups.iter().any(|known| known == group), "{group} in {:?}", first.person.groups);
    }
    let groups = &first.person.groups;
    assert!(!groups.iter().any(|group| group == "admin"), "a role of another client: {groups:?}");
    let again = client.ask_again_with(&first.person, first.refresh_token.unwrap().expose()).unwrap();
    assert_eq!(again.person, first.person);
    assert!(again.refresh_token.is_some());
}

#[test]
fn bobs_address_is_not_verified() {
    let person = signed_in(&client(), "bob").person;
    assert_eq!((person.email, person.email_verified), (Email::parse("bob@example.com"), false));
}

#[test]
fn a_disabled_account_is_refused() {
    let client = client();
    let first = signed_in(&client, "carol");
    let refresh_token = first.refresh_token.unwrap();
    Keycloak::start().set_enabled("carol", false);
    let refused = outcome(&client.ask_again_with(&first.person, refresh_token.expose()));
    Keycloak::start().set_enabled("carol", true);
    assert_eq!(refused.0, "refused", "{}", refused.1);
}

#[test]
fn a_code_counts_once_and_with_its_own_issuer() {
    let client = client();
    let url = run(client.provider.authorization_url(&start())).unwrap();
    let page = Keycloak::sign_in(&mut Browser::new(REDIRECT_URI), &url, "alice");
    let good = answer(&page, start());
    assert_eq!(good.iss.as_deref(), Some(&*Keycloak::start().issuer()));
    let mixed_up = Callback { iss: Some("https://accounts.google.com".into()), ..good.clone() };
    assert_eq!(outcome(&client.redeem_answer(mixed_up)).0, "untrustworthy");
    assert_eq!(outcome(&client.redeem_answer(good.clone())).0, "accepted");
    assert_eq!(outcome(&client.redeem_answer(good)).0, "refused");
}

#[test]
fn another_account_can_be_chosen() {
    let client = client();
    let url = run(client.provider.authorization_url(&start())).unwrap();
    let mut browser = Browser::new(REDIRECT_URI);
    Keycloak::sign_in(&mut browser, &url, "alice");
    assert_eq!(browser.visit(&url).status, 0, "the second time nobody is asked");
    let chosen = SignInStart { choose_account: true, ..start() };
    let page = browser.visit(&run(client.provider.authorization_url(&chosen)).unwrap());
    assert_eq!(page.status, 200, "there is a page: {}", page.url);
}

/// The kind `oidc` does for Keycloak what the standard says: everything but roles.
#[test]
fn the_general_kind_signs_in_there_too() {
    let keycloak = Keycloak::start();
    let settings = OidcSettings::new(Issuer::parse(&keycloak.issuer()).unwrap(), Keycloak::registration());
    let client = Client::new(ProviderSettings::Oidc(settings));
    let first = signed_in(&client, "alice");
    assert_eq!(first.person.groups, ["/staff/ops"]);
    let again = client.ask_again_with(&first.person, first.refresh_token.unwrap().expose()).unwrap();
    assert_eq!(again.person, first.person);
}
