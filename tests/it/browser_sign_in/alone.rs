//! The service without a proxy, asked as one asks: the protected host is https, the cookies are those of https.

use url::Url;

use super::stage::{config, machine_token, sign_in};
use crate::support::browser::{Browser, Page};
use crate::support::http::{Request, Response};
use crate::support::ports;
use crate::support::service::Service;

pub const HOST: &str = "notes.localhost";
pub const ORIGIN: &str = "https://notes.localhost";

/// The service, and what stands before it in mind only.
pub struct Alone {
    pub service: Service,
}

impl Alone {
    pub fn start() -> Self {
        let port = ports::free();
        let mut service = Service::start_at(port, &config(ORIGIN, port));
        service.wait_until_ready();
        Self { service }
    }

    /// A browser that stops where the upstream would answer.
    pub fn browser(&self) -> Browser {
        Browser::new(&format!("{ORIGIN}/m")).reaching(HOST, self.service.port)
    }

    /// Where a browser begins that wants `target`.
    pub fn begin(target: &str) -> Url {
        let target: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        Url::parse(&format!("{ORIGIN}/sign-in/begin?return={target}")).unwrap()
    }

    /// A browser in which this person is signed in to `/mcp`.
    pub fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let page = sign_in(&mut browser, &Self::begin("/mcp/page"), email);
        assert_eq!(page.url.as_str(), format!("{ORIGIN}/mcp/page"), "{page:?}");
        browser
    }

    /// Asks `/auth` as Traefik does. `headers` are lines.
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
        let request = Request::get("/auth").host("127.0.0.1").header("X-Forwarded-Method", method);
        let request = request.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", HOST);
        let request = request.header("X-Forwarded-Uri", target);
        let request = headers.iter().fold(request, |request, &(name, value)| request.header(name, value));
        request.send(self.service.port)
    }

    /// Whether the session of `browser` opens `target`.
    pub fn opens(&self, browser: &Browser, target: &str) -> bool {
        let cookies = browser.cookies_for(HOST);
        match self.ask("GET", target, &[("Cookie", &cookies), ("Sec-Fetch-Mode", "navigate")]).status {
            200 => true,
            302 => false,
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_page_leads_to_the_sign_in_and_the_sign_in_back_to_the_page() {
    let alone = Alone::start();
    let asked =
        alone.ask("GET", "/mcp/page?x=1&y=%2F", &[("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]);
    assert_eq!(asked.status, 302, "{asked:?}");
    assert_eq!(asked.all("location"), [format!("{ORIGIN}/sign-in/begin?return=%2Fmcp%2Fpage%3Fx%3D1%26y%3D%252F")]);
    assert_eq!(asked.all("cache-control"), ["no-store"]);
    assert!(asked.all("set-cookie").is_empty() && asked.all("www-authenticate").is_empty(), "{asked:?}");

    let mut browser = alone.browser();
    let page = sign_in(&mut browser, &Url::parse(asked.header("location").unwrap()).unwrap(), "alice@example.com");
    assert_eq!(page.url.as_str(), format!("{ORIGIN}/mcp/page?x=1&y=%2F"), "{page:?}");
    let session = browser.received.iter().find(|cookie| cookie.contains("mfa-at-")).unwrap();
    for part in ["__Host-mfa-at-", "; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/", "; Max-Age=28800"] {
        assert!(session.contains(part), "{session} lacks {part}");
    }
    assert!(!session.contains("Domain") && !session.contains('.'), "no token can be read in it: {session}");

    let cookies = format!("a=1; {}; b=2", browser.cookies_for(HOST));
    let known = alone.ask("GET", "/mcp/page", &[("Cookie", &cookies), ("Sec-Fetch-Mode", "navigate")]);
    assert_eq!((known.status, known.header("x-forwarded-user")), (200, Some("alice@example.com")), "{known:?}");
    assert_eq!(known.header("x-auth-subject"), Some("development:alice@example.com"));
    assert_eq!((known.header("x-auth-client"), known.header("cookie")), (Some("browser"), Some("a=1; b=2")));
}

#[test]
fn the_log_names_the_redirect_and_never_a_secret() {
    let alone = Alone::start();
    alone.ask("GET", "/mcp/first", &[("Accept", "text/html")]);
    let browser = alone.signed_in("alice@example.com");
    let cookies = browser.cookies_for(HOST);
    alone.ask("GET", "/mcp/second", &[("Cookie", &cookies)]);
    let lines = || alone.service.decision_lines();
    crate::support::process::eventually("both lines", || lines().len() >= 2);
    let line = |path: &str| lines().into_iter().find(|line| line["path"] == path).unwrap();
    assert_eq!((&line("/mcp/first")["status"], &line("/mcp/first")["reason"]), (&302.into(), &"missing_token".into()));
    assert_eq!((&line("/mcp/second")["client"], &line("/mcp/second")["status"]), (&"browser".into(), &200.into()));
    let everything = alone.service.whole_output();
    for secret in cookies.split("; ").filter_map(|pair| pair.split_once('=')).map(|(_, value)| value) {
        assert!(value_is_short(secret) || !everything.contains(secret), "{secret} in {everything}");
    }
}

/// A count is no secret.
fn value_is_short(value: &str) -> bool {
    value.len() < 10
}

#[test]
fn somebody_who_may_not_sees_why_and_is_not_sent_in_circles() {
    let alone = Alone::start();
    let mut browser = alone.browser();
    let page = sign_in(&mut browser, &Alone::begin("/mcp/page"), "bob@example.com");
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.text.contains("bob@example.com") && page.text.contains("Notes"), "{page:?}");
    assert!(!browser.cookies_for(HOST).contains("mfa-at-"), "{:?}", browser.received);
    let declined = browser.submit(&page, &[("decision", "deny")]);
    let end = browser.follow(&declined);
    assert_eq!((end.status, end.url.path()), (403, "/sign-in/return"), "{end:?}");
    assert!(end.text.contains("You are not signed in"), "{end:?}");
    let other = browser.visit(&Alone::begin("/mcp/page"));
    let forwarding = browser.submit(&other, &[("email", "alice@example.com")]);
    let arrived = browser.follow(&forwarding);
    assert_eq!(arrived.url.as_str(), format!("{ORIGIN}/mcp/page"), "{arrived:?}");
}

#[test]
fn each_resource_of_a_host_is_signed_in_to_by_itself() {
    let alone = Alone::start();
    let mut browser = alone.signed_in("alice@example.com");
    assert!(alone.opens(&browser, "/mcp/page"));
    assert!(!alone.opens(&browser, "/mail/page"), "another resource");
    let page = sign_in(&mut browser, &Alone::begin("/mail/page"), "bob@example.com");
    assert_eq!(page.url.as_str(), format!("{ORIGIN}/mail/page"));
    assert!(alone.opens(&browser, "/mcp/page") && alone.opens(&browser, "/mail/page"));
    let cookies = browser.cookies_for(HOST);
    let user =
        |target| alone.ask("GET", target, &[("Cookie", &cookies)]).header("x-forwarded-user").unwrap().to_owned();
    assert_eq!([user("/mcp/x"), user("/mail/x")], ["alice@example.com", "bob@example.com"]);
}

#[test]
fn a_connection_that_is_withdrawn_ends_the_session_at_once() {
    let alone = Alone::start();
    let mut browser = alone.signed_in("alice@example.com");
    assert!(alone.opens(&browser, "/mcp/page"));
    let issuer = format!("http://{}:{}", super::stage::ISSUER_HOST, alone.service.port);
    let list = browser.visit(&Url::parse(&format!("{issuer}/connections")).unwrap());
    assert!(list.text.contains("Browser") && list.text.contains(&format!("{ORIGIN}/mcp")), "{list:?}");
    let forms: Vec<&str> = list.text.split("<form").filter(|form| form.contains("name=\"withdraw\"")).collect();
    let form = Page { text: format!("<form{}", forms[0]), url: list.url.clone(), status: 200 };
    let grant = forms[0].split("name=\"withdraw\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    browser.submit(&form, &[("withdraw", grant)]);
    assert!(!alone.opens(&browser, "/mcp/page"), "withdrawn");
    let script =
        alone.ask("GET", "/mcp/page", &[("Cookie", &browser.cookies_for(HOST)), ("Sec-Fetch-Site", "same-origin")]);
    assert_eq!((script.status, script.reason()), (401, "invalid_token".to_owned()));
    let asked = browser.visit(&Alone::begin("/mcp/page"));
    assert_eq!(asked.url.path(), "/sign-in/development", "somebody must sign in again: {asked:?}");
}

#[test]
fn a_program_that_sends_authorization_is_judged_by_that_alone() {
    let alone = Alone::start();
    let cookies = alone.signed_in("alice@example.com").cookies_for(HOST);
    let machine = format!("Bearer {}", machine_token(&alone.service, &format!("{ORIGIN}/mcp")));
    let browsing = [("Cookie", &*cookies), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Site", "same-origin")];
    let ask = |authorization: &str| {
        let mut headers = browsing.to_vec();
        headers.push(("Authorization", authorization));
        alone.ask("GET", "/mcp/x", &headers)
    };
    assert_eq!(alone.ask("GET", "/mcp/x", &browsing).header("x-auth-client"), Some("browser"));
    let program = ask(&machine);
    assert_eq!((program.status, program.header("x-auth-client")), (200, Some("machine")), "{program:?}");
    for authorization in ["Bearer x", "Bearer", "Bearer ", "Basic YTpi", "", "Bearer x,y", "Negotiate z"] {
        let refused = ask(authorization);
        assert_eq!((refused.status, refused.all("location").len()), (401, 0), "{authorization}: {refused:?}");
    }
}

#[test]
fn a_browser_whose_session_does_not_arrive_stops_with_a_page() {
    let alone = Alone::start();
    let mut browser = alone.signed_in("alice@example.com");
    for round in 0..5 {
        let back = browser.visit(&Alone::begin("/mcp/page"));
        assert_eq!(back.url.as_str(), format!("{ORIGIN}/mcp/page"), "{round}: {back:?}");
    }
    let stopped = browser.visit(&Alone::begin("/mcp/page"));
    assert_eq!((stopped.status, stopped.url.path()), (500, "/sign-in/begin"), "{stopped:?}");
    browser.forget(HOST, "mfa-back");
    let later = browser.visit(&Alone::begin("/mcp/page"));
    assert_eq!(later.url.as_str(), format!("{ORIGIN}/mcp/page"), "{later:?}");
}

#[test]
fn a_browser_without_cookies_stops_with_a_page() {
    let alone = Alone::start();
    let mut browser = alone.browser();
    let form = browser.visit(&Alone::begin("/mcp/page"));
    browser.forget(HOST, "");
    let forwarding = browser.submit(&form, &[("email", "alice@example.com")]);
    let end = browser.follow(&forwarding);
    assert_eq!((end.status, end.url.path()), (403, "/sign-in/return"), "{end:?}");
    assert!(browser.received.iter().all(|cookie| !cookie.contains("mfa-at-")));
}
