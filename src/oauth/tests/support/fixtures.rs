//! The usual resources, clients and requests.

use url::Url;

use crate::authz::policy::{AcceptedIssuer, Policy, Principals};
use crate::domain::{EmailPattern, Issuer, ScopeSet, SecretHash, UnixTime};
use crate::oauth::{
    Client, ClientAuthentication, ClientSource, ErrorCode, GrantType, Next, OAuthError, Parameters, RedirectUri,
    SecretMethod,
};
use crate::store::{Outcome, Store, Transaction};

pub(crate) const ISSUER: &str = "https://auth.example.com";
/// Alice and everybody of corp.example may use it.
pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";
/// Only alice may use it; it offers no scopes.
pub(crate) const OTHER_RESOURCE: &str = "https://other.example.com/notes/";
/// Another issuer's.
pub(crate) const FOREIGN_RESOURCE: &str = "https://foreign.example.com/mcp";
/// A public client, registered.
pub(crate) const CLIENT: &str = "client-one";
/// Another one, at the same address.
pub(crate) const OTHER_CLIENT: &str = "client-two";
/// A confidential client from the configuration.
pub(crate) const MACHINE: &str = "machine";
pub(crate) const MACHINE_SECRET: &str = "machine-secret";
pub(crate) const REDIRECT: &str = "https://client.example/callback";
/// The example of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) fn policy(url: &str, issuer: &str, emails: &[&str], scopes: &str) -> Policy {
    Policy {
        name: Some("Notes".into()),
        issuers: vec![AcceptedIssuer { issuer: Issuer::parse(issuer).unwrap(), audiences: Vec::new() }],
        principals: Principals {
            emails: emails.iter().map(|text| EmailPattern::parse(text).unwrap()).collect(),
            ..Principals::default()
        },
        scopes_in_challenge: ScopeSet::from_claim(scopes),
        ..Policy::for_test(url)
    }
}

pub(crate) fn policies() -> Vec<Policy> {
    let with_machine = |mut policy: Policy| {
        policy.principals.subjects.push(MACHINE.into());
        policy
    };
    vec![
        with_machine(policy(RESOURCE, ISSUER, &["alice@example.com", "*@corp.example"], "mcp:read mcp:write")),
        with_machine(policy(OTHER_RESOURCE, ISSUER, &["alice@example.com"], "")),
        policy(FOREIGN_RESOURCE, "https://idp.example.com", &["alice@example.com"], "mcp:read"),
    ]
}

pub(crate) fn client(id: &str) -> Client {
    Client {
        id: id.into(),
        name: Some(format!("The {id}")),
        redirect_uris: vec![serde_json::from_str::<RedirectUri>(&format!("\"{REDIRECT}\"")).unwrap()],
        authentication: ClientAuthentication::None,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: None,
        dpop_bound: false,
        source: ClientSource::Registration {
            issued_at: UnixTime::from_secs(1_800_000_000),
            access_token: SecretHash::of("registration"),
            used: true,
        },
    }
}

pub(crate) fn machine() -> Client {
    Client {
        authentication: ClientAuthentication::Secret {
            method: SecretMethod::Post,
            hash: SecretHash::of(MACHINE_SECRET),
        },
        grant_types: vec![GrantType::ClientCredentials, GrantType::AuthorizationCode, GrantType::RefreshToken],
        source: ClientSource::Configuration { resources: vec![RESOURCE.into()], may_introspect: false },
        ..client(MACHINE)
    }
}

pub(crate) async fn keep_client(store: &dyn Store, client: &Client) {
    let kept = Transaction::new().replace(&client.id, client, None);
    assert_eq!(kept.commit(store, client_time()).await.unwrap(), Outcome::Committed);
}

fn client_time() -> UnixTime {
    UnixTime::from_secs(1_800_000_000)
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> Parameters {
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Parameters::parse(text.as_bytes()).unwrap()
}

/// The parameters of `url`.
pub(crate) fn query(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The usual authorization request with some parameters replaced; an empty one is taken away.
pub(crate) fn request(changes: &[(&str, &str)]) -> Parameters {
    let usual = [
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "state-of-the-client"),
        ("resource", RESOURCE),
    ];
    let usual = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let all: Vec<(&str, &str)> = usual.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty()).collect();
    form(&all)
}

/// The code of an expected error.
pub(crate) fn error_of<T: std::fmt::Debug>(result: Result<T, OAuthError>) -> ErrorCode {
    result.unwrap_err().code
}

/// Where a browser is sent.
pub(crate) fn redirect_of(next: Next) -> String {
    match next {
        Next::Redirect(url) => url,
        other => panic!("{other:?}"),
    }
}
