//! Audit mode and origins.

use super::{CONTRACTS, Pair, RESOURCE, refused};
use crate::support::http::Request;
use crate::support::report::Report;

const REASONS: [&str; 6] = [
    "missing_token",
    "invalid_token",
    "expired_token",
    "principal_not_allowed",
    "insufficient_scope",
    "origin_not_allowed",
];

/// Everything passes, and what would have been refused is on record.
#[test]
fn audit_mode_lets_through_and_tells_what_it_would_have_done() {
    let table = format!(
        "url = \"{RESOURCE}\"\nmode = \"audit\"\nrequired_scopes = [\"mcp:read\"]\nallowed_emails = [\"alice@example.com\"]\n\
         allowed_origins = [\"https://app.example.com\"]\n"
    );
    let pair = Pair::with("", &table);
    let token = || pair.issuer.token_for(RESOURCE);
    let bob = pair.issuer.sign(&token().claim("email", "bob@example.com"));
    let narrow = pair.issuer.sign(&token().claim("scope", "profile"));
    let expired = pair.issuer.sign(&token().claim("exp", 1_000_000_000));
    let mut report = Report::new("audit");
    for contract in CONTRACTS {
        let asked = [
            (None, None, ""),
            (Some("garbage"), None, ""),
            (Some(&*expired), None, ""),
            (Some(&*bob), None, "bob@example.com"),
            (Some(&*narrow), None, "alice@example.com"),
            (None, Some("https://evil.example.com"), ""),
        ];
        for (reason, (token, origin, user)) in REASONS.into_iter().zip(asked) {
            report.row(format!("{contract:?}, {reason}"));
            let series = format!(
                "mcp_forward_auth_decisions_total{{outcome=\"audit\",reason=\"{reason}\",resource=\"{RESOURCE}\"}}"
            );
            let before = pair.service.counted(&series);
            let agent = format!("{contract:?} {reason}");
            let request = contract.ask("POST", RESOURCE).header("User-Agent", &*agent);
            let request = token.into_iter().fold(request, Request::bearer);
            let request = origin.into_iter().fold(request, |request, origin| request.header("Origin", origin));
            let answer = request.send(pair.service.port);
            report.equal("status", answer.status, 200);
            report.equal("user", answer.all("x-forwarded-user"), [user]);
            report.equal("resource", answer.all("x-auth-resource"), [RESOURCE]);
            report.equal("counter", pair.service.counted(&series), before + 1);
        }
        for reason in REASONS {
            report.row(format!("{contract:?}, decision line of {reason}"));
            let line = pair.line(&format!("{contract:?} {reason}"));
            report.equal("decision", &line["decision"], "audit");
            report.equal("reason", &line["reason"], reason);
            report.equal("status", &line["status"], 200);
        }
        report.row(format!("{contract:?}, what is no question stays refused"));
        let answer = contract.ask("POST", "https://mcp.example.com/mcp/../x").send(pair.service.port);
        refused(&answer, 403, "invalid_request", "ambiguous_path", &mut report);
    }
    report.finish();
}

/// DNS rebinding: a page of another origin must not reach the server, token or not (MCP Streamable HTTP).
#[test]
fn only_pages_of_allowed_origins_may_ask() {
    let table =
        format!("url = \"{RESOURCE}\"\nallowed_origins = [\"https://app.example.com\", \"http://localhost:6274\"]\n");
    let pair = Pair::with("", &table);
    let good = pair.token(RESOURCE);
    let mut report = Report::new("origins");
    for contract in CONTRACTS {
        for (origins, allowed) in [
            (vec![], true),
            (vec!["https://app.example.com"], true),
            (vec!["http://localhost:6274"], true),
            (vec!["https://evil.example.com"], false),
            (vec!["https://app.example.com.evil.example"], false),
            (vec!["http://app.example.com"], false),
            (vec!["https://app.example.com:8443"], false),
            (vec!["https://APP.example.com"], false),
            (vec!["http://localhost"], false),
            (vec!["null"], false),
            (vec![""], false),
            (vec!["https://app.example.com", "https://app.example.com"], false),
        ] {
            for (name, token, status) in [("a good token", Some(&*good), 200), ("no token", None, 401)] {
                report.row(format!("{contract:?}, {origins:?}, {name}"));
                let request = contract.ask("POST", RESOURCE);
                let request = origins.iter().fold(request, |request, origin| request.header("Origin", *origin));
                let answer = token.into_iter().fold(request, Request::bearer).send(pair.service.port);
                if allowed {
                    report.equal("status", answer.status, status);
                } else {
                    refused(&answer, 403, "access_denied", "origin_not_allowed", &mut report);
                }
            }
        }
        report.row(format!("{contract:?}, a preflight of a foreign page"));
        let preflight = contract.ask("OPTIONS", RESOURCE).header("Access-Control-Request-Method", "POST");
        let answer = preflight.header("Origin", "https://evil.example.com").send(pair.service.port);
        refused(&answer, 403, "access_denied", "origin_not_allowed", &mut report);
    }
    report.finish();
}
