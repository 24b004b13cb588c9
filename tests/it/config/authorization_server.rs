//! What the keys of `[authorization_server]` and of each kind of identity provider come to.

use std::time::Duration;

use mcp_forward_auth::config::{AuthorizationServerConfig, Config};
use mcp_forward_auth::idp::{ProviderSettings, SecretIn};

const KEY: &str = "fbffbf3334353637383930313233343536373839303132333435363738393031";
const OLDER: &str = "+/+/MzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

fn read(own: &str, provider: &str) -> AuthorizationServerConfig {
    let text = format!(
        "[[resources]]\nurl = \"https://mcp.example.com/mcp\"\nallow_any_authenticated = true\n\
         [authorization_server]\nissuer = \"https://auth.example.com\"\n{own}\n\
         [authorization_server.identity_provider]\n{provider}"
    );
    Config::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}")).authorization_server.unwrap()
}

fn provider(text: &str) -> ProviderSettings {
    read("", &format!("client_id = \"mcp\"\nclient_secret = \"s\"\n{text}")).providers.remove(0).settings
}

#[test]
fn every_setting_of_an_openid_provider_can_be_written() {
    let text = "kind = \"oidc\"\nissuer = \"https://idp.example.com\"\nclient_authentication = \"client_secret_post\"\n\
                scopes = [\"groups\"]\ngroups_claims = [\"a.b\", \"/c/d\"]\nassume_email_verified = true\n\
                offline_access = false\nask_consent = true";
    let ProviderSettings::Oidc(settings) = provider(text) else { panic!("another kind") };
    assert_eq!(settings.registration.secret_in, Some(SecretIn::Body));
    assert_eq!(settings.scopes.to_string(), "email groups profile");
    assert_eq!(settings.groups_claims, ["a.b", "/c/d"]);
    assert!(settings.assume_email_verified && settings.ask_consent && !settings.offline_access);
}

#[test]
fn every_setting_of_keycloak_can_be_written() {
    let text = "kind = \"keycloak\"\nissuer = \"https://idp.example.com/realms/main\"\n\
                client_authentication = \"client_secret_basic\"\ngroups_claims = [\"groups\", \"realm_access.roles\"]\n\
                assume_email_verified = true\noffline_access = false";
    let ProviderSettings::Keycloak(settings) = provider(text) else { panic!("another kind") };
    assert_eq!(settings.registration.secret_in, Some(SecretIn::Header));
    assert_eq!(settings.groups_claims, ["groups", "realm_access.roles"]);
    assert!(settings.assume_email_verified && !settings.offline_access);
}

#[test]
fn every_setting_of_google_can_be_written() {
    let text = "kind = \"google\"\nhosted_domains = [\"corp.example\", \"lab.example\"]\nassume_email_verified = true\n\
                offline_access = false";
    let ProviderSettings::Google(settings) = provider(text) else { panic!("another kind") };
    assert_eq!(settings.hosted_domains, ["corp.example", "lab.example"]);
    assert!(settings.trust_other_addresses && !settings.offline_access && settings.stand_in.is_none());
    assert!(!ProviderSettings::Google(settings).is_open_to_the_world());
}

#[test]
fn every_setting_of_entra_can_be_written() {
    let text = "kind = \"entra\"\ntenant = \"organizations\"\n\
                allowed_tenants = [\"11111111-2222-3333-4444-555555555555\"]\nverified_domains = [\"corp.example\"]\n\
                refuse_groups_overage = true\nauthority = \"https://login.microsoftonline.us/\"\noffline_access = false\n\
                scopes = [\"api://notes/read\"]\ngroups_claims = [\"roles\"]\nassume_email_verified = true";
    let ProviderSettings::Entra(settings) = provider(text) else { panic!("another kind") };
    assert_eq!((settings.tenant.as_str(), settings.allowed_tenants.len()), ("organizations", 1));
    assert_eq!(
        (settings.verified_domains.as_slice(), settings.groups_claims.as_slice()),
        (&["corp.example".into()][..], &["roles".into()][..])
    );
    assert_eq!(settings.authority, "https://login.microsoftonline.us");
    assert!(settings.scopes.to_string().contains("api://notes/read"), "{}", settings.scopes);
    assert!(settings.refuse_groups_overage && settings.assume_email_verified && !settings.offline_access);
}

#[test]
fn every_setting_of_github_can_be_written() {
    let text = "kind = \"github\"\norganizations = [\"acme\", \"umbrella/ops\"]\nread_organizations = false\n\
                base_url = \"https://git.corp.example/\"\napi_url = \"https://api.corp.example/v3/\"";
    let ProviderSettings::Github(settings) = provider(text) else { panic!("another kind") };
    assert_eq!(settings.allowed_organizations, ["acme", "umbrella/ops"]);
    assert_eq!((settings.web_url.as_str(), settings.organizations), ("https://git.corp.example", false));
    assert_eq!(settings.api_url.as_deref(), Some("https://api.corp.example/v3"));
}

#[test]
fn lifetimes_hosts_and_keys_can_be_written() {
    let own = format!(
        "session_lifetime = \"1h\"\nencryption_key = \"{KEY}\"\nolder_encryption_keys = [\"{OLDER}\"]\n\
         color = \"#0b5fff\"\n\
         [authorization_server.registration]\nused_lifetime = \"60d\"\n\
         [authorization_server.client_documents]\nallowed_hosts = [\"*.example.com\"]\ndenied_hosts = [\"bad.example.com\"]"
    );
    let read = read(&own, "kind = \"google\"\nclient_id = \"mcp\"\nclient_secret = \"s\"");
    assert_eq!(read.session_lifetime, Duration::from_secs(3600));
    assert_eq!(read.registration.used_lifetime, Some(Duration::from_secs(60 * 86_400)));
    assert_eq!((read.client_documents.allowed_hosts.len(), read.client_documents.denied_hosts.len()), (1, 1));
    assert!(read.encryption_keys.current.is_some() && read.encryption_keys.older.len() == 1);
    assert!(!format!("{read:?}").contains(&KEY[..8]), "a key prints");
    assert!(read.brand.color.is_some());
}
