//! What no browser can be made to do at a certain moment: two tabs that begin together, and far too many.

use serde_json::json;
use url::form_urlencoded::Serializer;

use super::stage::{DEVELOPMENT, config};
use crate::support::http::{Request, Response};
use crate::support::service::Service;

const HOST: &str = "localhost:8080";
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

fn start() -> Service {
    Service::start(&config(&format!("http://{HOST}"), "", DEVELOPMENT))
}

fn send(service: &Service, request: Request, cookies: &[String]) -> Response {
    let request = request.host(HOST);
    let request = if cookies.is_empty() { request } else { request.header("Cookie", cookies.join("; ")) };
    request.send(service.port)
}

fn get(service: &Service, target: &str, cookies: &[String]) -> Response {
    send(service, Request::get(target), cookies)
}

/// The authorization request of a client that has just registered.
fn authorization(service: &Service) -> String {
    let client = json!({ "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none" });
    let request = Request::new("POST", "/register").body("application/json", client.to_string());
    let registered = send(service, request, &[]);
    assert_eq!(registered.status, 201, "{}", registered.text());
    let id = registered.json()["client_id"].as_str().unwrap().to_owned();
    let mut query = Serializer::new("/authorize?".to_owned());
    query.extend_pairs([("response_type", "code"), ("client_id", &*id), ("redirect_uri", REDIRECT_URI)]);
    query.extend_pairs([("code_challenge_method", "S256"), ("code_challenge", &*"x".repeat(43))]);
    query.finish()
}

/// What a browser would send back of the cookies that it was given: of two with the same name, the later one.
fn kept(answers: &[&Response]) -> Vec<String> {
    let given = answers.iter().flat_map(|answer| answer.all("set-cookie"));
    let pairs = given.map(|cookie| cookie.split(';').next().unwrap().split_once('=').unwrap());
    let jar: std::collections::BTreeMap<&str, &str> = pairs.collect();
    jar.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn two_tabs_that_begin_before_either_has_a_cookie_can_both_go_on() {
    let service = start();
    let target = authorization(&service);
    let [one, two] = [0, 1].map(|_| get(&service, &target, &[]));
    let cookies = kept(&[&one, &two]);
    for answer in [&one, &two] {
        let page = get(&service, answer.header("location").unwrap(), &cookies);
        assert_eq!(page.status, 200, "{}", page.text());
        let field = |name: &str| {
            let start = format!("name=\"{name}\" value=\"");
            page.text().split(&start).nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        let mut form = Serializer::new(String::new());
        form.extend_pairs([("csrf", &*field("csrf")), ("request", &*field("request")), ("decision", "approve")]);
        let request = Request::new("POST", "/consent").body("application/x-www-form-urlencoded", form.finish());
        let answer = send(&service, request, &cookies);
        assert!(answer.text().contains("/sign-in/development?state="), "{}: {}", answer.status, answer.text());
    }
    let stranger = get(&service, one.header("location").unwrap(), &kept(&[&two]));
    assert_eq!(stranger.status, 403, "each flow keeps to its own cookie");
}

/// Else a sign-in that begins shortly before its end could not be finished, and the session would be lost.
#[test]
fn a_browser_keeps_its_cookie_for_as_long_as_it_comes_back() {
    let service = start();
    let target = authorization(&service);
    let first = get(&service, &target, &[]);
    let again = get(&service, &target, &kept(&[&first]));
    assert_eq!(again.all("set-cookie"), first.all("set-cookie"), "the same for another while");
    assert_eq!(again.all("set-cookie").len(), 1);
}

#[test]
fn who_comes_far_too_often_is_told_to_wait() {
    let service = start();
    let answers = (0..200).map(|_| get(&service, "/authorize?client_id=nobody", &[]));
    let refused = answers.into_iter().find(|answer| answer.status != 400).expect("a limit");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")));
    assert!(refused.text().contains("Too many attempts"), "{}", refused.text());
}
