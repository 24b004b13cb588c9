//! Several issuers at once: their keys and tokens never stand in for one another.

use super::{RESOURCE, ask, outcome, table};
use crate::support::issuer::{SigningKey, TestIssuer};
use crate::support::report::Report;
use crate::support::service::Service;

const OTHER: &str = "https://mcp.example.com/other";

/// Two issuers whose keys have the same ids, and a third that only the second resource accepts.
#[test]
fn overlapping_key_ids_are_kept_apart() {
    let issuers = [(); 3].map(|()| TestIssuer::with_keys(vec![SigningKey::generate("same", "ES256")]));
    let tables = issuers.each_ref().map(|issuer| format!("[[issuers]]\n{}\n", table(issuer))).concat();
    let [first, second, third] = &issuers;
    let service = Service::start(&format!(
        "{tables}
[[resources]]
url = \"{RESOURCE}\"
issuers = [\"{}\", \"{}\"]
[[resources]]
url = \"{OTHER}\"
issuers = [\"{}\"]
",
        first.url(),
        second.url(),
        third.url()
    ));
    let mut report = Report::new("several issuers");
    let mut check = |name: &str, token: String, resource: &str, expected: &str| {
        report.row(name);
        let answer = service.ask("POST", resource, Some(&token));
        report.equal("the outcome", outcome(&answer), expected.to_owned());
        if answer.status == 200 {
            let claimed = crate::support::issuer::claims_of(&token)["iss"].clone();
            report.equal("the issuer told", answer.header("x-auth-issuer").unwrap_or_default(), claimed);
        }
    };
    for round in ["first time", "from the cache"] {
        check(round, first.sign(&first.token_for(RESOURCE)), RESOURCE, "200");
        check(round, second.sign(&second.token_for(RESOURCE)), RESOURCE, "200");
        check(round, third.sign(&third.token_for(OTHER)), OTHER, "200");
    }
    let lent = first.token_for(RESOURCE).signed_by(&second.keys[0]);
    check("the second signs as the first", lent, RESOURCE, "401 invalid_token");
    let lent = second.token_for(RESOURCE).signed_by(&first.keys[0]);
    check("the first signs as the second", lent, RESOURCE, "401 invalid_token");
    check("not accepted here", third.sign(&third.token_for(RESOURCE)), RESOURCE, "401 unknown_issuer");
    check("not accepted there", first.sign(&first.token_for(OTHER)), OTHER, "401 unknown_issuer");
    let stranger = TestIssuer::with_keys(vec![SigningKey::generate("same", "ES256")]);
    check("nobody knows it", stranger.sign(&stranger.token_for(RESOURCE)), RESOURCE, "401 unknown_issuer");
    report.finish();
}

/// One issuer is down: its tokens are undecidable, those of the other are judged.
#[test]
fn an_issuer_that_is_down_holds_nobody_else_up() {
    let (up, down) = (TestIssuer::start(), TestIssuer::start());
    down.web.set_down(true);
    let service = Service::start_unready(&format!(
        "[[issuers]]\n{}\n[[issuers]]\n{}\n[[resources]]\nurl = \"{RESOURCE}\"\n",
        table(&down),
        table(&up)
    ));
    let good = up.sign(&up.token_for(RESOURCE));
    crate::support::process::eventually("the keys of the one that is up", || ask(&service, &good).status == 200);
    assert_eq!(outcome(&ask(&service, &down.sign(&down.token_for(RESOURCE)))), "503 keys_unavailable");
    let ready = service.admin("/readyz");
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["issuers_without_keys"], serde_json::json!([down.url()]));
}
