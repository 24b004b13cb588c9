//! How the pages look and work in a browser: for everybody, on every screen, with the keyboard alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::samples;
use super::server::{Ours, client_site};
use crate::support::chromium::{self, texts};
use crate::support::report::Report;

/// Long, without a place to break, with markup, right-to-left letters and emoji.
const ATTACK: &str = "<b onmouseover=alert(1)>Claude</b>\u{202e}\"'&WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\
                      شركة👩\u{200d}💻C\u{30d}\u{30d}\u{30d}\u{30d}";

#[test]
fn every_page_is_without_fault_in_light_and_dark_on_phones_and_on_a_desk() {
    let client = client_site();
    let ours = Ours::start(&client, ATTACK);
    // All troubles look alike.
    let is_other = |name: &&str| *name == "unknown-redirect" || !samples::TROUBLES.contains(name);
    let names = samples::all(None).into_iter().map(|(name, _)| name).filter(is_other);
    let pale = ["pale/consent-localhost", "pale/connections"];
    look(&ours, &names.chain(pale).map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn hostile_names_make_no_page_worse() {
    let client = client_site();
    let ours = Ours::start(&client, ATTACK);
    let names = [
        "consent",
        "consent-more",
        "consent-localhost",
        "connections",
        "not-allowed",
        "development-again",
        "signed-in",
    ];
    look(&ours, &names.map(|name| format!("attack/{name}")));
}

fn look(ours: &Ours, names: &[String]) {
    let entry = |name: &String| json!({ "name": name.replace('/', "-"), "url": ours.site.url(&format!("/{name}")) });
    let pages: Vec<Value> = names.iter().map(entry).collect();
    let seen = chromium::run("look", &json!({ "pages": pages }));
    let faults = texts(&seen["faults"]);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(seen["looks"], names.len() * 2 * 3, "light and dark, on three widths");
}

/// A harness that sees nothing would find nothing.
#[test]
fn the_browser_complains_about_a_style_that_the_policy_does_not_name() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let seen = chromium::run("visit", &json!({ "urls": [ours.site.url("/wrong-policy")] }));
    assert!(texts(&seen[0]["complaints"]).iter().any(|complaint| complaint.contains("style-src")), "{seen}");
}

#[test]
fn consent_is_reached_and_given_with_the_keyboard_alone() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let url = ours.site.url("/consent-localhost");
    for (press, decision) in [("Allow", "approve"), ("Deny", "deny")] {
        let seen = chromium::run("keyboard", &json!({ "url": url, "press": press }));
        assert_eq!(seen["stops"], stops(&["Google", "Deny", "Allow", "My connections (opens a new window)"]), "{seen}");
        assert_eq!(seen["complaints"], json!([]));
        let posted = ours.posted();
        assert_eq!((&*posted.fields["decision"], &*posted.fields["provider"]), (decision, "google"));
    }
}

#[test]
fn the_other_pages_are_reached_with_the_keyboard_in_reading_order() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let pages: [(&str, &[&str]); 8] = [
        ("sign-in", &["Continue with Google", "Continue with GitHub"]),
        ("development", &["E-mail address", "Name (optional)", "Groups (optional)", "Sign in"]),
        ("not-allowed", &["Use another account", "Return to Claude"]),
        ("connections-empty", &["Sign out"]),
        (
            "connections",
            &["Sign out", "Withdraw", "Withdraw", "Withdraw", "Withdraw all connections", "Show more connections"],
        ),
        ("signed-in", &["My connections", "Sign out"]),
        ("signed-out", &["My connections"]),
        ("unknown-redirect", &["For developers"]),
    ];
    let urls = pages.map(|(name, _)| ours.site.url(&format!("/{name}")));
    let seen = chromium::run("tab_stops", &json!({ "urls": urls }));
    let mut report = Report::new("stops of the keyboard");
    for ((name, expected), seen) in pages.iter().zip(seen.as_array().unwrap()) {
        report.row(*name);
        report.equal("stops", seen, &stops(expected));
    }
    report.finish();
}

#[test]
fn every_button_posts_its_decision_with_what_the_form_carries() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let decisions = [
        ("consent", json!({ "press": "Deny" }), "csrf decision=deny request"),
        ("consent", json!({ "press": "Allow" }), "csrf decision=approve request"),
        ("sign-in", json!({ "press": "Continue with GitHub" }), "csrf provider=github"),
        (
            "development",
            json!({ "press": "Sign in", "fill": { "E-mail address": "bob@example.com", "Groups (optional)": "" } }),
            "csrf email=bob@example.com groups= name=Alice state",
        ),
        ("not-allowed", json!({ "press": "Use another account" }), "csrf decision=another_account request"),
        ("not-allowed", json!({ "press": "Return to Claude" }), "csrf decision=deny request"),
        ("connections", json!({ "press": "Withdraw" }), "csrf withdraw=grant-one-of-alice"),
        (
            "connections",
            json!({ "unfold": "Withdraw all connections", "press": "Yes, withdraw all" }),
            "csrf withdraw=all",
        ),
        ("connections", json!({ "press": "Sign out" }), "csrf"),
        ("signed-in", json!({ "press": "Sign out" }), "csrf"),
    ];
    let visits = decisions.iter().map(|(page, how, _)| {
        let mut visit = how.clone();
        visit["url"] = json!(ours.site.url(&format!("/{page}")));
        visit
    });
    chromium::run("decide", &visits.collect());
    let posted = ours.all_posted();
    assert_eq!(posted.len(), decisions.len(), "{posted:?}");
    let mut report = Report::new("posted by buttons");
    for ((page, how, expected), posted) in decisions.iter().zip(posted) {
        report.row(format!("{page}: {how}"));
        report.equal("fields", &*shown(&posted.fields), *expected);
    }
    report.finish();
}

/// Fields in the order of their names; values that only travel along are left out.
fn shown(fields: &BTreeMap<String, String>) -> String {
    let text = |(name, value): (&String, &String)| match value.strip_suffix("-of-alice") {
        Some(kind) if kind == name => name.clone(),
        _ => format!("{name}={value}"),
    };
    fields.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// Each stop, with a focus that can be seen.
fn stops(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "name": name, "shown": true })).collect()
}
