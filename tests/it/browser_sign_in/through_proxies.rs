//! The same story through every proxy: whatever one of them does not hand on breaks it.

use super::stage::{HOST, Stage, sign_in};
use crate::support::browser::Browser;
use crate::support::proxies::Kind;
use crate::support::report::Report;

#[test]
fn a_person_signs_in_and_out_through_traefik() {
    signs_in_and_out(Kind::Traefik);
}

#[test]
fn a_person_signs_in_and_out_through_envoy() {
    signs_in_and_out(Kind::Envoy);
}

#[test]
fn a_person_signs_in_and_out_through_nginx() {
    signs_in_and_out(Kind::Nginx);
}

#[test]
fn a_person_signs_in_and_out_through_caddy() {
    signs_in_and_out(Kind::Caddy);
}

fn signs_in_and_out(kind: Kind) {
    let stage = Stage::start(kind);
    let mut browser = Browser::new("nowhere:");
    let page = stage.url("/mcp/page?x=1&y=%2F");

    let arrived = sign_in(&mut browser, &page, "alice@example.com");
    assert_eq!((arrived.url.as_str(), arrived.status), (page.as_str(), 200), "{arrived:?}");
    let seen = stage.seen("/mcp/page?x=1&y=%2F");
    assert_eq!(seen.len(), 1, "one request got through: {seen:?}");
    assert_eq!(seen[0].all("x-forwarded-user"), ["alice@example.com"], "{seen:?}");
    assert_eq!(seen[0].all("x-auth-client"), ["browser"], "{seen:?}");
    assert_eq!(seen[0].all("x-auth-resource"), [stage.url("/mcp").as_str()], "{seen:?}");

    // Known from now on: no redirect, and the upstream's own cookies stay, ours do not.
    let cookies = format!("theirs=1; {}; last=2", browser.cookies_for(HOST));
    let again = stage.request(&Browser::new("nowhere:"), "GET", "/mcp/again").header("Cookie", cookies);
    assert_eq!(stage.send(&again.header("Sec-Fetch-Mode", "navigate")).status, 200);
    let seen = stage.seen("/mcp/again");
    assert_eq!(seen[0].all("cookie"), ["theirs=1; last=2"], "{seen:?}");
    let ours_alone = stage.request(&browser, "GET", "/mcp/ours");
    assert_eq!(stage.send(&ours_alone.header("Sec-Fetch-Mode", "navigate")).status, 200);
    assert!(stage.seen("/mcp/ours")[0].all("cookie").concat().is_empty(), "{:?}", stage.seen("/mcp/ours"));

    // Scripts of the page itself may write, those of others may not, and nobody is redirected but a person.
    let post = || stage.request(&browser, "POST", "/mcp/post").body("application/json", "{}");
    assert_eq!(stage.send(&post().header("Sec-Fetch-Site", "same-origin")).status, 200);
    assert_eq!(stage.send(&post().header("Origin", "http://evil.localhost")).status, 401);
    assert_eq!(stage.send(&post()).status, 401);
    assert_eq!(stage.seen("/mcp/post").len(), 1);
    let plain = stage.send(&stage.request(&Browser::new("nowhere:"), "GET", "/mcp/plain"));
    assert_eq!(plain.status, 401, "{plain:?}");
    assert_eq!(plain.all("www-authenticate").len(), 1, "{plain:?}");

    // A resource for programs has no sessions, and does not see those of its neighbours.
    let machine = stage.machine_token("/programs");
    let program = stage.request(&browser, "GET", "/programs/x").bearer(&machine);
    assert_eq!(stage.send(&program).status, 200);
    assert!(stage.seen("/programs/x")[0].all("cookie").concat().is_empty(), "{:?}", stage.seen("/programs/x"));
    let navigation = stage.request(&browser, "GET", "/programs/x").header("Sec-Fetch-Mode", "navigate");
    assert_eq!(stage.send(&navigation).status, 401);

    // Signing out ends it on the server, whatever the browser keeps.
    let before = browser.cookies_for(HOST);
    let out = stage.request(&browser, "POST", "/sign-out").header("Sec-Fetch-Site", "same-origin");
    let out = stage.send(&out.body("application/x-www-form-urlencoded", ""));
    assert_eq!(out.status, 200, "{out:?}");
    assert!(
        out.all("set-cookie").iter().any(|cookie| cookie.contains("mfa-at-") && cookie.contains("Max-Age=0")),
        "{out:?}"
    );
    let kept = stage.request(&Browser::new("nowhere:"), "GET", "/mcp/kept").header("Cookie", before);
    let kept = stage.send(&kept.header("Sec-Fetch-Mode", "navigate"));
    assert_eq!(kept.status, 302, "{kept:?}");
    assert_eq!(kept.all("location"), [stage.url("/sign-in/begin?return=%2Fmcp%2Fkept").as_str()]);
    assert!(stage.seen("/mcp/kept").is_empty());
}

/// The session would reach the upstream, through every proxy whose line for it is not switched on, or is missing.
#[test]
fn without_its_line_the_upstream_sees_the_session() {
    let mut report = Report::new("proxies");
    for kind in [Kind::Traefik, Kind::Envoy, Kind::Nginx, Kind::Caddy] {
        report.row(format!("{kind:?}"));
        let line = "- {exact: cookie, ignore_case: true}        # with browser_sign_in";
        let stage = Stage::start_edited(kind, &|_, text| text.replace(line, "# "));
        let mut browser = Browser::new("nowhere:");
        browser.put(HOST, "theirs=1");
        sign_in(&mut browser, &stage.url("/mcp/page"), "alice@example.com");
        let seen = stage.seen("/mcp/page");
        report.holds(seen[0].all("cookie").concat().contains("mfa-at-"), || format!("{seen:?}"));
    }
    report.finish();
}
