//! Open redirects: an answer goes to the very address that the client registered, or nowhere.

use serde_json::json;

use super::house::{HOME, House};
use crate::support::http::Request;
use crate::support::report::Report;

const LOOPBACK: &str = "http://127.0.0.1:7777/callback";

/// A page for the person, and nothing that leads away.
fn stays_here(answer: &crate::support::http::Response, report: &mut Report) {
    report.equal("status", answer.status, 400);
    report.holds(answer.all("location").is_empty(), || format!("{:?}", answer.all("location")));
    report.holds(!answer.text().contains("evil.example"), || "the page repeats the address".to_owned());
    report.holds(!answer.text().contains("http-equiv"), || "the page leads on".to_owned());
}

#[test]
fn an_address_that_only_resembles_the_registered_one_gets_no_answer() {
    let house = House::start();
    let registered = json!({ "redirect_uris": [HOME, LOOPBACK, "http://localhost:7777/callback"],
                             "token_endpoint_auth_method": "none" });
    let client = house.register_as(&registered);
    let mut report = Report::new("redirect URIs");
    for uri in [
        "https://evil.example/callback",
        "https://client.example/callback/",
        "https://client.example/callback/../evil",
        "https://client.example/callback/..%2fevil",
        "https://client.example/callback%2e",
        "https://client.example/%63allback",
        "https://client.example/Callback",
        "https://client.example/callback?next=//evil.example",
        "https://client.example/callback#",
        "https://client.example/callback#//evil.example",
        "https://client.example:8443/callback",
        "https://client.example:443/callback",
        "https://client.example./callback",
        "https://CLIENT.example/callback",
        "https://client.example.evil.example/callback",
        "https://client.example@evil.example/callback",
        "https://user@client.example/callback",
        "https://client.example%40evil.example/callback",
        "https://client.example%2f@evil.example/callback",
        "https://client.example\\@evil.example/callback",
        "https://evil.example\\client.example/callback",
        "https:\\\\evil.example\\callback",
        "https:/client.example/callback",
        "https:client.example/callback",
        "//client.example/callback",
        "//evil.example/callback",
        "/callback",
        "http://client.example/callback",
        "HTTPS://client.example/callback",
        " https://client.example/callback",
        "https://client.example/callback ",
        "https://client.example/callback\t",
        "https://client.example/callback\r\nLocation: https://evil.example/",
        "https://client.example/callback\0",
        "https://client.example/callb\u{430}ck",
        "https://xn--client-6ve.example/callback",
        "javascript:alert(1)",
        "javascript://client.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "blob:https://client.example/callback",
        "urn:ietf:wg:oauth:2.0:oob",
        "about:blank",
        "http://127.0.0.1:7777/callback/../evil",
        "http://127.0.0.1:7777/evil",
        "http://127.0.0.1.evil.example:7777/callback",
        "http://127.0.0.1@evil.example:7777/callback",
        "http://127.0.0.1:7777@evil.example/callback",
        "http://127.0.0.1:07777/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.2:7777/callback",
        "http://127.1:7777/callback",
        "http://2130706433:7777/callback",
        "http://0x7f.0.0.1:7777/callback",
        "http://[::ffff:127.0.0.1]:7777/callback",
        "http://[::1]:7777/callback",
        "http://0.0.0.0:7777/callback",
        "https://127.0.0.1:7777/callback",
        "http://localhost.evil.example:7777/callback",
        "http://localhost.:7777/callback",
        "http://localhost:7777evil.example/callback",
        "http://localhost:7777\\@evil.example/callback",
        "http://LOCALHOST:7777/callback",
    ] {
        report.row(uri);
        let url = house.authorize_url(&client.id, &[("redirect_uri", uri)]);
        stays_here(&house.get(&url[url::Position::BeforePath..]), &mut report);
    }
    report.finish();
}

#[test]
fn a_parameter_that_is_there_twice_gets_no_answer() {
    let house = House::start();
    let client = house.register();
    let good = house.authorize_url(&client.id, &[]);
    let mut report = Report::new("repeated parameters");
    for more in [
        "redirect_uri=https%3A%2F%2Fevil.example%2F",
        "redirect%5Furi=https%3A%2F%2Fevil.example%2F",
        "client_id=other",
        "state=other",
        "response_type=token",
        "code_challenge_method=plain",
    ] {
        let path = &good[url::Position::BeforePath..];
        for (place, target) in
            [("last", format!("{path}&{more}")), ("first", path.replacen('?', &format!("?{more}&"), 1))]
        {
            report.row(format!("{more} {place}"));
            stays_here(&house.get(&target), &mut report);
        }
    }
    report.finish();
}

#[test]
fn a_client_that_nobody_knows_gets_no_answer() {
    let house = House::start();
    let mut report = Report::new("client ids");
    for id in ["", "mfc_unknown", "../../etc/passwd", "job\0", "javascript:alert(1)", "<b>", &"x".repeat(5000)] {
        report.row(id.chars().take(40).collect::<String>());
        let url = house.authorize_url(id, &[("redirect_uri", "https://evil.example/")]);
        stays_here(&house.get(&url[url::Position::BeforePath..]), &mut report);
    }
    report.finish();
}

/// What came with the request is percent-encoded in the answer's address, so no header and no parameter begins in it.
#[test]
fn what_is_repeated_in_an_answer_begins_no_header_and_no_parameter() {
    let house = House::start();
    let client = house.register();
    let mut report = Report::new("header injection");
    for text in [
        "a\r\nSet-Cookie: mfa-browser=evil",
        "a\nLocation: https://evil.example/",
        "a&code=evil&iss=https://evil.example",
        "a#code=evil",
        "a\0b",
        "\u{2028}\u{560a}\u{560d}",
    ] {
        for field in ["state", "scope", "resource", "response_type", "code_challenge"] {
            report.row(format!("{text:?} as {field}"));
            // Something else is wrong as well, so that there is an answer to repeat it in.
            let url = house.authorize_url(&client.id, &[("response_mode", "fragment"), (field, text)]);
            let answer = house.get(&url[url::Position::BeforePath..]);
            report.equal("status", answer.status, 302);
            report.holds(answer.all("set-cookie").is_empty(), || format!("{:?}", answer.all("set-cookie")));
            let location = answer.all("location");
            let [location] = location.as_slice() else {
                report.fail(format!("{location:?}"));
                continue;
            };
            report.holds(location.starts_with(&format!("{HOME}?")), || (*location).to_owned());
            let names: Vec<String> =
                url::Url::parse(location).unwrap().query_pairs().map(|(name, _)| name.into_owned()).collect();
            report.equal("parameters", names, vec!["error", "error_description", "state", "iss"]);
            report.holds(!location.contains('#'), || (*location).to_owned());
        }
    }
    report.finish();
}

#[test]
fn addresses_that_lead_elsewhere_than_they_say_are_not_registered() {
    let house = House::start();
    let mut report = Report::new("registrations");
    for uri in [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "intent://evil.example/#Intent;end",
        "http://evil.example/callback",
        "http://localhost.evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.1/callback",
        "https://*.evil.example/callback",
        "https://user@evil.example/callback",
        "https://evil.example\\@client.example/callback",
        "https://evil.example/callback#fragment",
        "https://evil.example/a/../b",
        "https://evil.example/call\r\nback",
        "//evil.example/callback",
        "evil://x",
        "urn:ietf:wg:oauth:2.0:oob",
        "",
    ] {
        report.row(uri);
        let body = json!({ "redirect_uris": [uri] }).to_string();
        // Each from an address of its own: the limit is not what is tested here.
        let caller = format!("198.51.100.{}", uri.len());
        let request = house.request("POST", "/register").header("X-Forwarded-For", caller);
        let answer = Request::body(request, "application/json", body).send(house.port);
        report.equal("outcome", super::house::outcome(&answer), super::house::refused(400, "invalid_redirect_uri"));
    }
    report.finish();
}
