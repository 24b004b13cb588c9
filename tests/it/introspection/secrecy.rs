//! No token, no credential of ours and nothing of an answer gets into a log, however much is logged.

use serde_json::json;

use super::{Asked, alice_but, ask, config, outcome};
use crate::support::process::eventually;
use crate::support::service::Service;
use crate::support::web::Answer;

#[test]
fn nothing_of_the_question_and_the_answer_is_logged() {
    const SECRET: &str = "hush-hush-token";
    let asked = Asked::start();
    asked.knows(&format!("{SECRET}-good"), &alice_but(&json!({ "jti": format!("{SECRET}-jti"), "nonce": SECRET })));
    asked.knows(&format!("{SECRET}-bad"), &alice_but(&json!({ "aud": [{ "a": format!("{SECRET}-aud") }] })));
    let config = config(&asked.table("")).replace("[log]\n", "[log]\nlevel = \"trace\"\n");
    let service = Service::start(&config);
    for (token, expected) in [("good", "200"), ("bad", "401 invalid_token"), ("unknown", "401 invalid_token")] {
        assert_eq!(outcome(&ask(&service, &format!("{SECRET}-{token}"))), expected);
    }
    for answer in [
        Answer::Json(format!("{{\"active\":\"{SECRET}\"}}")),
        Answer::StatusJson(401, format!("{{\"error\":\"{SECRET}\"}}")),
        Answer::StatusJson(500, SECRET.to_owned()),
        Answer::Redirect(format!("https://{SECRET}.example")),
    ] {
        asked.says(answer);
        let before = asked.questions();
        eventually("it is asked", || {
            assert_eq!(outcome(&ask(&service, &format!("{SECRET}-trouble"))), "503 introspection_unavailable");
            asked.questions() > before
        });
    }
    asked.issuer.web.set_down(true);
    assert_eq!(outcome(&ask(&service, &format!("{SECRET}-down"))), "503 introspection_unavailable");
    eventually("all is logged", || service.decision_lines().len() >= 8);
    for path in ["/metrics", "/readyz"] {
        assert!(!service.admin(path).text().contains("hush-hush"), "{path}");
    }
    let output = service.process.output();
    let told = |line: &&str| ["hush-hush", "our:secret", "b3VyK2"].iter().any(|secret| line.contains(secret));
    let told: Vec<&str> = output.lines().filter(told).collect();
    assert!(told.is_empty(), "{told:#?}");
    assert!(output.contains("gives no answer"), "trouble was told: {output}");
}
