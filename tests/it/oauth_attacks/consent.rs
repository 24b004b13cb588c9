//! Ways around the person's word, and forms that other sites send.

use serde_json::json;

use super::house::{FORM, HOME, House, form, forwarded, on};
use crate::support::browser::{Browser, Page};
use crate::support::http::Response;
use crate::support::report::Report;

/// A flow as somebody who sends requests by hand has it.
struct Flow {
    /// `Cookie`, as this browser sends it.
    cookie: String,
    /// The id in the address of the question.
    request: String,
    /// The token in the form.
    csrf: String,
}

fn cookies_of(answer: &Response) -> String {
    let pairs = answer.all("set-cookie").into_iter().map(|cookie| cookie.split(';').next().unwrap().to_owned());
    pairs.collect::<Vec<_>>().join("; ")
}

fn page(house: &House, path: &str, answer: &Response) -> Page {
    let url = url::Url::parse(&house.issuer()).unwrap().join(path).unwrap();
    Page { url, status: answer.status, text: answer.text() }
}

fn with_cookie(house: &House, path: &str, cookie: &str) -> Response {
    house.request("GET", path).header("Cookie", cookie).send(house.port)
}

fn begin(house: &House, client: &str) -> Flow {
    let url = house.authorize_url(client, &[]);
    let answer = house.get(&url[url::Position::BeforePath..]);
    let (cookie, location) = (cookies_of(&answer), answer.header("location").unwrap().to_owned());
    let question = page(house, &location, &with_cookie(house, &location, &cookie));
    let field = |name: &str| question.form().fields.into_iter().find(|(known, _)| known == name).unwrap().1;
    Flow { cookie, request: field("request"), csrf: field("csrf") }
}

fn answer(house: &House, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Response {
    let request = house.request("POST", "/consent");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(FORM, form(fields)).send(house.port)
}

/// Nobody was sent anywhere: not to sign in, not to the client.
fn goes_nowhere(answer: &Response, report: &mut Report) {
    report.holds((400..500).contains(&answer.status), || format!("status {}", answer.status));
    report.holds(answer.all("location").is_empty(), || format!("{:?}", answer.all("location")));
    report.holds(!answer.text().contains("http-equiv"), || "the page leads on".to_owned());
}

#[test]
fn nobody_but_the_person_in_front_of_the_question_answers_it() {
    let house = House::start();
    let client = house.register();
    let (flow, other) = (begin(&house, &client.id), begin(&house, &client.id));
    let (request, csrf, cookie) = (&*flow.request, &*flow.csrf, &*flow.cookie);
    let yes = ("decision", "approve");
    let good = [("request", request), ("csrf", csrf), yes];
    let site = house.issuer();
    let mut report = Report::new("answers to the question");
    for (name, fields, headers) in [
        ("no cookie", good.to_vec(), vec![]),
        ("another browser's cookie", good.to_vec(), vec![("Cookie", &*other.cookie)]),
        ("a cookie that is none of ours", good.to_vec(), vec![("Cookie", "mfa-browser=x")]),
        ("no token", vec![("request", request), yes], vec![("Cookie", cookie)]),
        ("an empty token", vec![("request", request), ("csrf", ""), yes], vec![("Cookie", cookie)]),
        ("another flow's token", vec![("request", request), ("csrf", &*other.csrf), yes], vec![("Cookie", cookie)]),
        ("another flow's id", vec![("request", &*other.request), ("csrf", csrf), yes], vec![("Cookie", cookie)]),
        ("no id", vec![("csrf", csrf), yes], vec![("Cookie", cookie)]),
        ("an id that is none", vec![("request", "../x"), ("csrf", csrf), yes], vec![("Cookie", cookie)]),
        ("no decision", vec![("request", request), ("csrf", csrf)], vec![("Cookie", cookie)]),
        ("two decisions", [good.to_vec(), vec![("decision", "deny")]].concat(), vec![("Cookie", cookie)]),
        ("from another site", good.to_vec(), vec![("Cookie", cookie), ("Sec-Fetch-Site", "cross-site")]),
        ("from a sibling host", good.to_vec(), vec![("Cookie", cookie), ("Sec-Fetch-Site", "same-site")]),
        ("from another origin", good.to_vec(), vec![("Cookie", cookie), ("Origin", "https://evil.example")]),
        ("from another scheme", good.to_vec(), vec![("Cookie", cookie), ("Origin", &*site.replace("http", "https"))]),
        (
            "from another site, with our origin",
            good.to_vec(),
            vec![("Cookie", cookie), ("Sec-Fetch-Site", "cross-site"), ("Origin", &*site)],
        ),
    ] {
        report.row(name);
        goes_nowhere(&answer(&house, &fields, &headers), &mut report);
    }
    report.row("in the query of a GET");
    let target = format!("/consent?{}", form(&good));
    let shown = with_cookie(&house, &target, cookie);
    report.holds(shown.status == 200 && !shown.text().contains("http-equiv"), || shown.text());
    report.row("as JSON");
    let json = json!({ "request": request, "csrf": csrf, "decision": "approve" }).to_string();
    let sent = house.request("POST", "/consent").header("Cookie", cookie).body("text/plain", json);
    goes_nowhere(&sent.send(house.port), &mut report);
    report.row("the good answer at last");
    let yes = answer(&house, &good, &[("Cookie", cookie), ("Sec-Fetch-Site", "same-origin")]);
    report.holds(forwarded(&page(&house, "/consent", &yes)).is_some(), || yes.text());
    report.finish();
}

#[test]
fn an_answer_of_the_provider_that_nobody_asked_for_gives_nothing() {
    let house = House::start();
    let client = house.register();
    let flow = begin(&house, &client.id);
    let guessed = "x".repeat(43);
    let mut report = Report::new("callbacks without consent");
    for (name, query, cookie) in [
        ("no state", "code=dev_x".to_owned(), &*flow.cookie),
        ("the id alone", format!("code=dev_x&state={}", flow.request), &*flow.cookie),
        ("a guessed state", format!("code=dev_x&state={}.{guessed}", flow.request), &*flow.cookie),
        ("an empty secret", format!("code=dev_x&state={}.", flow.request), &*flow.cookie),
        ("the token of the form", format!("code=dev_x&state={}.{}", flow.request, flow.csrf), &*flow.cookie),
        ("an error", format!("error=access_denied&state={}.{guessed}", flow.request), &*flow.cookie),
        ("another flow", format!("code=dev_x&state={guessed}.{guessed}"), &*flow.cookie),
        ("no cookie", format!("code=dev_x&state={}.{guessed}", flow.request), ""),
    ] {
        report.row(name);
        goes_nowhere(&with_cookie(&house, &format!("/callback?{query}"), cookie), &mut report);
    }
    report.row("the question is still there");
    report.equal(
        "status",
        with_cookie(&house, &format!("/consent?request={}", flow.request), &flow.cookie).status,
        200,
    );
    report.finish();
}

/// An attacker who says yes in his own browser, and has Alice finish his sign-in in hers.
#[test]
fn a_sign_in_that_began_in_one_browser_ends_in_no_other() {
    let house = House::start();
    let client = house.register();
    let mut attacker = Browser::new(HOME);
    let question = house.question(&mut attacker, &client.id, &[]);
    let to_provider = forwarded(&attacker.submit(&question, &[("decision", "approve")])).unwrap();
    let mut report = Report::new("other browsers");
    let mut with_a_flow = Browser::new(HOME);
    house.question(&mut with_a_flow, &client.id, &[]);
    for (name, mut alice) in [("a fresh browser", Browser::new(HOME)), ("one with a flow of its own", with_a_flow)] {
        report.row(name);
        let form = alice.visit(&to_provider);
        let page = alice.submit(&form, &[("email", "alice@example.com")]);
        let page = on(&mut alice, page);
        report.equal("status", page.status, 403);
        report.equal("path", page.url.path(), "/callback");
        let connections = alice.visit(&house.issuer().parse::<url::Url>().unwrap().join("/connections").unwrap());
        report.holds(connections.url.path() == "/sign-in/development", || "somebody is signed in".to_owned());
    }
    report.row("the browser in which it began");
    let form = attacker.visit(&to_provider);
    let page = attacker.submit(&form, &[("email", "alice@example.com")]);
    let page = on(&mut attacker, page);
    report.holds(page.parameter("code").is_some(), || page.text.clone());
    report.row("the same answer again");
    let again = attacker.visit(&to_provider);
    let page = attacker.submit(&again, &[("email", "alice@example.com")]);
    let page = on(&mut attacker, page);
    report.equal("status", page.status, 409);
    report.finish();
}

/// Alice's session, and a form that she did not fill in.
#[test]
fn a_form_of_another_site_ends_no_connection_and_no_session() {
    let house = House::start();
    let client = house.register();
    let mut alice = Browser::new(HOME);
    let page = house.sign_in(&mut alice, &client.id, &[], "alice@example.com");
    let code = page.parameter("code").unwrap();
    let tokens = super::house::Tokens::of(&house.redeem(&client.id, &code, &[]));
    let base = house.issuer().parse::<url::Url>().unwrap();
    let connections = base.join("/connections").unwrap();
    let mut report = Report::new("forms of other sites");
    let forged = |path: &str, fields: &str| Page {
        url: base.clone(),
        status: 200,
        text: format!(r#"<form action="{path}">{fields}</form>"#),
    };
    for (name, path, fields) in [
        ("withdraw all, without a token", "/connections", r#"<input name="withdraw" value="all">"#),
        (
            "withdraw all, with a wrong token",
            "/connections",
            r#"<input name="withdraw" value="all"><input name="csrf" value="x">"#,
        ),
        ("sign out, without a token", "/sign-out", ""),
        ("sign out, with a wrong token", "/sign-out", r#"<input name="csrf" value="x">"#),
    ] {
        report.row(name);
        let answer = alice.submit(&forged(path, fields), &[]);
        report.equal("status", answer.status, 403);
        let page = alice.visit(&connections);
        report.holds(page.text.contains("alice@example.com"), || format!("signed out: {}", page.url));
        report.equal("the token", house.ask(&tokens.access), 200);
    }
    for path in ["/connections", "/sign-out", "/sign-in", "/sign-in/development", "/consent"] {
        report.row(format!("{path} from elsewhere"));
        for (header, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")] {
            let request = house.request("POST", path).header(header, value);
            goes_nowhere(
                &request.body(FORM, "withdraw=all&state=x&email=alice@example.com").send(house.port),
                &mut report,
            );
        }
    }
    report.row("sign out without a session takes no cookie away");
    let answer = house.post("/sign-out", &[]);
    report.holds(answer.all("set-cookie").is_empty(), || format!("{:?}", answer.all("set-cookie")));
    report.finish();
}

/// The page of the one who may not use the resource has a form, too.
#[test]
fn somebody_who_may_not_gets_no_code_however_the_form_is_answered() {
    let house = House::start();
    let client = house.register();
    let mut bob = Browser::new(HOME);
    let refused = house.sign_in(&mut bob, &client.id, &[], "bob@example.com");
    assert_eq!(refused.status, 403, "{}", refused.text);
    let mut report = Report::new("answers of somebody who may not");
    for decision in ["approve", "return", "deny", "allow"] {
        report.row(decision);
        let page = bob.submit(&refused, &[("decision", decision)]);
        let page = on(&mut bob, page);
        report.equal("code", page.parameter("code"), None);
    }
    report.finish();
}
