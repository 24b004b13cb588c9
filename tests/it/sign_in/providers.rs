//! Whole sign-ins at the providers that people have accounts at, configured as in real life: the service finds them under
//! their real names, the browser is sent there and comes back, and the client reaches a tool through a proxy.

use serde_json::Value;

use super::sites::{CLIENT_ID, CLIENT_SECRET, Site, TENANT};
use super::stage::{Setup, Stage};
use crate::support::keycloak::Keycloak;
use crate::support::oidc_provider::OidcProvider;
use crate::support::proxies::Kind;

/// The service with this provider, its own client there, and a list of addresses.
fn stage(kind: Kind, site: &Site, provider: &str) -> Stage {
    let server = format!(
        "[authorization_server.identity_provider]\n{provider}\nclient_id = \"{CLIENT_ID}\"\nclient_secret = \"{CLIENT_SECRET}\""
    );
    Stage::start_with(kind, |_| Setup { server, variables: site.outside.variables(), ..Setup::default() })
}

fn connect(stage: &Stage, site: &Site) -> Value {
    let options = site.outside.options();
    stage.python("sign_in.py", &options.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What the MCP server saw of who calls.
fn seen(report: &Value) -> Value {
    assert!(report["error"].is_null(), "{report:#}");
    serde_json::from_str(report["answer"].as_str().unwrap()).unwrap()
}

/// Alice called a tool, in her own name and within the scopes.
fn alice_called_a_tool(report: &Value, stage: &Stage, subject: &str, host: &str) {
    let seen = seen(report);
    assert_eq!(seen["X-Forwarded-User"], "alice@example.com", "{seen}");
    assert_eq!(seen["X-Forwarded-Email"], "alice@example.com", "{seen}");
    assert_eq!(seen["X-Auth-Subject"], subject, "{seen}");
    assert_eq!(seen["X-Forwarded-Scopes"], "mcp:read", "{seen}");
    assert_eq!(seen["X-Auth-Issuer"], stage.issuer(), "{seen}");
    assert_eq!(seen["authorization_present"], false, "{seen}");
    assert_eq!(report["tokens"]["scope"], "mcp:read", "{report}");
    assert_eq!(report["sign_ins"], 1, "{report}");
    let hosts: Vec<&str> = report["hosts"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(hosts, [stage.issuer().trim_start_matches("http://"), host], "{report}");
}

/// The client is told that it was refused, and has no code to redeem.
fn gets_no_token(report: &Value) {
    assert!(report["error"].as_str().is_some_and(|error| error.contains("access_denied")), "{report:#}");
    assert!(report["tokens"].is_null() && report["token_answers"] == Value::Array(Vec::new()), "{report:#}");
}

/// Somebody has an account there, and is told that it is not on the list; no code is given, and so no token.
fn is_told_that_the_account_is_not_on_the_list(report: &Value) {
    gets_no_token(report);
    let told = |page: &str| page.contains("This account may not use") && page.contains("bob@example.com");
    assert!(report["texts"].as_array().unwrap().iter().filter_map(Value::as_str).any(told), "{report:#}");
}

#[test]
fn pkce_sign_in_with_google_behind_traefik_forward_auth_with_an_allowlist_of_addresses_and_scopes() {
    let site = Site::google("alice");
    let stage = stage(Kind::Traefik, &site, "kind = \"google\"");
    let report = connect(&stage, &site);
    alice_called_a_tool(&report, &stage, "google:10769150350006150715-alice", "accounts.google.com");
    let (asked, redeemed) = site.only_sign_in();
    let parameters = ["scope", "access_type", "prompt", "response_type", "code_challenge_method", "redirect_uri"];
    let parameters = parameters.map(|name| asked.parameter(name).unwrap_or_default());
    let callback = format!("{}/callback", stage.issuer());
    assert_eq!(parameters, ["openid email profile", "offline", "consent", "code", "S256", &*callback]);
    assert_eq!(redeemed.header("host"), Some("oauth2.googleapis.com"));
}

#[test]
fn a_google_account_that_is_not_on_the_list_gets_no_token() {
    let site = Site::google("bob");
    let stage = stage(Kind::Traefik, &site, "kind = \"google\"");
    is_told_that_the_account_is_not_on_the_list(&connect(&stage, &site));
}

#[test]
fn a_google_account_of_another_workspace_gets_no_token() {
    let site = Site::google("alice");
    let stage = stage(Kind::Traefik, &site, "kind = \"google\"\nhosted_domains = [\"other.example\"]");
    gets_no_token(&connect(&stage, &site));
}

#[test]
fn sign_in_with_github_behind_nginx_with_an_allowlist_of_addresses() {
    let site = Site::github("alice");
    let stage = stage(Kind::Nginx, &site, "kind = \"github\"");
    let report = connect(&stage, &site);
    alice_called_a_tool(&report, &stage, "github:583231", "github.com");
    assert_eq!(seen(&report)["X-Forwarded-Groups"], "example", "{report}");
    let (asked, redeemed) = site.only_sign_in();
    assert_eq!(asked.parameter("scope").as_deref(), Some("read:user user:email read:org"));
    assert_eq!(redeemed.header("accept"), Some("application/json"));
}

#[test]
fn a_github_account_that_is_not_on_the_list_gets_no_token() {
    let site = Site::github("bob");
    let stage = stage(Kind::Caddy, &site, "kind = \"github\"");
    is_told_that_the_account_is_not_on_the_list(&connect(&stage, &site));
}

#[test]
fn a_github_account_outside_the_organisations_gets_no_token() {
    let site = Site::github("alice");
    let stage = stage(Kind::Traefik, &site, "kind = \"github\"\norganizations = [\"other\"]");
    gets_no_token(&connect(&stage, &site));
}

/// What the provider says is asked again at every refresh, and ends what it no longer bears.
#[test]
fn who_leaves_the_github_organisation_loses_access_at_the_next_refresh() {
    let site = Site::github("alice");
    let stage = stage(Kind::Traefik, &site, "kind = \"github\"\norganizations = [\"example\"]");
    let report = connect(&stage, &site);
    alice_called_a_tool(&report, &stage, "github:583231", "github.com");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let refresh = |token: &str| {
        let client = text(&report["client"]["client_id"]);
        stage.post("/token", &format!("grant_type=refresh_token&client_id={client}&refresh_token={token}"))
    };
    let still = refresh(&text(&report["tokens"]["refresh_token"]));
    assert_eq!(still.status, 200, "{still:?}");
    let access_token = text(&still.json()["access_token"]);
    assert_ne!(stage.ask(&access_token).status, 401);
    site.leave_the_organisation();
    let refused = refresh(&text(&still.json()["refresh_token"]));
    assert_eq!((refused.status, text(&refused.json()["error"])), (400, "invalid_grant".to_owned()));
    assert_eq!(stage.ask(&access_token).status, 401, "the sign-in has ended, and every token of it");
}

#[test]
fn sign_in_with_keycloak_behind_caddy_with_groups_and_roles() {
    let server = format!(
        "[authorization_server.identity_provider]\nkind = \"keycloak\"\nissuer = \"{}\"\nclient_id = \"notes\"\nclient_secret = \"notes-secret\"",
        Keycloak::start().issuer()
    );
    let stage = Stage::start_with(Kind::Caddy, |_| Setup { server, ..Setup::default() });
    let report = stage.python("sign_in.py", &["--password", "alice-password"]);
    let seen = seen(&report);
    assert_eq!(seen["X-Forwarded-User"], "alice@example.com", "{seen}");
    let groups = seen["X-Forwarded-Groups"].as_str().unwrap();
    for group in ["/staff/ops", "notes-reader", "editor"] {
        assert!(groups.split(',').any(|known| known == group), "{group} in {groups}");
    }
}

#[test]
fn sign_in_with_entra_behind_envoy_with_an_allowlist_of_addresses() {
    let site = Site::entra("alice");
    let provider = format!("kind = \"entra\"\ntenant = \"{TENANT}\"\nassume_email_verified = true");
    let stage = stage(Kind::Envoy, &site, &provider);
    let report = connect(&stage, &site);
    alice_called_a_tool(&report, &stage, "entra:pairwise-alice", "login.microsoftonline.com");
    let (asked, redeemed) = site.only_sign_in();
    assert_eq!(asked.parameter("scope").as_deref(), Some("openid email profile offline_access"));
    assert_eq!((asked.parameter("resource"), redeemed.field("resource")), (None, None), "AADSTS9010010");
}

/// An address that a tenant wrote down proves nothing, so it is on no list.
#[test]
fn an_address_that_entra_does_not_vouch_for_gets_no_token() {
    let site = Site::entra("alice");
    let stage = stage(Kind::Traefik, &site, &format!("kind = \"entra\"\ntenant = \"{TENANT}\""));
    gets_no_token(&connect(&stage, &site));
}

#[test]
fn who_has_several_providers_to_choose_from_signs_in_at_the_chosen_one() {
    let provider = OidcProvider::start();
    let stage = Stage::start_with(Kind::Traefik, |origin| {
        let registration = provider.register(&format!("{origin}/callback"));
        let server = format!(
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
            registration.client_secret.as_ref().unwrap().expose(),
        );
        Setup { server, ..Setup::default() }
    });
    let report = stage.python("sign_in.py", &["--provider", "company", "--login", "alice"]);
    assert_eq!(seen(&report)["X-Auth-Subject"], "company:alice", "{report}");
    assert_eq!(seen(&report)["X-Forwarded-User"], "alice@example.com", "{report}");
    let first = report["texts"][0].as_str().unwrap();
    assert!(first.contains("Sign in with") && first.contains("Company account"), "{first}");
    let report = stage.python("sign_in.py", &["--provider", "development"]);
    assert_eq!(seen(&report)["X-Auth-Subject"], "development:alice@example.com", "{report}");
}
