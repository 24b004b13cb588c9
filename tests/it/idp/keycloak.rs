//! Keycloak's ways with groups and roles, on a stand-in; `real_keycloak` does it with Keycloak itself.

use mcp_forward_auth::domain::Issuer;
use mcp_forward_auth::idp::ProviderSettings;
use mcp_forward_auth::idp::keycloak::KeycloakSettings;
use serde_json::{Value, json};

use super::fake::{CLIENT_ID, Client, Fake, change, outcome, registration};
use crate::support::issuer::{SigningKey, Token, now};
use crate::support::report::Report;
use crate::support::web::Answer;

const REALM: &str = "/realms/main";

fn keycloak() -> Fake {
    let fake = Fake::start();
    let mut metadata = fake.metadata();
    metadata["issuer"] = json!(fake.at(REALM));
    fake.web.answer(&format!("{REALM}/.well-known/openid-configuration"), Answer::Json(metadata.to_string()));
    fake
}

fn client(fake: &Fake, groups_claims: &[&str]) -> Client {
    let mut settings = KeycloakSettings::new(Issuer::parse(&fake.at(REALM)).unwrap(), registration());
    settings.groups_claims = groups_claims.iter().map(ToString::to_string).collect();
    Client::new(ProviderSettings::Keycloak(settings))
}

fn id_token(fake: &Fake) -> Token {
    fake.id_token().without("groups").claim("iss", fake.at(REALM)).claim("typ", "ID")
}

/// Roles stand in the access token only, unless somebody adds mappers.
fn access_token(fake: &Fake) -> Token {
    Token {
        header: json!({ "alg": "ES256", "kid": "key-1", "typ": "JWT" }),
        claims: json!({
            "iss": fake.at(REALM),
            "aud": "account",
            "sub": "alice-subject",
            "typ": "Bearer",
            "azp": CLIENT_ID,
            "exp": now() + 300,
            "groups": ["/staff"],
            "realm_access": { "roles": ["ops"] },
            "resource_access": { CLIENT_ID: { "roles": ["editor"] }, "account": { "roles": ["manage-account"] } },
        }),
    }
}

fn groups(client: &Client, fake: &Fake, id_token: &Token, access_token: &str) -> Vec<String> {
    let id_token = id_token.signed_by(&fake.keys[0]);
    fake.gives_tokens(&json!({ "id_token": id_token, "access_token": access_token }));
    client.redeem().unwrap().person.groups
}

#[test]
fn groups_roles_of_the_realm_and_roles_of_our_client_are_read_but_not_those_of_others() {
    let fake = keycloak();
    let access_token = access_token(&fake).signed_by(&fake.keys[0]);
    assert_eq!(groups(&client(&fake, &[]), &fake, &id_token(&fake), &access_token), ["/staff", "ops", "editor"]);
    assert_eq!(groups(&client(&fake, &["realm_access.roles"]), &fake, &id_token(&fake), &access_token), ["ops"]);
    assert_eq!(fake.web.requests_for("/userinfo"), 0);
}

#[test]
fn roles_of_the_id_token_come_before_those_of_the_access_token() {
    let fake = keycloak();
    let token = id_token(&fake).claim("realm_access", json!({ "roles": ["reader"] }));
    let access_token = access_token(&fake).signed_by(&fake.keys[0]);
    assert_eq!(groups(&client(&fake, &["realm_access.roles"]), &fake, &token, &access_token), ["reader"]);
}

/// It is a bearer token that came over the same connection, but it may still be somebody else's.
#[test]
fn an_access_token_that_is_not_ours_or_not_hers_says_nothing() {
    let fake = keycloak();
    let stranger = SigningKey::generate("key-1", "ES256");
    let signed = |changes: Value| {
        let mut token = access_token(&fake);
        change(&mut token.claims, &changes);
        token.signed_by(&fake.keys[0])
    };
    let rows = [
        ("opaque", "opaque".to_owned()),
        ("forged", access_token(&fake).signed_by(&stranger)),
        ("alg none", access_token(&fake).parameter("alg", "none").with_signature(b"")),
        ("another person's", signed(json!({ "sub": "bob-subject" }))),
        ("nobody's", signed(json!({ "sub": null }))),
        ("another client's", signed(json!({ "azp": "other-client" }))),
        ("another realm's", signed(json!({ "iss": fake.at("/realms/other") }))),
        ("expired", signed(json!({ "exp": 1 }))),
    ];
    let mut report = Report::new("access tokens");
    for (name, access_token) in rows {
        report.row(name);
        report.equal(
            "groups",
            groups(&client(&fake, &[]), &fake, &id_token(&fake), &access_token),
            Vec::<String>::new(),
        );
    }
    report.finish();
}

#[test]
fn an_id_token_of_another_realm_is_not_believed() {
    let fake = keycloak();
    fake.gives(&id_token(&fake).claim("iss", fake.at("/realms/other")));
    assert_eq!(outcome(&client(&fake, &[]).redeem()).0, "untrustworthy");
}

#[test]
fn an_address_that_names_no_realm_is_a_mistake() {
    let surroundings = super::fake::surroundings(&super::fake::TestClock::new());
    let settings = KeycloakSettings::new(Issuer::parse("https://keycloak.example.com").unwrap(), registration());
    let error = ProviderSettings::Keycloak(settings).build("keycloak", None, &surroundings).unwrap_err();
    assert_eq!(error.key, "issuer");
}
