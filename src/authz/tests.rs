//! The decision table: rows are sentences.

use std::sync::Arc;
use std::time::Duration;

use super::policy::{AcceptedIssuer, Mode, Principals, RequiredScope};
use super::*;
use crate::authn::TokenFault;
use crate::domain::original_request::RawRequest;
use crate::domain::resource::PathPrefix;
use crate::domain::{EmailPattern, Issuer, OriginalRequest, Scope, ScopeSet};

const ISSUER: &str = "https://idp.example.com";
const METADATA: &str = "resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\"";

fn policy(url: &str) -> Policy {
    let scope = |text: &str| Scope::parse(text).unwrap();
    let required =
        RequiredScope { scope: scope("mcp:read"), satisfied_by: vec![scope("mcp:read"), scope("mcp:admin")] };
    Policy {
        issuers: vec![AcceptedIssuer { issuer: Issuer::parse(ISSUER).unwrap(), audiences: vec!["account".into()] }],
        principals: Principals {
            emails: vec![EmailPattern::parse("alice@example.com").unwrap()],
            groups: vec!["ops".into()],
            ..Principals::default()
        },
        scopes_in_challenge: ScopeSet::from_claim("mcp:read"),
        required_scopes: vec![required],
        ..Policy::for_test(url)
    }
}

/// Alice's claims with some replaced; a later member of the same name wins in a `Value`.
fn identity(changes: &str) -> Authentication {
    let mut claims: serde_json::Value = serde_json::from_str(
        r#"{"iss":"https://idp.example.com","exp":1,"sub":"a","aud":"https://mcp.example.com/mcp",
            "email":"alice@example.com","email_verified":true,"scope":"mcp:read"}"#,
    )
    .unwrap();
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let issuer = claims["iss"].as_str().unwrap().to_owned();
    Authentication::Verified(Arc::new(Identity::for_test(&issuer, &claims.to_string())))
}

fn request(url: &str) -> OriginalRequest<'_> {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, target) = rest.split_at(rest.find('/').unwrap());
    OriginalRequest::parse(&RawRequest {
        method: (b"POST", "method"),
        scheme: (scheme.as_bytes(), "scheme"),
        authority: (authority.as_bytes(), "authority"),
        target: target.as_bytes(),
    })
    .unwrap()
}

fn decide_with(policy: Policy, facts: RequestFacts<'_>, authentication: &Authentication) -> Verdict {
    let set = PolicySet::new(vec![policy], None);
    let request = request("https://mcp.example.com/mcp");
    decide(&set.find(&request).unwrap(), facts, authentication)
}

fn verdict_of(authentication: &Authentication) -> (u16, Option<&'static str>, Option<String>) {
    let verdict = decide_with(policy("https://mcp.example.com/mcp"), RequestFacts::default(), authentication);
    let reason = verdict.reason().map(Reason::as_str);
    match verdict {
        Verdict::Permit(_) => (200, reason, None),
        Verdict::Challenge(challenge) => (401, reason, Some(challenge.header().to_owned())),
        Verdict::Forbid(denial) => (403, reason, denial.challenge().map(|challenge| challenge.header().to_owned())),
        Verdict::Undecidable { .. } => (503, reason, None),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table has as many rows as there are cases")]
fn the_table() {
    let rows = [
        ("alice with her token is let in", identity("{}"), 200, None),
        ("a broader scope is enough", identity(r#"{"scope":"mcp:admin"}"#), 200, None),
        ("the issuer's own audience is enough", identity(r#"{"aud":["account"]}"#), 200, None),
        ("a group is enough", identity(r#"{"email":"bob@example.com","groups":["ops"]}"#), 200, None),
        ("nobody is asked to sign in", Authentication::Anonymous, 401, Some("missing_token")),
        (
            "an expired token is asked to be renewed",
            Authentication::Rejected(TokenFault::Expired),
            401,
            Some("expired_token"),
        ),
        (
            "a token for another resource is refused",
            identity(r#"{"aud":"https://mcp.example.com/other"}"#),
            401,
            Some("wrong_audience"),
        ),
        ("a token without audience is refused", identity(r#"{"aud":[]}"#), 401, Some("wrong_audience")),
        (
            "a token of an issuer not accepted here is refused",
            identity(r#"{"iss":"https://other.example.com"}"#),
            401,
            Some("unknown_issuer"),
        ),
        (
            "bob may not, whatever token he fetches",
            identity(r#"{"email":"bob@example.com"}"#),
            403,
            Some("principal_not_allowed"),
        ),
        (
            "alice's unverified address does not count",
            identity(r#"{"email_verified":false}"#),
            403,
            Some("email_not_verified"),
        ),
        (
            "a client without a person does not match e-mails",
            identity(r#"{"email":null}"#),
            403,
            Some("principal_not_allowed"),
        ),
        (
            "too small a token asks for more scopes",
            identity(r#"{"scope":"mcp:list"}"#),
            403,
            Some("insufficient_scope"),
        ),
        (
            "missing keys are our own trouble",
            Authentication::Undecidable { retry_after: Duration::from_secs(1) },
            503,
            Some("keys_unavailable"),
        ),
    ];
    for (sentence, authentication, status, reason) in rows {
        let (actual_status, actual_reason, _) = verdict_of(&authentication);
        assert_eq!((actual_status, actual_reason), (status, reason), "{sentence}");
    }
}

#[test]
fn challenges_are_written_exactly() {
    let header = |authentication: Authentication| verdict_of(&authentication).2;
    assert_eq!(header(Authentication::Anonymous).unwrap(), format!("Bearer {METADATA}, scope=\"mcp:read\""));
    assert_eq!(
        header(Authentication::Rejected(TokenFault::Expired)).unwrap(),
        format!(
            "Bearer error=\"invalid_token\", error_description=\"the token has expired\", {METADATA}, scope=\"mcp:read\""
        )
    );
    assert_eq!(
        header(Authentication::Rejected(TokenFault::MalformedCredential)).unwrap(),
        format!(
            "Bearer error=\"invalid_request\", error_description=\"the request must carry exactly one bearer token\", {METADATA}, scope=\"mcp:read\""
        )
    );
    assert_eq!(
        header(identity(r#"{"scope":"mcp:list a"}"#)).unwrap(),
        format!(
            "Bearer error=\"insufficient_scope\", error_description=\"the token lacks a required scope\", {METADATA}, scope=\"a mcp:list mcp:read\""
        )
    );
    assert_eq!(header(identity(r#"{"email":"bob@example.com"}"#)), None, "a new sign-in would not help bob");
}

#[test]
fn the_origin_is_judged_before_the_token() {
    let mut strict = policy("https://mcp.example.com/mcp");
    strict.allowed_origins = vec!["https://app.example.com".into()];
    let reason = |origin: Option<&[u8]>| {
        let facts = RequestFacts { origin, ..RequestFacts::default() };
        decide_with(strict.clone(), facts, &Authentication::Anonymous).reason()
    };
    assert_eq!(reason(Some(b"https://evil.example")), Some(Reason::OriginNotAllowed));
    assert_eq!(reason(Some(b"null")), Some(Reason::OriginNotAllowed));
    assert_eq!(reason(Some(b"https://APP.example.com")), Some(Reason::OriginNotAllowed));
    assert_eq!(reason(Some(b"https://app.example.com")), Some(Reason::MissingToken));
    assert_eq!(reason(None), Some(Reason::MissingToken));
}

#[test]
fn a_preflight_passes_without_a_token_and_nothing_else_does() {
    let facts = RequestFacts { origin: Some(b"https://app.example.com"), preflight: true, ..RequestFacts::default() };
    let decide = |facts| decide_with(policy("https://mcp.example.com/mcp"), facts, &Authentication::Anonymous);
    let verdict = decide(facts);
    assert!(verdict.as_permit().is_some_and(|permit| permit.identity().is_none()));
    assert_eq!(decide(RequestFacts { preflight: false, ..facts }).reason(), Some(Reason::MissingToken));
}

#[test]
fn audit_mode_lets_through_and_remembers_why_it_would_not_have() {
    let mut audited = policy("https://mcp.example.com/mcp");
    audited.mode = Mode::Audit;
    let bob = identity(r#"{"email":"bob@example.com"}"#);
    let verdict = decide_with(audited, RequestFacts::default(), &bob);
    assert_eq!(verdict.would_refuse(), Some(Reason::PrincipalNotAllowed));
    assert!(verdict.as_permit().unwrap().identity().is_some());
}

#[test]
fn nobody_named_means_nobody_unless_it_is_said() {
    let mut closed = policy("https://mcp.example.com/mcp");
    closed.principals = Principals::default();
    let reason = |policy: &Policy| decide_with(policy.clone(), RequestFacts::default(), &identity("{}")).reason();
    assert_eq!(reason(&closed), Some(Reason::PrincipalNotAllowed));
    closed.principals.anyone = true;
    assert_eq!(reason(&closed), None);
}

#[test]
fn the_longest_path_wins_and_the_exact_host_wins_ties() {
    let mut sse = policy("https://mcp.example.com/sse");
    sse.also_paths = vec![PathPrefix::parse("/messages").unwrap()];
    let urls = [
        "https://mcp.example.com/",
        "https://mcp.example.com/mcp",
        "https://*.example.com/mcp",
        "https://*.example.com/mcp/deep",
    ];
    let mut policies: Vec<Policy> = urls.map(policy).into();
    policies.push(sse);
    let set = PolicySet::new(policies, None);
    let found = |url: &str| set.find(&request(url)).map(|matched| matched.resource_text().to_owned());
    for (url, resource) in [
        ("https://mcp.example.com/x", "https://mcp.example.com/"),
        ("https://mcp.example.com/mcp/x", "https://mcp.example.com/mcp"),
        ("https://mcp.example.com/mcpx", "https://mcp.example.com/"),
        ("https://mcp.example.com/mcp/deep", "https://mcp.example.com/mcp/deep"),
        ("https://notes.example.com/mcp", "https://notes.example.com/mcp"),
        ("https://mcp.example.com/messages/1", "https://mcp.example.com/sse"),
    ] {
        assert_eq!(found(url).as_deref(), Ok(resource), "{url}");
    }
    for url in [
        "http://mcp.example.com/mcp",
        "https://mcp.example.com:8443/mcp",
        "https://a.b.example.com/mcp",
        "https://example.com/mcp",
    ] {
        assert_eq!(found(url), Err(NotFound::Unknown), "{url}");
    }
    assert!(matches!(found("https://mcp.example.com/MCP/x"), Err(NotFound::Ambiguous(_))));
}

#[test]
fn metadata_stands_where_rfc_9728_puts_it() {
    let urls = ["https://mcp.example.com/", "https://other.example.com/mcp/", "https://*.wild.example.com/a/b"];
    let set = PolicySet::new(urls.map(policy).into(), None);
    let metadata = |url: &str| set.find(&request(url)).unwrap().metadata_url();
    let base = "/.well-known/oauth-protected-resource";
    assert_eq!(metadata("https://mcp.example.com/x"), format!("https://mcp.example.com{base}"));
    assert_eq!(metadata("https://other.example.com/mcp"), format!("https://other.example.com{base}/mcp/"));
    assert_eq!(metadata("https://x.wild.example.com/a/b/c"), format!("https://x.wild.example.com{base}/a/b"));
    let elsewhere = PolicySet::new(urls.map(policy).into(), Some("https://auth.example.com".into()));
    let found = elsewhere.find(&request("https://mcp.example.com/x")).map(|matched| matched.metadata_url());
    assert_eq!(found.unwrap(), format!("https://auth.example.com{base}?resource=https%3A%2F%2Fmcp.example.com%2F"));
}

#[test]
fn documents_are_found_by_place_and_by_name() {
    let urls = [
        "https://one.example.com/mcp",
        "https://two.example.com/a",
        "https://two.example.com/b",
        "https://*.wild.example.com/mcp",
    ];
    let set = PolicySet::new(urls.map(policy).into(), None);
    let by_name = |uri: &str| set.document_by_uri(uri).map(|found| found.resource_text().to_owned());
    for (uri, resource) in [
        ("https://one.example.com/mcp", Some("https://one.example.com/mcp")),
        ("https://ONE.example.com:443/mcp/", Some("https://one.example.com/mcp")),
        ("https://one.example.com", Some("https://one.example.com/mcp")),
        ("https://two.example.com/b", Some("https://two.example.com/b")),
        ("https://two.example.com", None),
        ("https://x.wild.example.com/mcp", Some("https://x.wild.example.com/mcp")),
        ("https://*.wild.example.com/mcp", None),
        ("http://one.example.com/mcp", None),
        ("https://one.example.com/other", None),
        ("https://evil.example/mcp", None),
        ("not a url", None),
    ] {
        assert_eq!(by_name(uri).as_deref(), resource, "{uri}");
    }
}

#[test]
fn a_policy_speaks_of_the_groups_of_its_lists_rules_and_conditions() {
    let mut policy = policy("https://mcp.example.com/mcp");
    policy.principals.groups = vec!["staff".into()];
    policy.condition = Some(Condition::parse("!(\"contractors\" in identity.groups)").unwrap());
    let ops = Principals { groups: vec!["ops".into()], ..Principals::default() };
    let condition = Some(Condition::parse("!(\"guests\" in identity.groups)").unwrap());
    policy.operations.rules = vec![OperationRule { principals: Some(ops), condition, ..OperationRule::default() }];
    for group in ["staff", "contractors", "ops", "guests"] {
        assert!(policy.speaks_of_group(group), "{group}");
    }
    assert!(!policy.speaks_of_group("others"));
}
