//! Explanations of our own tokens: the running service's keys and revocations are the truth.

use super::stage::Stage;

#[test]
fn an_explanation_knows_our_own_tokens_and_that_one_was_taken_back() {
    let stage = Stage::start();
    let access = stage.let_in("alice@example.com", &stage.register("One"), "/mcp");
    let url = stage.resource("/mcp");
    let explain = || stage.operator(&["explain", "--url", &url, "--token", &access.token]);
    let said = explain();
    assert_eq!((said.code, said.complaint.as_str()), (0, ""), "{said:?}");
    assert!(said.text.contains("subject development:alice@example.com"), "{}", said.text);
    let ended = stage.operator(&["grants", "revoke", "--user", "alice@example.com"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = explain();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.text.contains(">>> NO   authentication  the token has been revoked"), "{}", said.text);
    assert!(!said.text.contains(&access.token[20..60]));
}
