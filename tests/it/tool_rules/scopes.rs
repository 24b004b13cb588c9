//! A call that needs more: the challenge names everything that the caller has and everything that lacks.

use super::{SENDERS, call, message, post, stage};

#[test]
fn the_challenge_asks_for_granted_and_missing_scopes_together() {
    for kind in SENDERS {
        let stage = stage(kind);
        let both = format!("[{},{}]", message("prompts/list", "{}"), call("read_note"));
        for body in [message("prompts/list", "{}"), both] {
            let outcome = stage.try_out(post(&stage, &stage.token(), body));
            let answer = outcome.answer.as_ref().unwrap();
            let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", stage.resource(""));
            let challenge = format!(
                "Bearer error=\"insufficient_scope\", error_description=\"the token lacks a required scope\", \
                 resource_metadata=\"{metadata}\", scope=\"mcp:prompts mcp:read\""
            );
            assert_eq!((answer.status, answer.header("www-authenticate")), (403, Some(&*challenge)), "{kind:?}");
            assert!(outcome.seen.is_empty());
        }
        let token = stage.issuer.sign(&stage.token_for("/mcp").claim("scope", "mcp:read mcp:prompts"));
        let outcome = stage.try_out(post(&stage, &token, message("prompts/list", "{}")));
        assert_eq!((outcome.status(), outcome.seen.len()), (200, 1), "{kind:?}: {}", outcome.shown());
    }
}
