//! `X-Identity-Assertion` on the answers: whom it names, where there is none, and what it is no good for.

use std::process::Command;

use serde_json::{Value, json};

use super::{CONTRACTS, Contract, Pair, RESOURCE};
use crate::support::assertion::{AUTHORIZATION_SERVER, HEADER, ISSUER, verified};
use crate::support::http::{Connection, Request, Response};
use crate::support::report::Report;
use crate::support::tools;

const NAMED: &str = "https://mcp.example.com/named";
const PLAIN: &str = "https://mcp.example.com/plain";
const WATCHED: &str = "https://mcp.example.com/watched";
const JUDGED: &str = "https://mcp.example.com/judged";
/// People sign in at a provider where anybody has an account.
const ANYONE: &str = "allow_any_authenticated = true\n";
const PAGES: &str = "https://pages.example.com/mcp";

/// Resources that want assertions, each in its own way, and one that wants none.
fn pair() -> Pair {
    let watcher = "[[authorization_server.clients]]\nclient_id = \"watcher\"\n\
                   client_secret = \"a-secret-of-more-than-24-characters\"\nmay_introspect = true\n[store]";
    let resources = format!(
        "url = \"{RESOURCE}\"\nidentity_assertion = true\nallowed_emails = [\"alice@example.com\"]\n---\n\
         url = \"{NAMED}\"\nidentity_assertion = true\nidentity_assertion_audience = \"notes\"\n{ANYONE}---\n\
         url = \"{PLAIN}\"\n{ANYONE}---\n\
         url = \"{WATCHED}\"\nmode = \"audit\"\nidentity_assertion = true\nallowed_emails = [\"alice@example.com\"]\n---\n\
         url = \"https://*.example.com/any\"\nidentity_assertion = true\n{ANYONE}---\n\
         url = \"{JUDGED}\"\nidentity_assertion = true\n{ANYONE}\
         [[resources.tool_rules]]\nnames = [\"delete_*\"]\ndeny = true\n---\n\
         url = \"{PAGES}\"\nidentity_assertion = true\nbrowser_sign_in = true\n{ANYONE}"
    );
    Pair::with(&AUTHORIZATION_SERVER.replace("[store]", watcher), &resources)
}

fn ask(pair: &Pair, request: &Request) -> Response {
    Connection::open(pair.service.port).send(request)
}

fn assertion(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header(HEADER).unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

#[test]
fn a_permit_carries_an_assertion_about_its_caller_for_its_resource() {
    let pair = pair();
    let mut report = Report::new("assertions");
    for contract in CONTRACTS {
        for (url, audience) in
            [(RESOURCE, RESOURCE), (NAMED, "notes"), ("https://a.example.com/any", "https://a.example.com/any")]
        {
            report.row(format!("{contract:?}, {url}"));
            let token = pair.token(url);
            let answer = ask(&pair, &contract.ask("POST", url).bearer(&token));
            let said = verified(&pair.service, &assertion(&answer), audience).unwrap_or_else(|error| json!(error));
            for (name, value) in [
                ("iss", json!(ISSUER)),
                ("sub", json!("alice-subject")),
                ("token_issuer", json!(pair.issuer.url())),
                ("email", json!("alice@example.com")),
                ("client_id", json!("test-client")),
                ("scope", json!("mcp:read")),
                ("groups", json!(["staff", "R, D"])),
            ] {
                report.equal(name, &said[name], &value);
            }
            let lives = said["exp"].as_u64().unwrap_or_default() - said["iat"].as_u64().unwrap_or_default();
            report.equal("its life", lives, 300);
            let removed = answer.header("x-envoy-auth-headers-to-remove");
            report.equal("removed", removed, (contract == Contract::ExtAuthz).then_some("authorization,dpop"));
            let again = ask(&pair, &contract.ask("GET", url).bearer(&token));
            report.equal("again", assertion(&again), assertion(&answer));
        }
    }
    report.finish();
}

#[test]
fn an_assertion_does_not_outlive_the_token() {
    let pair = pair();
    let token = pair.issuer.token_for(RESOURCE).claim("exp", crate::support::issuer::now() + 60);
    let answer = pair.service.ask("GET", RESOURCE, Some(&pair.issuer.sign(&token)));
    let said = verified(&pair.service, &assertion(&answer), RESOURCE).unwrap();
    assert_eq!(said["exp"], token.claims["exp"]);
}

/// When keys may be known to somebody, what they signed must end with them.
#[test]
fn after_a_rotation_at_once_assertions_are_of_the_new_key_and_older_ones_no_good() {
    let pair = pair();
    let ask = || assertion(&pair.service.ask("GET", RESOURCE, Some(&pair.token(RESOURCE))));
    let before = ask();
    let admin = format!("127.0.0.1:{}", pair.service.admin_port);
    let mut rotate = Command::new(tools::service_binary());
    let done = rotate.args(["keys", "rotate", "--at-once", "--admin", &admin]).env_clear().output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let after = ask();
    assert!(verified(&pair.service, &after, RESOURCE).is_ok());
    assert_eq!(verified(&pair.service, &before, RESOURCE), Err("no such key".to_owned()));
}

/// Envoy is told to take away what the client sent; the others do so with what is absent or empty.
#[test]
fn where_nobody_is_let_in_or_none_is_wanted_there_is_no_assertion() {
    let pair = pair();
    let alice = |url: &str| pair.token(url);
    let bob = pair.issuer.sign(&pair.issuer.token_for(WATCHED).claim("email", "bob@example.com"));
    let preflight = |request: Request| {
        request.header("Origin", "https://app.example.com").header("Access-Control-Request-Method", "POST")
    };
    let mut report = Report::new("no assertions");
    for contract in CONTRACTS {
        let rows = [
            ("not wanted", contract.ask("POST", PLAIN).bearer(&alice(PLAIN)), 200, None),
            ("a preflight", preflight(contract.ask("OPTIONS", RESOURCE)), 200, Some("")),
            ("a preflight where none is wanted", preflight(contract.ask("OPTIONS", PLAIN)), 200, None),
            ("nobody, watched", contract.ask("POST", WATCHED), 200, Some("")),
            ("a bad token, watched", contract.ask("POST", WATCHED).bearer("bad"), 200, Some("")),
            ("another's token, watched", contract.ask("POST", WATCHED).bearer(&alice(RESOURCE)), 200, Some("")),
            ("the wrong person, watched", contract.ask("POST", WATCHED).bearer(&bob), 200, Some("")),
            ("nobody", contract.ask("POST", RESOURCE), 401, None),
            ("the wrong token", contract.ask("POST", RESOURCE).bearer(&alice(PLAIN)), 401, None),
            ("elsewhere", contract.ask("POST", "https://mcp.example.com/none").bearer(&alice(RESOURCE)), 403, None),
        ];
        for (name, request, status, value) in rows {
            report.row(format!("{contract:?}, {name}"));
            let forged = assertion(&ask(&pair, &contract.ask("GET", RESOURCE).bearer(&alice(RESOURCE))));
            let answer = ask(&pair, &request.header(HEADER, forged));
            report.equal("status", answer.status, status);
            report.equal("assertion", answer.header(HEADER), value);
            let removed = answer.header("x-envoy-auth-headers-to-remove").unwrap_or_default().to_owned();
            let is_envoy = contract == Contract::ExtAuthz && status == 200;
            report.equal("removed", removed, if is_envoy { "authorization,dpop,x-identity-assertion" } else { "" });
        }
        report.row(format!("{contract:?}, the right person, watched"));
        let answer = ask(&pair, &contract.ask("POST", WATCHED).bearer(&alice(WATCHED)));
        report.holds(verified(&pair.service, &assertion(&answer), WATCHED).is_ok(), || "no assertion".to_owned());
    }
    report.finish();
}

#[test]
fn sessions_and_assertions_are_both_taken_away_by_envoy() {
    let pair = pair();
    let ours = "__Host-mfa-at-x=1";
    let mut report = Report::new("headers to remove");
    for (name, cookie, token, removed) in [
        ("nothing", None, true, "authorization,dpop"),
        ("a session", Some(ours), true, "authorization,cookie,dpop"),
        ("another cookie", Some("a=b"), true, "authorization,dpop"),
        ("nobody", Some("a=b"), false, "authorization,dpop,x-identity-assertion"),
        ("nobody with a session", Some(ours), false, "authorization,cookie,dpop,x-identity-assertion"),
    ] {
        report.row(name);
        let plain = Contract::ExtAuthz.ask(if token { "POST" } else { "OPTIONS" }, PAGES);
        let request = if token {
            plain.bearer(&pair.token(PAGES))
        } else {
            plain.header("Origin", "https://pages.example.com").header("Access-Control-Request-Method", "POST")
        };
        let answer = ask(&pair, &cookie.map(|cookie| request.clone().header("Cookie", cookie)).unwrap_or(request));
        report.equal("status", answer.status, 200);
        report.equal("removed", answer.header("x-envoy-auth-headers-to-remove"), Some(removed));
        report.equal("an assertion", answer.header(HEADER).is_some_and(|value| !value.is_empty()), token);
    }
    report.finish();
}

#[test]
fn a_request_that_is_judged_by_its_body_gets_an_assertion_once_it_is_permitted() {
    let pair = pair();
    let call = |tool: &str| {
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": {} } });
        let request = Contract::ForwardAuth.ask("POST", JUDGED).bearer(&pair.token(JUDGED));
        ask(&pair, &request.body("application/json", body.to_string()))
    };
    assert!(verified(&pair.service, &assertion(&call("read_note")), JUDGED).is_ok());
    let refused = call("delete_note");
    assert_eq!((refused.status, refused.header(HEADER)), (403, None));
}

/// It has our issuer, our key and the resource as its audience, as our own access tokens have: only its type differs.
#[test]
fn an_assertion_is_no_token_anywhere() {
    let pair = pair();
    let good = assertion(&pair.service.ask("GET", RESOURCE, Some(&pair.token(RESOURCE))));
    let mut report = Report::new("assertions as tokens");
    for contract in CONTRACTS {
        report.row(format!("{contract:?}"));
        let answer = ask(&pair, &contract.ask("GET", RESOURCE).bearer(&good));
        report.equal("status", answer.status, 401);
        let challenge = answer.header("www-authenticate").unwrap_or_default().to_owned();
        report.holds(challenge.contains("the token is not an access token"), || challenge.clone());
    }
    report.row("introspection");
    let form = format!("token={good}&client_id=watcher&client_secret=a-secret-of-more-than-24-characters");
    let request = Request::new("POST", "/introspect").host("auth.example.com");
    let answer = request.body("application/x-www-form-urlencoded", form).send(pair.service.port);
    report.equal("answer", answer.json(), json!({ "active": false }));
    report.finish();
}

#[test]
fn with_an_assertion_an_allow_stays_under_four_kilobytes() {
    let pair = pair();
    let many = |word: &str, count: usize| (0..count).map(|index| format!("{word}-{index:04}")).collect::<Vec<_>>();
    let alice = || pair.issuer.token_for(NAMED);
    let everything = alice()
        .claim("groups", many("a rather long name of a group", 80))
        .claim("scope", many("scope", 300).join(" "))
        .claim("sub", "\u{e9}".repeat(53))
        .claim("client_id", "https://client.example.com/".to_owned() + &"d".repeat(290))
        .claim("email", format!("{}@example.com", "e".repeat(240)));
    let mut report = Report::new("sizes");
    for (name, token, fits) in [
        ("hundreds of groups", alice().claim("groups", many("group", 800)), true),
        ("groups of odd characters", alice().claim("groups", many("\u{1f600},\"\u{1f600}", 200)), true),
        ("endless scopes", alice().claim("scope", many("scope", 1000).join(" ")), true),
        ("both", alice().claim("groups", many("g", 400)).claim("scope", many("scope", 300).join(" ")), true),
        ("everything", everything, false),
    ] {
        for contract in CONTRACTS {
            report.row(format!("{contract:?}, {name}"));
            let answer = ask(&pair, &contract.ask("GET", NAMED).bearer(&pair.issuer.sign(&token)));
            let size: usize = answer.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
            let size = size + "HTTP/1.1 200 OK\r\n\r\n".len();
            report.holds(size < 4096, || format!("{size} bytes of headers"));
            let said = verified(&pair.service, &assertion(&answer), "notes");
            report.equal("an assertion", said.is_ok(), fits);
            let told = said.map(|said| said["groups"].as_array().cloned().unwrap_or_default()).unwrap_or_default();
            let known = token.claims["groups"].as_array().unwrap();
            report.holds(told.iter().all(|group: &Value| known.contains(group)), || "a group is cut".to_owned());
        }
    }
    report.finish();
    assert!(pair.service.process.output().contains("too long for an identity assertion"), "the operator is told why");
}
