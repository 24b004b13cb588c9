//! What goes with every page: the headers, and nothing that could run or load.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::samples;
use super::server::{Ours, client_site, pages};
use crate::support::http::Request;
use crate::support::report::Report;

const FIXED: [(&str, &str); 7] = [
    ("content-type", "text/html; charset=utf-8"),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-robots-tag", "noindex"),
];

#[test]
fn every_page_carries_every_header() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let mut report = Report::new("headers of pages");
    for (name, _) in samples::all(None) {
        report.row(name);
        let answer = Request::get(format!("/{name}")).host("localhost").send(ours.site.port);
        for (header, value) in FIXED {
            report.equal(header, answer.header(header), Some(value));
        }
        let html = answer.text();
        let style = html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).unwrap().0;
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, style.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'"
        );
        report.equal("content-security-policy", answer.header("content-security-policy"), Some(&*policy));
    }
    report.finish();
}

/// Pages of a client's flow leave its window alone; a person's own pages are no part of any.
#[test]
fn only_a_persons_own_pages_cut_off_the_window_that_opened_them() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let mut report = Report::new("cross-origin-opener-policy");
    for (name, _) in samples::all(None) {
        report.row(name);
        let answer = Request::get(format!("/{name}")).host("localhost").send(ours.site.port);
        let own = ["connections", "connections-empty", "signed-in", "signed-out"].contains(&name);
        let expected = if own { "same-origin" } else { "unsafe-none" };
        report.equal("policy", answer.header("cross-origin-opener-policy"), Some(expected));
    }
    report.finish();
}

#[test]
fn statuses_tell_what_happened_and_when_to_try_again() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let mut report = Report::new("statuses of pages");
    for (name, status, retry_after) in [
        ("consent", 200, None),
        ("connections", 200, None),
        ("not-allowed", 403, None),
        ("bad-request", 400, None),
        ("unknown-client", 400, None),
        ("unknown-redirect", 400, None),
        ("expired", 400, None),
        ("other-browser", 403, None),
        ("stale-form", 403, None),
        ("not-found", 404, None),
        ("already-answered", 409, None),
        ("too-many-requests", 429, Some("60")),
        ("internal", 500, None),
        ("provider-untrustworthy", 502, None),
        ("not-signed-in", 403, None),
        ("provider-unavailable", 503, Some("5")),
        ("unavailable", 503, Some("5")),
    ] {
        report.row(name);
        let answer = Request::get(format!("/{name}")).host("localhost").send(ours.site.port);
        report.equal("status", answer.status, status);
        report.equal("retry-after", answer.header("retry-after"), retry_after);
    }
    report.finish();
}

#[test]
fn nothing_on_a_page_runs_or_loads_and_every_form_carries_its_token() {
    let mut report = Report::new("contents of pages");
    for (name, sample) in samples::all(None) {
        report.row(name);
        let html = pages().show(&*sample).html().to_owned();
        for forbidden in ["<script", " style=", " onclick", "<iframe", "<object", "<embed", "<base", "@import"] {
            report.holds(!html.contains(forbidden), || format!("holds {forbidden}"));
        }
        let loaded = html.match_indices("src=\"").filter(|(place, _)| !html[*place..].starts_with("src=\"data:image/"));
        report.equal("sources that are no data", loaded.count(), 0);
        let tokens = html.matches("<input type=\"hidden\" name=\"csrf\" value=\"csrf-of-alice\">").count();
        report.equal("tokens", tokens, html.matches("<form method=\"post\" action=\"/").count());
        report.equal("forms", html.matches("<form").count(), tokens);
        report.holds(html.contains("<html lang=\"en\">"), || "does not tell its language".into());
        report.equal("main headings", html.matches("<h1>").count(), 1);
    }
    report.finish();
}

/// The stylesheet is ours and hashed; everything else that is put into a page is escaped.
#[test]
fn only_the_stylesheet_is_exempt_from_escaping() {
    let folder = crate::support::tools::project().join("templates");
    let mut exempt = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| line.contains("safe") || line.contains("escape"));
        exempt.extend(lines.map(str::to_owned));
    }
    assert_eq!(exempt, ["<style>{{ frame.style.text|safe }}</style>"]);
}
