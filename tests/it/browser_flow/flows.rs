//! One browser for each group of cases.

use super::stage::{DEVELOPMENT, Stage};
use crate::support::keycloak::Keycloak;
use crate::support::oidc_provider::OidcProvider;
use crate::support::proxies::Kind;

#[test]
fn clients_are_told_what_people_decided() {
    Stage::start(Kind::Nginx).passes("answers");
}

#[test]
fn back_reload_twice_and_later_give_one_code_and_a_page_that_says_what_to_do() {
    Stage::start(Kind::Traefik).passes("coming_back");
}

#[test]
fn strangers_and_other_sites_get_nowhere_with_a_sign_in_that_is_not_theirs() {
    Stage::start(Kind::Nginx).passes("strangers");
}

#[test]
fn people_see_and_end_their_connections() {
    Stage::start(Kind::Traefik).passes("connections");
}

#[test]
fn a_consent_that_is_remembered_is_asked_for_once() {
    Stage::start_with(Kind::Nginx, "remember_consent = \"30d\"", |_| DEVELOPMENT.to_owned()).passes("remembered");
}

#[test]
fn people_choose_where_they_sign_in() {
    Stage::start_with(Kind::Nginx, "", two_providers).passes("providers");
}

#[test]
fn people_sign_in_on_the_login_page_of_keycloak() {
    Stage::start_with(Kind::Traefik, "", keycloak).passes("keycloak");
}

#[test]
fn every_page_on_the_way_is_without_fault_on_phones_and_on_a_desk_in_light_and_dark() {
    Stage::start(Kind::Traefik).passes("looks");
}

/// The development login, and a certified provider at which we are registered.
fn two_providers(issuer: &str) -> String {
    let provider = OidcProvider::start();
    let registration = provider.register(&format!("{issuer}/callback"));
    let client_secret = registration.client_secret.unwrap();
    format!(
        r#"
[[authorization_server.identity_providers]]
kind = "development"

[[authorization_server.identity_providers]]
kind = "oidc"
name = "company"
label = "Company account"
issuer = "{}"
client_id = "{}"
client_secret = "{}"
"#,
        provider.issuer(),
        registration.client_id,
        client_secret.expose()
    )
}

fn keycloak(_: &str) -> String {
    let registration = Keycloak::registration();
    format!(
        r#"
[authorization_server.identity_provider]
kind = "keycloak"
issuer = "{}"
client_id = "{}"
client_secret = "{}"
"#,
        Keycloak::start().issuer(),
        registration.client_id,
        registration.client_secret.unwrap().expose()
    )
}
