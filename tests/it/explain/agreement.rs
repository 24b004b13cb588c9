//! An explanation and `/auth` cannot disagree: random rules, tokens, requests and operations, each explained, and asked
//! in the words of each proxy.

use std::collections::BTreeMap;

use mcp_forward_auth::config::Config;
use mcp_forward_auth::domain::UnixTime;
use mcp_forward_auth::explain::Question;
use mcp_forward_auth::explain::question::{Named, Written};
use mcp_forward_auth::http::Service;
use mcp_forward_auth::http::explain::{explain, remembered};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::in_process::{Answer, NOW, ask, service};
use super::secrets;
use crate::support::http::Request;
use crate::support::issuer::{SigningKey, Token};

const GOOD: &str = "https://idp.example.com";
const OTHER: &str = "https://other-idp.example.com";
const KEYLESS: &str = "https://keyless-idp.example.com";
const NGINX_ALONE: &str = "contracts = [\"auth_request\"]\n";
const SCOPES: [&str; 3] = ["mcp:read", "mcp:write", "mcp:admin"];
const GROUPS: [&str; 3] = ["staff", "ops", "R, D"];
const EMAILS: [&str; 3] = ["alice@example.com", "bob@example.com", "*@corp.example"];

/// A request as it is described, and what is configured.
#[derive(Debug, Clone)]
struct Case {
    config: String,
    token: Option<String>,
    url: String,
    method: Option<String>,
    origin: Option<String>,
    operation: Option<(String, Option<String>)>,
}

fn some<T: std::fmt::Debug + Clone + 'static>(all: &[T]) -> impl Strategy<Value = Vec<T>> + use<T> {
    subsequence(all.to_vec(), 0..=all.len())
}

fn one<T: std::fmt::Debug + Clone + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
    select(all.to_vec())
}

/// `key = [...]`, where anything is in it.
fn line(key: &str, items: &[&str]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
    if items.is_empty() { String::new() } else { format!("{key} = [{}]\n", items.join(", ")) }
}

/// Lists of who may, and scopes; never nothing at all, which is a mistake in a configuration.
fn demands() -> impl Strategy<Value = String> {
    let lists = (some(&EMAILS), some(&GROUPS), some(&["alice"]), some(&["alice-subject"]), some(&["test-client"]));
    (lists, some(&SCOPES)).prop_map(|((emails, groups, users, subjects, clients), scopes)| {
        let all = [
            line("allowed_emails", &emails),
            line("allowed_groups", &groups),
            line("allowed_users", &users),
            line("allowed_subjects", &subjects),
            line("allowed_clients", &clients),
            line("required_scopes", &scopes),
        ];
        if all[..5].concat().is_empty() {
            [line("allowed_groups", &["ops"]), all.concat()].concat()
        } else {
            all.concat()
        }
    })
}

fn tool_rule() -> impl Strategy<Value = String> {
    let methods = some(&["tools/call", "tools/*", "prompts/get", "http/get", "*"]);
    let names = some(&["delete_*", "read_note", "*"]);
    let mode = one(&["", "", "mode = \"audit\"\n"]);
    let demands = prop_oneof![demands(), Just("deny = true\n".to_owned())];
    (methods, names, some(&["delete_mine"]), mode, demands).prop_map(|(methods, names, except, mode, demands)| {
        let about = [line("methods", &methods), line("names", &names), line("except_names", &except)].concat();
        format!("[[resources.tool_rules]]\n{about}{mode}{demands}")
    })
}

fn config() -> impl Strategy<Value = String> {
    let issuers = one(&[vec![], vec![], vec![GOOD, KEYLESS], vec![OTHER]]);
    let alice = "allowed_emails = [\"alice@example.com\"]\n";
    let switches = one(&["", alice, "allow_any_authenticated = true\n"]);
    let mode = one(&["", "", "", "", "mode = \"audit\"\n"]);
    let enforces = one(&["", "upstream_enforces_mcp_headers = true\n"]);
    let contracts = one(&["", "", "", "contracts = [\"forward_auth\", \"auth_request\"]\n", NGINX_ALONE]);
    let rules = proptest::collection::vec(tool_rule(), 0..4);
    let origins = one(&[vec![], vec![], vec![], vec!["https://app.example.com"]]);
    (issuers, switches, mode, enforces, contracts, rules, origins, demands()).prop_map(
        |(issuers, switches, mode, enforces, contracts, rules, origins, demands)| {
            let demands = if switches.is_empty() {
                demands
            } else {
                demands
                    .lines()
                    .filter(|line| line.starts_with("required_scopes"))
                    .fold(String::new(), |text, line| text + line + "\n")
            };
            let all = [GOOD, OTHER, KEYLESS].map(|issuer| format!("[[issuers]]\nissuer = \"{issuer}\"\n")).concat();
            let enforces = if rules.is_empty() { "" } else { enforces };
            let (issuers, origins) = (line("issuers", &issuers), line("allowed_origins", &origins));
            format!(
                "[server]\n{contracts}{all}[[resources]]\nurl = \"https://mcp.example.com/mcp\"\n\
                 {issuers}{origins}{switches}{mode}{enforces}{demands}{}\
                 [[resources]]\nurl = \"https://*.example.com/other\"\nallow_any_authenticated = true\n\
                 [scopes.implies]\n\"mcp:admin\" = [\"mcp:write\"]\n\"mcp:write\" = [\"mcp:read\"]\n",
                rules.concat()
            )
        },
    )
}

/// Claims of somebody, good or not.
fn claims() -> impl Strategy<Value = Value> {
    let issuer = one(&[&[GOOD; 12][..], &[OTHER, KEYLESS, "https://evil.example"]].concat());
    let ours = json!("https://mcp.example.com/mcp");
    let odd = [json!(["account", "https://mcp.example.com/mcp/"]), json!("https://x.example.com/other"), json!([])];
    let audience = one(&[vec![ours; 9], odd.to_vec()].concat());
    let email = one(&["alice@example.com", "bob@example.com", "carol@corp.example", "no address"]);
    let times = one(&[vec![(-60, 3600); 12], vec![(-7200, -3600), (7200, 9000)]].concat());
    let who =
        (email, any::<bool>(), one(&["alice", ""]), one(&[&["alice-subject"; 9][..], &["bob-subject", ""]].concat()));
    (issuer, audience, who, some(&GROUPS), some(&SCOPES), times).prop_map(
        |(issuer, audience, (email, verified, name, subject), groups, scopes, (since, until))| {
            let at = |seconds: i64| i64::try_from(NOW).unwrap() + seconds;
            json!({
                "iss": issuer, "aud": audience, "sub": subject, "client_id": "test-client", "email": email,
                "email_verified": verified, "preferred_username": name, "groups": groups, "scope": scopes.join(" "),
                "iat": at(since), "exp": at(until),
            })
        },
    )
}

fn token(key: &'static SigningKey) -> impl Strategy<Value = Option<String>> {
    let header = one(&[vec![("ES256", "key-1"); 12], vec![("ES256", "unknown"), ("none", "key-1")]].concat());
    let signed = (claims(), header).prop_map(|(claims, (algorithm, kid))| {
        let header = json!({ "alg": algorithm, "kid": kid, "typ": "at+jwt" });
        Some(Token { header, claims }.signed_by(key))
    });
    let signed = signed.boxed();
    let odd = one(&["", "garbage", "a.b.c", "one,two", "two words", "mfa_0123456789abcdefghijklmnopqrstuvwxyz"]);
    prop_oneof![
        20 => signed.clone(),
        1 => signed.prop_map(|token| token.map(|token| format!("{}AAAA", &token[..token.len() - 4]))),
        1 => odd.prop_map(|text| Some(text.to_owned())),
        1 => Just(Some("x".repeat(17_000))),
        1 => Just(None),
    ]
}

fn case(key: &'static SigningKey) -> impl Strategy<Value = Case> {
    let odd = [
        "https://mcp.example.com/mcp/deep?token=secret-in-the-query#here",
        "https://x.example.com/other",
        "http://mcp.example.com/mcp",
        "https://MCP.example.com:443/mcp",
        "https://mcp.example.com/MCP",
        "https://mcp.example.com/mcp/../admin",
        "https://mcp.example.com/mcp/%2e%2e/a",
        "https://elsewhere.example.com",
        "gopher://mcp.example.com/mcp",
        "https://a,b/mcp",
    ];
    let url = one(&[&["https://mcp.example.com/mcp"; 40][..], &odd].concat());
    let method = one(&[
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        Some("GET"),
        Some("OPTIONS"),
        Some("DELETE"),
        Some("PURGE"),
    ]);
    let pages = [Some("https://app.example.com"), Some("https://evil.example"), Some("null"), Some("")];
    let origin = one(&[&[None; 9][..], &pages].concat());
    let operation = one(&[
        None,
        Some(("tools/call", Some("delete_note"))),
        Some(("tools/call", Some("delete_note"))),
        Some(("tools/call", Some("delete_note"))),
        Some(("tools/call", Some("delete_mine"))),
        Some(("tools/call", Some("read_note"))),
        Some(("tools/call", Some("lösche"))),
        Some(("tools/call", None)),
        Some(("tools/list", None)),
        Some(("Tools/Call", Some("read_note"))),
        Some(("prompts/get", Some("greeting"))),
        Some(("resources/read", Some("file:///public/../secret"))),
        Some(("resources/subscribe", Some("file:///a"))),
        Some(("notifications/initialized", None)),
        Some(("jsonrpc/response", None)),
        Some(("http/get", None)),
        Some(("http/delete", None)),
    ]);
    (config(), token(key), url, method, origin, operation).prop_map(
        |(config, token, url, method, origin, operation)| Case {
            config,
            token,
            url: url.to_owned(),
            method: method.map(ToOwned::to_owned),
            origin: origin.map(ToOwned::to_owned),
            operation: operation
                .map(|(method, name): (&str, Option<&str>)| (method.to_owned(), name.map(ToOwned::to_owned))),
        },
    )
}

impl Case {
    fn question(&self) -> Question {
        let named = |(method, name): (String, Option<String>)| Named { method, name };
        Question::read(Written {
            url: self.url.clone(),
            method: self.method.clone(),
            token: self.token.clone(),
            origin: self.origin.clone(),
            operation: self.operation.clone().map(named),
        })
        .unwrap()
    }

    /// The JSON-RPC message and its mirrored headers, as a client of MCP 2026-07-28 sends them.
    fn message(&self) -> Option<(String, Vec<(&'static str, String)>)> {
        let (method, name) = self.operation.clone()?;
        let member = match method.as_str() {
            "http/get" | "http/delete" => return None,
            "jsonrpc/response" => return Some((r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned(), Vec::new())),
            "resources/read" | "resources/subscribe" => "uri",
            _ => "name",
        };
        let params = name.as_ref().map_or(json!({}), |name| json!({ member: name }));
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut headers = vec![("MCP-Protocol-Version", "2026-07-28".to_owned()), ("Mcp-Method", method.clone())];
        let mirrored = matches!(method.as_str(), "tools/call" | "prompts/get" | "resources/read");
        if let Some(name) = name.filter(|_| mirrored) {
            headers.push(("Mcp-Name", if name.is_ascii() { name } else { "=?base64?bMO2c2NoZQ==?=".to_owned() }));
        }
        Some((body.to_string(), headers))
    }

    /// The wire request of each proxy, made without the code under test.
    fn requests(&self) -> Vec<(&'static str, Request)> {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let rest = rest.split('#').next().unwrap();
        let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let target = if target.is_empty() { "/" } else { target };
        let implied = match self.operation.as_ref().map(|(method, _)| method.as_str()) {
            Some("http/get") => "GET",
            Some("http/delete") => "DELETE",
            _ => "POST",
        };
        let method = self.method.as_deref().unwrap_or(implied);
        let forward_auth = Request::get("/auth")
            .header("X-Forwarded-Method", method)
            .header("X-Forwarded-Proto", scheme)
            .header("X-Forwarded-Host", host)
            .header("X-Forwarded-Uri", target);
        let envoy = Request::new(method, format!("/auth/envoy{target}")).host(host).header("X-Forwarded-Proto", scheme);
        let nginx = Request::get("/auth/nginx")
            .header("X-Original-Method", method)
            .header("X-Original-URL", format!("{scheme}://{host}{target}"));
        let all = [
            ("traefik", forward_auth.clone(), true),
            ("caddy", forward_auth, false),
            ("envoy", envoy, true),
            ("nginx", nginx, false),
        ];
        all.map(|(proxy, request, sends_body)| (proxy, self.sent_by_a_client(proxy, request, sends_body))).into()
    }

    fn sent_by_a_client(&self, proxy: &str, request: Request, sends_body: bool) -> Request {
        let mut request = request.header("X-Request-Id", proxy);
        request = self.token.iter().fold(request, |request, token| request.bearer(token));
        request = self.origin.iter().fold(request, |request, origin| request.header("Origin", origin.as_str()));
        let Some((body, headers)) = self.message() else { return request };
        request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        if sends_body { request.body("application/json", body) } else { request }
    }
}

/// An answer as it is explained, to a request of this id.
fn shown(answer: &Value, request_id: &str) -> Answer {
    let own = |text: &str| text.replace("explained", request_id);
    let headers = answer["headers"].as_object().unwrap().iter();
    let headers: BTreeMap<String, String> =
        headers.map(|(name, value)| (name.clone(), own(value.as_str().unwrap()))).collect();
    let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
    Answer { status, headers, body: own(answer["body"].as_str().unwrap()) }
}

/// The reason that the steps give, and whether they hang together by themselves.
fn told(explanation: &Value) -> Result<Option<&str>, String> {
    let steps = explanation["steps"].as_array().unwrap();
    let of = |outcome: &str| steps.iter().filter(|step| step["outcome"] == outcome).collect::<Vec<_>>();
    let (refused, audited) = (of("refused"), of("audited"));
    if steps.iter().any(|step| step["step"] == "unexplained") || refused.len() > 1 {
        return Err(format!("{steps:#?}"));
    }
    if refused.is_empty() && !(of("not_reached").is_empty() && of("also_refuses").is_empty()) {
        return Err(format!("nothing refuses, and not everything was asked: {steps:#?}"));
    }
    Ok(refused.first().or(audited.first()).map(|step| step["reason"].as_str().unwrap()))
}

fn disagreements(case: &Case, key: &SigningKey) -> Result<String, String> {
    let config = Config::from_toml(&case.config).map_err(|errors| errors.to_string())?;
    let first = if case.config.contains(NGINX_ALONE) { "nginx" } else { "traefik" };
    let service = service(config, key, KEYLESS);
    let now = UnixTime::from_secs(NOW);
    let question = case.question();
    let explanation = explain(&service.point, &service.contracts, &question, now);
    let explanation = actix_web::rt::System::new().block_on(explanation);
    let explanation = serde_json::to_value(&explanation).unwrap();
    let (verdict, told) = (&explanation["verdict"], told(&explanation)?);
    if told != verdict["reason"].as_str() {
        return Err(format!("the steps say {told:?}: {explanation:#}"));
    }
    let (proxies, requests): (Vec<_>, Vec<_>) = case.requests().into_iter().unzip();
    for (proxy, real) in proxies.into_iter().zip(ask(&service, requests)) {
        let explained = explanation["answers"].as_array().unwrap().iter().find(|answer| answer["proxy"] == proxy);
        let explained = explained.unwrap();
        if shown(explained, proxy) != real {
            return Err(format!("{proxy} is answered {real:#?}, explained {explained:#}"));
        }
        remembered_too(&service, proxy, explained, &real)?;
        if proxy == first && (explained["reason"] != verdict["reason"] || explained["decision"] != verdict["decision"])
        {
            return Err(format!("two verdicts: {explanation:#}"));
        }
    }
    let text = explanation.to_string();
    if text.contains("secret-in-the-query") || case.token.as_ref().is_some_and(|token| secrets::leaks(&text, token)) {
        return Err(format!("it tells too much: {text}"));
    }
    Ok(format!("{} {}", verdict["decision"].as_str().unwrap(), told.unwrap_or("-")))
}

/// The refusal is remembered, with the same reason and the same answer; an allow is not.
fn remembered_too(service: &Service, id: &str, explained: &Value, real: &Answer) -> Result<(), String> {
    let found = service.refusals.find(id).map(|refusal| remembered(&service.point, &refusal));
    let found = found.map(|explanation| serde_json::to_value(&explanation).unwrap());
    let Some(found) = found else {
        let allowed = explained["decision"] == "allow";
        return if allowed { Ok(()) } else { Err(format!("it is not remembered: {explained:#}")) };
    };
    let same = told(&found)? == explained["reason"].as_str()
        && found["verdict"]["reason"] == explained["reason"]
        && shown(&found["answers"][0], "") == *real;
    if same { Ok(()) } else { Err(format!("{explained:#} is remembered as {found:#}")) }
}

#[test]
fn explanations_agree_with_every_answer() {
    use proptest::test_runner::{Config as Settings, TestRunner};
    let key: &'static SigningKey = Box::leak(Box::new(SigningKey::generate("key-1", "ES256")));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let counted = std::cell::RefCell::new(&mut seen);
    let settings = Settings { cases: 2000, failure_persistence: None, ..Settings::default() };
    let outcome = TestRunner::new(settings).run(&case(key), |case| {
        let kind = disagreements(&case, key).map_err(TestCaseError::fail)?;
        *counted.borrow_mut().entry(kind).or_default() += 1;
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // Every reason that a described request can meet was met, or the cases above are not worth much.
    for reason in [
        "missing_token",
        "invalid_token",
        "expired_token",
        "wrong_audience",
        "unknown_issuer",
        "email_not_verified",
        "principal_not_allowed",
        "insufficient_scope",
        "operation_not_allowed",
        "operation_unknown",
        "origin_not_allowed",
        "unknown_resource",
        "ambiguous_path",
        "invalid_request",
        "keys_unavailable",
    ] {
        assert!(seen.keys().any(|kind| kind.ends_with(reason)), "{reason} was never met: {seen:#?}");
    }
    for kind in ["allow", "audit", "forbidden", "unauthenticated", "undecidable"] {
        assert!(seen.keys().any(|known| known.starts_with(kind)), "{kind} was never met: {seen:#?}");
    }
}
