//! Cookie tossing: an MCP server on a sibling host may set cookies for the whole domain, and must not thereby make a
//! browser somebody else's.

use serde_json::json;

use super::house::{HOME, House, form};
use crate::idp::fake::{CLIENT_ID, CLIENT_SECRET, Fake};
use crate::support::http::{Request, Response};
use crate::support::ports;
use crate::support::report::Report;
use crate::support::service::Service;

const ISSUER_HOST: &str = "auth.example.com";

fn config(provider: &str) -> String {
    format!(
        r#"
[[resources]]
url = "https://mcp.example.com/mcp"
allowed_emails = ["alice@example.com"]

[authorization_server]
issuer = "https://{ISSUER_HOST}"

[authorization_server.identity_provider]
kind = "oidc"
issuer = "{provider}"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"

[store]
url = "memory:"
"#
    )
}

/// A deployment over https as the service sees it: cookies carry the prefix that only their own host can set.
#[test]
fn a_cookie_of_the_whole_domain_is_never_taken_for_ours() {
    let provider = Fake::start();
    let service = Service::start_at(ports::free(), &config(&provider.url()));
    let ask = |method: &str, target: &str| Request::new(method, target).host(ISSUER_HOST);
    let metadata = json!({ "redirect_uris": [HOME], "token_endpoint_auth_method": "none" }).to_string();
    let registered = ask("POST", "/register").body("application/json", metadata).send(service.port).json();
    let query = form(&[
        ("response_type", "code"),
        ("client_id", registered["client_id"].as_str().unwrap()),
        ("code_challenge", super::house::CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    // The attacker's own browser, and the question in it.
    let begun = ask("GET", &format!("/authorize?{query}")).send(service.port);
    let cookie = begun.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let (name, value) = cookie.split_once('=').unwrap();
    assert!(name.starts_with("__Host-mfa-browser-"), "{name}");
    let question = begun.header("location").unwrap();
    let with = |cookies: &[&[u8]]| -> Response {
        let request = ask("GET", question);
        cookies.iter().fold(request, |request, line| request.header("Cookie", *line)).send(service.port)
    };
    let mut report = Report::new("tossed cookies");
    for tossed in [
        name.replace("__Host-", ""),
        name.replace("__Host-", "%5F%5FHost-"),
        name.replace("__Host-mfa-", "%5f%5fHost%2dmfa%2d"),
        name.replace("__Host-", "__Host%2D"),
        name.replace("__Host-", "__host-"),
        name.to_uppercase(),
        name.replace("__Host-", "__Secure-"),
        format!("{name} "),
        format!("{name}\t"),
        format!("{name}x"),
        "__Host-mfa-browser-".to_owned(),
        "__Host-mfa-browser".to_owned(),
        format!("${name}"),
        format!("x=y,{name}"),
        format!("x=\"; {name}\""),
    ] {
        report.row(&tossed);
        let answer = with(&[format!("{tossed}={value}").as_bytes()]);
        report.equal("status in a victim's browser", answer.status, 403);
        let own = format!("{tossed}=mfb_{}; {cookie}", "x".repeat(43));
        report.equal("status beside the good cookie", with(&[own.as_bytes()]).status, 200);
    }
    let other = format!("{name}=mfb_{}", "x".repeat(43));
    for (case, lines, status) in [
        ("bytes that are no text", vec![&b"x=\xff\xfe"[..], cookie.as_bytes()], 200),
        ("a cookie without a name", vec![&b"=x; junk; ;;"[..], cookie.as_bytes()], 200),
        ("the cookie twice", vec![cookie.as_bytes(), cookie.as_bytes()], 200),
        ("another value under its name", vec![other.as_bytes()], 403),
        ("the same beside it", vec![other.as_bytes(), cookie.as_bytes()], 200),
    ] {
        report.row(case);
        report.equal("status", with(&lines).status, status);
    }
    report.finish();
}

/// What a browser brings along is kept only when we made it, or could have.
#[test]
fn a_cookie_of_ours_is_hidden_from_scripts_bound_to_its_host_and_unlike_any_other() {
    let provider = Fake::start();
    let service = Service::start_at(ports::free(), &config(&provider.url()));
    let mut seen = Vec::new();
    for brought in ["", "__Host-mfa-browser-chosen=chosen-by-somebody", "__Host-mfa-browser-x=mfb_short"] {
        let request = Request::get("/sign-in").host(ISSUER_HOST).header("Cookie", brought);
        let answer = request.send(service.port);
        let cookie = answer.header("set-cookie").unwrap().to_owned();
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
        }
        assert!(!cookie.contains("Domain") && !cookie.contains("chosen"), "{cookie}");
        assert!(!seen.contains(&cookie));
        seen.push(cookie);
    }
}

/// A cookie that ended under a flow, or was replaced by one that another site began, would cut people off.
#[test]
fn a_cookie_is_set_anew_with_each_flow_and_never_replaced_by_a_form_of_another_site() {
    let house = House::start();
    let client = house.register();
    let url = house.authorize_url(&client.id, &[]);
    let target = &url[url::Position::BeforePath..];
    let first = house.get(target).header("set-cookie").unwrap().to_owned();
    let pair = first.split(';').next().unwrap();
    let again = house.request("GET", target).header("Cookie", pair).send(house.port);
    assert_eq!(again.header("set-cookie"), Some(&*first), "the same, for another while");
    assert!(first.contains("Max-Age=32400"), "longer than a session: {first}");
    // Browsers send no `SameSite=Lax` cookie with the form of another site.
    let form = url.query().unwrap();
    let posted = house.request("POST", "/authorize").body(super::house::FORM, form).send(house.port);
    assert_eq!(posted.status, 303, "{posted:?}");
    assert!(posted.all("set-cookie").is_empty(), "{posted:?}");
    let location = posted.header("location").unwrap().strip_prefix(&house.issuer()).unwrap().to_owned();
    let led = house.request("GET", &*location).header("Cookie", pair).send(house.port);
    assert_eq!((led.status, led.header("set-cookie")), (303, Some(&*first)), "a link brings the cookie along");
}
