//! Who we are is configured. No header says otherwise.

use serde_json::json;

use super::house::House;
use crate::support::http::{Request, Response};
use crate::support::report::Report;

/// Ways to claim another host. The empty one claims nothing.
const CLAIMS: [&[(&str, &str)]; 9] = [
    &[("Host", "evil.example")],
    &[("Host", "evil.example:443")],
    &[("Host", "localhost.evil.example")],
    &[("Host", "localhost"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https")],
    &[("Host", "localhost"), ("Forwarded", "host=evil.example;proto=https")],
    &[("Host", "localhost"), ("X-Original-Host", "evil.example"), ("X-Host", "evil.example")],
    &[("Host", "localhost"), ("X-Original-URL", "https://evil.example/"), ("X-Rewrite-URL", "/")],
    &[("Host", "localhost"), ("X-Forwarded-Prefix", "//evil.example"), ("X-Forwarded-Port", "1")],
    &[("Host", "evil.example\" onload=\"x")],
];

fn claiming(request: Request, claim: &[(&str, &str)]) -> Request {
    claim.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

fn says_nothing_of(answer: &Response, report: &mut Report) {
    let lines = answer.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    let head = lines.collect::<Vec<_>>().join("\n");
    report.holds(!head.contains("evil.example") && !answer.text().contains("evil.example"), || {
        format!("{head}\n{}", answer.text())
    });
}

#[test]
fn documents_are_the_same_whatever_host_the_request_claims() {
    let house = House::start();
    let mut report = Report::new("documents");
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/jwks",
        "/.well-known/jwks.json",
    ] {
        let good = house.get(path);
        assert_eq!(good.status, 200, "{path}");
        for claim in CLAIMS {
            report.row(format!("{path} {claim:?}"));
            let answer = claiming(Request::get(path), claim).send(house.port);
            report.equal("document", answer.text(), good.text());
            says_nothing_of(&answer, &mut report);
        }
        report.row(format!("{path} in absolute form"));
        let absolute = house.request("GET", format!("http://evil.example{path}")).send(house.port);
        report.holds(absolute.text() == good.text() || absolute.status >= 400, || absolute.text());
        says_nothing_of(&absolute, &mut report);
    }
    report.finish();
}

#[test]
fn a_registration_is_managed_at_the_issuer() {
    let house = House::start();
    let mut report = Report::new("registration_client_uri");
    for claim in CLAIMS {
        report.row(format!("{claim:?}"));
        let body = json!({ "redirect_uris": ["https://client.example/callback"] }).to_string();
        let answer = claiming(Request::new("POST", "/register"), claim).body("application/json", body).send(house.port);
        let uri = answer.json()["registration_client_uri"].as_str().unwrap().to_owned();
        report.holds(uri.starts_with(&format!("{}/register/", house.issuer())), || uri.clone());
        says_nothing_of(&answer, &mut report);
    }
    report.finish();
}

/// On any other host there are no cookies and no pages: the browser is sent to the issuer.
#[test]
fn authorize_on_another_host_leads_to_the_issuer_and_nowhere_else() {
    let house = House::start();
    let client = house.register();
    let url = house.authorize_url(&client.id, &[]);
    let target = &url[url::Position::BeforePath..];
    let mut report = Report::new("/authorize elsewhere");
    for claim in CLAIMS.into_iter().filter(|claim| claim.len() == 1) {
        report.row(format!("{claim:?}"));
        let answer = claiming(Request::get(target), claim).send(house.port);
        let location = answer.header("location").unwrap_or_default().to_owned();
        report.equal("status", answer.status, 303);
        report.holds(location.starts_with(&format!("{}/authorize?", house.issuer())), || location.clone());
        report.holds(answer.all("set-cookie").is_empty(), || "it sets a cookie".to_owned());
        says_nothing_of(&answer, &mut report);
        let asked = Request::get(&*location.replace(&house.issuer(), "")).host(&format!("localhost:{}", house.port));
        report.equal("the request arrives there", asked.send(house.port).status, 303);
    }
    report.finish();
}

/// The answer to a client never names another issuer, which is what a mix-up needs (RFC 9207 §2).
#[test]
fn the_issuer_in_an_answer_is_ours_whatever_host_the_request_claims() {
    let house = House::start();
    let client = house.register();
    let url = house.authorize_url(&client.id, &[("response_mode", "fragment")]);
    let mut report = Report::new("iss");
    for claim in CLAIMS.into_iter().filter(|claim| claim.len() > 1) {
        report.row(format!("{claim:?}"));
        let own = format!("localhost:{}", house.port);
        let request = Request::get(&url[url::Position::BeforePath..]).host(&own);
        let answer = claiming(request, &claim[1..]).send(house.port);
        let location = url::Url::parse(answer.header("location").unwrap()).unwrap();
        let iss = location.query_pairs().find(|(name, _)| name == "iss").unwrap().1.into_owned();
        report.equal("iss", iss, house.issuer());
    }
    report.finish();
}
