//! What rules about operations, lists and keys decide together: rows are sentences.

use std::sync::Arc;

use super::condition::Trouble;
use super::policy::{AcceptedIssuer, Mode, Principals, RequiredScope};
use super::*;
use crate::authn::ApiKeyFacts;
use crate::domain::original_request::RawRequest;
use crate::domain::{EmailPattern, Glob, Issuer, Scope, ScopeSet, SecretHash};

const ISSUER: &str = "https://idp.example.com";
const URL: &str = "https://mcp.example.com/mcp";
const NO: &str = "operation_not_allowed";
const SCOPE: &str = "insufficient_scope";
const FALSE: &str = "condition_false";

fn globs(texts: &[&str]) -> Vec<Glob> {
    texts.iter().map(|text| Glob::parse(text).unwrap()).collect()
}

/// A rule about calls of these tools.
fn rule(names: &[&str]) -> OperationRule {
    OperationRule { methods: globs(&["tools/call"]), names: globs(names), ..OperationRule::default() }
}

fn required(scope: &str) -> RequiredScope {
    let [scope, admin] = [scope, "mcp:admin"].map(|text| Scope::parse(text).unwrap());
    RequiredScope { satisfied_by: vec![scope.clone(), admin], scope }
}

#[expect(clippy::unnecessary_wraps, reason = "a condition is optional wherever it stands")]
fn condition(text: &str) -> Option<Condition> {
    Some(Condition::parse(text).unwrap())
}

fn members(group: &str) -> Principals {
    Principals { groups: vec![group.into()], ..Principals::default() }
}

fn with_rules(rules: Vec<OperationRule>) -> Policy {
    let issuers = vec![AcceptedIssuer { issuer: Issuer::parse(ISSUER).unwrap(), audiences: vec!["account".into()] }];
    let principals = Principals { anyone: true, ..Principals::default() };
    let operations = OperationPolicy { rules, ..OperationPolicy::default() };
    Policy { issuers, principals, operations, ..Policy::for_test(URL) }
}

fn alice(changes: &str) -> Arc<Identity> {
    let mut claims = serde_json::json!({ "iss": ISSUER, "exp": 1, "sub": "a", "aud": URL, "scope": "mcp:read" });
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Arc::new(Identity::for_test(ISSUER, &claims.to_string()))
}

fn calls<'a>(tools: &[&'a str]) -> Vec<Operation<'a>> {
    tools.iter().map(|tool| Operation::new("tools/call", Some((*tool).into()))).collect()
}

fn ask<T>(policy: Policy, step: impl FnOnce(&Matched<'_>) -> T) -> T {
    let raw = RawRequest {
        method: (b"POST", "method"),
        scheme: (b"https", "scheme"),
        authority: (b"mcp.example.com", "authority"),
        target: b"/mcp",
    };
    let (set, request) = (PolicySet::new(vec![policy], None), OriginalRequest::parse(&raw).unwrap());
    step(&set.find(&request).unwrap())
}

fn judged(policy: Policy, caller: &Arc<Identity>, operations: &[Operation<'_>]) -> (Verdict, Vec<Cause>) {
    ask(policy, |matched| decide_operations(matched, RequestFacts::default(), caller, Some(operations)))
}

/// Every cause by its reason, its rule and its operation.
fn told(causes: &[Cause]) -> Vec<(&'static str, Option<usize>, usize)> {
    causes.iter().map(|cause| (cause.reason.as_str(), cause.rule, cause.operation)).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table has as many rows as there are cases")]
fn every_rule_that_fits_must_be_satisfied_by_every_operation() {
    let rules = || {
        vec![
            OperationRule { deny: true, except_names: globs(&["delete_draft"]), ..rule(&["delete_*"]) },
            OperationRule { required_scopes: vec![required("mcp:write")], ..rule(&["write_*", "both_*"]) },
            OperationRule { principals: Some(members("staff")), ..rule(&["staff_*", "both_*"]) },
            OperationRule { condition: condition("operation.name == 'ask_well'"), ..rule(&["ask_*"]) },
            OperationRule { methods: globs(&["tools/list"]), deny: true, ..OperationRule::default() },
        ]
    };
    let (usual, writer) = ("{}", r#"{"scope":"mcp:write"}"#);
    let staff = r#"{"groups":["staff"]}"#;
    for (sentence, caller, tools, expected) in [
        ("no rule fits", usual, vec!["read"], vec![]),
        ("a denied tool", usual, vec!["delete_note"], vec![(NO, Some(0), 0)]),
        ("an exception", usual, vec!["delete_draft"], vec![]),
        ("the second of two is denied", usual, vec!["read", "delete_note"], vec![(NO, Some(0), 1)]),
        ("a scope is missing", usual, vec!["write_note"], vec![(SCOPE, Some(1), 0)]),
        ("the scope is there", writer, vec!["write_note"], vec![]),
        ("a broader scope is there", r#"{"scope":"mcp:admin"}"#, vec!["write_note"], vec![]),
        ("a foreign group", r#"{"groups":["guests"]}"#, vec!["staff_list"], vec![(NO, Some(2), 0)]),
        ("the right group", staff, vec!["staff_list"], vec![]),
        ("what no scope changes comes first", usual, vec!["both_note"], vec![(NO, Some(2), 0)]),
        ("then what a scope changes", staff, vec!["both_note"], vec![(SCOPE, Some(1), 0)]),
        ("of two that no scope changes the first", usual, vec!["delete_note", "staff_list"], vec![(NO, Some(0), 0)]),
        ("of two scopes the first", usual, vec!["write_a", "write_b"], vec![(SCOPE, Some(1), 0)]),
        ("a condition that is true", usual, vec!["ask_well"], vec![]),
        ("a condition that is false", usual, vec!["ask_badly"], vec![(FALSE, Some(3), 0)]),
        ("it is asked of what the rule is about", usual, vec!["read", "ask_well"], vec![]),
        ("and of all of that", usual, vec!["ask_well", "read", "ask_badly"], vec![(FALSE, Some(3), 2)]),
        ("nothing at all", usual, vec![], vec![]),
    ] {
        let (verdict, causes) = judged(with_rules(rules()), &alice(caller), &calls(&tools));
        assert_eq!(told(&causes), expected, "{sentence}");
        assert_eq!(verdict.reason().map(Reason::as_str), expected.first().map(|(reason, ..)| *reason), "{sentence}");
        assert_eq!(verdict.would_refuse(), None, "{sentence}");
    }
    let (verdict, _) = judged(with_rules(rules()), &alice("{}"), &[Operation::new("tools/list", None)]);
    assert_eq!(verdict.reason(), Some(Reason::OperationNotAllowed), "a rule without names fits what has none");
    let unknown = ask(with_rules(rules()), |matched| {
        decide_operations(matched, RequestFacts::default(), &alice("{}"), None).0.reason()
    });
    assert_eq!(unknown, Some(Reason::OperationUnknown));
}

#[test]
fn one_challenge_asks_for_the_scopes_of_all_rules_but_not_for_those_that_are_only_watched() {
    let requiring = |scope: &str| OperationRule { required_scopes: vec![required(scope)], ..rule(&["write_*"]) };
    let watched = OperationRule { mode: Mode::Audit, ..requiring("mcp:watched") };
    let policy = with_rules(vec![watched, requiring("mcp:one"), requiring("mcp:two")]);
    let header = |caller: &str| {
        let (verdict, causes) = judged(policy.clone(), &alice(caller), &calls(&["write_note"]));
        (verdict.challenge().unwrap().header().to_owned(), told(&causes))
    };
    let (challenge, causes) = header("{}");
    assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"mcp:one mcp:read mcp:two\""), "{challenge}");
    assert_eq!(causes, [("insufficient_scope", Some(1), 0), ("insufficient_scope", Some(0), 0)]);
    let bound = r#"{"cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}"#;
    assert!(header(bound).0.starts_with("DPoP error=\"insufficient_scope\""));
    let (verdict, _) = judged(policy.clone(), &alice(r#"{"scope":"mcp:one mcp:two"}"#), &calls(&["write_note"]));
    assert_eq!((verdict.reason(), verdict.would_refuse()), (None, Some(Reason::InsufficientScope)));
}

#[test]
fn what_is_only_watched_refuses_nothing_and_is_told() {
    let watched = OperationRule { deny: true, mode: Mode::Audit, ..rule(&["*_note"]) };
    let policy = with_rules(vec![watched, OperationRule { deny: true, ..rule(&["delete_*"]) }]);
    let (verdict, causes) = judged(policy.clone(), &alice("{}"), &calls(&["read_note"]));
    assert_eq!((verdict.reason(), verdict.would_refuse()), (None, Some(Reason::OperationNotAllowed)));
    assert_eq!(told(&causes), [("operation_not_allowed", Some(0), 0)]);
    let (verdict, causes) = judged(policy.clone(), &alice("{}"), &calls(&["delete_note"]));
    assert_eq!(verdict.reason(), Some(Reason::OperationNotAllowed));
    assert_eq!(told(&causes), [("operation_not_allowed", Some(1), 0), ("operation_not_allowed", Some(0), 0)]);
    let audited = Policy { mode: Mode::Audit, ..policy };
    let (verdict, _) = judged(audited, &alice("{}"), &calls(&["delete_note"]));
    assert_eq!((verdict.reason(), verdict.would_refuse()), (None, Some(Reason::OperationNotAllowed)));
}

#[test]
fn a_resource_s_condition_about_operations_is_asked_of_each_and_its_trouble_is_told() {
    let with_condition = |text: &str, rules| {
        let mut policy = with_rules(rules);
        policy.operations.condition = condition(text);
        policy
    };
    let ask = |policy, tools: &[&str]| {
        let (verdict, causes) = judged(policy, &alice("{}"), &calls(tools));
        (verdict.reason().map(Reason::as_str), verdict.trouble(), told(&causes))
    };
    let policy = || with_condition("operation.name != 'delete_note'", Vec::new());
    assert_eq!(ask(policy(), &["read", "write"]), (None, None, vec![]));
    let refused = (Some("condition_false"), None, vec![("condition_false", None, 1)]);
    assert_eq!(ask(policy(), &["read", "delete_note"]), refused);
    let troubled = with_condition("operation.arguments.path == '/'", Vec::new());
    let refused = (Some("condition_false"), Some(Trouble::Absent), vec![("condition_false", None, 0)]);
    assert_eq!(ask(troubled, &["read"]), refused);
    let scoped = OperationRule { required_scopes: vec![required("mcp:write")], ..rule(&["*"]) };
    let both = with_condition("operation.name != 'delete_note'", vec![scoped]);
    assert_eq!(ask(both, &["delete_note"]).0, Some("condition_false"), "no scope would help");
}

#[test]
fn the_work_of_all_conditions_about_a_request_is_counted_together() {
    let heavy = || OperationRule { condition: condition("operation.name.contains('x')"), ..rule(&["*"]) };
    let name = "y".repeat(4000) + "x";
    let spent_by_one = 1000 + 4;
    let rules = usize::try_from(Fuel::PER_REQUEST).unwrap() / spent_by_one;
    let ask = |count: usize| {
        let policy = with_rules((0..count).map(|_| heavy()).collect());
        let (verdict, _) = judged(policy, &alice("{}"), &calls(&[&name]));
        (verdict.reason(), verdict.trouble())
    };
    assert_eq!(ask(rules), (None, None));
    assert_eq!(ask(rules + 1), (Some(Reason::ConditionFalse), Some(Trouble::Exhausted)));
}

#[test]
fn an_address_that_nobody_vouches_for_is_told_only_where_it_would_have_helped() {
    let emails = |texts: &[&str]| texts.iter().map(|text| EmailPattern::parse(text).unwrap()).collect();
    let policy = Policy {
        principals: Principals {
            emails: emails(&["alice@example.com", "*@corp.example.com"]),
            ..Principals::default()
        },
        ..with_rules(Vec::new())
    };
    let reason = |caller: &str| {
        let caller = Authentication::Verified(alice(caller));
        ask(policy.clone(), |matched| decide(matched, RequestFacts::default(), &caller).reason())
    };
    assert_eq!(reason(r#"{"email":"alice@example.com","email_verified":true}"#), None);
    assert_eq!(reason(r#"{"email":"alice@example.com"}"#), Some(Reason::EmailNotVerified));
    assert_eq!(reason(r#"{"email":"bob@corp.example.com"}"#), Some(Reason::EmailNotVerified));
    assert_eq!(reason(r#"{"email":"bob@example.com"}"#), Some(Reason::PrincipalNotAllowed));
    let rules = vec![OperationRule { principals: Some(policy.principals.clone()), ..rule(&["*"]) }];
    let (verdict, _) = judged(with_rules(rules), &alice(r#"{"email":"alice@example.com"}"#), &calls(&["read"]));
    assert_eq!(verdict.reason(), Some(Reason::EmailNotVerified));
}

#[test]
fn any_of_several_origins_may_ask() {
    let allowed_origins = ["https://one.example.com", "https://two.example.com"].map(str::to_owned).into();
    let policy = Policy { allowed_origins, ..with_rules(Vec::new()) };
    let caller = Authentication::Verified(alice("{}"));
    for (origin, expected) in [
        ("https://one.example.com", None),
        ("https://two.example.com", None),
        ("https://three.example.com", Some(Reason::OriginNotAllowed)),
    ] {
        let facts = RequestFacts { origin: Some(origin.as_bytes()), ..RequestFacts::default() };
        assert_eq!(ask(policy.clone(), |matched| decide(matched, facts, &caller).reason()), expected, "{origin}");
    }
}

/// Whoever holds a key for these resources.
fn key_for(resources: &[&str]) -> Authentication {
    let facts = ApiKeyFacts {
        id: "K1".into(),
        hash: SecretHash::of("a key"),
        name: "backup".into(),
        resources: resources.iter().map(|uri| (*uri).to_owned()).collect(),
        scopes: ScopeSet::from_claim("mcp:read"),
        groups: vec!["ops".into()],
        expires_at: UnixTime::from_secs(1000),
        revoked: false,
        last_used: None,
    };
    Authentication::Verified(Arc::new(Identity::key_for_test(ISSUER, &facts)))
}

/// Its issuer is ours, or has the name of one that is accepted: neither that nor the audiences of an issuer let it in.
#[test]
fn a_key_counts_at_its_own_resources_where_keys_are_admitted() {
    let other = "https://mcp.example.com/other";
    let policy = |allow_api_keys| Policy { allow_api_keys, ..with_rules(Vec::new()) };
    for (resources, allowed, expected) in [
        (vec![URL], true, None),
        (vec![other, URL], true, None),
        (vec![other], true, Some(Reason::WrongAudience)),
        (vec!["account"], true, Some(Reason::WrongAudience)),
        (vec![], true, Some(Reason::WrongAudience)),
        (vec![URL], false, Some(Reason::PrincipalNotAllowed)),
    ] {
        let holder = key_for(&resources);
        let reason = ask(policy(allowed), |matched| decide(matched, RequestFacts::default(), &holder).reason());
        assert_eq!(reason, expected, "{resources:?} {allowed}");
    }
    let nobody = Policy { principals: Principals::default(), ..policy(true) };
    let reason = ask(nobody, |matched| decide(matched, RequestFacts::default(), &key_for(&[URL])).reason());
    assert_eq!(reason, None, "the lists are of people");
}

#[test]
fn a_policy_wants_to_know_what_its_rules_and_conditions_ask_for_and_no_more() {
    let wants = |policy: &OperationPolicy| {
        (!policy.is_empty(), policy.asks_for_params(), policy.asks_for_arguments(), policy.conditions().count())
    };
    let of_resource = |text: &str| OperationPolicy { condition: condition(text), ..OperationPolicy::default() };
    let of_rules = |texts: &[&str]| {
        let rules = texts.iter().map(|text| OperationRule { condition: condition(text), ..rule(&["*"]) });
        OperationPolicy { rules: rules.collect(), ..OperationPolicy::default() }
    };
    let (name, param, path) = ("operation.name == 'a'", "operation.params.tenant == 'a'", "operation.arguments.a == 1");
    assert_eq!(wants(&OperationPolicy::default()), (false, false, false, 0));
    let bare = OperationPolicy { rules: vec![rule(&["*"])], ..OperationPolicy::default() };
    assert_eq!(wants(&bare), (true, false, false, 0));
    assert_eq!(wants(&of_resource(name)), (true, false, false, 1));
    assert_eq!(wants(&of_resource(param)), (true, true, false, 1));
    assert_eq!(wants(&of_rules(&[name, path])), (true, false, true, 2));
    assert_eq!(wants(&of_rules(&[param, name])), (true, true, false, 2));
}

#[test]
fn a_rule_without_names_fits_whatever_the_operation_is_called() {
    let prompts = OperationRule { methods: globs(&["prompts/*"]), deny: true, ..OperationRule::default() };
    for (operation, fits) in [
        (Operation::new("prompts/get", Some("any".into())), true),
        (Operation::new("prompts/list", None), true),
        (Operation::new("tools/call", Some("any".into())), false),
    ] {
        let (verdict, _) = judged(with_rules(vec![prompts.clone()]), &alice("{}"), std::slice::from_ref(&operation));
        assert_eq!(verdict.reason().is_some(), fits, "{operation:?}");
    }
}

#[test]
fn each_list_is_compared_with_its_own_claim() {
    let name = || vec!["named".to_owned()];
    let lists = [
        ("groups", Principals { groups: name(), ..Principals::default() }),
        ("preferred_username", Principals { users: name(), ..Principals::default() }),
        ("sub", Principals { subjects: name(), ..Principals::default() }),
        ("client_id", Principals { clients: name(), ..Principals::default() }),
    ];
    for (list, principals) in lists {
        for claim in ["groups", "preferred_username", "sub", "client_id"] {
            let policy = Policy { principals: principals.clone(), ..with_rules(Vec::new()) };
            let value = if claim == "groups" { "[\"named\"]" } else { "\"named\"" };
            let caller = Authentication::Verified(alice(&format!("{{\"{claim}\":{value}}}")));
            let reason = ask(policy, |matched| decide(matched, RequestFacts::default(), &caller).reason());
            assert_eq!(reason.is_none(), claim == list, "{claim} and the list of {list}");
        }
    }
}
