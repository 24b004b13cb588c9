//! Refresh tokens in the wrong hands, and used more than once. That reuse after the window ends the grant takes a clock
//! that a test moves: `src/oauth/tests/refreshing.rs`.

use std::collections::BTreeSet;

use super::house::{House, Tokens, outcome, refused};
use crate::support::report::Report;

#[test]
fn a_refresh_token_serves_its_own_client_and_resource_only() {
    let house = House::start();
    let (client, thief) = (house.register(), house.register());
    let tokens = house.tokens(&client.id);
    let other = house.resource("/other");
    let mut report = Report::new("refreshes");
    for (name, who, token, changes, error) in [
        ("another client", &thief.id, &*tokens.refresh, vec![], "invalid_grant"),
        ("another resource", &client.id, &*tokens.refresh, vec![("resource", &*other)], "invalid_target"),
        (
            "a foreign resource",
            &client.id,
            &*tokens.refresh,
            vec![("resource", "https://evil.example")],
            "invalid_target",
        ),
        ("more scopes only", &client.id, &*tokens.refresh, vec![("scope", "mcp:write")], "invalid_scope"),
        ("the access token", &client.id, &*tokens.access, vec![], "invalid_grant"),
        ("a guessed one", &client.id, "mfr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", vec![], "invalid_grant"),
        ("none", &client.id, "", vec![], "invalid_request"),
    ] {
        report.row(name);
        report.equal("outcome", outcome(&house.refresh(who, token, &changes)), refused(400, error));
    }
    report.finish();
    let next = Tokens::of(&house.refresh(&client.id, &tokens.refresh, &[]));
    assert_eq!(house.ask(&next.access), 200, "nothing of this used it up");
}

/// Whoever copies a token and races its owner gets what the owner gets, never a family of his own.
#[test]
fn refreshes_at_once_get_one_successor() {
    let house = House::start();
    let client = house.register();
    let mut token = house.tokens(&client.id).refresh;
    for _ in 0..5 {
        let answers = std::thread::scope(|scope| {
            let ask = || house.refresh(&client.id, &token, &[]);
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let successors: BTreeSet<String> = answers.iter().map(|answer| Tokens::of(answer).refresh).collect();
        assert_eq!(successors.len(), 1, "{successors:?}");
        let next = successors.into_iter().next().unwrap();
        assert_ne!(next, token);
        token = next;
    }
}

#[test]
fn codes_redeemed_at_once_give_tokens_once() {
    let house = House::start();
    let client = house.register();
    for _ in 0..5 {
        let code = house.code(&client.id, &[]);
        let answers = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| house.redeem(&client.id, &code, &[]))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let given: Vec<Tokens> = answers.iter().filter(|answer| answer.status == 200).map(Tokens::of).collect();
        assert!(given.len() == 1, "{answers:?}");
        assert_eq!(house.ask(&given[0].access), 401, "the others were replays, which end the grant");
        assert!(
            answers.iter().filter(|answer| answer.status != 200).all(|answer| outcome(answer).1 == "invalid_grant")
        );
    }
}
