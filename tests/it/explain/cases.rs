//! Random rules, tokens, requests and operations, each as a description and in the words of each proxy.

use mcp_forward_auth::explain::Question;
use mcp_forward_auth::explain::question::{Named, Written};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::in_process::NOW;
use super::random_conditions as conditions;
use crate::support::http::Request;
use crate::support::issuer::{SigningKey, Token};

const GOOD: &str = "https://idp.example.com";
const OTHER: &str = "https://other-idp.example.com";
pub const KEYLESS: &str = "https://keyless-idp.example.com";
pub const NGINX_ALONE: &str = "contracts = [\"auth_request\"]\n";
const SCOPES: [&str; 3] = ["mcp:read", "mcp:write", "mcp:admin"];
const GROUPS: [&str; 3] = ["staff", "ops", "R, D"];
const EMAILS: [&str; 3] = ["alice@example.com", "bob@example.com", "*@corp.example"];

/// A request as it is described, and what is configured.
#[derive(Debug, Clone)]
pub struct Case {
    pub config: String,
    pub token: Option<String>,
    url: String,
    method: Option<String>,
    origin: Option<String>,
    operation: Option<(String, Option<String>)>,
    arguments: Option<Map<String, Value>>,
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
    let condition = conditions::of_rule();
    let demands = (demands(), condition).prop_map(|(demands, condition)| format!("{condition}{demands}"));
    let conditions = conditions::of_rule().prop_filter("a rule demands something", |condition| !condition.is_empty());
    let demands = prop_oneof![2 => demands, 2 => conditions, 1 => Just("deny = true\n".to_owned())];
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
    let demands = (demands(), conditions::of_resource());
    (issuers, switches, mode, enforces, contracts, rules, origins, demands).prop_map(
        |(issuers, switches, mode, enforces, contracts, rules, origins, (demands, condition))| {
            let demands = if switches.is_empty() {
                demands
            } else {
                demands
                    .lines()
                    .filter(|line| line.starts_with("required_scopes"))
                    .fold(String::new(), |text, line| text + line + "\n")
            };
            let all = [GOOD, OTHER, KEYLESS].map(|issuer| format!("[[issuers]]\nissuer = \"{issuer}\"\n")).concat();
            let (rules, about_operations) = (rules.concat(), condition.contains("operation."));
            let enforces = match format!("{condition}{rules}") {
                text if text.contains("operation.params") => "upstream_enforces_mcp_headers = true\n",
                _ if rules.is_empty() && !about_operations => "",
                _ => enforces,
            };
            let (issuers, origins) = (line("issuers", &issuers), line("allowed_origins", &origins));
            format!(
                "[server]\n{contracts}{all}[[resources]]\nurl = \"https://mcp.example.com/mcp\"\n\
                 {issuers}{origins}{switches}{mode}{enforces}{condition}{demands}{rules}\
                 [[resources]]\nurl = \"https://*.example.com/other\"\nallow_any_authenticated = true\n\
                 [scopes.implies]\n\"mcp:admin\" = [\"mcp:write\"]\n\"mcp:write\" = [\"mcp:read\"]\n"
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
    (issuer, audience, who, some(&GROUPS), some(&SCOPES), times, conditions::claims()).prop_map(
        |(issuer, audience, (email, verified, name, subject), groups, scopes, (since, until), more)| {
            let at = |seconds: i64| i64::try_from(NOW).unwrap() + seconds;
            let mut claims = json!({
                "iss": issuer, "aud": audience, "sub": subject, "client_id": "test-client", "email": email,
                "email_verified": verified, "preferred_username": name, "groups": groups, "scope": scopes.join(" "),
                "iat": at(since), "exp": at(until),
            });
            claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            claims
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

pub fn case(key: &'static SigningKey) -> impl Strategy<Value = Case> {
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
    (config(), token(key), url, method, origin, operation, conditions::arguments()).prop_map(
        |(config, token, url, method, origin, operation, arguments)| Case {
            config,
            token,
            arguments: arguments.filter(|_| matches!(operation, Some(("tools/call" | "prompts/get", _)))),
            url: url.to_owned(),
            method: method.map(ToOwned::to_owned),
            origin: origin.map(ToOwned::to_owned),
            operation: operation
                .map(|(method, name): (&str, Option<&str>)| (method.to_owned(), name.map(ToOwned::to_owned))),
        },
    )
}

impl Case {
    pub fn question(&self) -> Question {
        let arguments = self.arguments.clone();
        let named = |(method, name): (String, Option<String>)| Named { method, name, arguments };
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
        let mut params = name.as_ref().map_or(json!({}), |name| json!({ member: name }));
        if let Some(arguments) = &self.arguments {
            params["arguments"] = json!(arguments);
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut headers = vec![("MCP-Protocol-Version", "2026-07-28".to_owned()), ("Mcp-Method", method.clone())];
        let mirrored = matches!(method.as_str(), "tools/call" | "prompts/get" | "resources/read");
        if let Some(name) = name.filter(|_| mirrored) {
            headers.push(("Mcp-Name", if name.is_ascii() { name } else { "=?base64?bMO2c2NoZQ==?=".to_owned() }));
        }
        Some((body.to_string(), headers))
    }

    /// The wire request of each proxy, made without the code under test.
    pub fn requests(&self) -> Vec<(&'static str, Request)> {
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
