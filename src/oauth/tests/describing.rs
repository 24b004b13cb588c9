//! Metadata, and introspection.

use serde_json::Value;

use super::support::World;
use super::support::fixtures::{
    CLIENT, ISSUER, MACHINE, MACHINE_SECRET, RESOURCE, error_of, form, keep_client, machine, policies,
};
use super::support::world::Plan;
use crate::domain::{Issuer, Secret};
use crate::oauth::{ClientSource, ErrorCode, Features, Introspection, OAuthError, SigningAlgorithm};

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[tokio::test]
async fn the_metadata_says_what_is_on_and_nothing_else() {
    let world = World::new().await;
    let expected = serde_json::json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://auth.example.com/authorize",
        "token_endpoint": "https://auth.example.com/token",
        "jwks_uri": "https://auth.example.com/jwks",
        "revocation_endpoint": "https://auth.example.com/revoke",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "scopes_supported": ["mcp:read", "mcp:write", "offline_access"],
        "authorization_response_iss_parameter_supported": true,
        "dpop_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "RS256", "PS256"],
    });
    assert_eq!(json(&world.server.metadata()), expected);
    let mut openid = expected;
    openid["subject_types_supported"] = serde_json::json!(["public"]);
    openid["id_token_signing_alg_values_supported"] = serde_json::json!(["ES256"]);
    assert_eq!(json(&world.server.openid_configuration()), openid);
}

#[tokio::test]
async fn what_is_on_stands_in_the_metadata() {
    let mut plan = Plan::usual();
    plan.settings.issuer = Issuer::parse("https://auth.example.com:8443/tenant/").unwrap();
    plan.settings.signing_algorithm = SigningAlgorithm::EdDsa;
    plan.settings.features = Features {
        registration: true,
        client_documents: true,
        client_assertion_algorithms: vec!["ES256".into()],
        client_credentials: true,
        introspection: true,
    };
    let world = plan.start().await;
    let document = json(&world.server.openid_configuration());
    for (name, value) in [
        ("issuer", "https://auth.example.com:8443/tenant/"),
        ("authorization_endpoint", "https://auth.example.com:8443/authorize"),
        ("registration_endpoint", "https://auth.example.com:8443/register"),
        ("introspection_endpoint", "https://auth.example.com:8443/introspect"),
    ] {
        assert_eq!(document[name], value, "{name}");
    }
    assert_eq!(document["client_id_metadata_document_supported"], true);
    assert_eq!(document["grant_types_supported"][2], "client_credentials");
    assert_eq!(document["token_endpoint_auth_methods_supported"][3], "private_key_jwt");
    assert_eq!(document["token_endpoint_auth_signing_alg_values_supported"][0], "ES256");
    assert_eq!(document["id_token_signing_alg_values_supported"][0], "EdDSA");
    assert!(document.as_object().unwrap().values().all(|value| !value.is_null()));
    assert_eq!(world.server.callback_url(), "https://auth.example.com:8443/callback");
}

async fn introspect(world: &World, client: &[(&str, &str)], token: &Secret) -> Result<Introspection, OAuthError> {
    let fields: Vec<_> = client.iter().copied().chain([("token", token.expose())]).collect();
    world.server.introspect(&form(&fields), None).await
}

const AS_MACHINE: [(&str, &str); 2] = [("client_id", MACHINE), ("client_secret", MACHINE_SECRET)];

#[tokio::test]
async fn introspection_is_for_clients_that_prove_themselves_and_their_own_tokens() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let by_public = introspect(&world, &[("client_id", CLIENT)], &tokens.access_token).await;
    assert_eq!(error_of(by_public), ErrorCode::UnauthorizedClient);
    for token in [&tokens.access_token, tokens.refresh_token.as_ref().unwrap(), &Secret::new("garbage")] {
        let answer = introspect(&world, &AS_MACHINE, token).await.unwrap();
        assert_eq!(answer.to_json(), serde_json::json!({ "active": false }), "and nothing else");
    }
    let mut trusted = machine();
    trusted.source = ClientSource::Configuration { resources: Vec::new(), may_introspect: true };
    keep_client(&*world.store, &trusted).await;
    let answer = introspect(&world, &AS_MACHINE, &tokens.access_token).await.unwrap().to_json();
    for (name, value) in [
        ("active", Value::from(true)),
        ("sub", "test:alice-1".into()),
        ("client_id", CLIENT.into()),
        ("aud", RESOURCE.into()),
        ("iss", ISSUER.into()),
        ("scope", "mcp:read mcp:write".into()),
        ("token_type", "Bearer".into()),
        ("exp", (world.now().as_secs() + 900).into()),
    ] {
        assert_eq!(answer[name], value, "{name}");
    }
}

/// Signed with a key that nobody has, and newer than all that we know.
#[tokio::test]
async fn a_token_of_an_unknown_key_is_nobodys() {
    let world = World::new().await;
    let other = Plan { seed: 77, ..Plan::usual() }.start().await;
    let foreign = other.tokens().await.access_token;
    let answer = introspect(&world, &AS_MACHINE, &foreign).await.unwrap();
    assert_eq!(answer.to_json(), serde_json::json!({ "active": false }));
    assert!(world.revoke(&foreign).await.is_ok());
}

#[tokio::test]
async fn a_token_is_active_until_it_ends_one_way_or_another() {
    let world = World::new().await;
    let mut trusted = machine();
    trusted.source = ClientSource::Configuration { resources: Vec::new(), may_introspect: true };
    keep_client(&*world.store, &trusted).await;
    let active = |token: Secret| {
        let world = &world;
        async move { introspect(world, &AS_MACHINE, &token).await.unwrap().is_active() }
    };
    let first = world.tokens().await;
    let first_refresh = first.refresh_token.unwrap();
    assert!(active(first.access_token.clone()).await && active(first_refresh.clone()).await);
    let second = world.refresh(&first_refresh, &[]).await.unwrap();
    assert!(!active(first_refresh).await, "it has a successor");
    assert!(active(second.refresh_token.clone().unwrap()).await);
    world.revoke(&first.access_token).await.unwrap();
    assert!(!active(first.access_token).await && active(second.access_token.clone()).await);

    // Revoked on a replica whose memory is not ours.
    let replica = world.replica(|plan| plan.policies = policies()).await;
    keep_client(&*world.store, &trusted).await;
    replica.revoke(second.refresh_token.as_ref().unwrap()).await.unwrap();
    assert!(world.judge(&second.access_token).is_ok());
    assert!(!active(second.access_token).await && !active(second.refresh_token.unwrap()).await);

    let third = world.tokens().await;
    world.pass(931);
    assert!(!active(third.access_token).await && active(third.refresh_token.unwrap()).await);
}
