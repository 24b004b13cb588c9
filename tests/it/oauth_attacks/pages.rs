//! Every page that a sign-in can show: nobody frames it, and no text of a client becomes markup in it.

use serde_json::json;
use url::Url;

use super::house::{HOME, House, forwarded};
use crate::support::browser::Browser;
use crate::support::http::{Request, Response};
use crate::support::report::Report;

const NAME: &str =
    r#"<img src=x onerror=alert(1)>"'></title></form><form action=//evil.example><script>alert(1)</script>"#;

/// A person's way through all pages, with the answers as they came.
struct Way<'h> {
    house: &'h House,
    cookies: Vec<(String, String)>,
    shown: Vec<(String, Response)>,
}

impl Way<'_> {
    fn see(&mut self, name: &str, request: Request) -> Response {
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header("Cookie", jar.join("; ")).send(self.house.port);
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        self.shown.push((name.to_owned(), answer.clone()));
        answer
    }

    fn get(&mut self, name: &str, url: &Url) -> Response {
        self.see(name, self.house.request("GET", &url[url::Position::BeforePath..url::Position::AfterQuery]))
    }

    /// Follows redirects to our own pages.
    fn follow(&mut self, name: &str, mut answer: Response) -> Response {
        while let Some(location) = answer.header("location").filter(|location| !location.starts_with(HOME)) {
            let url = Url::parse(&self.house.issuer()).unwrap().join(location).unwrap();
            answer = self.get(name, &url);
        }
        answer
    }

    fn submit(&mut self, name: &str, answer: &Response, filled: &[(&str, &str)]) -> Response {
        let url = Url::parse(&self.house.issuer()).unwrap();
        let page = crate::support::browser::Page { url, status: answer.status, text: answer.text() };
        let form = page.form();
        let mut fields = form.fields;
        fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut seen = std::collections::BTreeSet::new();
        fields.reverse();
        fields.retain(|(name, _)| seen.insert(name.clone()));
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.house.request("POST", form.action.path()).body(super::house::FORM, body);
        let answer = self.see(name, request);
        self.follow(name, answer)
    }

    fn on(&mut self, name: &str, answer: &Response) -> Response {
        let url = Url::parse(&self.house.issuer()).unwrap();
        let page = crate::support::browser::Page { url, status: answer.status, text: answer.text() };
        let next = forwarded(&page).unwrap_or_else(|| panic!("{name}: {}", page.text));
        let answer = self.get(name, &next);
        self.follow(name, answer)
    }
}

/// The pages that people see between a hostile client and its code, and those for whoever goes astray.
fn every_page(house: &House) -> Vec<(String, Response)> {
    let client = house
        .register_as(&json!({ "redirect_uris": [HOME], "token_endpoint_auth_method": "none", "client_name": NAME }));
    let mut way = Way { house, cookies: Vec::new(), shown: Vec::new() };
    let url = house.authorize_url(&client.id, &[]);
    let begun = way.get("authorize", &url);
    let question = way.follow("question", begun);
    let forwarding = way.submit("forwarding", &question, &[("decision", "approve")]);
    let form = way.on("development form", &forwarding);
    way.submit("development form with a mistake", &form, &[("email", NAME), ("name", NAME), ("groups", NAME)]);
    let back = way.submit("back to us", &form, &[("email", "bob@example.com")]);
    let not_allowed = way.on("not allowed", &back);
    let forwarding = way.submit("another account", &not_allowed, &[("decision", "another_account")]);
    let form = way.on("development form again", &forwarding);
    let back = way.submit("back to us again", &form, &[("email", "alice@example.com")]);
    let end = way.on("to the client", &back);
    let code = Url::parse(end.header("location").unwrap()).unwrap();
    let code = code.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert_eq!(house.redeem(&client.id, &code, &[]).status, 200);
    let question = Url::parse(&house.issuer()).unwrap().join(begun_at(&way.shown)).unwrap();
    way.get("answered already", &question);
    let connections = Url::parse(&house.issuer()).unwrap().join("/connections").unwrap();
    let list = way.get("connections", &connections);
    assert!(list.text().contains("alert(1)"), "the connection is listed: {}", list.text());
    for (name, target) in [
        ("unknown client", format!("/authorize?client_id={NAME}")),
        ("unknown redirect", house.authorize_url(&client.id, &[("redirect_uri", "https://evil.example/")]).to_string()),
        ("expired", "/consent?request=nothing".to_owned()),
        ("no state", "/callback".to_owned()),
        ("development form of nobody", format!("/sign-in/development?state={NAME}")),
    ] {
        let url = Url::parse(&house.issuer()).unwrap().join(&target).unwrap();
        way.get(name, &url);
    }
    way.cookies.retain(|(name, _)| !name.starts_with("mfa-browser-"));
    way.get("another browser", &question);
    way.see("sign out of nobody", house.request("POST", "/sign-out").body(super::house::FORM, ""));
    way.see("a form of another site", {
        let request = house.request("POST", "/consent").header("Sec-Fetch-Site", "cross-site");
        request.body(super::house::FORM, "")
    });
    way.shown
}

fn begun_at(shown: &[(String, Response)]) -> &str {
    shown.iter().find(|(name, _)| name == "authorize").unwrap().1.header("location").unwrap()
}

#[test]
fn no_page_can_be_framed_kept_or_told_to_others() {
    let house = House::start();
    let mut report = Report::new("headers");
    for (name, answer) in every_page(&house) {
        report.row(&name);
        report.equal("cache-control", answer.header("cache-control"), Some("no-store"));
        report.equal("referrer-policy", answer.header("referrer-policy"), Some("no-referrer"));
        if answer.header("location").is_some() {
            continue;
        }
        report.equal("x-frame-options", answer.header("x-frame-options"), Some("DENY"));
        report.equal("x-content-type-options", answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").unwrap_or_default().to_owned();
        for rule in ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"] {
            report.holds(policy.split("; ").any(|part| part == rule), || format!("{rule} is not in {policy}"));
        }
        report.holds(!policy.contains("script-src") && !policy.contains("unsafe"), || policy.clone());
    }
    report.finish();
}

#[test]
fn the_name_of_a_client_is_text_on_every_page() {
    let house = House::start();
    let mut report = Report::new("markup");
    let mut told = 0;
    for (name, answer) in every_page(&house) {
        report.row(&name);
        let text = answer.text();
        told += usize::from(text.contains("alert(1)"));
        for markup in
            ["<script", "<img src=x", "onerror=alert(1)>", "</form><form", "<form action=//evil", "javascript:"]
        {
            report.holds(!text.contains(markup), || format!("{markup} is in it"));
        }
        report.holds(text.matches("<form").count() <= 2, || "there is a form too many".to_owned());
    }
    report.row("the pages that name the client");
    report.holds(told >= 4, || format!("only {told}"));
    report.finish();
}

/// A page with the name of a client that nobody vouches for says so.
#[test]
fn a_client_that_takes_anothers_name_is_shown_by_its_address() {
    let house = House::start();
    let client = house.register_as(&json!({
        "redirect_uris": ["https://evil.example/callback"],
        "token_endpoint_auth_method": "none",
        "client_name": "Claude \u{202e}\u{200b}by Anthropic\n\nVerified",
    }));
    let mut browser = Browser::new(HOME);
    let page = house.question(&mut browser, &client.id, &[("redirect_uri", "https://evil.example/callback")]);
    assert!(page.text.contains("evil.example"), "{}", page.text);
    assert!(page.text.contains("gave itself this name"), "{}", page.text);
    assert!(!page.text.contains('\u{202e}') && !page.text.contains('\u{200b}'), "{}", page.text);
}
