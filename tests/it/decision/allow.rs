//! An allow is exactly 200, empty, with every identity header, and nothing that a proxy could copy by mistake.

use super::{CONTRACTS, Contract, Pair, RESOURCE};
use crate::support::http::{Connection, Request, Response};
use crate::support::report::Report;

const IDENTITY: [&str; 8] = [
    "x-auth-client",
    "x-auth-issuer",
    "x-auth-resource",
    "x-auth-subject",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-scopes",
    "x-forwarded-user",
];

fn names(answer: &Response) -> Vec<&str> {
    let mut names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

/// Every header of an allow by name, in order.
fn expected_names(contract: Contract) -> Vec<&'static str> {
    let mut names = vec!["content-length", "date"];
    names.extend(IDENTITY);
    if contract == Contract::ExtAuthz {
        names.push("x-envoy-auth-headers-to-remove");
    }
    names.sort_unstable();
    names
}

#[test]
fn an_allow_holds_these_headers_and_no_other() {
    let pair = Pair::start();
    let mut report = Report::new("allows");
    for contract in CONTRACTS {
        report.row(format!("{contract:?}"));
        let mut connection = Connection::open(pair.service.port);
        let answer = connection.send(&contract.ask("POST", RESOURCE).bearer(&pair.token(RESOURCE)));
        report.equal("status", answer.status, 200);
        report.equal("headers", names(&answer), expected_names(contract));
        report.equal("Content-Length", answer.header("content-length"), Some("0"));
        let remove = (contract == Contract::ExtAuthz).then_some("authorization,dpop,x-identity-assertion");
        report.equal("headers to remove", answer.header("x-envoy-auth-headers-to-remove"), remove);
        for (name, value) in [
            ("x-forwarded-user", "alice@example.com"),
            ("x-forwarded-email", "alice@example.com"),
            ("x-forwarded-groups", "staff,R%2C%20D"),
            ("x-forwarded-scopes", "mcp:read"),
            ("x-auth-subject", "alice-subject"),
            ("x-auth-issuer", &pair.issuer.url()),
            ("x-auth-client", "test-client"),
            ("x-auth-resource", RESOURCE),
        ] {
            report.equal(name, answer.header(name), Some(value));
        }
    }
    report.finish();
}

/// A proxy that copies them overwrites what a client forged: a header that were missing would let a forged one through.
#[test]
fn what_is_unknown_is_sent_empty() {
    let pair = Pair::with("", &format!("url = \"{RESOURCE}\"\n"));
    let token =
        pair.issuer.token_for(RESOURCE).without("email").without("groups").without("client_id").without("scope");
    let mut report = Report::new("unknown values");
    for contract in CONTRACTS {
        report.row(format!("{contract:?}"));
        let request = contract.ask("POST", RESOURCE).bearer(&pair.issuer.sign(&token));
        let answer = Connection::open(pair.service.port).send(&request);
        report.equal("headers", names(&answer), expected_names(contract));
        for name in ["x-forwarded-email", "x-forwarded-groups", "x-forwarded-scopes", "x-auth-client"] {
            report.equal(name, answer.header(name), Some(""));
        }
        report.equal("user", answer.header("x-forwarded-user"), Some("alice-subject"));
    }
    report.finish();
}

/// nginx turns an answer with more than 4 KiB of headers into 500.
#[test]
fn an_allow_stays_under_four_kilobytes() {
    let host = format!("{}.{}.example.com", "a".repeat(60), "b".repeat(60));
    let resource = format!("https://{host}/{}", "c".repeat(100));
    let pair = Pair::with("", &format!("url = \"{resource}\"\n"));
    let many = |word: &str, count: usize| (0..count).map(|index| format!("{word}-{index:04}")).collect::<Vec<_>>();
    let alice = || pair.issuer.token_for(&resource);
    let everything = alice()
        .claim("groups", many("a rather long name of a group", 80))
        .claim("scope", many("scope", 300).join(" "))
        .claim("sub", "\u{e9}".repeat(53))
        .claim("client_id", "https://client.example.com/".to_owned() + &"d".repeat(290))
        .claim("email", format!("{}@example.com", "e".repeat(240)));
    let mut report = Report::new("sizes");
    for (name, token) in [
        ("hundreds of groups", alice().claim("groups", many("group", 800))),
        ("groups of odd characters", alice().claim("groups", many("\u{1f600},\u{1f600}", 300))),
        ("one endless group", alice().claim("groups", vec!["g".repeat(9000)])),
        ("endless scopes", alice().claim("scope", many("scope", 1000).join(" "))),
        ("everything", everything),
    ] {
        for contract in CONTRACTS {
            report.row(format!("{contract:?}, {name}"));
            let request = contract.ask("GET", &resource).bearer(&pair.issuer.sign(&token));
            let answer = Connection::open(pair.service.port).send(&request);
            report.equal("status", answer.status, 200);
            report.equal("headers", names(&answer), expected_names(contract));
            let size: usize = answer.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
            let size = size + "HTTP/1.1 200 OK\r\n\r\n".len();
            report.holds(size < 4096, || format!("{size} bytes of headers"));
            // Items are left out whole: half a name could be somebody else's.
            let groups = answer.header("x-forwarded-groups").unwrap_or_default().to_owned();
            let whole = token.claims["groups"].as_array().unwrap().len();
            let shown = groups.split(',').filter(|group| !group.is_empty()).count();
            report.holds(shown <= whole, || format!("{shown} groups out of {whole}"));
            report.holds(!groups.ends_with([',', '%']), || format!("cut in the middle: {groups}"));
        }
    }
    report.finish();
}

/// Left out, a name that does not fit would make somebody nobody: an MCP server that keeps its data by subject would
/// give all such people the same.
#[test]
fn a_token_with_a_name_that_does_not_fit_its_header_is_refused() {
    let pair = Pair::with("", &format!("url = \"{RESOURCE}\"\n"));
    let alice = || pair.issuer.token_for(RESOURCE);
    let nameless = || alice().without("email").without("email_verified");
    let address = |length: usize| format!("{}@example.com", "\u{e9}".repeat(length));
    let mut report = Report::new("long names");
    for (name, token, fits) in [
        ("a subject of 320 bytes", alice().claim("sub", format!("{}xx", "\u{e9}".repeat(53))), true),
        ("a subject of 324 bytes", alice().claim("sub", "\u{e9}".repeat(54)), false),
        ("a subject of 255 percent signs", alice().claim("sub", "%".repeat(255)), false),
        ("a client of 320 bytes", alice().claim("client_id", "c".repeat(320)), true),
        ("a client of 321 bytes", alice().claim("client_id", "c".repeat(321)), false),
        ("an endless client", alice().claim("client_id", "c".repeat(9000)), false),
        ("an endless client in azp", alice().without("client_id").claim("azp", "c".repeat(9000)), false),
        ("an address of 318 bytes", alice().claim("email", address(51)), true),
        ("an address of 324 bytes", alice().claim("email", address(52)), false),
        ("an endless user name", nameless().claim("preferred_username", "u".repeat(9000)), false),
        ("one that nobody is told", alice().claim("preferred_username", "u".repeat(9000)), true),
        ("one that is passed over", nameless().claim("preferred_username", "@".repeat(9000)), true),
    ] {
        for contract in CONTRACTS {
            report.row(format!("{contract:?}, {name}"));
            let answer = contract.ask("GET", RESOURCE).bearer(&pair.issuer.sign(&token)).send(pair.service.port);
            if fits {
                report.equal("status", answer.status, 200);
                report.holds(!answer.all("x-auth-subject").contains(&""), || "no subject".to_owned());
                report.holds(!answer.all("x-forwarded-user").contains(&""), || "no user".to_owned());
                continue;
            }
            report.equal("status", answer.status, 401);
            report.equal("reason", answer.reason(), "invalid_token");
            let challenge = answer.header("www-authenticate").unwrap_or_default().to_owned();
            let told = "error=\"invalid_token\", error_description=\"the token holds a name that is too long to be handed on\"";
            report.holds(challenge.contains(told), || challenge.clone());
        }
    }
    report.finish();
}

/// Whoever asked before on the same connection is forgotten.
#[test]
fn a_connection_is_used_again_and_remembers_nobody() {
    let pair = Pair::start();
    let alice = pair.token(RESOURCE);
    let bob = pair.issuer.sign(&pair.issuer.token_for(RESOURCE).claim("email", "bob@example.com"));
    let mut connection = Connection::open(pair.service.port);
    let mut report = Report::new("one connection");
    for round in 0..20 {
        for contract in CONTRACTS {
            let ask = || contract.ask("POST", RESOURCE);
            for (name, request, status, user) in [
                ("alice", ask().bearer(&alice), 200, Some("alice@example.com")),
                ("nobody", ask(), 401, None),
                ("bob", ask().bearer(&bob), 403, None),
                ("garbage", ask().bearer("garbage"), 401, None),
                ("half a question", Request::get("/auth").host("a").bearer(&alice), 403, None),
            ] {
                report.row(format!("{contract:?}, {name}, round {round}"));
                let answer = connection.send(&request);
                report.equal("status", answer.status, status);
                report.equal("user", answer.header("x-forwarded-user"), user);
                report.equal("Connection", answer.header("connection"), None);
            }
        }
    }
    report.finish();
}
