//! What somebody may try with cookies, links and other sites.

use url::Url;

use super::alone::{Alone, HOST, ORIGIN};
use crate::support::browser::Browser;
use crate::support::http::Request;
use crate::support::report::Report;

/// The cookie of the session at `/mcp`, its name and its value.
fn session(browser: &Browser) -> (String, String) {
    let cookies = browser.cookies_for(HOST);
    let pair = cookies.split("; ").find(|pair| pair.contains("mfa-at-")).unwrap();
    pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap()
}

#[test]
fn only_the_session_itself_opens_the_page() {
    let alone = Alone::start();
    let alice = alone.signed_in("alice@example.com");
    let mut other = alone.browser();
    super::stage::sign_in(&mut other, &Alone::begin("/mail/x"), "bob@example.com");
    let ((name, value), (_, foreign)) = (session(&alice), session(&other));
    let bare = name.replace("__Host-", "");
    let other_letter = if value[40..].starts_with('A') { 'B' } else { 'A' };
    let changed = format!("{}{other_letter}{}", &value[..40], &value[41..]);
    let token = super::stage::machine_token(&alone.service, &format!("{ORIGIN}/mcp"));
    let mut report = Report::new("cookies");
    for (what, cookies, opens) in [
        ("as it is", format!("{name}={value}"), true),
        ("among others", format!("a=b; {name}={value};c"), true),
        ("without the prefix", format!("{bare}={value}"), false),
        ("in another case", format!("{}={value}", name.to_ascii_uppercase()), false),
        ("twice", format!("{name}={value}; {name}={value}"), false),
        ("after a forged one", format!("{name}=x; {name}={value}"), false),
        ("cut", format!("{name}={}", &value[1..]), false),
        ("cut at its end", format!("{name}={}", &value[..value.len() - 1]), false),
        ("changed", format!("{name}={changed}"), false),
        ("longer", format!("{name}={value}A"), false),
        ("quoted", format!("{name}=\"{value}\""), false),
        ("another resource's", format!("{name}={foreign}"), false),
        ("a good token of a program", format!("{name}={token}"), false),
        ("nothing", format!("{name}="), false),
        ("of another cookie", format!("x={name}={value}"), false),
    ] {
        report.row(what);
        let script = alone.ask("GET", "/mcp/x", &[("Cookie", &cookies)]);
        report.equal("a program's answer", script.status, if opens { 200 } else { 401 });
        let person = alone.ask("GET", "/mcp/x", &[("Cookie", &cookies), ("Sec-Fetch-Mode", "navigate")]);
        report.equal("a person's answer", person.status, if opens { 200 } else { 302 });
    }
    report.row("two headers");
    let pair = format!("{name}={value}");
    report.equal("answer", alone.ask("GET", "/mcp/x", &[("Cookie", &pair), ("Cookie", "a=b")]).status, 401);
    report.row("as a bearer token");
    let bearer = format!("Bearer {value}");
    report.equal("answer", alone.ask("GET", "/mcp/x", &[("Authorization", &bearer)]).status, 401);
    report.row("at a resource for programs");
    report.equal("answer", alone.ask("GET", "/programs/x", &[("Cookie", &pair)]).status, 401);
    report.finish();
}

#[test]
fn another_site_cannot_use_the_session() {
    let alone = Alone::start();
    let cookies = alone.signed_in("alice@example.com").cookies_for(HOST);
    let mut report = Report::new("requests that other sites make a browser send");
    for (method, headers, status) in [
        ("GET", "site=same-origin mode=cors", 200),
        ("POST", "site=same-origin mode=cors", 200),
        ("GET", "site=cross-site mode=navigate dest=document", 200),
        ("POST", "origin=https://notes.localhost", 200),
        ("POST", "site=cross-site mode=navigate dest=document", 401),
        ("POST", "site=same-site mode=cors origin=https://evil.example.com", 401),
        ("POST", "site=none mode=navigate", 401),
        ("POST", "origin=https://evil.example.com", 401),
        ("POST", "origin=null", 401),
        ("POST", "", 401),
        ("DELETE", "site=cross-site", 401),
        ("OPTIONS", "", 401),
        ("GET", "site=cross-site mode=cors", 401),
        ("GET", "site=same-site mode=no-cors dest=image", 401),
        ("GET", "site=cross-site mode=navigate dest=iframe", 401),
        ("GET", "origin=https://evil.example.com", 401),
    ] {
        report.row(format!("{method} {headers}"));
        let mut lines = vec![("Cookie", &*cookies)];
        for (name, value) in headers.split_whitespace().map(|header| header.split_once('=').unwrap()) {
            let name = match name {
                "site" => "Sec-Fetch-Site",
                "mode" => "Sec-Fetch-Mode",
                "dest" => "Sec-Fetch-Dest",
                _ => "Origin",
            };
            lines.push((name, value));
        }
        report.equal("answer", alone.ask(method, "/mcp/x", &lines).status, status);
    }
    report.finish();
}

/// Somebody signs in and sends the last address to a victim, who would then write notes into the attacker's account.
#[test]
fn the_address_of_somebody_elses_way_back_signs_nobody_in() {
    let alone = Alone::start();
    // The attacker's browser stops before the way back, which nobody has asked for yet.
    let mut attacker = Browser::new(&format!("{ORIGIN}/sign-in/return")).reaching(HOST, alone.service.port);
    let stolen = super::stage::sign_in(&mut attacker, &Alone::begin("/mcp/page"), "alice@example.com").url;
    assert!(stolen.query().unwrap().contains("code=mfo_"), "{stolen}");
    let mut empty = alone.browser();
    let mut signing_in = alone.browser();
    signing_in.visit(&Alone::begin("/mcp/page"));
    let mut signed_in = alone.signed_in("alice@example.com");
    for (who, victim) in
        [("a new browser", &mut empty), ("one that signs in", &mut signing_in), ("one with a session", &mut signed_in)]
    {
        let before = session_or_none(victim);
        let end = victim.visit(&stolen);
        assert_eq!((end.status, end.url.path()), (403, "/sign-in/return"), "{who}: {end:?}");
        assert_eq!(session_or_none(victim), before, "{who}");
    }
    let mut own = Browser::new(&format!("{ORIGIN}/mcp/page")).reaching(HOST, alone.service.port);
    for pair in attacker.cookies_for(HOST).split("; ") {
        own.put(HOST, pair);
    }
    assert_eq!(own.visit(&stolen).url.path(), "/mcp/page", "where it began it works");
    assert_ne!(own.visit(&stolen).url.path(), "/mcp/page", "and only once");
}

fn session_or_none(browser: &Browser) -> Option<String> {
    browser.cookies_for(HOST).split("; ").find(|pair| pair.contains("mfa-at-")).map(ToOwned::to_owned)
}

#[test]
fn nobody_is_sent_to_another_site() {
    let alone = Alone::start();
    let mut report = Report::new("addresses to come back to");
    for target in [
        "//evil.example/mcp",
        "/\\evil.example",
        "https://evil.example/mcp",
        "/mcp/..//evil.example",
        "/mcp\r\nSet-Cookie: a=b",
        "/mcp\t",
        "@evil.example/mcp",
        ".evil.example/mcp",
        ":80@evil.example/mcp",
        "/programs/x",
        "/elsewhere",
        "javascript:alert(1)",
        "",
    ] {
        report.row(format!("{target:?}"));
        let url = Alone::begin(target);
        let target = &url[url::Position::BeforePath..];
        let answer = Request::get(target).host(HOST).send(alone.service.port);
        report.equal("status", answer.status, 400);
        let quiet = answer.all("location").is_empty() && answer.all("set-cookie").is_empty();
        report.holds(quiet, || format!("{answer:?}"));
    }
    for host in ["evil.example", "notes.localhost.evil.example", "notes.localhost:8443", "auth.localhost"] {
        report.row(format!("host {host}"));
        let answer = Request::get("/sign-in/begin?return=%2Fmcp").host(host).send(alone.service.port);
        report.equal("status", answer.status, 400);
    }
    report.finish();
}

#[test]
fn what_is_carried_from_host_to_host_cannot_be_made_or_moved() {
    let alone = Alone::start();
    let begun = Request::get("/sign-in/begin?return=%2Fmcp").host(HOST).send(alone.service.port);
    let there = Url::parse(begun.header("location").unwrap()).unwrap();
    let sealed = there.query_pairs().find(|(name, _)| name == "start").unwrap().1.into_owned();
    let ask = |host: &str, target: String| Request::get(target).host(host).send(alone.service.port);
    let (_, cookie) = session(&alone.signed_in("alice@example.com"));
    for state in [&sealed[1..], &format!("{sealed}A"), "x", "", &cookie] {
        assert_eq!(ask("auth.localhost", format!("/sign-in/continue?start={state}")).status, 400, "{state}");
        assert_eq!(ask(HOST, format!("/sign-in/return?code=x&state={state}")).status, 400, "{state}");
    }
    assert_eq!(ask("other.example.com", format!("/sign-in/return?code=x&state={sealed}")).status, 400);
    assert_eq!(ask(HOST, format!("/sign-in/return?code=x&code=y&state={sealed}")).status, 400);
}

/// With the cookie alone, and from elsewhere.
#[test]
fn another_site_cannot_sign_anybody_out() {
    let alone = Alone::start();
    let browser = alone.signed_in("alice@example.com");
    let cookies = browser.cookies_for(HOST);
    for (name, value) in
        [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://evil.example")]
    {
        let request = Request::new("POST", "/sign-out").host(HOST).header("Cookie", &*cookies).header(name, value);
        let answer = request.body("application/x-www-form-urlencoded", "").send(alone.service.port);
        assert!(answer.status == 403 && answer.all("set-cookie").is_empty(), "{answer:?}");
    }
    assert!(alone.opens(&browser, "/mcp/page"));
    let request = Request::new("POST", "/sign-out").host(HOST).header("Cookie", &*cookies).header("Origin", ORIGIN);
    assert_eq!(request.body("application/x-www-form-urlencoded", "").send(alone.service.port).status, 200);
    assert!(!alone.opens(&browser, "/mcp/page"));
}
