//! Forged identity headers: the upstream sees what the token says, once, and nothing else that it could read as such.

use super::try_each;
use crate::holes::{IDENTITY, reads_as};
use crate::support::http::Request;
use crate::support::proxies::Kind;
use crate::support::report::Report;
use crate::support::stage::{Outcome, Stage};

through_each_proxy!(
    forged_headers_never_replace_alice,
    forged_headers_never_fill_what_a_token_lacks,
    names_that_look_like_addresses_are_none,
);

fn forged_headers_never_replace_alice(kind: Kind) {
    let stage = Stage::start(kind);
    let expected = [
        "alice@example.com",
        "alice@example.com",
        "staff,R%2C%20D",
        "mcp:read",
        "alice-subject",
        &stage.issuer.url(),
        "test-client",
        &stage.resource("/mcp"),
        "",
    ];
    try_every_forgery(&stage, &stage.get("/echo-request/x").bearer(&stage.token()), expected);
}

/// The token says nothing but who issued it to whom for what.
fn forged_headers_never_fill_what_a_token_lacks(kind: Kind) {
    let stage = Stage::start(kind);
    let optional = ["client_id", "email", "email_verified", "groups", "scope"];
    let bare = optional.iter().fold(stage.token_for("/open"), |token, claim| token.without(claim));
    let request = stage.get("/open/x").bearer(&stage.issuer.sign(&bare));
    let (issuer, resource) = (stage.issuer.url(), stage.resource("/open"));
    let expected = ["alice-subject", "", "", "", "alice-subject", &issuer, "", &resource, ""];
    try_every_forgery(&stage, &request, expected);
}

/// Whoever may choose a name at the issuer writes somebody's address there. `X-Forwarded-User` must not pass it on as one:
/// McpAuth's users know an e-mail address in it.
fn names_that_look_like_addresses_are_none(kind: Kind) {
    let stage = Stage::start(kind);
    let names = |claims: &[(&str, &str)]| {
        let nobody = stage.token_for("/open").without("email").without("email_verified");
        claims.iter().fold(nobody, |token, (name, value)| token.claim(name, *value))
    };
    let boss = "boss@corp.example";
    let mut report = Report::new(kind);
    for (claims, user, subject) in [
        (&[("sub", boss)][..], "boss%40corp.example", boss),
        (&[("sub", boss), ("email", boss)], "boss%40corp.example", boss),
        (&[("preferred_username", boss)], "alice-subject", "alice-subject"),
        (&[("sub", "eve@corp.example"), ("preferred_username", boss)], "eve%40corp.example", "eve@corp.example"),
        (&[("sub", "boss%40corp.example")], "boss%2540corp.example", "boss%2540corp.example"),
    ] {
        report.row(format!("{claims:?}"));
        let token = stage.issuer.sign(&names(claims));
        let outcome = stage.try_out(stage.get("/open/x").bearer(&token));
        let told = |name: &str| outcome.seen.iter().flat_map(|seen| seen.all(name)).collect::<Vec<_>>();
        report.equal("user", told("x-forwarded-user"), [user]);
        report.equal("subject", told("x-auth-subject"), [subject]);
        report.equal("e-mail", told("x-forwarded-email").concat(), "");
    }
    report.finish();
}

fn try_every_forgery(stage: &Stage, request: &Request, expected: [&str; 9]) {
    let forged = |lines: Vec<(String, String)>| {
        let shown = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(" | ");
        let add = |request: Request, (name, value): (String, String)| request.header(name, value);
        (shown, lines.into_iter().fold(request.clone(), add))
    };
    let requests = IDENTITY.iter().flat_map(|name| forgeries(name)).map(forged).collect();
    try_each(stage, requests, |outcome| problems(outcome, expected));
}

/// Header lines to add, in their order.
pub(super) fn forgeries(name: &str) -> Vec<Vec<(String, String)>> {
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut forgeries: Vec<_> = spellings(name).iter().map(|spelling| vec![line(spelling, "forged")]).collect();
    let connection = format!("close, {name}");
    forgeries.extend([
        vec![line(name, "")],
        vec![line(name, "forged-1"), line(name, "forged-2")],
        vec![line(name, "forged-1"), line(&name.replace('-', "_"), "forged-2")],
        vec![line("Connection", &connection)],
        vec![line("Connection", &connection), line(name, "forged")],
        vec![line("Connection", "close"), line("Connection", name), line(name, "forged")],
        vec![line("Connection", "close"), line("Proxy-Connection", name), line("TE", name)],
        vec![line("Connection", "close"), line("Keep-Alive", name), line("Trailer", name)],
    ]);
    forgeries
}

fn spellings(name: &str) -> [String; 11] {
    let mixed = name.char_indices().map(|(index, char)| match index % 2 {
        0 => char.to_ascii_lowercase(),
        _ => char.to_ascii_uppercase(),
    });
    [
        name.to_owned(),
        name.to_lowercase(),
        name.to_uppercase(),
        mixed.collect(),
        name.replace('-', "_"),
        name.replace('-', "."),
        name.replacen('-', "_", 1),
        name.replacen('-', ".", 1),
        name.to_uppercase().replace('-', "_"),
        format!("{name} "),
        format!("{name}\t"),
    ]
}

/// Either the request was refused, or each identity header arrived with its true value and in no other spelling.
fn problems(outcome: &Outcome, expected: [&str; 9]) -> Option<String> {
    if outcome.is_refused() {
        return None;
    }
    let [seen] = &outcome.seen[..] else { return Some(outcome.shown()) };
    let check = |(name, expected): (&str, &str)| {
        let alike = seen.headers.iter().filter(|(known, _)| reads_as(known.trim(), name));
        let read: Vec<&str> = alike.map(|(_, value)| &**value).collect();
        let right = read == [expected] || (expected.is_empty() && read.is_empty());
        (!right).then(|| format!("{name} is {read:?} and should be {expected:?}"))
    };
    let wrong: Vec<String> = IDENTITY.into_iter().zip(expected).filter_map(check).collect();
    (!wrong.is_empty()).then(|| wrong.join(", "))
}
